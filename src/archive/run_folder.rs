//! This process's own folder below `tmp/`, and the removal of those that killed processes left.
//!
//! Never touches what has another name than gannet gives its own, and never removes a folder whose owner lives: each owner holds a lock
//! on a file in its folder, which the system releases when the process ends, however it ends. Folders are made and removed under one
//! lock, so that no process sees half of one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ArchiveError;
use super::file::give;
use super::lock::{FOLDERS, FileLock, IN_FOLDER, Locks};
use crate::files::remove_tree;

/// How the names of owners begin.
pub(super) const OWNER: &str = "run-";

/// How long a process that ends waits for the lock under which it removes its folder.
const REMOVAL_WAIT: Duration = Duration::from_secs(1);

/// A folder for temporary files, removed when this is dropped.
#[derive(Debug)]
pub(super) struct RunFolder {
    /// `tmp/`, which all processes share.
    parent: PathBuf,
    locks: Locks,
    path: PathBuf,
    /// Held, not used.
    _lock: FileLock,
}

impl RunFolder {
    /// Makes a folder of its own below `parent`, which exists.
    pub(super) fn create(parent: &Path, locks: Locks) -> Result<Self, ArchiveError> {
        let _lock_of_all = locks.take(FOLDERS)?;
        let path = tempfile::Builder::new()
            .prefix(OWNER)
            .tempdir_in(parent)
            .map_err(ArchiveError::io("make a folder in", parent))?
            .keep();
        let lock = FileLock::of_folder(&path).map_err(ArchiveError::io("lock", &path))?;
        // A process of the folder's owner has to look into it, and to remove it, when this one is killed.
        give(locks.owner(), &path)?;
        give(locks.owner(), &path.join(IN_FOLDER))?;
        Ok(Self {
            parent: parent.to_owned(),
            locks,
            path,
            _lock: lock,
        })
    }

    /// Returns where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its name, which no other process has.
    pub(super) fn name(&self) -> String {
        name_of(&self.path)
    }

    /// Returns the names of the folders whose owners live, this one among them.
    pub(super) fn alive(&self) -> Result<Vec<String>, ArchiveError> {
        let mut alive = self.others_owned(true)?;
        alive.push(self.name());
        Ok(alive)
    }

    /// Returns the names of the folders whose owners ended without removing theirs.
    pub(super) fn abandoned(&self) -> Result<Vec<String>, ArchiveError> {
        self.others_owned(false)
    }

    fn others_owned(&self, owned: bool) -> Result<Vec<String>, ArchiveError> {
        // Under the lock no process is between making a folder and locking it.
        let _lock = self.locks.take(FOLDERS)?;
        let mut names = Vec::new();
        for path in self.others()? {
            if is_owned(&path)? == owned {
                names.push(name_of(&path));
            }
        }
        Ok(names)
    }

    /// Tells whether an owner's folder is there, or may be.
    pub(super) fn exists(&self, name: &str) -> bool {
        let found = fs::symlink_metadata(self.parent.join(name));
        !found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Deletes all content in the folder of an owner that ended, and leaves what else is known of it: what it was judging, and how to
    /// know the programs that it started.
    pub(super) fn erase(&self, name: &str) -> Result<(), ArchiveError> {
        let folder = self.parent.join(name);
        let entries = match fs::read_dir(&folder) {
            // Another process removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(ArchiveError::io("list", &folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(ArchiveError::io("list", &folder))?;
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|found| found.is_dir());
            let erased = if is_folder {
                remove_tree(&path)
            } else if is_content(&entry.file_name()) {
                fs::remove_file(&path)
            } else {
                Ok(())
            };
            match erased {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ArchiveError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn others(&self) -> Result<Vec<PathBuf>, ArchiveError> {
        let mut others = Vec::new();
        let entries = fs::read_dir(&self.parent).map_err(ArchiveError::io("list", &self.parent))?;
        for entry in entries {
            let entry = entry.map_err(ArchiveError::io("list", &self.parent))?;
            let is_folder = entry.file_type().is_ok_and(|found| found.is_dir());
            if is_folder && is_owner(&entry.file_name()) && entry.path() != self.path {
                others.push(entry.path());
            }
        }
        Ok(others)
    }

    /// Removes the folder of an owner that ended; fine when it is gone already. A great many files take long, which keeps nobody
    /// waiting: it is moved into this process's own folder first, and so goes with that one when this process is killed.
    pub(super) fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        let path = self.parent.join(name);
        let moved = self.path.join(name);
        let lock = self.locks.take(FOLDERS)?;
        match fs::rename(&path, &moved) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(ArchiveError::io("move", &path))?,
        }
        drop(lock);
        remove_tree(&moved).map_err(ArchiveError::io("remove", &moved))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // Folders, which may hold a great many files, go before others have to wait. The lock stays until nobody looks: a folder
        // without it is an abandoned one.
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|found| found.is_dir()) {
                let _ = remove_tree(&entry.path());
            }
        }
        // What cannot be removed now is swept by a later process: nobody owns it any more.
        if let Ok(_lock) = self.locks.take_within(FOLDERS, REMOVAL_WAIT) {
            let _ = remove_tree(&self.path);
        }
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Tells whether the owner of a folder lives.
fn is_owned(folder: &Path) -> Result<bool, ArchiveError> {
    match FileLock::is_held_in(folder) {
        // Half made or half removed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        held => held.map_err(ArchiveError::io("lock", folder)),
    }
}

/// Tells whether a file in a process's folder may hold content: one that is being fetched, read or encoded.
fn is_content(name: &OsStr) -> bool {
    const DIGEST: usize = 62;
    let name = name.as_bytes();
    let is_object = name
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count()
        >= DIGEST;
    is_object || name.starts_with(b".tmp") || name.starts_with(b"fetch-")
}

/// Tells whether gannet gives such a name to the folder of a process.
fn is_owner(name: &OsStr) -> bool {
    name.as_bytes().starts_with(OWNER.as_bytes())
}

/// Fails in words where `tmp/` is a link to a folder in which something lies that gannet does not put there: one to another disk leads
/// to a folder of gannet's alone.
pub(super) fn refuse_link_to_others(parent: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(parent)?.is_symlink() {
        return Ok(());
    }
    let names = fs::read_dir(parent)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    // The lock is made before the first folder: where none is, the folders are another program's.
    let has_lock = names.iter().any(|name| name == FOLDERS.file);
    let is_ours = |name: &OsString| {
        let is_lock = name == FOLDERS.file || name.as_bytes().ends_with(b".lock");
        // The root of a file system may hold the last.
        is_lock || is_owner(name) && has_lock || name == "lost+found"
    };
    match names.iter().find(|name| !is_ours(name)) {
        None => Ok(()),
        Some(name) => Err(io::Error::other(format!(
            "a link to a folder that holds something else ({}) is in the way: remove the link, and run again",
            name.to_string_lossy()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::files::Owner;

    fn folder_in(parent: &Path) -> RunFolder {
        let locks = Locks::new(parent.to_owned(), Owner::default(), Arc::new(|_: &str| ()));
        RunFolder::create(parent, locks).expect("a folder")
    }

    #[test]
    fn folders_that_come_and_go_are_never_taken_for_abandoned() {
        let parent = tempfile::tempdir().expect("a folder");
        let watcher = folder_in(parent.path());
        let mut found = Vec::new();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        drop(folder_in(parent.path()));
                    }
                });
            }
            for _ in 0..400 {
                found.extend(watcher.abandoned().expect("a list"));
            }
        });
        // On a machine that is busy enough, an owner ends before its turn to remove its folder comes.
        let left = watcher.abandoned().expect("a list");
        assert_eq!(watcher.others().expect("a list").len(), left.len());
        found.retain(|name| !left.contains(name));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn content_of_a_dead_process_goes_and_what_is_noted_of_it_stays() {
        let parent = tempfile::tempdir().expect("a folder");
        let own = folder_in(parent.path());
        let dead = parent.path().join("run-dead");
        fs::create_dir_all(dead.join("verify-x/set")).expect("a folder");
        fs::write(dead.join("verify-x/set/k1.txt"), "secret").expect("a file");
        let object = format!("{}-tag-random", "0a".repeat(31));
        for content in ["fetch-x", ".tmpAbCd", &object] {
            fs::write(dead.join(content), "secret").expect("a file");
        }
        for note in ["lock", "judging-7", "beside"] {
            fs::write(dead.join(note), "").expect("a file");
        }
        for name in ["run-dead", "run-dead", "run-none"] {
            own.erase(name).expect("erased");
        }
        let mut left: Vec<_> = fs::read_dir(&dead)
            .expect("a folder")
            .flatten()
            .map(|one| one.file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        assert_eq!(left, ["beside", "judging-7", "lock"]);
    }

    #[test]
    fn a_folder_without_its_lock_is_abandoned_and_stays_without() {
        let parent = tempfile::tempdir().expect("a folder");
        let own = folder_in(parent.path());
        let half = parent.path().join("run-half");
        fs::create_dir(&half).expect("a folder");
        assert_eq!(own.abandoned().expect("a list"), ["run-half"]);
        assert!(!half.join(IN_FOLDER).exists());
        fs::create_dir_all(half.join("deep/down")).expect("folders");
        own.remove("run-half").expect("removed");
        own.remove("run-half").expect("gone already");
        let left: Vec<_> = fs::read_dir(own.path())
            .expect("a folder")
            .flatten()
            .collect();
        assert_eq!(left.len(), 1, "its lock alone: {left:?}");
        assert_eq!(own.abandoned().expect("a list"), Vec::<String>::new());
    }
}
