//! A home as it was at one moment, with what its origin answered: the cases of a table begin with it again. To prepare it takes a
//! dozen processes, to put it back none.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirEntryExt as _, symlink};
use std::path::{Path, PathBuf};

use gannet::files::remove_tree;
use tempfile::TempDir;

use super::folder::folder;
use super::origin::{Origin, Replies};
use super::sqlite;

/// A copy of the files of a home, with their times and links, and of the script of its origin.
pub(crate) struct Saved {
    files: TempDir,
    /// The number of each file, as the catalogue may have recorded it.
    inodes: Inodes,
    replies: Replies,
}

/// The inode numbers of the files below a folder, by their paths in it.
type Inodes = BTreeMap<PathBuf, u64>;

impl Saved {
    /// Copies what lies in this folder while no process works there.
    pub(super) fn of(home: &Path, origin: &Origin) -> Self {
        let files = folder();
        copy_into(home, files.path()).expect("a copy");
        Self {
            inodes: inodes_below(home),
            files,
            replies: origin.replies(),
        }
    }

    /// Gives a folder the files that it had, and no others. To the catalogue in its data folder they are the files that they were.
    pub(super) fn put_back(&self, home: &Path, data: &Path, origin: &Origin) {
        origin.answer_by(self.replies.clone());
        empty(home).expect("an empty folder");
        copy_into(self.files.path(), home).expect("a copy");
        if sqlite::is_there(data) {
            let now = inodes_below(home);
            let moved = self.inodes.iter().map(|(path, was)| (*was, now[path]));
            sqlite::rename_inodes(data, moved);
        }
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn inodes_below(folder: &Path) -> Inodes {
    let mut found = Inodes::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(below) = pending.pop() {
        for entry in fs::read_dir(folder.join(&below)).expect("a folder") {
            let entry = entry.expect("an entry");
            let (path, kind) = (below.join(entry.file_name()), entry.file_type());
            if kind.expect("a kind").is_dir() {
                pending.push(path);
            } else {
                found.insert(path, entry.ino());
            }
        }
    }
    found
}

fn copy_into(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, kind) = (to.join(entry.file_name()), entry.file_type()?);
        if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, path)?;
        } else if kind.is_dir() {
            fs::create_dir(&path)?;
            copy_into(&entry.path(), &path)?;
            fs::set_permissions(&path, entry.metadata()?.permissions())?;
        } else {
            fs::copy(entry.path(), &path)?;
            File::open(&path)?.set_modified(entry.metadata()?.modified()?)?;
        }
    }
    Ok(())
}
