//! The right to tell notifiers, which one process has at a time. Never waited for.

use std::fs::File;
use std::path::Path;

use super::ArchiveError;
use super::file::try_lock;

/// What is told and what is recorded as told change together while this is held.
///
/// The lock is the system's own on a file in the data folder: it ends with the process, however that ends.
#[derive(Debug)]
pub struct NoticeLock(#[expect(dead_code, reason = "held for its lock")] File);

impl NoticeLock {
    /// Takes the lock; nothing when it is taken.
    pub(super) fn try_take(path: &Path) -> Result<Option<Self>, ArchiveError> {
        Ok(try_lock(path)?.map(Self))
    }
}
