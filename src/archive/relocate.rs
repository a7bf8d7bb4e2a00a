//! Moves and copies files and folders, to another file system if need be: a part of the data folder may be linked or
//! mounted elsewhere.
//!
//! Never leaves a partial copy at the target, and removes nothing before its copy is durable.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::files::{Owner, remove_tree};

/// Moves a file or a folder to `to`. Where a rename fails (another disk, another mount of the same disk, another
/// quota), copies it by way of a temporary folder beside `to` that begins with `prefix`; a killed process leaves that
/// folder.
pub(super) fn relocate(
    from: &Path,
    to: &Path,
    (folder, prefix): (&Path, &str),
    owner: Owner,
) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
        renamed => return renamed,
    }
    let found = fs::symlink_metadata(from)?;
    duplicate(from, to, (folder, prefix), owner)?;
    let removed = if found.is_dir() {
        remove_tree(from)
    } else {
        fs::remove_file(from)
    };
    match removed {
        // Another process moved it first.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Copies a file or a folder to `to`, durable on return, by way of a temporary folder beside `to` that begins with
/// `prefix`.
pub(super) fn duplicate(
    from: &Path,
    to: &Path,
    (folder, prefix): (&Path, &str),
    owner: Owner,
) -> io::Result<()> {
    let unfinished = tempfile::Builder::new().prefix(prefix).tempdir_in(folder)?;
    let copy = unfinished.path().join("copy");
    copy_durably(from, &copy, owner)?;
    fs::rename(&copy, to)?;
    match to.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn copy_durably(from: &Path, to: &Path, owner: Owner) -> io::Result<()> {
    let found = fs::symlink_metadata(from)?;
    if found.is_symlink() {
        symlink(fs::read_link(from)?, to)?;
    } else if found.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy_durably(&from.join(&name), &to.join(&name), owner)?;
        }
        fs::set_permissions(to, found.permissions())?;
        File::open(to)?.sync_all()?;
    } else {
        io::copy(&mut File::open(from)?, &mut File::create_new(to)?)?;
        fs::set_permissions(to, found.permissions())?;
        File::open(to)?.sync_all()?;
    }
    owner.give(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_copy_has_what_the_original_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("inner")).expect("folders");
        for (name, mode) in [("a", 0o444), ("inner/b", 0o600)] {
            fs::write(from.join(name), name).expect("a file");
            fs::set_permissions(from.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
        }
        symlink("../nowhere", from.join("link")).expect("a link");
        copy_durably(&from, &to, Owner::default()).expect("copied");
        for (name, mode) in [("a", 0o444), ("inner/b", 0o600)] {
            assert_eq!(fs::read_to_string(to.join(name)).expect("a file"), name);
            let found = fs::metadata(to.join(name)).expect("a file").permissions();
            assert_eq!(found.mode() & 0o777, mode, "{name}");
        }
        let link = fs::read_link(to.join("link")).expect("a link");
        assert_eq!(link, Path::new("../nowhere"));
        copy_durably(&from.join("a"), &to.join("a"), Owner::default()).expect_err("taken");
    }

    #[test]
    fn what_is_not_there_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("none"), folder.path().join("to"));
        let error = relocate(&from, &to, (folder.path(), ".copy-"), Owner::default());
        assert_eq!(error.expect_err("nothing").kind(), io::ErrorKind::NotFound);
    }
}
