//! Where this process puts temporary files: in a folder of its own below `tmp/`, or, when it only reads, in the system's place.
//!
//! Never makes anything in the data folder for a process that only reads.

use std::path::Path;

use super::ArchiveError;
use super::reader_temp::ReaderTemp;
use super::run_folder::RunFolder;

/// The folder, which goes with the archive.
#[derive(Debug)]
pub(super) enum TempDir {
    /// On the same file system as the objects.
    Run(RunFolder),
    /// Made when it is first needed.
    Reader(ReaderTemp),
}

impl TempDir {
    /// Returns where it is.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Run(folder) => folder.path(),
            Self::Reader(folder) => folder.path(),
        }
    }

    /// Returns the folder of a process that may change the archive.
    pub(super) fn run(&self) -> Result<&RunFolder, ArchiveError> {
        match self {
            Self::Run(folder) => Ok(folder),
            Self::Reader(_) => Err(ArchiveError::ReadOnly),
        }
    }
}
