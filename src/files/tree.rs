//! Removing a folder with all that is in it, however deep.
//!
//! Never follows a link.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Removes a folder with all that is in it, in bounded memory and with two open files, however deep it is: a verifier's program may
/// have nested folders until no path reaches them, and no stack either. So every folder is moved to the top, then emptied.
pub fn remove_tree(top: &Path) -> io::Result<()> {
    fs::set_permissions(top, Permissions::from_mode(0o700))?;
    let mut moved = 0_u64;
    loop {
        let mut entries = fs::read_dir(top)?.peekable();
        if entries.peek().is_none() {
            return fs::remove_dir(top);
        }
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                remove_moving_up(top, &entry.path(), &mut moved)?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
}

/// Removes a folder that lies in `top`, and moves the folders in it there.
fn remove_moving_up(top: &Path, folder: &Path, moved: &mut u64) -> io::Result<()> {
    // A program may have closed folders to their owner.
    let open = |folder: &Path| fs::set_permissions(folder, Permissions::from_mode(0o700));
    open(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if !entry.file_type()?.is_dir() {
            fs::remove_file(path)?;
            continue;
        }
        // To move a folder changes its `..`, so it must be open too.
        open(&path)?;
        while top.join(moved_name(*moved)).symlink_metadata().is_ok() {
            *moved += 1;
        }
        fs::rename(path, top.join(moved_name(*moved)))?;
    }
    fs::remove_dir(folder)
}

fn moved_name(number: u64) -> String {
    format!(".moved-{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    use tempfile::TempDir;

    /// Nests folders below `top`, closed to their owner every so often, and leaves a file in the deepest.
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
        // Beyond the files that a process may open, beyond what a path can name, and beyond the stack.
        for depth in [0, 1, 1_100, 30_000] {
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
    fn what_is_not_there_is_an_error_that_says_so() {
        let parent = TempDir::new().expect("a folder");
        let error = remove_tree(&parent.path().join("none")).expect_err("nothing");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
