//! The catalogue's path and busy time-out: every connection needs them, and every error names the path.
//!
//! Never opens the file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::store::error::StoreError;

/// The catalogue's file, and how long an operation waits for a lock of another process.
#[derive(Clone, Debug)]
pub(super) struct CatalogueFile {
    pub(super) path: PathBuf,
    pub(super) busy_timeout: Duration,
}

impl CatalogueFile {
    pub(super) fn new(path: &Path, busy_timeout: Duration) -> Self {
        Self {
            path: path.to_owned(),
            busy_timeout,
        }
    }

    /// Returns the catalogue's name for error messages.
    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// Returns a failure other than a lock or a full disk.
    pub(super) fn failed(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Failed {
            place: self.place(),
            reason: reason.into(),
        }
    }
}
