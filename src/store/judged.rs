//! The subjects of verdicts, and which verdicts to read.

use crate::domain::{EditionId, SourceId, VersionId};

/// The subject of a verdict.
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
#[derive(Clone, Debug)]
pub enum VerdictQuery {
    /// All verdicts on one version.
    On(VersionId),
    /// All verdicts on these versions.
    OnAll(Vec<VersionId>),
    /// The verdicts on the newest versions of a source, without the output of the verifiers: no list shows it, and it
    /// may have 128 KiB each.
    OfSource {
        /// The source.
        source: SourceId,
        /// At most so many versions; `None` for all.
        limit: Option<usize>,
    },
}

impl From<VersionId> for VerdictQuery {
    fn from(version: VersionId) -> Self {
        Self::On(version)
    }
}

/// Which of the versions that wait for a verdict to read.
#[derive(Clone, Copy, Debug)]
pub enum Awaiting {
    /// Versions that are pending or in error and whose verdict may change what is published, of sources that are not
    /// removed: the published version, and those after it among the newest eight; of a member of a set the newest.
    Decision,
    /// Newest versions that are decided, and on which an advisory verifier has promised a verdict.
    Advice,
}

/// Rows that a decision needs.
#[derive(Clone, Debug)]
pub enum NeededRows {
    /// The rows of the members of a set: it is not judged without all of them.
    MembersOf(String),
    /// The rows that may hold a refusal of the bytes of this undecided version.
    RefusalsOf(VersionId),
}
