//! axe-core, which knows the rules of WCAG: its file, and what it finds on a page.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};

use super::browser::Browser;
use crate::rig::left_out;

/// Names the file in the place of the one in `target/tmp`.
const FILE: &str = "GANNET_AXE";
/// `.ci/run` and CONTRIBUTING fetch this version as well.
const VERSION: &str = "4.14.1";

/// Returns what is wrong with the page, a line for each rule, as far as a program can see it.
const FAULTS: &str = "axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
  preload: false,
}).then(({ violations }) => violations.map((one) =>
  `${one.id}: ${one.help}: ${one.nodes.map((node) => `${node.target} ${node.any.map((check) => check.message)}`).join('; ')}`))";

/// Returns the source of axe-core; nothing on a machine without it.
fn source() -> Option<&'static str> {
    static SOURCE: OnceLock<Option<String>> = OnceLock::new();
    static SAID: Once = Once::new();
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let named = std::env::var_os(FILE).map(PathBuf::from);
    let usual = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("axe-core-{VERSION}.min.js"));
    let source = SOURCE.get_or_init(|| fs::read_to_string(named.unwrap_or(usual)).ok());
    if source.is_none() {
        SAID.call_once(|| left_out("the rules of WCAG", "axe-core is not there"));
    }
    source.as_deref()
}

impl Browser {
    /// Returns what axe-core finds on the page.
    pub(crate) fn axe(&mut self) -> Vec<String> {
        let Some(source) = source() else {
            return Vec::new();
        };
        if self.evaluate("typeof axe") == "undefined" {
            self.evaluate(&format!("{source}; null"));
            assert_eq!(self.evaluate("axe.version"), VERSION);
        }
        let found = self.evaluate(FAULTS);
        serde_json::from_value(found).expect("a list of lines")
    }
}
