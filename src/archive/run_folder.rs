//! The run folder: this process's own folder below `tmp/`; and the removal of those that killed processes left.
//!
//! Never touches a folder that is not named like a run folder, and never removes one whose owner lives: each owner
//! locks a file in its folder, and the system releases the lock when the process ends. Folders are made and removed
//! under one lock, so that no process sees an incomplete one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ArchiveError;
use super::file::give;
use super::lock::{FOLDERS, FileLock, Locks, RUN_LOCK};
use crate::files::remove_tree;

/// Prefix of owners' names.
pub(super) const OWNER: &str = "run-";

/// Longest wait of an ending process for the lock to remove its folder.
const REMOVAL_WAIT: Duration = Duration::from_secs(1);

/// A folder for temporary files, removed when dropped.
#[derive(Debug)]
pub(super) struct RunFolder {
    /// `tmp/`, shared by all processes.
    parent: PathBuf,
    locks: Locks,
    path: PathBuf,
    /// Held for its effect only.
    _lock: FileLock,
}

impl RunFolder {
    /// Makes a new run folder below `parent`, which exists.
    pub(super) fn create(parent: &Path, locks: Locks) -> Result<Self, ArchiveError> {
        let _lock_of_all = locks.take(FOLDERS)?;
        let path = tempfile::Builder::new()
            .prefix(OWNER)
            .tempdir_in(parent)
            .map_err(ArchiveError::io("make a folder in", parent))?
            .keep();
        let lock = FileLock::of_folder(&path).map_err(ArchiveError::io("lock", &path))?;
        // Another process of the data folder's account must be able to list and remove the folder if this process is
        // killed.
        give(locks.owner(), &path)?;
        give(locks.owner(), &path.join(RUN_LOCK))?;
        Ok(Self {
            parent: parent.to_owned(),
            locks,
            path,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the owner's name: the folder's name, unique among all processes.
    pub(super) fn name(&self) -> String {
        name_of(&self.path)
    }

    /// Returns the names of the folders whose owners ended without removing them.
    pub(super) fn abandoned(&self) -> Result<Vec<String>, ArchiveError> {
        // Under the lock, no process is between making a folder and locking it.
        let _lock = self.locks.take(FOLDERS)?;
        let mut names = Vec::new();
        for path in self.others()? {
            if !is_owned(&path)? {
                names.push(name_of(&path));
            }
        }
        Ok(names)
    }

    /// Returns whether an owner's folder exists, or may exist.
    pub(super) fn exists(&self, name: &str) -> bool {
        let found = fs::symlink_metadata(self.parent.join(name));
        !found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Deletes all content in a dead owner's folder. Leaves the notes about its work: the versions it was judging, and
    /// the tags of the programs it started.
    pub(super) fn erase(&self, name: &str) -> Result<(), ArchiveError> {
        let folder = self.parent.join(name);
        let entries = match fs::read_dir(&folder) {
            // Another process removed the folder.
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

    /// Removes a dead owner's folder; no error when it is missing. Removal may take long, and nobody should wait for
    /// it: the folder is first moved into this process's own, with which it goes if this process is killed.
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
        // Subfolders, which may hold many files, are removed before the shared lock is taken. The lock file stays until
        // then: a folder without one counts as abandoned.
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|found| found.is_dir()) {
                let _ = remove_tree(&entry.path());
            }
        }
        // On failure a later process sweeps the folder, which has no owner any more.
        if let Ok(_lock) = self.locks.take_within(FOLDERS, REMOVAL_WAIT) {
            let _ = remove_tree(&self.path);
        }
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Returns whether the owner of a folder lives.
fn is_owned(folder: &Path) -> Result<bool, ArchiveError> {
    match FileLock::is_owner_alive(folder) {
        // Incomplete, or being removed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        held => held.map_err(ArchiveError::io("lock", folder)),
    }
}

/// Returns whether a file in a run folder may hold content: one that is being fetched, read or encoded.
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

/// Returns whether a name is a run folder's.
fn is_owner(name: &OsStr) -> bool {
    name.as_bytes().starts_with(OWNER.as_bytes())
}

/// Fails with an explanation when `tmp/` is a link to a folder with files of other programs: a folder on another disk
/// must be gannet's alone.
pub(super) fn refuse_link_to_others(parent: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(parent)?.is_symlink() {
        return Ok(());
    }
    let names = fs::read_dir(parent)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    // The lock file is older than the first run folder: without it, such folders are another program's.
    let has_lock = names.iter().any(|name| name == FOLDERS.file);
    let is_ours = |name: &OsString| {
        let is_lock = name == FOLDERS.file || name.as_bytes().ends_with(b".lock");
        // The root of a file system may contain `lost+found`.
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
        // On a busy machine, an owner may exit before its turn to remove its folder comes.
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
        assert!(!half.join(RUN_LOCK).exists());
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
