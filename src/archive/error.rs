//! Errors of the archive's files.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{BlobId, Digest};
use crate::files::{concerns_every_file, explain_io_error};

/// An operation of the archive failed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A place cannot be read or written now; the bytes there may be correct.
    #[error(
        "cannot {doing} {place}: {}",
        explain_io_error(source, Path::new(place))
    )]
    Unavailable {
        /// The operation, as a verb.
        doing: &'static str,
        /// The path, or another place of an object.
        place: String,
        /// The cause.
        source: io::Error,
    },
    /// The stored bytes are wrong, or missing from a store that is available: they do not decode to the recorded
    /// digest.
    #[error("blob {id} ({digest}) is damaged: {reason}")]
    Damaged {
        /// The blob with wrong stored bytes: the requested one, or a base of it.
        id: BlobId,
        /// The digest of its content.
        digest: Digest,
        /// How the damage was detected.
        reason: String,
    },
    /// The codec failed on valid content: it found no memory.
    #[error("cannot encode {digest}: {source}")]
    Encode {
        /// The digest of the content.
        digest: Digest,
        /// The codec's error.
        source: io::Error,
    },
    /// Another process held a lock for longer than the limit.
    #[error("waited {} s for {what} (its lock is {path})", waited.as_secs())]
    Busy {
        /// The process id of the holder, when it is known.
        process: Option<u32>,
        /// The holder, the start and the purpose of its lock.
        what: String,
        /// How long this process waited.
        waited: Duration,
        /// The lock's file.
        path: PathBuf,
    },
    /// A change to an archive that was opened for reading.
    #[error("the archive was opened for reading only")]
    ReadOnly,
    /// An empty chain has no blob to read.
    #[error("the chain of blobs is empty")]
    EmptyChain,
    /// A published path or an object's name that leads, or may lead, out of its folder.
    #[error("`{0}` is not a path inside the archive")]
    BadPath(String),
    /// An obstacle at a published path, or on the way there.
    #[error("cannot {doing} {path}: {obstacle} is in the way")]
    Blocked {
        /// The operation, as a verb.
        doing: &'static str,
        /// The place of the obstacle.
        path: PathBuf,
        /// Its kind, such as `a link`.
        obstacle: &'static str,
    },
    /// The folder of a published file is missing: its file system may be unmounted, with the file on it.
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
    /// Returns whether every other file will fail too: the disk is full, failing or read-only, or another process holds
    /// the lock.
    pub fn concerns_every_file(&self) -> bool {
        match self {
            Self::Unavailable { source, .. } => {
                source.kind() == io::ErrorKind::TimedOut || concerns_every_file(source)
            }
            _ => false,
        }
    }

    /// Returns a function for `map_err` that names the operation and the path.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unavailable {
            doing,
            place: path.display().to_string(),
            source,
        }
    }
}
