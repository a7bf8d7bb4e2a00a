//! The few things about files that the standard library leaves to the caller: durable folders, sizes, modes, locks.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::ArchiveError;

/// Makes the entries of the folder `path` durable: files made in, renamed into or removed from it.
pub(super) fn sync_folder(path: &Path) -> Result<(), ArchiveError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(ArchiveError::io("sync", path))
}

/// Makes all that was written to the file system of `path` durable.
pub(super) fn sync_file_system(path: &Path) -> Result<(), ArchiveError> {
    File::open(path)
        .and_then(|folder| rustix::fs::syncfs(folder).map_err(io::Error::from))
        .map_err(ArchiveError::io("sync the file system of", path))
}

/// Makes the folder `path` when it is missing. Returns whether it was.
pub(super) fn make_folder(path: &Path) -> Result<bool, ArchiveError> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(ArchiveError::io("make the folder", path)(error)),
    }
}

/// Takes the system's lock on the file `path`, made when it is missing; nothing when another holder has it. It ends with the
/// file, or with the process.
pub(super) fn try_lock(path: &Path) -> Result<Option<File>, ArchiveError> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(ArchiveError::io("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(ArchiveError::io("lock", path)(error)),
    }
}

/// Tells whether `path` is `/`-separated parts that each name something below the folder it is relative to.
pub(super) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path
            .split('/')
            .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']))
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn only_plain_relative_paths_are_inside() {
        for path in ["a", "a/b", "h~2/a b/c.csv", "...", "a/..b"] {
            assert!(is_inside(path), "{path}");
        }
        for path in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\0b", "a\\b",
        ] {
            assert!(!is_inside(path), "{path}");
        }
    }
}
