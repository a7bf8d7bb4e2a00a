//! Input of the built-in rules beyond the judged version: earlier versions and companions. Loaded only for rules that
//! use it.

use chrono::{DateTime, Utc};

use crate::domain::{Content, VersionId};

/// Input of a built-in rule beyond the judged version.
#[derive(Clone, Debug)]
pub struct RuleContext {
    /// The newest good version before the judged one, if there is one; or why it cannot be read.
    pub previous: Result<Option<Previous>, String>,
    /// The source that lists digests, in the state that counts for the judged version; or why there is none.
    pub companion: Result<Companion, String>,
}

impl Default for RuleContext {
    /// No earlier version, no companion.
    fn default() -> Self {
        Self {
            previous: Ok(None),
            companion: Err("no companion was looked for".to_owned()),
        }
    }
}

/// The newest good version (passed or unverified) before the judged one.
#[derive(Clone, Debug)]
pub struct Previous {
    /// Its length.
    pub size_bytes: u64,
    /// Its bytes, when the rule needs them.
    pub content: Option<Content>,
}

/// A source whose content lists the digests of other files.
#[derive(Clone, Debug)]
pub struct Companion {
    /// The name of the source.
    pub name: String,
    /// Its newest version, or the newest one that the content is compared with.
    pub newest: VersionId,
    /// The lists to compare with, newest first; one match is enough. The companion's newest version alone when the
    /// judged version is its source's newest, else the versions that were in force while the judged one was.
    pub lists: Vec<Content>,
    /// When the last request began that fetched the newest list or found it unchanged.
    pub checked_at: DateTime<Utc>,
}

/// Begins the line of a verdict's output that names the list.
const NOTE: &str = "compared with v";

impl Companion {
    /// Returns the output line that names the compared version of the list.
    pub(super) fn note(&self) -> String {
        format!("{NOTE}{} of {}", self.newest, self.name)
    }

    /// Returns the version of the list that a verdict's output names, if any.
    pub fn noted_in(output: &str) -> Option<VersionId> {
        let id = output.strip_prefix(NOTE)?.split(' ').next()?;
        id.parse().ok().map(VersionId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_that_was_compared_with_is_noted() {
        let list = |name: &str| Companion {
            name: name.to_owned(),
            newest: VersionId(12),
            lists: Vec::new(),
            checked_at: DateTime::UNIX_EPOCH,
        };
        for name in ["SHA256SUMS", "a list of mine", ""] {
            let note = list(name).note();
            assert_eq!(note, format!("compared with v12 of {name}"));
            assert_eq!(Companion::noted_in(&note), Some(VersionId(12)));
        }
        for other in ["", "compared with v of x", "compared with x", "v12"] {
            assert_eq!(Companion::noted_in(other), None, "{other}");
        }
    }
}
