//! What can go wrong with the archive's files.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{BlobId, Digest};
use crate::files::{concerns_every_file, trouble};

/// The archive could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A place could not be read or written now. Nothing is known against the bytes that lie there.
    #[error("cannot {doing} {place}: {}", trouble(source, Path::new(place)))]
    Unavailable {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// On what: a path, or wherever else an object lies.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// The stored bytes were read, or are missing where all others can be read: they do not decode to the digest that is recorded.
    #[error("blob {id} ({digest}) is damaged: {reason}")]
    Damaged {
        /// Whose stored bytes are wrong: the blob that was asked for, or one that it is a delta against.
        id: BlobId,
        /// The digest that its content should have.
        digest: Digest,
        /// How it shows.
        reason: String,
    },
    /// The codec refused valid content: it found no memory.
    #[error("cannot encode {digest}: {source}")]
    Encode {
        /// The content's digest.
        digest: Digest,
        /// What the codec said.
        source: io::Error,
    },
    /// Another process kept a lock for longer than is waited for.
    #[error("waited {} s for {what} (its lock is {path})", waited.as_secs())]
    Busy {
        /// Its holder, when that is known.
        process: Option<u32>,
        /// Who holds it since when, and what for.
        what: String,
        /// How long it was waited for.
        waited: Duration,
        /// The lock's file.
        path: PathBuf,
    },
    /// Asked to change an archive that was opened for reading.
    #[error("the archive was opened for reading only")]
    ReadOnly,
    /// There was no blob to read.
    #[error("the chain of blobs is empty")]
    EmptyChain,
    /// A published path or an object's name that leads, or may lead, out of its folder.
    #[error("`{0}` is not a path inside the archive")]
    BadPath(String),
    /// Something else stands at a published path, or in the way to it.
    #[error("cannot publish {path}: {obstacle} is in the way")]
    Blocked {
        /// Where it stands.
        path: PathBuf,
        /// What it is.
        obstacle: &'static str,
    },
    /// A folder in which a published file was is missing: perhaps its file system is away for the moment, with the file on it.
    #[error(
        "cannot tell whether {path} is still published: the folder {folder} is missing; mount it or move it back, or make it when it is gone for good"
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
}

impl ArchiveError {
    /// Tells whether what failed for one file will fail for every other: the disk is full, failing or read-only, or another process
    /// keeps the lock.
    pub fn concerns_every_file(&self) -> bool {
        match self {
            Self::Unavailable { source, .. } => {
                source.kind() == io::ErrorKind::TimedOut || concerns_every_file(source)
            }
            _ => false,
        }
    }

    /// Returns a function that says what was attempted on `path` when it failed, for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unavailable {
            doing,
            place: path.display().to_string(),
            source,
        }
    }
}
