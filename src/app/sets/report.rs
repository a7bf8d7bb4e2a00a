//! What a pass did for sets, and what failed.

use crate::app::{Error, ErrorKind, Result};
use crate::domain::{NewVerdict, Weight};

/// The results of a pass for sets.
#[derive(Debug, Default)]
pub(crate) struct SetsReport {
    /// How many editions were newly published.
    pub(crate) published: u64,
    /// How many sets failed or could not be judged.
    pub(crate) failed: u64,
    /// How many sets began to wait for promised verdicts.
    pub(crate) awaiting: u64,
    /// The failures, one line each.
    pub(crate) failures: Vec<String>,
    /// The error that kept a set from being judged or published, other than its files.
    pub(crate) error: Option<Error>,
}

impl SetsReport {
    /// Keeps the error of one set, unless it stops all further work.
    pub(super) fn keep_error(&mut self, set: &str, judged: Result<()>) -> Result<()> {
        match judged {
            Ok(()) => {}
            Err(error) if error.concerns_all() => return Err(error),
            // A member was purged meanwhile: the next pass judges the set without it.
            Err(error) if error.kind == ErrorKind::NotFound => tracing::warn!("set {set}: {error}"),
            Err(error) => {
                tracing::error!("set {set}: {error}");
                self.error.get_or_insert(error);
            }
        }
        Ok(())
    }

    /// Adds the failures that verifiers of this weight found.
    pub(super) fn add_failures(&mut self, set: &str, verdicts: &[NewVerdict], weight: Weight) {
        let failures = verdicts.iter().filter_map(|one| weight.failure_words(one));
        let failures = failures.map(|words| format!("set {set}: {words}"));
        self.failures.extend(failures);
    }
}
