//! The folder for this process's temporary files: the run folder below `tmp/`, or a folder in the system's place for a
//! process that only reads.
//!
//! Makes nothing in the data folder for a process that only reads.

use std::path::Path;

use super::ArchiveError;
use super::reader_temp::ReaderTemp;
use super::run_folder::RunFolder;

/// The folder, removed with the archive.
#[derive(Debug)]
pub(super) enum TempDir {
    /// On the same file system as the objects.
    Run(RunFolder),
    /// Made on first use.
    Reader(ReaderTemp),
}

impl TempDir {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Run(folder) => folder.path(),
            Self::Reader(folder) => folder.path(),
        }
    }

    /// Returns the run folder. Fails for a process that only reads.
    pub(super) fn run(&self) -> Result<&RunFolder, ArchiveError> {
        match self {
            Self::Run(folder) => Ok(folder),
            Self::Reader(_) => Err(ArchiveError::ReadOnly),
        }
    }
}
