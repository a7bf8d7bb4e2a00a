//! What a rule may have to know beyond the version that it judges. Loaded only for the rules that need it.

use chrono::{DateTime, Utc};

use crate::domain::Content;

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
    /// The bytes of its newest version. For a judged version that is not its source's newest any more: of the versions,
    /// newest first, that were in force while it was, one of which is enough.
    pub lists: Vec<Content>,
    /// When the last request began that brought its newest version, or confirmed that it is unchanged.
    pub checked_at: DateTime<Utc>,
}
