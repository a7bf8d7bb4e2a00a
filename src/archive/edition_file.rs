//! One file of a set's edition: how it is written, and how one that was changed or removed since is found by a glance.
//!
//! Its time of change carries a stamp that its content gives, so that nothing about it has to be recorded elsewhere, and editions
//! that share a file agree. Never judges which content is the right one.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::file::{digest_of, reopen};
use crate::domain::{Content, Digest};

/// Readable by all, as other published files; written by nobody, since editions share files.
const FILE_MODE: u32 = 0o444;

/// A file that belongs to an edition.
#[derive(Clone, Debug)]
pub struct EditionFile {
    /// What it is called in the edition's folder.
    pub name: String,
    /// How long it is.
    pub size_bytes: u64,
    /// What stands for its content.
    pub digest: Digest,
}

impl EditionFile {
    /// Tells whether it lies in `folder` as it should. Reads it only when it does not look as it was written, and lets it look so again
    /// when it holds the right content. An error says that this cannot be told now.
    pub(super) fn lies_in(&self, folder: &Path) -> io::Result<bool> {
        let path = folder.join(&self.name);
        let found = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            found => found?,
        };
        if !found.is_file() || found.len() != self.size_bytes {
            return Ok(false);
        }
        if found.modified().is_ok_and(|at| self.stamped(at) == at) {
            return Ok(true);
        }
        let holds = digest_of(&path)? == self.digest;
        if holds && let Err(error) = File::open(&path).and_then(|file| self.stamp(&file)) {
            // It is read the next time again.
            tracing::debug!("cannot set the time of {}: {error}", path.display());
        }
        Ok(holds)
    }

    /// Lets every account read it in `folder` again. Returns whether somebody had kept one from it.
    pub(super) fn reopen_in(&self, folder: &Path) -> bool {
        let path = folder.join(&self.name);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        is_file && reopen(&path, FILE_MODE).is_some()
    }

    /// Writes it to a new file, durable when this returns.
    pub(super) fn write(&self, path: &Path, content: &Content) -> io::Result<()> {
        let mut new = File::create_new(path)?;
        match content {
            Content::Memory(bytes) => new.write_all(bytes)?,
            Content::File { path, .. } => {
                io::copy(&mut File::open(&**path)?, &mut new)?;
            }
        }
        new.set_permissions(Permissions::from_mode(FILE_MODE))?;
        self.stamp(&new)?;
        new.sync_all()
    }

    fn stamp(&self, file: &File) -> io::Result<()> {
        file.set_modified(self.stamped(file.metadata()?.modified()?))
    }

    /// Puts the stamp in the place of a time's microseconds, which most file systems keep. Where one does not, the file is read at every look.
    fn stamped(&self, at: SystemTime) -> SystemTime {
        let since = at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let [a, b, c, d, ..] = self.digest.0;
        let micros = u32::from_be_bytes([a, b, c, d]) % 1_000_000;
        SystemTime::UNIX_EPOCH + Duration::new(since.as_secs(), micros * 1000)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn file(content: &'static [u8]) -> EditionFile {
        EditionFile {
            name: "data.csv".to_owned(),
            size_bytes: content.len() as u64,
            digest: Digest::of(content),
        }
    }

    #[test]
    fn a_file_that_was_touched_lies_there_and_one_that_was_changed_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.csv");
        let lies = |file: &EditionFile| file.lies_in(folder.path()).expect("readable");
        let good = file(b"good");
        assert!(!lies(&good), "it is missing");
        let content = Content::Memory(Bytes::from_static(b"good"));
        good.write(&path, &content).expect("written");
        let written = fs::metadata(&path).expect("a file");
        assert!(lies(&good));
        assert!(!lies(&file(b"evil")), "it is another one");
        assert!(!lies(&file(b"longer")));
        assert!(written.permissions().readonly());
        let times = [
            SystemTime::UNIX_EPOCH,
            SystemTime::UNIX_EPOCH - Duration::from_secs(1),
            SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 999_999_999),
        ];
        for time in times {
            let touched = File::open(&path).and_then(|file| file.set_modified(time));
            touched.expect("touched");
            assert!(lies(&good), "{time:?}");
            let found = fs::metadata(&path).and_then(|found| found.modified());
            let found = found.expect("a time");
            assert_eq!(good.stamped(found), found, "it looks as it was written");
        }
        for mode in [0o400, 0o440, 0o000] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
            assert!(good.reopen_in(folder.path()), "{mode:o}");
            assert!(!good.reopen_in(folder.path()), "it is open: {mode:o}");
            let found = fs::metadata(&path).expect("a file").permissions();
            assert_eq!(found.mode() & 0o777, FILE_MODE);
        }
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "evil").expect("written");
        assert!(!lies(&good));
        fs::remove_file(&path).expect("removed");
        fs::write(folder.path().join("other"), "good").expect("written");
        std::os::unix::fs::symlink("other", &path).expect("a link");
        assert!(!lies(&good), "a link");
    }
}
