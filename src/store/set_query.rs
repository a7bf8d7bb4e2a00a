//! Which sets to name, and why a published file or folder must not be served.

use crate::domain::{Digest, EditionId, SourceId};

/// Which sets to name.
#[derive(Clone, Debug)]
pub enum SetsQuery {
    /// Sets with one of these sources as a member.
    Of(Vec<SourceId>),
    /// Sets whose published edition has one of these sources, removed or not.
    Showing(Vec<SourceId>),
    /// Sets whose published edition was purged, and whose folder is not yet withdrawn.
    Purged,
}

/// A published file, or the published folder of a set.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// A file at a source's own published path.
    File {
        /// The source.
        source: SourceId,
        /// The digest of the file; `None` where no file can be read.
        content: Option<Digest>,
    },
    /// The folder of this edition.
    Edition(EditionId),
}

/// Why a published file or folder must not be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unservable {
    /// The version or the edition that is recorded as published has failed: who failed it, with the reason.
    Failed(String),
    /// The file has the contents of no version that may be published.
    Foreign,
}
