//! What the processes of one machine share that work on a data folder: locks, each one's own folder for temporary files, and the few
//! files beside the catalogue that are none of its own: the mark, the reserve, its copies.
//!
//! Never decides about claims or contents: which processes of this machine ended is told, what follows is the callers' affair.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::lock::{FileLock, Locks, MARK, NOTICES, PUBLISHED, SETS};
use super::run_folder::RunFolder;
use super::temp_dir::TempDir;
use super::trash::Trash;
use super::{ArchiveError, beside, catalogue_copies, host, mark, reserve};
use crate::domain::{ArchiveMark, WorkerId, WorkerInfo, to_hex};
use crate::files::Owner;

/// The locks, the temporary folders and the small files of a data folder.
///
/// An *owner* is a process that works on the folder, by the name of its own folder in `tmp/`.
#[derive(Debug)]
pub struct Machine {
    data_dir: PathBuf,
    owner: Owner,
    trash: Trash,
    locks: Locks,
    temp: Arc<TempDir>,
}

impl Machine {
    pub(super) fn new(
        data_dir: PathBuf,
        owner: Owner,
        trash: Trash,
        locks: Locks,
        temp: Arc<TempDir>,
    ) -> Self {
        Self {
            data_dir,
            owner,
            trash,
            locks,
            temp,
        }
    }

    /// Returns where temporary files go: this process's own folder, on the same file system as the objects, or for an
    /// archive that is opened for reading in the system's place for them. It goes with the archive.
    pub fn temp_dir(&self) -> &Path {
        self.temp.path()
    }

    /// Removes the temporary files of an archive that is opened for reading, for a process that ends at once.
    pub fn end_reading(&self) {
        if let TempDir::Reader(folder) = &*self.temp {
            folder.remove();
        }
    }

    /// Waits until no other process changes published files, and keeps it so until the lock is dropped.
    ///
    /// Whoever changes a published file and what the catalogue says of it holds this over both. Fails with
    /// [`ArchiveError::Busy`] after 30 s.
    pub fn lock_published(&self) -> Result<FileLock, ArchiveError> {
        self.locks.take(PUBLISHED)
    }

    /// Waits for the right to judge sets. Fails with [`ArchiveError::Busy`] after 10 s.
    pub fn lock_sets(&self) -> Result<FileLock, ArchiveError> {
        self.locks.take(SETS)
    }

    /// Returns the right to tell notifiers until the lock is dropped; nothing when another process has it.
    pub fn try_lock_notices(&self) -> Result<Option<FileLock>, ArchiveError> {
        self.locks.try_take(NOTICES)
    }

    /// Returns this owner's name, which no other process that works on this folder has for as long as this one lives; an empty one
    /// when the archive is opened for reading.
    pub fn owner(&self) -> String {
        self.temp.run().map(RunFolder::name).unwrap_or_default()
    }

    /// Returns a new worker of this process.
    pub fn new_worker(&self) -> WorkerInfo {
        let mut id = [0; 16];
        getrandom::fill(&mut id).expect("the system gives random bytes");
        WorkerInfo {
            id: WorkerId(to_hex(&id).into()),
            host: host::name(),
            boot: host::boot(),
            folder: self.owner(),
            pid: std::process::id(),
        }
    }

    /// Tells whether a worker's process ended, where its folder shows that: of those that `dead` owners left, and of workers of this start
    /// of the system also of those whose folder is gone. Of a worker of another machine it never does.
    pub fn has_ended(&self, worker: &WorkerInfo, dead: &[String]) -> bool {
        let was_killed = dead.contains(&worker.folder);
        if worker.boot == host::boot() {
            let run = self.temp.run();
            return was_killed || run.is_ok_and(|run| !run.exists(&worker.folder));
        }
        was_killed && worker.host == host::name()
    }

    /// Returns the owners that live, this one among them.
    pub(super) fn live_owners(&self) -> Result<Vec<String>, ArchiveError> {
        self.temp.run()?.alive()
    }

    /// Returns the owners that ended without removing their folders.
    pub fn dead_owners(&self) -> Result<Vec<String>, ArchiveError> {
        self.temp.run()?.abandoned()
    }

    /// Deletes all content that dead owners left in their folders and beside published files. Returns the folders that may
    /// still hold some, each with the reason.
    pub fn erase_left_content(&self) -> Result<Vec<(PathBuf, String)>, ArchiveError> {
        let run = self.temp.run()?;
        let mut left = Vec::new();
        for owner in run.abandoned()? {
            let folder = run.path().with_file_name(&owner);
            beside::sweep_of_dead(&folder);
            let erased = run.erase(&owner);
            left.extend(erased.err().map(|error| (folder, error.to_string())));
        }
        Ok(left)
    }

    /// Removes what a dead owner left; it is not among the dead any more after that.
    pub fn remove_dead(&self, owner: &str) -> Result<(), ArchiveError> {
        let run = self.temp.run()?;
        beside::sweep_of_dead(&run.path().with_file_name(owner));
        for prefix in [mark::unfinished(owner), reserve::unfinished(owner)] {
            beside::sweep(&self.data_dir, &prefix)?;
        }
        run.remove(owner)
    }

    /// Keeps room on the disk for a purge when it is full, unless it is kept or there is little room to begin with.
    pub fn keep_reserve(&self) -> Result<(), ArchiveError> {
        reserve::keep(&self.data_dir, &self.temp.run()?.name(), self.owner)
    }

    /// Returns the mark by which the archive knows its catalogue; nothing when it has none.
    pub fn mark(&self) -> Result<Option<ArchiveMark>, ArchiveError> {
        mark::read(&self.data_dir)
    }

    /// Puts a mark on the archive, in the place of an earlier one.
    pub fn set_mark(&self, mark: &ArchiveMark) -> Result<(), ArchiveError> {
        let _lock = self.locks.take(MARK)?;
        mark::write(&self.data_dir, mark, &self.temp.run()?.name(), self.owner)
    }

    /// Returns the copies of the catalogue before migrations, by name.
    pub fn catalogue_copies(&self) -> Vec<String> {
        catalogue_copies::complete(&self.data_dir)
    }

    /// Moves the copies before migrations to the trash that processes which were killed left half-made.
    pub fn discard_half_copies(&self, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        catalogue_copies::half_made(&self.data_dir, now.into())?
            .iter()
            .try_for_each(|name| self.trash.put(name, now))
    }
}
