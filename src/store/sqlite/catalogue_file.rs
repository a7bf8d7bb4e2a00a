//! Where the catalogue lies, and how long is waited for it: what every connection needs and every error names.
//!
//! Never opens the file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::store::error::StoreError;

/// The catalogue's file, and how long an operation waits for another process that holds it.
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

    /// Returns how errors name the catalogue.
    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// Returns a failure that is neither a lock nor a full disk.
    pub(super) fn failed(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Failed {
            place: self.place(),
            reason: reason.into(),
        }
    }
}
