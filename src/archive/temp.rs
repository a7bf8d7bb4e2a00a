//! This process's own folder below `tmp/`, and the end of those that a crash left.
//!
//! Never touches what has another name than gannet gives its own, and never removes a folder whose owner lives: each owner holds a lock on a file in its folder, which the system lets go
//! of when the process ends, however it ends. Folders come and go behind one gate, so that nobody looks at half of one.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ArchiveError;
use super::file::give;
use super::lock::{FOLDERS, Locks};
use crate::files::{open_plain, remove_tree};

/// The file that an owner keeps locked.
const LOCK: &str = "lock";

/// How the names of owners begin.
pub(super) const OWNER: &str = "run-";

/// How long a process that ends waits for others that make or sweep folders.
const FAREWELL: Duration = Duration::from_secs(1);

/// A folder for temporary files, removed when this is dropped.
#[derive(Debug)]
pub(super) struct TempFolder {
    /// `tmp/`, which all processes share.
    parent: PathBuf,
    locks: Locks,
    path: PathBuf,
    /// Held, not used.
    _lock: File,
}

impl TempFolder {
    /// Makes a folder of its own below `parent`, which exists.
    pub(super) fn create(parent: &Path, locks: Locks) -> Result<Self, ArchiveError> {
        let _gate = locks.take(FOLDERS)?;
        let path = tempfile::Builder::new()
            .prefix(OWNER)
            .tempdir_in(parent)
            .map_err(ArchiveError::io("make a folder in", parent))?
            .keep();
        let lock = make_lock(&path)?;
        // A process of the folder's owner has to look into it, and to remove it, when this one is killed.
        give(locks.owner(), &path)?;
        give(locks.owner(), &path.join(LOCK))?;
        lock.lock().map_err(ArchiveError::io("lock", &path))?;
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
        self.path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// Returns the names of the folders whose owners live, this one among them.
    pub(super) fn alive(&self) -> Result<Vec<String>, ArchiveError> {
        let _gate = self.locks.take(FOLDERS)?;
        let mut alive = vec![self.name()];
        for path in self.others()? {
            if is_owned(&path)? {
                let name = path.file_name();
                alive.extend(name.map(|name| name.to_string_lossy().into_owned()));
            }
        }
        Ok(alive)
    }

    /// Returns the names of the folders whose owners ended without removing theirs.
    pub(super) fn abandoned(&self) -> Result<Vec<String>, ArchiveError> {
        // Behind the gate nobody is between making a folder and locking it.
        let _gate = self.locks.take(FOLDERS)?;
        let mut abandoned = Vec::new();
        for path in self.others()? {
            if !is_owned(&path)? {
                abandoned.extend(
                    path.file_name()
                        .map(|name| name.to_string_lossy().into_owned()),
                );
            }
        }
        Ok(abandoned)
    }

    /// Tells whether an owner's folder is still there.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.parent.join(name).exists()
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
        let gate = self.locks.take(FOLDERS)?;
        match fs::rename(&path, &moved) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(ArchiveError::io("move", &path))?,
        }
        drop(gate);
        remove_tree(&moved).map_err(ArchiveError::io("remove", &moved))
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // Folders, which may hold a great many files, go before others have to wait. The lock stays until nobody looks: a folder
        // without it is an abandoned one.
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|found| found.is_dir()) {
                let _ = remove_tree(&entry.path());
            }
        }
        // What cannot be removed now is swept by a later process: nobody owns it any more.
        if let Ok(_gate) = self.locks.take_within(FOLDERS, FAREWELL) {
            let _ = remove_tree(&self.path);
        }
    }
}

/// Tells whether a live process holds the lock in `folder`.
fn is_owned(folder: &Path) -> Result<bool, ArchiveError> {
    let path = folder.join(LOCK);
    // Never made here: a folder without one was half removed.
    let lock = match open_plain(File::options().write(true), &path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened.map_err(ArchiveError::io("open", &path))?,
    };
    match lock.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(ArchiveError::io("lock", folder)(error)),
    }
}

fn make_lock(folder: &Path) -> Result<File, ArchiveError> {
    let path = folder.join(LOCK);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    open_plain(&mut options, &path).map_err(ArchiveError::io("open", &path))
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

    fn folder_in(parent: &Path) -> TempFolder {
        let locks = Locks::new(parent.to_owned(), Owner::default(), Arc::new(|_: &str| ()));
        TempFolder::create(parent, locks).expect("a folder")
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
        assert!(!half.join(LOCK).exists());
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
