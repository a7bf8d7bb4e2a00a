//! `reserve`: room that is kept on the disk of the data folder, so that a purge works when that disk is full.
//!
//! The catalogue has to write before anything can be deleted from it. Never kept on a disk with little room to begin with.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::{ArchiveError, beside};
use crate::files::Owner;

const FILE: &str = "reserve";
/// How its name begins until it is whole; the process that makes it stands behind.
const UNFINISHED: &str = ".reserve-";
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
        let _ = beside::sweep(data_dir, UNFINISHED);
    }
}

/// Keeps the reserve, unless it is kept or there is too little room. One that is too short is made anew. `process` is this one's
/// name among those that work on the folder.
pub(super) fn keep(data_dir: &Path, process: &str, owner: Owner) -> Result<(), ArchiveError> {
    let path = data_dir.join(FILE);
    let made = || -> io::Result<()> {
        let found = fs::symlink_metadata(&path).ok();
        let is_whole = |found: &fs::Metadata| found.is_file() && found.len() >= BYTES as u64;
        if found.as_ref().is_some_and(is_whole) || free_bytes(data_dir)? < LEAST_FREE {
            return Ok(());
        }
        let mut bytes = vec![0; BYTES];
        // A file system that compresses would keep no room for others.
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let mut file = tempfile::Builder::new()
            .prefix(&unfinished(process))
            .tempfile_in(data_dir)?;
        owner.give(file.path())?;
        file.write_all(&bytes)?;
        // No file takes the place of a folder, and one with something in it is somebody's.
        if found.is_some_and(|found| found.is_dir()) {
            fs::remove_dir(&path)?;
        }
        file.persist(&path)?;
        Ok(())
    };
    made().map_err(ArchiveError::io("keep room in", &path))
}

/// Returns how the names of unfinished ones begin that a process makes.
pub(super) fn unfinished(process: &str) -> String {
    format!("{UNFINISHED}{process}-")
}

fn free_bytes(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

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
