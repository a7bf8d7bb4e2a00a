//! The bytes of one fetched file, in memory when small, else in a temporary file.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempPath;

/// Content on its way from the network to the archive.
///
/// Cloning is cheap. Dropping the last clone deletes the temporary file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Small content.
    Memory(Bytes),
    /// Large content, complete and closed, in gannet's own temporary folder.
    File {
        /// The path of the file.
        path: Arc<TempPath>,
        /// The length of the file.
        size_bytes: u64,
    },
}

impl Content {
    /// Returns the length in bytes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { size_bytes, .. } => *size_bytes,
        }
    }

    /// Returns the bytes when they are in memory.
    pub fn as_memory(&self) -> Option<&[u8]> {
        match self {
            Self::Memory(bytes) => Some(bytes),
            Self::File { .. } => None,
        }
    }

    /// Returns the temporary file when there is one.
    pub fn as_file(&self) -> Option<&Path> {
        match self {
            Self::Memory(_) => None,
            Self::File { path, .. } => Some(path),
        }
    }
}
