//! One file of a set's edition: writing it, and detecting without a read that it was changed or removed.
//!
//! The modification time carries a stamp derived from the content: nothing else needs to be recorded, and editions that
//! share a file agree. Never decides which content is correct.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::file::{digest_of, reopen};
use crate::domain::{Content, Digest};

/// Readable by all, as other published files; writable by none, since editions share files.
const FILE_MODE: u32 = 0o444;

/// A file of an edition.
#[derive(Clone, Debug)]
pub struct EditionFile {
    /// Its name in the edition's folder.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// The digest of its content.
    pub digest: Digest,
}

impl EditionFile {
    /// Returns whether `folder` holds the file with its content. Reads the file only when its metadata differ from
    /// those written, and restores these when the content is right. Fails when the file cannot be read now.
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
            // The file is read again at the next check.
            tracing::debug!("cannot set the time of {}: {error}", path.display());
        }
        Ok(holds)
    }

    /// Makes the file readable to every account again. Returns whether it was not.
    pub(super) fn reopen_in(&self, folder: &Path) -> bool {
        let path = folder.join(&self.name);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        is_file && reopen(&path, FILE_MODE).is_some()
    }

    /// Writes the file; durable on return. `path` must not exist.
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

    /// Replaces the microseconds of a time by the stamp. Most file systems store these; on others, every check reads
    /// the file.
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
