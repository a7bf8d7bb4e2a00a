//! Which versions to read, and the chains of stored forms that lead to their contents.

use chrono::{DateTime, Utc};

use crate::domain::{Digest, Edition, SourceId, Version, VersionId};

/// Which version to find.
#[derive(Clone, Copy, Debug)]
pub enum VersionQuery {
    /// The version with this id.
    Id(VersionId),
    /// The source's version so many steps before its newest.
    Back {
        /// The source.
        source: SourceId,
        /// How many steps: 0 for the newest.
        steps: u64,
    },
    /// The source's newest version that was fetched by then.
    At {
        /// The source.
        source: SourceId,
        /// The time.
        time: DateTime<Utc>,
    },
    /// The newest version of the same source before this one that passed or that no verifier judges.
    GoodBefore(VersionId),
    /// The version before this one in its source's history.
    Before(VersionId),
    /// The version after this one in its source's history.
    After(VersionId),
}

impl VersionQuery {
    /// Asks for a source's newest version.
    pub fn newest_of(source: SourceId) -> Self {
        Self::Back { source, steps: 0 }
    }
}

impl From<VersionId> for VersionQuery {
    fn from(id: VersionId) -> Self {
        Self::Id(id)
    }
}

/// Which versions to list.
#[derive(Clone, Debug)]
pub enum VersionsQuery {
    /// The versions of a source, newest first.
    Of {
        /// The source.
        source: SourceId,
        /// At most so many; `None` for all.
        limit: Option<usize>,
    },
    /// The versions of a source that were its newest at some time in a span, newest first.
    InForce {
        /// The source.
        source: SourceId,
        /// The beginning of the span.
        from: DateTime<Utc>,
        /// Its end.
        until: DateTime<Utc>,
        /// At most so many.
        limit: usize,
    },
    /// The versions of an edition's members, in their order.
    Members(Edition),
}

/// The content to which a chain of stored forms is to lead.
#[derive(Clone, Copy, Debug)]
pub enum ChainOf {
    /// The content of the source's version with this ordinal.
    Ordinal {
        /// The source.
        source: SourceId,
        /// Counted from 0.
        ordinal: u64,
    },
    /// The content of a version as it was read.
    Version {
        /// The version.
        id: VersionId,
        /// The digest that its content must have.
        digest: Digest,
    },
}

impl From<&Version> for ChainOf {
    fn from(version: &Version) -> Self {
        Self::Version {
            id: version.id,
            digest: version.digest,
        }
    }
}
