//! `reserve`: room that is kept on the disk of the data folder, so that a purge works when that disk is full.
//!
//! The catalogue has to write before anything can be deleted from it. Never kept on a disk with little room to begin with.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::ArchiveError;
use crate::files::Owner;

const FILE: &str = "reserve";
/// More than the catalogue writes when a source with thousands of versions is purged.
const BYTES: usize = 8 << 20;
/// It is kept only where there is so much room for everything else.
const LEAST_FREE: u64 = 64 << 20;

/// Lets go of the reserve of a data folder when its disk has no more room than that. It is kept again by a later pass, once there is
/// room.
pub fn release_reserve(data_dir: &Path) {
    if free_bytes(data_dir).is_ok_and(|free| free < BYTES as u64) {
        // What is not there, or may not be removed, is nothing to go without: the catalogue says what it cannot do.
        let _ = fs::remove_file(data_dir.join(FILE));
    }
}

/// Keeps the reserve, unless it is kept or there is too little room.
pub(super) fn keep(data_dir: &Path, owner: Owner) -> Result<(), ArchiveError> {
    let path = data_dir.join(FILE);
    if fs::symlink_metadata(&path).is_ok() {
        return Ok(());
    }
    let made = || -> io::Result<()> {
        if free_bytes(data_dir)? < LEAST_FREE {
            return Ok(());
        }
        let mut bytes = vec![0; BYTES];
        // A file system that compresses would keep no room for others.
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let mut file = File::create_new(&path)?;
        let written = file
            .set_permissions(Permissions::from_mode(0o600))
            .and_then(|()| owner.give(&path))
            .and_then(|()| file.write_all(&bytes));
        if written.is_err() {
            let _ = fs::remove_file(&path);
        }
        written
    };
    made().map_err(ArchiveError::io("keep room in", &path))
}

fn free_bytes(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
