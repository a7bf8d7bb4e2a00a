//! The identity of the catalogue's file: a long-lived process must stop when the file is replaced.
//!
//! SQLite keeps writing to the file that it opened: after a replacement, writes would succeed and be lost.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::catalogue_file::CatalogueFile;
use crate::store::error::{Result, StoreError};

/// A file's device and inode, unique while the file is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Returns the identity of the file that lies at `path` now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Opens the catalogue's existing file and returns its identity, which must be the same before and after.
    ///
    /// Checks the path, not the open file, which only SQLite has: closing a second handle would drop this process's
    /// locks.
    pub(super) fn while_opening<T>(
        file: &CatalogueFile,
        open: impl FnOnce() -> Result<T>,
    ) -> Result<(T, Self)> {
        let before = Self::of(&file.path);
        // The reason why a file cannot be opened matters more than its missing identity.
        let opened = open()?;
        let before = before
            .map_err(|error| file.failed(format!("cannot tell which file it is: {error}")))?;
        before.check(file)?;
        Ok((opened, before))
    }

    /// Fails when the catalogue's path now holds another file, or none.
    pub(super) fn check(self, file: &CatalogueFile) -> Result<()> {
        let reason = match Self::of(&file.path) {
            Ok(now) if now == self => return Ok(()),
            Ok(_) => "another file lies in its place since this process opened it".to_owned(),
            Err(error) => format!("it is gone since this process opened it: {error}"),
        };
        Err(StoreError::Replaced {
            place: file.place(),
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn catalogue(path: &Path) -> CatalogueFile {
        CatalogueFile::new(path, Duration::ZERO)
    }

    /// What happens while the file is opened.
    enum Meanwhile {
        Nothing,
        Replaced,
        Removed,
        Made,
    }

    #[test]
    fn a_file_that_is_replaced_while_it_is_opened_is_refused() {
        for (meanwhile, expected) in [
            (Meanwhile::Nothing, None),
            (Meanwhile::Replaced, Some("another file lies in its place")),
            (Meanwhile::Removed, Some("it is gone")),
            (Meanwhile::Made, Some("cannot tell which file it is")),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let (path, other) = (folder.path().join("one"), folder.path().join("two"));
            fs::write(&other, "two").expect("a file");
            if !matches!(meanwhile, Meanwhile::Made) {
                fs::write(&path, "one").expect("a file");
            }
            let opened = FileIdentity::while_opening(&catalogue(&path), || {
                match meanwhile {
                    Meanwhile::Nothing => Ok(()),
                    Meanwhile::Replaced | Meanwhile::Made => fs::rename(&other, &path),
                    Meanwhile::Removed => fs::remove_file(&path),
                }
                .expect("done");
                Ok(())
            });
            match (opened, expected) {
                (Ok(((), file)), None) => file.check(&catalogue(&path)).expect("the same"),
                (Err(error), Some(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                }
                (opened, expected) => panic!("{opened:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn why_a_file_cannot_be_opened_comes_first() {
        let error = StoreError::Locked {
            place: "x".to_owned(),
            process: None,
            waited: Duration::ZERO,
        };
        let nowhere = catalogue(Path::new("/none"));
        let opened = FileIdentity::while_opening(&nowhere, || Err::<(), _>(error.clone()));
        assert_eq!(opened, Err(error));
    }
}
