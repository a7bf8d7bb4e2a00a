//! The shared state of one machine's processes on a data folder: locks, run folders, and the small files beside the
//! catalogue (the mark, the reserve, copies of the catalogue).
//!
//! Never decides about claims or contents; callers act on what it reports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::lock::{FileLock, Locks, MARK, NOTIFICATIONS, PUBLISHED, SETS};
use super::run_folder::RunFolder;
use super::temp_dir::TempDir;
use super::trash::Trash;
use super::{ArchiveError, catalogue_copies, host, mark, reserve, temp_beside};
use crate::domain::{ArchiveMark, WorkerId, WorkerInfo, to_hex};
use crate::files::Owner;

/// The locks, run folders and small files of a data folder.
///
/// An *owner* is a process that works on the folder, identified by the name of its run folder in `tmp/`.
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

    /// Returns the folder for temporary files: the run folder, on the same file system as the objects, or a private
    /// folder in the system's place for an archive opened for reading. It is removed with the archive.
    pub fn temp_dir(&self) -> &Path {
        self.temp.path()
    }

    /// Removes the temporary files of an archive opened for reading, for a process that exits without dropping it.
    pub fn end_reading(&self) {
        if let TempDir::Reader(folder) = &*self.temp {
            folder.remove();
        }
    }

    /// Waits for the lock of the published files.
    ///
    /// Held over a change to a published file together with the catalogue's record of it. Fails with
    /// [`ArchiveError::Busy`] after 30 s.
    pub fn lock_published(&self) -> Result<FileLock, ArchiveError> {
        self.locks.take(PUBLISHED)
    }

    /// Waits for the lock to judge sets. Fails with [`ArchiveError::Busy`] after 10 s.
    pub fn lock_sets(&self) -> Result<FileLock, ArchiveError> {
        self.locks.take(SETS)
    }

    /// Takes the lock to send notifications. `None` when another process holds it.
    pub fn try_lock_notifications(&self) -> Result<Option<FileLock>, ArchiveError> {
        self.locks.try_take(NOTIFICATIONS)
    }

    /// Returns this owner's name, unique among the processes on this folder for its lifetime; empty for an archive
    /// opened for reading.
    pub fn owner(&self) -> String {
        self.temp.run().map(RunFolder::name).unwrap_or_default()
    }

    /// Returns a new worker of this process, with a random id.
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

    /// Returns whether a worker's process ended, as far as its run folder shows: the folder is among the `dead`, or,
    /// for a worker of this boot of the system, missing. Always `false` for a worker of another machine.
    pub fn has_ended(&self, worker: &WorkerInfo, dead: &[String]) -> bool {
        let was_killed = dead.contains(&worker.folder);
        if worker.boot == host::boot() {
            let run = self.temp.run();
            return was_killed || run.is_ok_and(|run| !run.exists(&worker.folder));
        }
        was_killed && worker.host == host::name()
    }

    /// Returns the owners that ended without removing their run folders.
    pub fn dead_owners(&self) -> Result<Vec<String>, ArchiveError> {
        self.temp.run()?.abandoned()
    }

    /// Deletes all content in the run folders of dead owners, and their files beside published ones. Returns the
    /// folders that may still hold some, each with the reason.
    pub fn erase_left_content(&self) -> Result<Vec<(PathBuf, String)>, ArchiveError> {
        let run = self.temp.run()?;
        let mut left = Vec::new();
        for owner in run.abandoned()? {
            let folder = run.path().with_file_name(&owner);
            temp_beside::sweep_of_dead(&folder);
            let erased = run.erase(&owner);
            left.extend(erased.err().map(|error| (folder, error.to_string())));
        }
        Ok(left)
    }

    /// Removes the files and the run folder of a dead owner, which is then no longer among the dead.
    pub fn remove_dead(&self, owner: &str) -> Result<(), ArchiveError> {
        let run = self.temp.run()?;
        temp_beside::sweep_of_dead(&run.path().with_file_name(owner));
        for prefix in [mark::unfinished(owner), reserve::unfinished(owner)] {
            temp_beside::sweep(&self.data_dir, &prefix)?;
        }
        run.remove(owner)
    }

    /// Checks that the disk has room for anything at all.
    pub fn check_room(&self) -> Result<(), ArchiveError> {
        reserve::check_room(&self.data_dir)
    }

    /// Makes the reserve file for a purge on a full disk, unless it exists or there is little room.
    pub fn make_reserve(&self) -> Result<(), ArchiveError> {
        reserve::keep(&self.data_dir, &self.temp.run()?.name(), self.owner)
    }

    /// Returns the archive's mark, which identifies its catalogue; `None` when there is none.
    pub fn mark(&self) -> Result<Option<ArchiveMark>, ArchiveError> {
        mark::read(&self.data_dir)
    }

    /// Writes the mark, replacing an earlier one.
    pub fn set_mark(&self, mark: &ArchiveMark) -> Result<(), ArchiveError> {
        let _lock = self.locks.take(MARK)?;
        mark::write(&self.data_dir, mark, &self.temp.run()?.name(), self.owner)
    }

    /// Returns the names of the catalogue's copies from before migrations.
    pub fn catalogue_copies(&self) -> Vec<String> {
        catalogue_copies::complete(&self.data_dir)
    }

    /// Moves the incomplete copies that killed processes left to the trash.
    pub fn discard_half_copies(&self, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        catalogue_copies::half_made(&self.data_dir, now.into())?
            .iter()
            .try_for_each(|name| self.trash.put(name, now))
    }
}
