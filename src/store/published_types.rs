//! Published files in the operations of the store: which to publish or to look at, and how they are recorded.

use crate::domain::{Digest, FileSeal, Publication, Source, SourceId, VersionId};

/// Which of the files that differ from what the states of their sources' versions demand to read.
#[derive(Clone, Copy, Debug)]
pub enum PublishQuery {
    /// The file of this source, if it differs.
    Of(SourceId),
    /// The files of sources with an id after this one, by id.
    Due {
        /// The last source that was read before.
        after: SourceId,
        /// Whether files that could not be published or withdrawn before are read, too.
        again: bool,
        /// At most so many.
        limit: usize,
    },
}

impl From<SourceId> for PublishQuery {
    fn from(source: SourceId) -> Self {
        Self::Of(source)
    }
}

/// A published file that differs from what the states of its source's versions demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishTask {
    /// The source of the file.
    pub source: Source,
    /// [`Publication::Publish`] or [`Publication::Withdraw`].
    pub publication: Publication,
}

/// A file that could not be published or withdrawn at the last try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishFailure {
    /// The source of the file; `None` when a removed source left it.
    pub source_id: Option<SourceId>,
    /// The source's name, or the path that a removed source left.
    pub what: String,
    /// The reason.
    pub why: String,
}

/// Which published files to look at.
#[derive(Clone, Debug)]
pub enum FilesToLookAt {
    /// The files of these sources.
    These(Vec<SourceId>),
    /// All files.
    All,
}

/// A path below `published/` at which no file may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarePath {
    /// The source of the path; `None` when it was purged.
    pub source_id: Option<SourceId>,
    /// The path.
    pub path: String,
    /// Whether the source was removed.
    pub is_removed: bool,
    /// Whether the file of a removed source is still recorded as published: the row of its withdrawal is lost.
    pub is_recorded: bool,
    /// The recorded look of a purged source's file that was missing when it was to be removed.
    pub seal: Option<FileSeal>,
}

/// The published file of a removed source, which is still to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftFile {
    /// The path.
    pub path: String,
    /// Whether it was recorded as published; otherwise a killed process may have left it.
    pub was_published: bool,
}

/// A published file as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// The source of the file.
    pub source_id: SourceId,
    /// Its path below `published/`.
    pub path: String,
    /// The version that it holds.
    pub version_id: VersionId,
    /// Its look; `None` for a file that was published before looks were recorded.
    pub seal: Option<FileSeal>,
}

/// A source's published path, and the version that is recorded as published there.
#[derive(Clone, Debug)]
pub struct ExpectedFile {
    /// The source.
    pub source_id: SourceId,
    /// The path below `published/`.
    pub path: String,
    /// The version that is recorded as published, with the digest of its content.
    pub published: Option<(VersionId, Digest)>,
}
