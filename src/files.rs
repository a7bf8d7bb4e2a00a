//! Makes files and folders: with the intended mode, whatever the umask; for the account that owns a data folder, when
//! root works in it; durable in their folder.
//!
//! Never reads or interprets their content, and never changes a file or a folder that it did not make.

mod io_errors;
mod obstacle;
mod tree;

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, lchown};
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::umask;

pub use self::io_errors::{
    concerns_every_file, exhausted_resource, explain_io_error, file_size_limit,
};
pub use self::obstacle::{open_plain, read_plain, refuse_all_but_file, refuse_all_but_folder};
pub use self::tree::remove_tree;

const PUBLIC: u32 = 0o755;
/// As many bytes as take room on any file system.
const BLOCK_BYTES: usize = 4096;

/// The owner of new files in a data folder.
///
/// When root works in another account's folder, new files belong to that account, so that it can replace or remove
/// them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner(Option<(u32, u32)>);

impl Owner {
    /// Returns the owner for new files in `folder`: its own owner, if root runs this process and the folder exists.
    pub fn of(folder: &Path) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self(None);
        }
        let found = fs::metadata(folder).ok();
        Self(
            found
                .map(|found| (found.uid(), found.gid()))
                .filter(|(user, _)| *user != 0),
        )
    }

    /// Gives a new file, folder or link (not its target) to the owner.
    pub fn give(self, path: &Path) -> io::Result<()> {
        match self.0 {
            Some((user, group)) => lchown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

/// Denies other accounts write access to all new files of this process: modes are at most 0755 and 0644, whatever the
/// inherited umask.
pub fn tighten_umask() {
    let given = umask(Mode::empty());
    umask(given | Mode::WGRP | Mode::WOTH);
}

/// Makes the folder `path` with exactly this mode when it is missing. Returns whether it was. The new entry is not
/// durable yet.
pub fn make_folder(path: &Path, mode: u32, owner: Owner) -> io::Result<bool> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
            owner.give(path)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(obstacle::where_a_folder_belongs(path).unwrap_or(error)),
    }
}

/// Makes the folder `path` and its parents, each durable in its own parent. New folders are readable to all accounts,
/// whatever the umask.
pub fn make_public_folders(path: &Path, owner: Owner) -> io::Result<()> {
    make_all(path, &|folder| make_folder(folder, PUBLIC, owner))
}

/// Makes the folder `path` and its parents, each durable in its own parent. The umask decides the mode of new folders.
pub fn make_folders(path: &Path, owner: Owner) -> io::Result<()> {
    make_all(path, &|folder| {
        let is_new = match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => false,
            made => made.map(|()| true)?,
        };
        if is_new {
            owner.give(folder)?;
        }
        Ok(is_new)
    })
}

fn make_all(path: &Path, make: &dyn Fn(&Path) -> io::Result<bool>) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_all(parent, make)?;
    }
    if make(path)? {
        sync_folder(parent.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Checks by trying that files can be made and written in the folder `path`, or the folder itself made when it is
/// missing. Leaves nothing behind.
pub fn check_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        let written = |mut file: File| file.write_all(&[0; BLOCK_BYTES]);
        let made = tempfile::tempfile_in(path).and_then(written);
        return made.map_err(|error| io::Error::new(error.kind(), cause(&error)));
    }
    let mut above = path.parent().unwrap_or(path);
    while let Err(error) = fs::metadata(above) {
        match (error.kind(), above.parent()) {
            (io::ErrorKind::NotFound, Some(parent)) => above = parent,
            _ => return Err(error),
        }
    }
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    tempfile::tempdir_in(above).map(drop).map_err(|error| {
        let message = format!(
            "no folder can be made in {}: {}",
            above.display(),
            cause(&error)
        );
        io::Error::new(error.kind(), message)
    })
}

/// Returns the cause of a failed temporary file, without the file's name.
fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let cause = text.rsplit_once(" at path ").map(|(cause, _)| cause);
    cause.unwrap_or(&text).to_owned()
}

/// Returns whether every account may write to a file or a folder.
pub fn is_open_to_others(path: &Path) -> bool {
    const STICKY: u32 = 0o1000;
    fs::metadata(path).is_ok_and(|found| {
        let mode = found.permissions().mode();
        // In a sticky folder nobody can replace another's file.
        mode & 0o002 != 0 && !(found.is_dir() && mode & STICKY != 0)
    })
}

/// Returns whether accounts that are neither the owner's nor in the group may read a file.
pub fn is_readable_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

/// Makes the entries of a folder durable: files made in, renamed into or removed from it.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        let found = fs::metadata(path).expect("it is there");
        found.permissions().mode() & 0o7777
    }

    #[test]
    fn folders_are_made_once_and_with_their_mode() {
        let parent = tempfile::tempdir().expect("a folder");
        let deep = parent.path().join("a/b/c");
        for _ in 0..2 {
            make_public_folders(&deep, Owner::default()).expect("made");
            assert_eq!(mode(&deep), 0o755);
        }
        let private = deep.join("private");
        assert!(make_folder(&private, 0o700, Owner::default()).expect("made"));
        assert_eq!(mode(&private), 0o700);
        assert!(!make_folder(&private, 0o755, Owner::default()).expect("there"));
        assert_eq!(mode(&private), 0o700, "what was there stays as it is");
        fs::write(deep.join("file"), "").expect("a file");
        make_folder(&deep.join("file"), 0o755, Owner::default()).expect_err("a file is there");
    }
}
