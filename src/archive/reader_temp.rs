//! Where an archive that is opened for reading puts large contents while they are looked at: outside the data folder.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A private folder in the system's place for temporary files, made when it is first needed and removed with this.
#[derive(Debug)]
pub(super) struct ReaderTemp {
    made: OnceLock<Option<tempfile::TempDir>>,
    /// Named when no folder can be made: whatever is to lie there fails with the system's reason.
    fallback: PathBuf,
}

impl ReaderTemp {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self {
            made: OnceLock::new(),
            fallback: data_dir.join("tmp"),
        }
    }

    pub(super) fn path(&self) -> &Path {
        let make = || tempfile::Builder::new().prefix("gannet-").tempdir().ok();
        match self.made.get_or_init(make) {
            Some(folder) => folder.path(),
            None => &self.fallback,
        }
    }
}
