//! File operations that the standard library lacks: durable folders, sizes, modes.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::ArchiveError;
use crate::domain::Digest;
use crate::files::{self, Owner};

/// Makes the entries of the folder `path` durable: files made in, renamed into or removed from it.
pub(super) fn sync_folder(path: &Path) -> Result<(), ArchiveError> {
    files::sync_folder(path).map_err(ArchiveError::io("sync", path))
}

/// Makes all writes to the file system of `path` durable.
pub(super) fn sync_file_system(path: &Path) -> Result<(), ArchiveError> {
    File::open(path)
        .and_then(|folder| rustix::fs::syncfs(folder).map_err(io::Error::from))
        .map_err(ArchiveError::io("sync the file system of", path))
}

/// Makes the folder `path` with this mode when it is missing. Returns whether it was.
pub(super) fn make_folder(path: &Path, mode: u32, owner: Owner) -> Result<bool, ArchiveError> {
    files::make_folder(path, mode, owner).map_err(ArchiveError::io("make the folder", path))
}

/// Gives a new file or folder to the owner of the data folder.
pub(super) fn give(owner: Owner, path: &Path) -> Result<(), ArchiveError> {
    owner
        .give(path)
        .map_err(ArchiveError::io("give to the folder's owner", path))
}

/// Restores this mode of a file or a folder (no link) that some account can no longer read or enter, or that every
/// account can write. Returns the former mode; `None` when it was right, or cannot be changed, as on file systems
/// without modes.
pub(super) fn reopen(path: &Path, mode: u32) -> Option<u32> {
    let mode_of = |path: &Path| {
        let found = fs::symlink_metadata(path).ok()?;
        (!found.is_symlink()).then(|| found.permissions().mode() & 0o777)
    };
    let had = mode_of(path).filter(|had| !is_served(*had, mode))?;
    if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(mode)) {
        tracing::debug!("cannot set the mode of {}: {error}", path.display());
    }
    is_served(mode_of(path)?, mode).then_some(had)
}

/// Returns whether a file or a folder with this mode is open to all readers that `wanted` admits, and not every account
/// can write it.
pub(super) fn is_served(mode: u32, wanted: u32) -> bool {
    const READ_OR_ENTER: u32 = 0o555;
    const WRITTEN_BY_ALL: u32 = 0o002;
    (wanted & READ_OR_ENTER) & !mode == 0 && mode & WRITTEN_BY_ALL == 0
}

/// Returns whether every `/`-separated part of `path` names something below the folder it is relative to.
pub(super) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path
            .split('/')
            .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']))
}

pub(super) fn digest_of(path: &Path) -> io::Result<Digest> {
    Digest::of_reader(&mut files::read_plain(path)?)
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
