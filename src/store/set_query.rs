//! Which sets to name, and what of published files and folders to ask about.

use crate::domain::{Digest, EditionId, SourceId};

/// Which sets to name.
#[derive(Clone, Debug)]
pub enum SetsQuery {
    /// Those whose tags any of these sources carries.
    Of(Vec<SourceId>),
    /// Those of which readers see an edition with one of these sources, removed or not.
    Showing(Vec<SourceId>),
    /// Those whose published edition was purged and whose folders have not followed yet.
    Purged,
}

/// What lies where readers look.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// A file at a source's own published path.
    File {
        /// Whose path.
        source: SourceId,
        /// The digest of what lies there; nothing where no file can be read.
        content: Option<Digest>,
    },
    /// The folder of a set's edition.
    Edition(EditionId),
}

/// Why what is shown must not stay there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unservable {
    /// What is recorded as published has failed: who failed it, with the reason.
    Failed(String),
    /// The contents of a file are those of no version that may be published.
    Foreign,
}
