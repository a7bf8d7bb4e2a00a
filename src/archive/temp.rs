//! This process's own folder below `tmp/`, and the end of those that a crash left.
//!
//! Never removes a folder whose owner lives: each owner holds a lock on a file in its folder, which the system lets go
//! of when the process ends, however it ends.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::ArchiveError;

/// The file that an owner keeps locked; in `tmp/` itself, the one that is held while folders come and go.
const LOCK: &str = "lock";

/// A folder for temporary files, removed when this is dropped.
#[derive(Debug)]
pub(super) struct TempFolder {
    /// `tmp/`, which all processes share.
    parent: PathBuf,
    path: PathBuf,
    /// Held, not used.
    _lock: File,
}

impl TempFolder {
    /// Makes a folder of its own below `parent`, which exists.
    pub(super) fn create(parent: &Path) -> Result<Self, ArchiveError> {
        let _gate = gate(parent)?;
        let path = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(parent)
            .map_err(ArchiveError::io("make a folder in", parent))?
            .keep();
        let lock = open_lock(&path)?;
        lock.lock().map_err(ArchiveError::io("lock", &path))?;
        Ok(Self {
            parent: parent.to_owned(),
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

    /// Returns the names of the folders whose owners ended without removing theirs.
    pub(super) fn abandoned(&self) -> Result<Vec<String>, ArchiveError> {
        // Behind the gate nobody is between making a folder and locking it.
        let _gate = gate(&self.parent)?;
        let mut abandoned = Vec::new();
        let entries = fs::read_dir(&self.parent).map_err(ArchiveError::io("list", &self.parent))?;
        for entry in entries {
            let entry = entry.map_err(ArchiveError::io("list", &self.parent))?;
            let path = entry.path();
            if path.is_dir() && path != self.path && !is_owned(&path)? {
                abandoned.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(abandoned)
    }

    /// Removes the folder of an owner that ended; fine when it is gone already.
    pub(super) fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        let path = self.parent.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ArchiveError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // What cannot be removed now is swept by a later process: nobody owns it any more.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Tells whether a live process holds the lock in `folder`.
fn is_owned(folder: &Path) -> Result<bool, ArchiveError> {
    match open_lock(folder)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(ArchiveError::io("lock", folder)(error)),
    }
}

/// Waits until no other process makes or sweeps folders below `parent`; holds them off while the result lives.
fn gate(parent: &Path) -> Result<File, ArchiveError> {
    let gate = open_lock(parent)?;
    gate.lock().map_err(ArchiveError::io("lock", parent))?;
    Ok(gate)
}

fn open_lock(folder: &Path) -> Result<File, ArchiveError> {
    let path = folder.join(LOCK);
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(ArchiveError::io("open", &path))
}
