//! The archive: everything in a data folder but the catalogue, in independent parts.
//!
//! Does nothing by itself; callers use the parts.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ArchiveError;
use super::blobs::Blobs;
use super::file::{make_folder, sync_folder};
use super::lock::{Locks, WaitReporter};
use super::machine::Machine;
use super::objects::Objects;
use super::published::Published;
use super::reader_temp::{self, ReaderTemp};
use super::run_folder::{RunFolder, refuse_link_to_others};
use super::set_folders::SetFolders;
use super::temp_dir::TempDir;
use super::trash::Trash;
use crate::config::ObjectsPlace;
use crate::files::{Owner, make_public_folders};

/// The archive's files below a data folder.
///
/// All methods of its parts block (CPU and disk): call them on a blocking thread. Any number of threads and processes
/// may use the same folder at once.
#[derive(Debug)]
pub struct Archive {
    blobs: Blobs,
    published: Published,
    sets: SetFolders,
    machine: Machine,
}

impl Archive {
    /// Opens the archive of a data folder, with its objects there, and reports no wait.
    pub fn open(data_dir: &Path) -> Result<Self, ArchiveError> {
        let objects = ObjectsPlace::in_folder(data_dir);
        Self::open_at(data_dir, &objects, Arc::new(|_: &str| ()))
    }

    /// Makes the place of objects, `published/` and `tmp/` below `data_dir` as needed, and this process's run folder in
    /// `tmp/`. Other accounts may read only published files. `report` receives a line for each long wait for another
    /// process.
    pub fn open_at(
        data_dir: &Path,
        objects: &ObjectsPlace,
        report: WaitReporter,
    ) -> Result<Self, ArchiveError> {
        let owner = Owner::of(data_dir);
        make_public_folders(data_dir, owner)
            .map_err(ArchiveError::io("make the folder", data_dir))?;
        let folder = |name: &str, mode: u32| -> Result<PathBuf, ArchiveError> {
            let path = data_dir.join(name);
            if make_folder(&path, mode, owner)? {
                sync_folder(data_dir)?;
            }
            Ok(path)
        };
        Objects::make_place(objects, owner)?;
        // An obstacle here fails only the files to publish, each with its own error.
        if let Err(error) = folder("published", 0o755) {
            tracing::warn!("{error}");
        }
        let temp_dir = folder("tmp", 0o700)?;
        refuse_link_to_others(&temp_dir).map_err(ArchiveError::io("work in", &temp_dir))?;
        keep_others_out(&temp_dir);
        let locks = Locks::new(temp_dir.clone(), owner, report);
        reader_temp::sweep();
        let temp = TempDir::Run(RunFolder::create(&temp_dir, locks.clone())?);
        Ok(Self::of_parts(data_dir, objects, (owner, locks, temp)))
    }

    /// Opens the archive for reading only: makes nothing below `data_dir` and takes no lock, so that read permission is
    /// enough.
    pub fn open_for_reading(data_dir: &Path, objects: &ObjectsPlace) -> Self {
        let owner = Owner::of(data_dir);
        let locks = Locks::new(data_dir.join("tmp"), owner, Arc::new(|_: &str| ()));
        let temp = TempDir::Reader(ReaderTemp::new(data_dir));
        Self::of_parts(data_dir, objects, (owner, locks, temp))
    }

    fn of_parts(
        data_dir: &Path,
        objects: &ObjectsPlace,
        (owner, locks, temp): (Owner, Locks, TempDir),
    ) -> Self {
        let (trash, temp) = (Trash::new(data_dir, owner), Arc::new(temp));
        let objects = Objects::at(objects, owner, trash.clone(), Arc::clone(&temp));
        let published = data_dir.join("published");
        Self {
            blobs: Blobs::new(objects, Arc::clone(&temp)),
            published: Published::new(published, owner, trash.clone(), Arc::clone(&temp)),
            sets: SetFolders::new(data_dir.join("sets"), owner, trash.clone()),
            machine: Machine::new(data_dir.to_owned(), owner, trash, locks, temp),
        }
    }

    /// Returns the codec of blobs: contents in their stored form.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Returns the store of objects.
    pub fn objects(&self) -> &Objects {
        &self.blobs.objects
    }

    /// Returns the published files.
    pub fn published(&self) -> &Published {
        &self.published
    }

    /// Returns the published folders of sets.
    pub fn sets(&self) -> &SetFolders {
        &self.sets
    }

    /// Returns the locks, run folders and small files that the processes of this machine share.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
}

/// Makes a folder private again, if an operator or a backup widened its mode: only this account may hold its locks.
fn keep_others_out(folder: &Path) {
    let is_open = |found: fs::Metadata| found.permissions().mode() & 0o077 != 0;
    if fs::metadata(folder).is_ok_and(is_open) {
        // Fails for a folder of another account, whose own processes make it private.
        let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    }
}
