//! What a rule may have to know beyond the version that it judges. Loaded only for the rules that need it.

use chrono::{DateTime, Utc};

use crate::domain::{Content, VersionId};

/// What a rule may have to know beyond the version that it judges.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The newest good version before the judged one, if there is one; or why it cannot be read.
    pub previous: Result<Option<Previous>, String>,
    /// What another source, which lists digests, said at the time; or why there is nothing.
    pub companion: Result<Companion, String>,
}

impl Default for Evidence {
    /// Nothing is known.
    fn default() -> Self {
        Self {
            previous: Ok(None),
            companion: Err("no companion was looked for".to_owned()),
        }
    }
}

/// The newest good version, passed or unverified, before the judged one.
#[derive(Clone, Debug)]
pub struct Previous {
    /// Its length.
    pub size_bytes: u64,
    /// Its bytes, when the rule needs them.
    pub content: Option<Content>,
}

/// Another source, which lists digests.
#[derive(Clone, Debug)]
pub struct Companion {
    /// What people call the source.
    pub name: String,
    /// The newest version that is compared with.
    pub newest: VersionId,
    /// The bytes of its newest version. For a judged version that is not its source's newest any more: of the versions,
    /// newest first, that were in force while it was, one of which is enough.
    pub lists: Vec<Content>,
    /// When the last request began that brought its newest version, or confirmed that it is unchanged.
    pub checked_at: DateTime<Utc>,
}

/// How the note begins of which list a content was compared with.
const NOTE: &str = "compared with v";

impl Companion {
    /// Returns a line that says with which version of the list a content was compared: the verdict's output.
    pub(super) fn note(&self) -> String {
        format!("{NOTE}{} of {}", self.newest, self.name)
    }

    /// Returns the version of the list that a verdict's output names.
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
