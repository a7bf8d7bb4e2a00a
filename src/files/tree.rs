//! Removes a folder and everything in it, however deep.
//!
//! Never follows a link, and never leaves the folder.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, chmodat, fchmod, fstat, openat, unlinkat};
use rustix::io::Errno;

/// Most subfolders that one pass over a folder remembers; more are found by another pass.
const MOST_PENDING: usize = 1024;

struct Level {
    identity: (u64, u64),
    /// Subfolders that are still to be emptied.
    pending: Vec<CString>,
}

/// Removes a folder and everything in it, with two open files and without recursion: a verifier's program may have
/// nested folders deeper than any path or stack reaches, or closed them to their owner.
pub fn remove_tree(top: &Path) -> io::Result<()> {
    let mut folder = open(CWD, top)?;
    let mut levels = vec![Level {
        identity: identity(&folder)?,
        pending: empty(&folder)?,
    }];
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.pending.last() {
            let inner = open(&folder, name.as_c_str())?;
            let (identity, pending) = (identity(&inner)?, empty(&inner)?);
            levels.push(Level { identity, pending });
            folder = inner;
            continue;
        }
        // One pass over a folder may leave some entries.
        level.pending = empty(&folder)?;
        if level.pending.is_empty() {
            levels.pop();
            if let Some(above) = levels.last_mut() {
                folder = leave(&folder, above)?;
            }
        }
    }
    Ok(unlinkat(CWD, top, AtFlags::REMOVEDIR)?)
}

/// Opens the folder above an empty one, and removes the empty one.
fn leave(folder: &OwnedFd, above: &mut Level) -> io::Result<OwnedFd> {
    let outer = openat(folder, c"..", flags(), Mode::empty())?;
    if identity(&outer)? != above.identity {
        return Err(io::Error::other(
            "a folder was moved while it was being removed",
        ));
    }
    if let Some(name) = above.pending.pop() {
        unlinkat(&outer, &name, AtFlags::REMOVEDIR)?;
    }
    Ok(outer)
}

/// Removes all entries of a folder but subfolders that are not empty. Returns the names of these, or of some of them.
fn empty(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut left = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        match unlinkat(folder, name, AtFlags::empty()) {
            // For a folder, POSIX specifies EPERM.
            Err(Errno::ISDIR | Errno::PERM) => {}
            removed => {
                removed?;
                continue;
            }
        }
        match unlinkat(folder, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => left.push(name.to_owned()),
            removed => removed?,
        }
        if left.len() == MOST_PENDING {
            break;
        }
    }
    Ok(left)
}

/// Opens a folder to empty it, and gives its owner access first: a program may have closed it.
fn open<D: std::os::fd::AsFd, P: rustix::path::Arg + Copy>(
    within: D,
    name: P,
) -> io::Result<OwnedFd> {
    let folder = match openat(&within, name, flags(), Mode::empty()) {
        Err(Errno::ACCESS) => {
            chmodat(&within, name, Mode::RWXU, AtFlags::empty())?;
            openat(&within, name, flags(), Mode::empty())?
        }
        opened => opened?,
    };
    fchmod(&folder, Mode::RWXU)?;
    Ok(folder)
}

fn flags() -> OFlags {
    OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn identity(folder: &OwnedFd) -> io::Result<(u64, u64)> {
    let found = fstat(folder)?;
    Ok((found.st_dev, found.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::mkdirat;
    use std::fs;
    use tempfile::TempDir;

    /// Nests folders below `top`, closes the deepest to its owner, and puts a file beside it.
    fn nest(top: &Path, depth: u32) {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY;
        let mut deepest = rustix::fs::open(top, flags, Mode::empty()).expect("a folder");
        for _ in 0..depth {
            mkdirat(&deepest, "moved", Mode::RWXU).expect("a folder");
            deepest = openat(&deepest, "moved", flags, Mode::empty()).expect("a folder");
        }
        mkdirat(&deepest, "closed", Mode::empty()).expect("a folder");
        openat(&deepest, "file", OFlags::CREATE | OFlags::RDWR, Mode::RUSR).expect("a file");
    }

    #[test]
    fn depth_is_no_hiding_place() {
        // Beyond the limit of open files, the length of a path, and the stack.
        for depth in [0, 1, 1_100, 10_000] {
            let parent = TempDir::new().expect("a folder");
            let top = parent.path().join("top");
            fs::create_dir(&top).expect("a folder");
            fs::write(parent.path().join("kept"), "").expect("a file");
            nest(&top, depth);
            fs::create_dir(top.join(".moved-0")).expect("a folder");
            std::os::unix::fs::symlink(parent.path(), top.join("link")).expect("a link");
            remove_tree(&top).expect("removed");
            let left: Vec<_> = parent.path().read_dir().expect("a folder").collect();
            assert_eq!(left.len(), 1, "{depth}: {left:?}");
        }
    }

    #[test]
    fn many_folders_in_one_go_too() {
        let parent = TempDir::new().expect("a folder");
        let top = parent.path().join("top");
        for n in 0..=(2 * MOST_PENDING) {
            fs::create_dir_all(top.join(n.to_string()).join("inner")).expect("folders");
            fs::write(top.join(n.to_string()).join("file"), "").expect("a file");
        }
        remove_tree(&top).expect("removed");
        assert!(!top.exists());
    }

    #[test]
    fn what_is_not_there_is_an_error_that_says_so() {
        let parent = TempDir::new().expect("a folder");
        let error = remove_tree(&parent.path().join("none")).expect_err("nothing");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
