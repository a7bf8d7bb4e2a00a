//! Looks at many published files in a row: the folder that several of them share is opened once, so that the system
//! resolves its path once.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, openat, statat};

use super::ArchiveError;
use super::file::{digest_of, is_inside, is_served, reopen};
use crate::domain::{Digest, FileSeal};

/// Readable by all: a web server under another account serves these files.
pub(super) const MODE: u32 = 0o644;

/// A row of looks at published files.
#[derive(Debug)]
pub struct Looks<'a> {
    /// The folder of all published files.
    published: &'a Path,
    /// The folder of the last file, relative to that of the published files.
    parent: Option<String>,
    /// The same folder, open; `None` until a second file in it is looked at.
    folder: Option<File>,
}

impl<'a> Looks<'a> {
    pub(super) fn new(published: &'a Path) -> Self {
        Self {
            published,
            parent: None,
            folder: None,
        }
    }

    /// Returns the digest and the seal of the published file at this path; `None` when there is no plain file. Fails
    /// when the file cannot be read now.
    pub fn content(&mut self, path: &str) -> Result<Option<(Digest, FileSeal)>, ArchiveError> {
        let Some((target, found)) = self.find(path) else {
            return Ok(None);
        };
        let digest = digest_of(&target).map_err(ArchiveError::io("read", &target))?;
        Ok(Some((digest, seal(&found))))
    }

    /// Checks the published file at this path, and restores its mode if not every account could read it, or every
    /// account could write it. Returns the file's seal, `None` when it is missing, a folder or a link; and its former
    /// mode, if that was changed.
    pub fn inspect(&mut self, path: &str) -> (Option<FileSeal>, Option<u32>) {
        let Some((target, found)) = self.find(path) else {
            return (None, None);
        };
        let is_closed = !is_served(found.st_mode, MODE);
        let closed = is_closed.then(|| reopen(&target, MODE)).flatten();
        (Some(seal(&found)), closed)
    }

    /// Returns the path and the metadata of a published file; `None` when it is missing or no plain file.
    fn find(&mut self, path: &str) -> Option<(PathBuf, Stat)> {
        let target = target(self.published, path).ok()?;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_beside_the_last = self.parent.as_deref() == Some(parent);
        let found = if is_beside_the_last {
            let folder = match self.folder.take() {
                Some(folder) => folder,
                None => open_folder(&self.published.join(parent)).ok()?,
            };
            let found = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW);
            self.folder = Some(folder);
            found
        } else {
            self.parent = Some(parent.to_owned());
            self.folder = None;
            statat(CWD, &target, AtFlags::SYMLINK_NOFOLLOW)
        };
        let found = found.ok()?;
        let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
        is_file.then_some((target, found))
    }
}

/// Returns where the published file at this path lies; fails for a path that leads out of the folder.
pub(super) fn target(published: &Path, path: &str) -> Result<PathBuf, ArchiveError> {
    if is_inside(path) {
        Ok(published.join(path))
    } else {
        Err(ArchiveError::BadPath(path.to_owned()))
    }
}

/// Opens a folder to look at what lies in it, which takes no right to list it.
fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(CWD, path, flags, Mode::empty())?.into())
}

/// Returns the seal of a file; a rename changes neither its length, its time nor its inode.
pub(super) fn seal_of(file: &Path) -> Result<FileSeal, ArchiveError> {
    statat(CWD, file, AtFlags::SYMLINK_NOFOLLOW)
        .map(|found| seal(&found))
        .map_err(|error| ArchiveError::io("examine", file)(error.into()))
}

/// Returns the seal of a file with this metadata.
pub(super) fn seal(found: &Stat) -> FileSeal {
    FileSeal {
        size_bytes: u64::try_from(found.st_size).unwrap_or_default(),
        modified_ns: found.st_mtime * 1_000_000_000
            + i64::try_from(found.st_mtime_nsec).unwrap_or_default(),
        inode: found.st_ino,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use crate::archive::{Archive, PublishItem};
    use crate::domain::Content;

    #[test]
    fn a_look_in_a_row_finds_what_a_single_look_finds() {
        let data = tempfile::tempdir().expect("a folder");
        let archive = Archive::open(data.path()).expect("an archive");
        let published = archive.published();
        let paths = ["top", "a/one", "a/two", "a/three", "a/b/four", "a/five"];
        let items = paths.map(|path| PublishItem {
            path: path.to_owned(),
            content: Content::Memory(path.as_bytes().to_vec().into()),
        });
        for result in published.publish(items.into()) {
            result.expect("published");
        }
        let place = |path: &str| published.folder().join(path);
        fs::remove_file(place("a/two")).expect("removed");
        fs::remove_file(place("a/three")).expect("removed");
        symlink("one", place("a/three")).expect("a link");
        let modes = [("a/five", 0o600), ("a/b/four", 0o666), ("a/one", 0o664)];
        for (path, mode) in modes {
            let mode = Permissions::from_mode(mode);
            fs::set_permissions(place(path), mode).expect("a mode");
        }

        let mut looks = published.looks();
        let found = |path| (path, published.looks().content(path).expect("read"));
        let wanted = [paths.as_slice(), &["a", "a/b", "no/such/file", "../top"]].concat();
        for (path, single) in wanted.into_iter().map(found) {
            let is_there = matches!(path, "top" | "a/one" | "a/b/four" | "a/five");
            assert_eq!(single.is_some(), is_there, "{path}");
            assert_eq!(looks.content(path).expect("read"), single, "{path}");
            let (seal, mode) = looks.inspect(path);
            assert_eq!(seal, single.map(|(_, seal)| seal), "{path}");
            let changed = modes[..2].iter().find(|(changed, _)| *changed == path);
            assert_eq!(mode, changed.map(|(_, mode)| *mode), "{path}");
        }
    }

    #[test]
    fn a_folder_that_is_missing_has_no_files() {
        let data = tempfile::tempdir().expect("a folder");
        let archive = Archive::open(data.path()).expect("an archive");
        let mut looks = archive.published().looks();
        for path in ["gone/a", "gone/b", "gone/c"] {
            assert_eq!(looks.content(path).expect("read"), None, "{path}");
        }
    }
}
