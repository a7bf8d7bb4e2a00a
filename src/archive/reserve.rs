//! `reserve`: a file that reserves room on the disk of the data folder, so that a purge works when the disk is full.
//!
//! The catalogue must write before anything can be deleted from it. Never made on a disk with little room.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::{ArchiveError, temp_beside};
use crate::files::Owner;

const FILE: &str = "reserve";
/// Prefix of an unfinished reserve; the name of the process that makes it follows.
const UNFINISHED: &str = ".reserve-";
/// More than the catalogue writes when a source with thousands of versions is purged.
const BYTES: usize = 8 << 20;
/// Least free room for a reserve to be made.
const LEAST_FREE: u64 = 64 << 20;

/// The free room with which a disk counts as full.
const LEAST_USABLE: u64 = 1 << 20;

/// Removes the reserve of a data folder when its disk has no more room than that. A later pass makes it again, once
/// there is room.
pub fn release_reserve(data_dir: &Path) {
    if free_bytes(data_dir).is_ok_and(|free| free < BYTES as u64) {
        // A reserve that is missing or cannot be removed changes nothing: the catalogue reports its own failure.
        let _ = fs::remove_file(data_dir.join(FILE));
        let _ = temp_beside::sweep(data_dir, UNFINISHED);
    }
}

/// Makes the reserve, unless it exists or there is too little room; replaces one that is too short. `process` is the
/// owner's name of this process.
pub(super) fn keep(data_dir: &Path, process: &str, owner: Owner) -> Result<(), ArchiveError> {
    let path = data_dir.join(FILE);
    let made = || -> io::Result<()> {
        let found = fs::symlink_metadata(&path).ok();
        let is_whole = |found: &fs::Metadata| found.is_file() && found.len() >= BYTES as u64;
        if found.as_ref().is_some_and(is_whole) || free_bytes(data_dir)? < LEAST_FREE {
            return Ok(());
        }
        let mut file = tempfile::Builder::new()
            .prefix(&unfinished(process))
            .tempfile_in(data_dir)?;
        owner.give(file.path())?;
        reserve(file.as_file_mut())?;
        // A file does not replace a folder; an empty one is removed, another one belongs to somebody.
        if found.is_some_and(|found| found.is_dir()) {
            fs::remove_dir(&path)?;
        }
        file.persist(&path)?;
        Ok(())
    };
    made().map_err(ArchiveError::io("keep room in", &path))
}

/// Gives the file its blocks.
fn reserve(file: &mut File) -> io::Result<()> {
    match fallocate(&*file, FallocateFlags::empty(), 0, BYTES as u64) {
        Err(Errno::OPNOTSUPP) => {
            let mut bytes = vec![0; BYTES];
            // Random, or a compressing file system would reserve nothing.
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            file.write_all(&bytes)
        }
        reserved => Ok(reserved?),
    }
}

/// Returns the prefix of unfinished reserves of one process.
pub(super) fn unfinished(process: &str) -> String {
    format!("{UNFINISHED}{process}-")
}

/// Checks that a data folder has room for anything at all.
pub(super) fn check_room(data_dir: &Path) -> Result<(), ArchiveError> {
    let found = match free_bytes(data_dir) {
        Ok(free) if free < LEAST_USABLE => Err(Errno::NOSPC.into()),
        found => found.map(drop),
    };
    found.map_err(ArchiveError::io("keep anything in", data_dir))
}

fn free_bytes(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn a_reserve_is_whole_after_a_pass_whatever_was_left_there() {
        type Leave = fn(&Path);
        let short: Leave = |path| fs::write(path, [1; 100]).expect("a file");
        let folder: Leave = |path| fs::create_dir(path).expect("a folder");
        let link: Leave = |path| std::os::unix::fs::symlink("nowhere", path).expect("a link");
        let nothing: Leave = |_| {};
        let cases = [
            ("nothing", nothing),
            ("a short one", short),
            ("an empty folder", folder),
            ("a link", link),
        ];
        for (what, leave) in cases {
            let data = tempfile::tempdir().expect("a folder");
            leave(&data.path().join(FILE));
            for _ in 0..2 {
                keep(data.path(), "run-a", Owner::default()).expect(what);
                let found = fs::symlink_metadata(data.path().join(FILE)).expect(what);
                assert!(found.is_file(), "{what}");
                assert_eq!(found.len(), BYTES as u64, "{what}");
                assert!(found.blocks() * 512 >= BYTES as u64, "{what}: reserved");
                assert_eq!(found.permissions().mode() & 0o777, 0o600, "{what}");
            }
            assert_eq!(fs::read_dir(data.path()).expect("a list").count(), 1);
        }
    }

    #[test]
    fn a_whole_reserve_stays_and_so_does_a_folder_that_holds_something() {
        let data = tempfile::tempdir().expect("a folder");
        let path = data.path().join(FILE);
        fs::write(&path, vec![7; BYTES]).expect("a file");
        keep(data.path(), "run-a", Owner::default()).expect("kept");
        assert_eq!(fs::read(&path).expect("a file")[0], 7);
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("a folder");
        fs::write(path.join("mine"), "").expect("a file");
        let error = keep(data.path(), "run-a", Owner::default()).expect_err("in the way");
        assert!(
            error.to_string().starts_with("cannot keep room in "),
            "{error}"
        );
        assert_eq!(fs::read_dir(data.path()).expect("a list").count(), 1);
        assert!(path.join("mine").exists());
    }
}
