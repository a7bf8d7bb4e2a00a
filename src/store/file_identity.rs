//! Which file the catalogue is: a process that stays must not go on with one that was replaced under it.
//!
//! SQLite keeps the file that it opened, whatever lies at its path by now: what is written would be told as recorded, and lost.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::error::{Result, StoreError};

/// The device and the inode of a file, which no other has while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Returns what tells the file at `path` from others, as of now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Refuses to go on when another file, or none, lies at `path` by now.
    pub(super) fn check(self, path: &Path) -> Result<()> {
        let reason = match Self::of(path) {
            Ok(now) if now == self => return Ok(()),
            Ok(_) => "another file lies in its place since this process opened it".to_owned(),
            Err(error) => format!("it is gone since this process opened it: {error}"),
        };
        Err(StoreError::Failed {
            path: path.to_owned(),
            reason: format!("{reason}; nothing is recorded: start this process anew"),
        })
    }
}
