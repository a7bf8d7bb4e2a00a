//! The archive: one folder with objects, published copies and temporary files. Its parts do the work.

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::edition_file::EditionFile;
use super::file::{digest_of, make_folder, sync_folder};
use super::lock::{FileLock, Locks, MARK, NOTICES, PUBLISHED, SETS, TellWaits};
use super::objects::{Objects, objects_below, owner_in};
use super::published::{PublishItem, Published};
use super::reader_temp::{self, ReaderTemp};
use super::sets::{EditionFolder, Sets};
use super::slots::Slots;
use super::temp::{TempFolder, refuse_link_to_others};
use super::trash::Trash;
use super::{ArchiveError, beside, mark, reserve};
use crate::domain::{ArchiveMark, Digest, EditionId, FileSeal, StoredObject};
use crate::files::{Owner, make_public_folders};

/// The most contents that are streamed through the codec at once, a few MiB of memory each.
const MAX_STREAMS: usize = 4;

/// The archive's files below a data folder.
///
/// All methods block (CPU and disk): call them on a blocking thread. Any number of threads and processes may use the
/// same folder at once.
#[derive(Debug)]
pub struct Archive {
    data_dir: PathBuf,
    owner: Owner,
    trash: Trash,
    pub(super) objects: Objects,
    pub(super) published: Published,
    sets: Sets,
    /// Nothing in an archive that is opened for reading.
    temp: Option<TempFolder>,
    reader_temp: ReaderTemp,
    locks: Locks,
    /// Whoever holds two large contents in memory to make or read a delta.
    pub(super) large: Slots,
    /// Whoever streams a large content that stands alone.
    pub(super) streams: Slots,
}

impl Archive {
    /// Makes `objects/`, `published/` and `tmp/` below `data_dir` as needed, and this process's own folder in `tmp/`.
    /// Only what is published may be read by other accounts.
    pub fn open(data_dir: &Path) -> Result<Self, ArchiveError> {
        Self::open_telling(data_dir, Arc::new(|_: &str| ()))
    }

    /// Like [`Self::open`]; `tell` hears of long waits for other processes.
    pub fn open_telling(data_dir: &Path, tell: TellWaits) -> Result<Self, ArchiveError> {
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
        folder("objects", 0o700)?;
        // Where something is in the way, each file that cannot be put in place says so, and all else is done.
        if let Err(error) = folder("published", 0o755) {
            tracing::warn!("{error}");
        }
        let temp_dir = folder("tmp", 0o700)?;
        refuse_link_to_others(&temp_dir).map_err(ArchiveError::io("work in", &temp_dir))?;
        keep_others_out(&temp_dir);
        let locks = Locks::new(temp_dir.clone(), owner, tell);
        reader_temp::sweep();
        Ok(Self {
            temp: Some(TempFolder::create(&temp_dir, locks.clone())?),
            locks,
            ..Self::open_for_reading(data_dir)
        })
    }

    /// Opens the archive for reading only: makes nothing below `data_dir` and takes no lock, and so works where this
    /// account or the file system allows nothing but reading.
    pub fn open_for_reading(data_dir: &Path) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let owner = Owner::of(data_dir);
        let trash = Trash::new(data_dir, owner);
        Self {
            data_dir: data_dir.to_owned(),
            owner,
            objects: Objects::new(data_dir.join("objects"), owner, trash.clone()),
            published: Published::new(data_dir.join("published"), owner),
            sets: Sets::new(data_dir.join("sets"), owner, trash.clone()),
            trash,
            temp: None,
            locks: Locks::new(data_dir.join("tmp"), owner, Arc::new(|_: &str| ())),
            reader_temp: ReaderTemp::new(data_dir),
            large: Slots::new(1),
            streams: Slots::new(cores.min(MAX_STREAMS)),
        }
    }

    /// Returns where temporary files go: this process's own folder, on the same file system as the objects, or for an
    /// archive that is opened for reading in the system's place for them. It goes with the archive.
    pub fn temp_dir(&self) -> &Path {
        self.temp
            .as_ref()
            .map_or_else(|| self.reader_temp.path(), TempFolder::path)
    }

    /// Removes the temporary files of an archive that is opened for reading, for a process that ends at once.
    pub fn end_reading(&self) {
        self.reader_temp.remove();
    }

    fn temp(&self) -> Result<&TempFolder, ArchiveError> {
        self.temp.as_ref().ok_or(ArchiveError::ReadOnly)
    }

    /// Returns the folder of the published files.
    pub fn published_dir(&self) -> &Path {
        self.published.folder()
    }

    /// Removes a large stored form that this process made and recorded nowhere; fine when it is gone already.
    pub fn delete_object(&self, name: &str) -> Result<(), ArchiveError> {
        self.objects.delete(name)
    }

    /// Replaces each published file atomically; durable (one sync of the file system for many, one each for a few)
    /// before the rename.
    ///
    /// Consumes a content's file by renaming it when it is the only owner. One result per item, in order: an item that
    /// fails leaves the others alone.
    pub fn publish(&self, items: Vec<PublishItem>) -> Vec<Result<FileSeal, ArchiveError>> {
        self.published.publish(items, self.temp_dir())
    }

    /// Looks at the published file at this path, and lets every account read it again if somebody had changed that. Returns how
    /// the file looks, nothing when it is missing, a folder or a link; and the mode that it had, if that kept readers from it
    /// and does not any more.
    pub fn look_at_published(&self, path: &str) -> (Option<FileSeal>, Option<u32>) {
        self.published.look(path)
    }

    /// Returns the digest of the published file at this path and how that looks; nothing when it cannot be read.
    pub fn published_content(&self, path: &str) -> Option<(Digest, FileSeal)> {
        let seal = self.published.seal(path)?;
        let digest = digest_of(&self.published_dir().join(path)).ok()?;
        Some((digest, seal))
    }

    /// Returns the paths below `published/` of the files that have one of these contents, given by size and digest. Reads only those
    /// of a size that one of them has.
    pub fn published_with(
        &self,
        contents: &HashSet<(u64, Digest)>,
    ) -> Result<Vec<String>, ArchiveError> {
        self.published.with_contents(contents)
    }

    /// Removes a published file and the folders that are empty then; fine when it is gone already.
    pub fn withdraw(&self, path: &str) -> Result<(), ArchiveError> {
        self.published.withdraw(path)
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

    /// Returns the link through which readers enter a set, whether it is there or not.
    pub fn set_link(&self, name: &str) -> PathBuf {
        self.sets.link(name)
    }

    /// Tells whether a set's link leads anywhere.
    pub fn is_set_linked(&self, name: &str) -> bool {
        self.sets.current(name).is_some()
    }

    /// Returns what tells the edition that a set's link leads to from all others, `sets/` and the name of its folder.
    pub fn linked_edition(&self, name: &str) -> Option<String> {
        let folder = self.sets.current(name)?;
        let folder = folder.file_name()?.to_str()?;
        Some(format!("sets/{folder}"))
    }

    /// Returns the sets whose links lead to an edition.
    pub fn linked_sets(&self) -> Result<Vec<String>, ArchiveError> {
        self.sets.linked_sets()
    }

    /// Tells whether a set's link leads to this edition with these files, which the key stands for.
    pub fn set_leads_to(&self, name: &str, id: EditionId, key: Digest) -> bool {
        self.sets.leads_to(name, id, key)
    }

    /// Tells whether these files lie in the folder that a set's link leads to, by a glance at each that looks as it was written.
    pub fn set_holds(&self, name: &str, files: &[EditionFile]) -> bool {
        self.sets.holds(name, files)
    }

    /// Returns the first of these files in whose place a set's readers find other contents; one that is missing is none.
    pub fn altered_in_set(&self, name: &str, files: &[EditionFile]) -> Option<String> {
        self.sets.altered(name, files)
    }

    /// Begins to fill the folder of an edition, or to put back what is missing from it; readers see it when it is published.
    /// Whoever calls holds the lock of the published files.
    pub fn begin_edition(
        &self,
        set: &str,
        id: EditionId,
        key: Digest,
    ) -> Result<EditionFolder, ArchiveError> {
        self.sets.begin(set, id, key)
    }

    /// Removes a set's link; fine when it is gone already.
    pub fn withdraw_set(&self, name: &str, now: SystemTime) -> Result<(), ArchiveError> {
        self.sets.withdraw(name, now)
    }

    /// Tells whether a set was ever published here.
    pub fn has_sets(&self) -> bool {
        self.sets.are_there()
    }

    /// Removes the editions of sets that were replaced more than ten minutes ago, and moves those to the trash that nothing took the
    /// place of. Whoever calls holds the lock of the published files.
    pub fn sweep_sets(&self, now: SystemTime) -> Result<(), ArchiveError> {
        self.sets.sweep(now)
    }

    /// Deletes the editions of sets that hold a file with one of these contents, given by size and digest, in the trash too: whoever
    /// may be inside, but for those that readers find now. Returns those that may still hold one, each with the reason. Whoever calls
    /// holds the lock of the published files.
    pub fn erase_editions(
        &self,
        contents: &HashSet<(u64, Digest)>,
    ) -> Result<Vec<(PathBuf, String)>, ArchiveError> {
        self.sets.erase(contents)
    }

    /// Returns the folders of a set's editions that its link does not lead to, each with the edition's number.
    pub fn replaced_editions(&self, set: &str) -> Result<Vec<(EditionId, PathBuf)>, ArchiveError> {
        self.sets.replaced(set)
    }

    /// Deletes an edition that no link leads to any more, whoever may be inside.
    pub fn erase_edition(&self, folder: &Path) -> Result<(), ArchiveError> {
        self.sets.erase_folder(folder)
    }

    /// Tells whether a large stored form is where it should be and as long as it should be; reads nothing of it.
    pub fn has_object(&self, object: &StoredObject) -> bool {
        self.objects
            .open(&object.name)
            .is_ok_and(|(_, length)| length == object.size_bytes)
    }

    /// Returns a name that no other process which works on this folder has, for as long as this one lives; an empty one when
    /// it is opened for reading.
    pub fn owner(&self) -> String {
        self.temp.as_ref().map(TempFolder::name).unwrap_or_default()
    }

    /// Returns the [`owner`](Self::owner)s that ended without a farewell, and left temporary files.
    pub fn dead_owners(&self) -> Result<Vec<String>, ArchiveError> {
        self.temp()?.abandoned()
    }

    /// Tells whether an owner has said farewell: it is neither alive nor known as dead.
    pub fn is_gone(&self, owner: &str) -> bool {
        self.temp.as_ref().is_some_and(|temp| !temp.knows(owner))
    }

    /// Returns the objects that no process which lives can be about to record, each with the digest of its content: those
    /// whose makers have ended.
    ///
    /// One that no blob names has no use in this catalogue any more.
    pub fn ownerless_objects(&self) -> Result<Vec<(Digest, String)>, ArchiveError> {
        // In this order: whoever made one that was listed and is not alive by now has recorded it, or never will.
        let mut objects = self.objects.all()?;
        let alive: HashSet<String> = self.temp()?.alive()?.into_iter().collect();
        objects.retain(|(_, name)| !owner_in(name).is_some_and(|owner| alive.contains(&owner)));
        Ok(objects)
    }

    /// Returns all objects, each with the digest of its content.
    pub fn objects(&self) -> Result<Vec<(Digest, String)>, ArchiveError> {
        self.objects.all()
    }

    /// Tells whether there is any object.
    pub fn has_objects(&self) -> Result<bool, ArchiveError> {
        self.objects.are_there()
    }

    /// Moves an object to the trash, from which it is still read; fine when it is gone already.
    pub fn discard_object(&self, name: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.objects.discard(name, now)
    }

    /// Moves the copies before migrations to the trash that processes which were killed left half-made.
    pub fn discard_half_copies(&self, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        half_copies(&self.data_dir, now.into())?
            .iter()
            .try_for_each(|name| self.trash.put(name, now))
    }

    /// Copies a published file to the trash, where it stays for its days whatever is published in its place.
    pub fn keep_published_copy(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.trash.put_copy(&format!("published/{path}"), now)
    }

    /// Copies the edition that a set's link leads to likewise; fine when there is none.
    pub fn keep_edition_copy(&self, set: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        match self.sets.current(set).as_deref().and_then(Path::file_name) {
            Some(folder) => {
                let folder = folder.to_string_lossy();
                self.trash
                    .put_copy(&format!("sets/.editions/{folder}"), now)
            }
            None => Ok(()),
        }
    }

    /// Counts the days since the last look at the trash, and returns what of it is over.
    pub fn expired_trash(&self, now: DateTime<Utc>) -> Result<ExpiredTrash, ArchiveError> {
        let mut expired = ExpiredTrash::default();
        for day in self.trash.expired(now)? {
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

    /// Moves an object back from the trash. Returns whether it lay there.
    pub fn rescue_object(&self, name: &str) -> Result<bool, ArchiveError> {
        self.objects.rescue(name, self.temp_dir())
    }

    /// Deletes what was found to be over, and nothing that became so since: nobody has looked that up. One day that cannot be
    /// deleted, or that another process deletes, keeps no other one.
    pub fn delete_trash(&self, expired: &ExpiredTrash) {
        for day in &expired.days {
            if let Err(error) = Trash::delete(day) {
                tracing::warn!("{error}: left to the next look");
            }
        }
    }

    /// Keeps room on the disk for a purge when it is full, unless it is kept or there is little room to begin with.
    pub fn keep_reserve(&self) -> Result<(), ArchiveError> {
        reserve::keep(&self.data_dir, &self.temp()?.name(), self.owner)
    }

    /// Returns the mark by which the archive knows its catalogue; nothing when it has none.
    pub fn mark(&self) -> Result<Option<ArchiveMark>, ArchiveError> {
        mark::read(&self.data_dir)
    }

    /// Puts a mark on the archive, in the place of an earlier one.
    pub fn set_mark(&self, mark: &ArchiveMark) -> Result<(), ArchiveError> {
        let _lock = self.locks.take(MARK)?;
        mark::write(&self.data_dir, mark, &self.temp()?.name(), self.owner)
    }

    /// Returns the copies of the catalogue before migrations, by name.
    pub fn catalogue_copies(&self) -> Vec<String> {
        let mut copies = names_in(&self.data_dir).unwrap_or_default();
        copies.retain(|name| name.contains(BEFORE) && process_of_copy(name).is_none());
        copies.sort();
        copies
    }

    /// Deletes all content that processes which ended left in their folders and beside published files. Returns the folders that may
    /// still hold some, each with the reason.
    pub fn erase_left_content(&self) -> Result<Vec<(PathBuf, String)>, ArchiveError> {
        let temp = self.temp()?;
        let mut left = Vec::new();
        for owner in temp.abandoned()? {
            let folder = temp.path().with_file_name(&owner);
            beside::sweep_of_dead(&folder);
            let erased = temp.erase(&owner);
            left.extend(erased.err().map(|error| (folder, error.to_string())));
        }
        Ok(left)
    }

    /// Removes what an owner left that ended; it is not known as dead any more after that.
    pub fn bury(&self, owner: &str) -> Result<(), ArchiveError> {
        beside::sweep_of_dead(&self.temp()?.path().with_file_name(owner));
        for prefix in [mark::unfinished(owner), reserve::unfinished(owner)] {
            beside::sweep(&self.data_dir, &prefix)?;
        }
        self.temp()?.remove(owner)
    }
}

/// What has been in the trash for long enough.
#[derive(Debug, Default)]
pub struct ExpiredTrash {
    /// The folders of days whose time is over.
    days: Vec<PathBuf>,
    /// The objects in them, each with the digest of its content: those that a blob names have to be moved back before the
    /// rest is deleted.
    pub objects: Vec<(Digest, String)>,
}

/// Closes a folder that was made wider by hand, or came so out of a backup: its locks are for this account alone.
fn keep_others_out(folder: &Path) {
    let is_open = |found: fs::Metadata| found.permissions().mode() & 0o077 != 0;
    if fs::metadata(folder).is_ok_and(is_open) {
        // Not this account's: whoever owns it does so.
        let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    }
}

/// In the names of copies before migrations; a process number follows the schema's while one is being made.
const BEFORE: &str = ".before-";

/// A copy that was written to within this is perhaps being made.
const MAKING: Duration = Duration::from_hours(24);

fn half_copies(data_dir: &Path, now: SystemTime) -> Result<Vec<String>, ArchiveError> {
    let mut copies = names_in(data_dir)?;
    copies.retain(|name| {
        let written = fs::metadata(data_dir.join(name)).and_then(|file| file.modified());
        process_of_copy(name).is_some()
            && written.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > MAKING))
    });
    Ok(copies)
}

fn process_of_copy(name: &str) -> Option<u32> {
    let (_, numbers) = name.split_once(BEFORE)?;
    let (_, process) = numbers.split_once('.')?;
    process.parse().ok()
}

fn names_in(folder: &Path) -> Result<Vec<String>, ArchiveError> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    });
    listed.map_err(ArchiveError::io("list", folder))
}
