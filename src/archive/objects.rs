//! The store of large stored forms: one file each below `objects/`, and for some days more in the trash.
//!
//! Never rewrites an object, and never reuses a name: a writer that fails to record its object cannot remove one that a
//! row names. Never deletes a day of the trash whose objects could not be listed: the caller must first look up whether
//! one of them is needed. The form's encoding is not its concern, and no other module depends on where objects lie, so
//! another store can replace this one.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tempfile::NamedTempFile;

use super::ArchiveError;
use super::file::{give, is_inside, make_folder, sync_folder};
use super::object_name::{below_data_dir, copy_prefix, digest_in, file_prefix, shelf};
use super::temp_dir::TempDir;
use super::trash::Trash;
use crate::config::ObjectsPlace;
use crate::domain::{Digest, StoredObject};
use crate::files::{Owner, read_plain};

/// Private: sources may be visible to this account only.
const MODE: u32 = 0o700;

/// The store of large stored forms.
#[derive(Debug)]
pub struct Objects {
    folder: PathBuf,
    owner: Owner,
    trash: Trash,
    temp: Arc<TempDir>,
}

/// The expired part of the trash.
#[derive(Debug, Default)]
pub struct ExpiredTrash {
    days: Vec<PathBuf>,
    /// The objects in it, each with the digest of its content. Objects that a blob names must be moved back before the
    /// rest is deleted.
    pub objects: Vec<(Digest, String)>,
}

/// A stored form that is being written to the temporary folder; [`Objects::put`] makes it an object.
#[derive(Debug)]
pub(super) struct NewObject {
    /// The name of the object that it becomes.
    name: String,
    file: NamedTempFile,
}

pub(super) struct OpenObject {
    pub(super) size_bytes: u64,
    /// Fails with [`Unreachable`] when the store is at fault.
    pub(super) bytes: Box<dyn Read + Send>,
}

/// The store failed while an object was read; the bytes may be correct.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Unreachable(pub(super) io::Error);

impl Objects {
    /// Makes the place of objects; no error when it exists.
    pub(super) fn make_place(place: &ObjectsPlace, owner: Owner) -> Result<(), ArchiveError> {
        let ObjectsPlace::Folder(folder) = place;
        if make_folder(folder, MODE, owner)? {
            sync_folder(folder.parent().unwrap_or(folder))?;
        }
        Ok(())
    }

    /// Returns the store of the objects at `place`, which exists, or is read only.
    pub(super) fn at(place: &ObjectsPlace, owner: Owner, trash: Trash, temp: Arc<TempDir>) -> Self {
        let ObjectsPlace::Folder(folder) = place;
        Self {
            folder: folder.clone(),
            owner,
            trash,
            temp,
        }
    }

    /// Checks that the place of objects is there.
    pub fn check(&self) -> Result<(), ArchiveError> {
        let found = fs::read_dir(&self.folder).map(drop);
        found.map_err(ArchiveError::io("keep objects in", &self.folder))
    }

    /// Begins to write the stored form of a content.
    pub(super) fn create(&self, digest: Digest) -> Result<NewObject, ArchiveError> {
        let temp_dir = self.temp.path();
        let file = tempfile::Builder::new()
            .prefix(&file_prefix(digest, temp_dir))
            .rand_bytes(8)
            .tempfile_in(temp_dir)
            .map_err(ArchiveError::io("make a file in", temp_dir))?;
        let name = file.path().file_name().and_then(|name| name.to_str());
        let name = name.expect("the name is hexadecimal digits and random letters");
        Ok(NewObject {
            name: format!("{}/{name}", shelf(digest)),
            file,
        })
    }

    /// Makes a written form an object, under its name; durable on return.
    pub(super) fn put(&self, object: NewObject) -> Result<(), ArchiveError> {
        let NewObject { name, file } = object;
        file.as_file()
            .sync_all()
            .map_err(ArchiveError::io("sync", file.path()))?;
        give(self.owner, file.path())?;
        let target = self.folder.join(&name);
        let folder = target.parent().unwrap_or(&self.folder);
        if make_folder(folder, MODE, self.owner)? {
            sync_folder(&self.folder)?;
        }
        move_to(file, &target, self.owner).map_err(ArchiveError::io("make", &target))?;
        sync_folder(folder)
    }

    /// Opens an object, in the trash if need be: a sweep may move an object there that another catalogue does not name.
    /// Returns `None` when it is in neither place.
    pub(super) fn open(&self, name: &str) -> Result<Option<OpenObject>, ArchiveError> {
        let mut path = self.path(name)?;
        let mut opened = read_plain(&path);
        if is_not_found(&opened) {
            match self.trash.find(&below_data_dir(name))? {
                Some(place) => path = place,
                None => return self.confirm_missing(),
            }
            opened = read_plain(&path);
        }
        let sized = opened.and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size_bytes, file) = sized.map_err(ArchiveError::io("read the object", &path))?;
        Ok(Some(OpenObject {
            size_bytes,
            bytes: Box::new(ObjectFile(file)),
        }))
    }

    /// Returns whether an object exists with its recorded length, without reading it. Fails when the store is
    /// unavailable.
    pub fn has(&self, object: &StoredObject) -> Result<bool, ArchiveError> {
        let found = self.open(&object.name)?;
        Ok(found.is_some_and(|found| found.size_bytes == object.size_bytes))
    }

    /// Returns `None` for a missing object. Fails when the whole folder is missing, as an unmounted disk is: then no
    /// object counts as missing.
    fn confirm_missing<T>(&self) -> Result<Option<T>, ArchiveError> {
        fs::metadata(&self.folder).map_err(ArchiveError::io("read", &self.folder))?;
        Ok(None)
    }

    /// Returns the error of a failed store.
    pub(super) fn unavailable(&self, name: &str, error: Unreachable) -> ArchiveError {
        ArchiveError::io("read the object", &self.folder.join(name))(error.0)
    }

    /// Removes an unrecorded object of this process; no error when it is missing.
    pub fn delete(&self, name: &str) -> Result<(), ArchiveError> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ArchiveError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Moves an object to the trash, where it can still be read; no error when it is missing.
    pub fn discard(&self, name: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.path(name)?;
        self.trash.put(&below_data_dir(name), now)
    }

    /// Moves an object back from the trash. Returns whether it was there.
    pub fn rescue(&self, name: &str) -> Result<bool, ArchiveError> {
        let path = self.path(name)?;
        let folder = path.parent().unwrap_or(&self.folder);
        if make_folder(folder, MODE, self.owner)? {
            sync_folder(&self.folder)?;
        }
        let unfinished = copy_prefix(name, self.temp.path());
        self.trash
            .put_back(&below_data_dir(name), (folder, &unfinished))
    }

    /// Counts the days since the last count, and returns the expired part of the trash, with all files in it.
    pub fn expired(&self, now: DateTime<Utc>) -> Result<ExpiredTrash, ArchiveError> {
        let mut expired = ExpiredTrash::default();
        for day in self.trash.expired_days(now)? {
            match objects_below(&day.join("objects")) {
                Ok(objects) => {
                    expired.objects.extend(objects);
                    expired.days.push(day);
                }
                Err(error) => tracing::warn!("{error}: {} is not emptied", day.display()),
            }
        }
        Ok(expired)
    }

    /// Returns all objects, each with the digest of its content.
    pub fn list(&self) -> Result<Vec<(Digest, String)>, ArchiveError> {
        objects_below(&self.folder)
    }

    /// Returns whether there is no object.
    pub fn is_empty(&self) -> Result<bool, ArchiveError> {
        for folder in entries(&self.folder)? {
            if !entries(&folder.path())?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn path(&self, name: &str) -> Result<PathBuf, ArchiveError> {
        if is_inside(name) {
            Ok(self.folder.join(name))
        } else {
            Err(ArchiveError::BadPath(name.to_owned()))
        }
    }
}

impl ExpiredTrash {
    /// Deletes what was found expired, and nothing that expired since: its objects have not been looked up. A day that
    /// cannot be deleted, or that another process deletes, does not stop the others.
    pub fn delete(&self) {
        for day in &self.days {
            if let Err(error) = Trash::delete_day(day) {
                tracing::warn!("{error}: left to the next look");
            }
        }
    }
}

impl NewObject {
    /// Returns the name of the object that it becomes.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path of the file, for messages.
    pub(super) fn place(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.file.as_file().metadata()?.len())
    }

    /// Returns the bytes written, and removes the file.
    pub(super) fn into_bytes(mut self) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::new();
        self.file
            .rewind()
            .and_then(|()| self.file.read_to_end(&mut bytes))
            .map_err(ArchiveError::io("read", self.file.path()))?;
        Ok(bytes)
    }
}

impl Write for NewObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct ObjectFile(File);

impl Read for ObjectFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => io::Error::new(kind, Unreachable(error)),
        })
    }
}

/// Returns the objects below a folder, each with the digest of its content.
fn objects_below(folder: &Path) -> Result<Vec<(Digest, String)>, ArchiveError> {
    let mut objects = Vec::new();
    for folder in entries(folder)? {
        let shelf = folder.file_name();
        for object in entries(&folder.path())? {
            let name = Path::new(&shelf).join(object.file_name());
            if let Some(name) = name.to_str()
                && let Some(digest) = digest_in(name)
            {
                objects.push((digest, name.to_owned()));
            }
        }
    }
    Ok(objects)
}

fn is_not_found<T>(result: &io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// Returns the entries of a folder; none when it is missing.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, ArchiveError> {
    let listed = match fs::read_dir(folder) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        listed => listed.and_then(Iterator::collect),
    };
    listed.map_err(ArchiveError::io("list", folder))
}

/// Moves a durable file to an unused name. Copies it when `objects/` lies on another disk: a crash leaves the copy as
/// an object that no blob names, which is swept.
fn move_to(file: NamedTempFile, target: &Path, owner: Owner) -> io::Result<()> {
    let file = match file.persist_noclobber(target) {
        Ok(_) => return Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::CrossesDevices => error.file,
        Err(error) => return Err(error.error),
    };
    let mut copy = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)?;
    let copied = File::open(file.path())
        .and_then(|mut from| io::copy(&mut from, &mut copy))
        .and_then(|_| copy.sync_all())
        .and_then(|()| owner.give(target));
    if copied.is_err() {
        let _ = fs::remove_file(target);
    }
    copied
}
