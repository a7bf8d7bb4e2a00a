//! What a verdict is on, and which verdicts to read.

use crate::domain::{EditionId, SourceId, VersionId};

/// What a verdict is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// A version of a source.
    Version(VersionId),
    /// An edition of a set.
    Edition(EditionId),
}

impl From<VersionId> for Judged {
    fn from(id: VersionId) -> Self {
        Self::Version(id)
    }
}

impl From<EditionId> for Judged {
    fn from(id: EditionId) -> Self {
        Self::Edition(id)
    }
}

/// Which verdicts on versions to read, oldest first.
#[derive(Clone, Copy, Debug)]
pub enum VerdictQuery {
    /// All on one version.
    On(VersionId),
    /// Those on the newest versions of a source, without what the verifiers printed: that may be 128 KiB each, and no list
    /// shows it.
    OfSource {
        /// Whose versions.
        source: SourceId,
        /// So many versions at most; all without.
        limit: Option<usize>,
    },
}

impl From<VersionId> for VerdictQuery {
    fn from(version: VersionId) -> Self {
        Self::On(version)
    }
}

/// Which versions wait for a verdict.
#[derive(Clone, Copy, Debug)]
pub enum Awaiting {
    /// Those that are pending or could not be judged and whose verdict may change what is published, of sources that are not
    /// removed: the published one, and of the newest eight those after it; of a member of a set the newest.
    Decision,
    /// The newest ones that are decided, and that a verifier which only advises has promised a verdict on.
    Advice,
}

/// Rows without which something must not be decided.
#[derive(Clone, Debug)]
pub enum NeededRows {
    /// Those of the members of a set: it is not judged without one.
    MembersOf(String),
    /// Those by which somebody may have refused the bytes of a version that is not decided.
    RefusalsOf(VersionId),
}
