//! What the operations about published files take and return: which files to publish or to look at, and how they were recorded.

use chrono::{DateTime, Utc};

use crate::domain::{Digest, FileSeal, Publication, Source, SourceId, VersionId};

/// Which files that are not as the states of their sources' versions demand to read.
#[derive(Clone, Copy, Debug)]
pub enum PublishQuery {
    /// That of one source, if it is not right.
    Of(SourceId),
    /// Those of sources with an id after this one, by id.
    Due {
        /// The last that was read before.
        after: SourceId,
        /// Whether those are among them that could not be brought in line before.
        again: bool,
        /// So many at most.
        limit: usize,
    },
}

impl From<SourceId> for PublishQuery {
    fn from(source: SourceId) -> Self {
        Self::Of(source)
    }
}

/// A published file that is not as the state of its source's versions demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishTask {
    /// Whose file.
    pub source: Source,
    /// [`Publication::Publish`] or [`Publication::Withdraw`].
    pub publication: Publication,
}

/// A published file that could not be brought in line, as of the last try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishFailure {
    /// Whose it is; nothing for one that a removed source left.
    pub source_id: Option<SourceId>,
    /// The source's name, or the path that a removed source left.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// Which published files to look at.
#[derive(Clone, Debug)]
pub enum FilesToLookAt {
    /// Those of sources that are due by then.
    Due(DateTime<Utc>),
    /// Those of these sources.
    These(Vec<SourceId>),
    /// All there are.
    All,
}

/// A path below `published/` at which nothing is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarePath {
    /// Whose path; nothing for one whose source was purged.
    pub source_id: Option<SourceId>,
    /// Where.
    pub path: String,
    /// The source was removed.
    pub is_removed: bool,
    /// How the file of a purged source looked that was to be removed, and was not there.
    pub seal: Option<FileSeal>,
}

/// The published file of a removed source, which is still to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftFile {
    /// Where.
    pub path: String,
    /// It was recorded as published; else a killed process may have left it.
    pub was_published: bool,
}

/// A published file as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// Whose.
    pub source_id: SourceId,
    /// Below `published/`.
    pub path: String,
    /// Which version it holds.
    pub version_id: VersionId,
    /// How it looked; nothing for one that was published before that was recorded.
    pub seal: Option<FileSeal>,
}

/// A source's published path, and what lies there as far as the catalogue knows.
#[derive(Clone, Debug)]
pub struct ExpectedFile {
    /// Whose.
    pub source_id: SourceId,
    /// Below `published/`.
    pub path: String,
    /// The version that is recorded as published, with the digest of its content.
    pub published: Option<(VersionId, Digest)>,
}
