//! The published folders of sets: `sets/NAME` is a link to one complete edition, replaced atomically.
//!
//! A reader that enters the folder through the link sees one edition throughout: a replaced folder stays for [`KEEP`].
//! Never decides what is published; the caller holds the lock of the published files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::ArchiveError;
use super::edition_file::EditionFile;
use super::file::{digest_of, give, make_folder, reopen, sync_folder};
use super::published::{PUBLISH, refuse_folder};
use super::trash::Trash;
use crate::domain::{Content, Digest, EditionId, safe_part};
use crate::files::{Owner, refuse_all_but_folder, remove_tree};

/// How long a replaced edition stays for its readers.
pub(super) const KEEP: Duration = Duration::from_mins(10);
/// Folder of the editions. No set has this name.
pub(super) const EDITIONS: &str = ".editions";
/// Suffix of a name that is not in use yet.
pub(super) const UNFINISHED: &str = ".new";
const FOLDER_MODE: u32 = 0o755;

/// The folder `sets/`, made on first use.
#[derive(Clone, Debug)]
pub struct SetFolders {
    pub(super) folder: PathBuf,
    pub(super) trash: Trash,
    owner: Owner,
    /// Sets whose files were made readable again; their publication is still to be recorded anew.
    reopened: Arc<Mutex<BTreeSet<String>>>,
}

/// The folder of an edition that is being filled.
#[derive(Debug)]
pub struct EditionFolder {
    sets: SetFolders,
    name: String,
    /// Its path once complete.
    complete: PathBuf,
    /// Its present path; `None` when the complete folder exists already.
    path: Option<PathBuf>,
    /// The edition that readers see now.
    former: Option<PathBuf>,
}

impl SetFolders {
    /// Returns the set folders in `folder`, which need not exist.
    pub(super) fn new(folder: PathBuf, owner: Owner, trash: Trash) -> Self {
        Self {
            folder,
            trash,
            owner,
            reopened: Arc::default(),
        }
    }

    /// Returns the folder of the links.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the path of a set's link, whether it exists or not.
    pub fn link(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns whether a set's link leads to a folder.
    pub fn is_linked(&self, name: &str) -> bool {
        self.current(name).is_some()
    }

    /// Returns the linked edition's identity: `sets/` and the name of its folder.
    pub fn linked_edition(&self, name: &str) -> Option<String> {
        let folder = self.current(name)?;
        let folder = folder.file_name()?.to_str()?;
        Some(format!("sets/{folder}"))
    }

    /// Returns whether a set's link leads to this edition with the files that `key` identifies.
    pub fn leads_to(&self, name: &str, id: EditionId, key: Digest) -> bool {
        self.current(name) == Some(self.editions().join(folder_name(name, id, key)))
    }

    /// Returns whether the linked folder holds these files; reads only files whose metadata changed.
    pub fn holds(&self, name: &str, files: &[EditionFile]) -> bool {
        let Some(folder) = self.current(name) else {
            return false;
        };
        let mut closed = reopen(&folder, FOLDER_MODE).is_some();
        for file in files {
            closed |= file.reopen_in(&folder);
        }
        if closed {
            tracing::warn!(
                "readers were kept from {}: it is open again",
                folder.display()
            );
            self.reopened().insert(name.to_owned());
        }
        if self.reopened().contains(name) {
            return false;
        }
        files.iter().all(|file| {
            let path = folder.join(&file.name);
            match file.lies_in(&folder) {
                Ok(true) => return true,
                Ok(false) => tracing::warn!(
                    "{} is not what was published: it is put back",
                    path.display()
                ),
                Err(error) => {
                    tracing::warn!("cannot read {}: {error}: it is put back", path.display());
                }
            }
            false
        })
    }

    /// Returns the first of these files that a set's readers find with other content; a missing file does not count.
    /// Fails when a file cannot be read now.
    pub fn altered(
        &self,
        name: &str,
        files: &[EditionFile],
    ) -> Result<Option<String>, ArchiveError> {
        let Some(folder) = self.current(name) else {
            return Ok(None);
        };
        for file in files {
            let path = folder.join(&file.name);
            let is_there = fs::symlink_metadata(&path).is_ok_and(|found| !found.is_dir());
            let lies_there = file
                .lies_in(&folder)
                .map_err(ArchiveError::io("read", &path));
            if is_there && !lies_there? {
                return Ok(Some(file.name.clone()));
            }
        }
        Ok(None)
    }

    fn reopened(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.reopened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the folder that a set's link leads to; `None` when there is no link made by gannet.
    pub fn current(&self, name: &str) -> Option<PathBuf> {
        let target = fs::read_link(self.link(name)).ok()?;
        let folder = target.strip_prefix(EDITIONS).ok()?.to_str()?;
        let is_ours = folder.starts_with(&format!("{name}-")) && !folder.contains('/');
        let path = self.folder.join(&target);
        (is_ours && path.is_dir()).then_some(path)
    }

    /// Begins to fill the folder of an edition, or to restore its missing files; readers see it once published.
    pub fn begin(
        &self,
        name: &str,
        id: EditionId,
        key: Digest,
    ) -> Result<EditionFolder, ArchiveError> {
        if safe_part(name).as_deref() != Some(name) {
            return Err(ArchiveError::BadPath(name.to_owned()));
        }
        self.refuse_links()?;
        let editions = self.editions();
        self.make(&self.folder)?;
        self.make(&editions)?;
        let former = self.current(name);
        let complete = editions.join(folder_name(name, id, key));
        let path = if complete.is_dir() {
            None
        } else {
            let path = unfinished(&complete);
            remove(&path)?;
            self.make(&path)?;
            Some(path)
        };
        Ok(EditionFolder {
            sets: self.clone(),
            name: name.to_owned(),
            complete,
            path,
            former,
        })
    }

    /// Removes a set's link; no error when it is missing. The editions stay a while for their readers.
    pub fn withdraw(&self, name: &str, now: SystemTime) -> Result<(), ArchiveError> {
        self.refuse_links()?;
        let link = self.link(name);
        match fs::symlink_metadata(&link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Ok(metadata) if metadata.is_symlink() => {}
            _ => return Err(blocked(&link)),
        }
        if let Some(folder) = self.current(name) {
            set_replaced_at(&folder, now)?;
        }
        fs::remove_file(&link).map_err(ArchiveError::io("remove", &link))?;
        sync_folder(&self.folder)
    }

    /// Copies the linked edition of a set to the trash; no error when there is none.
    pub fn keep_copy(&self, set: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        match self.current(set).as_deref().and_then(Path::file_name) {
            Some(folder) => {
                let folder = folder.to_string_lossy();
                self.trash
                    .put_copy(&format!("sets/{EDITIONS}/{folder}"), now)
            }
            None => Ok(()),
        }
    }

    /// Returns whether a set was ever published here.
    pub fn any_published(&self) -> bool {
        self.editions().is_dir()
    }

    /// Fails with an explanation when a link or another obstacle is in the place of the folders: its target may be
    /// another program's.
    pub(super) fn refuse_links(&self) -> Result<(), ArchiveError> {
        for folder in [self.folder.clone(), self.editions()] {
            refuse_all_but_folder(&folder).map_err(ArchiveError::io("use", &folder))?;
        }
        Ok(())
    }

    /// Makes a folder for readers, when it is missing.
    fn make(&self, folder: &Path) -> Result<(), ArchiveError> {
        make_folder(folder, FOLDER_MODE, self.owner).map(drop)
    }

    pub(super) fn editions(&self) -> PathBuf {
        self.folder.join(EDITIONS)
    }

    /// Points the link to a complete edition, atomically.
    fn switch(&self, name: &str, complete: &Path) -> Result<(), ArchiveError> {
        let link = self.link(name);
        let is_ours = match fs::symlink_metadata(&link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Ok(metadata) => metadata.is_symlink(),
            Err(error) => return Err(ArchiveError::io("examine", &link)(error)),
        };
        if !is_ours {
            return Err(blocked(&link));
        }
        // No set's name begins with a dot.
        let new = self.folder.join(format!(".{name}{UNFINISHED}"));
        remove_file(&new)?;
        let target = Path::new(EDITIONS).join(complete.file_name().unwrap_or_default());
        symlink(&target, &new).map_err(ArchiveError::io("make the link", &new))?;
        give(self.owner, &new)?;
        fs::rename(&new, &link).map_err(ArchiveError::io("replace", &link))?;
        sync_folder(&self.folder)
    }
}

impl EditionFolder {
    /// Returns whether the folder holds the file with its content. Links the file from the edition that readers see, if
    /// that has the right content.
    pub fn has(&self, file: &EditionFile) -> bool {
        let Some(path) = &self.path else {
            return file.lies_in(&self.complete).unwrap_or(false);
        };
        let Some(former) = &self.former else {
            return false;
        };
        let from = former.join(&file.name);
        // The owner of the files may have written to them in spite of their mode.
        digest_of(&from).is_ok_and(|digest| digest == file.digest)
            && fs::hard_link(&from, path.join(&file.name)).is_ok()
    }

    /// Writes a file; durable on return. In a folder that readers see, replaces the present file atomically.
    pub fn write(&self, file: &EditionFile, content: &Content) -> Result<(), ArchiveError> {
        if safe_name(&file.name).is_none() {
            return Err(ArchiveError::BadPath(file.name.clone()));
        }
        let Some(folder) = &self.path else {
            return self.put_back(file, content);
        };
        self.write_in(folder, file, content).map(drop)
    }

    /// Writes a file beside the complete folder, then moves it in.
    fn put_back(&self, file: &EditionFile, content: &Content) -> Result<(), ArchiveError> {
        let folder = unfinished(&self.complete);
        remove(&folder)?;
        self.sets.make(&folder)?;
        let new = self.write_in(&folder, file, content)?;
        let place = self.complete.join(&file.name);
        fs::rename(&new, &place).map_err(|error| {
            let is_in_the_way = refuse_folder(&place, PUBLISH).err();
            is_in_the_way.unwrap_or_else(|| ArchiveError::io("replace", &place)(error))
        })
    }

    fn write_in(
        &self,
        folder: &Path,
        file: &EditionFile,
        content: &Content,
    ) -> Result<PathBuf, ArchiveError> {
        let path = folder.join(&file.name);
        file.write(&path, content)
            .map_err(ArchiveError::io("write", &path))?;
        give(self.sets.owner, &path)?;
        Ok(path)
    }

    /// Removes the folder if it is not published.
    pub fn abandon(&self) -> Result<(), ArchiveError> {
        remove(&unfinished(&self.complete))
    }

    /// Makes the folder durable, then points the link to it: readers see all of it or nothing. Returns the link.
    pub fn publish(&self, now: SystemTime) -> Result<PathBuf, ArchiveError> {
        let complete = &self.complete;
        if self.path.is_none() {
            // Restored files may have changed its entries.
            sync_folder(complete)?;
            remove(&unfinished(complete))?;
        }
        if let Some(path) = &self.path {
            sync_folder(path)?;
            fs::rename(path, complete).map_err(ArchiveError::io("replace", complete))?;
            sync_folder(&self.sets.editions())?;
        }
        // The replaced folder's time is now: set before the switch, or a crash would leave the folder looking old.
        set_replaced_at(complete, now)?;
        if let Some(former) = self.former.as_ref().filter(|former| *former != complete) {
            set_replaced_at(former, now)?;
        }
        self.sets.switch(&self.name, complete)?;
        self.sets.reopened().remove(&self.name);
        // The next pass tries again and reports the failure.
        if let Err(error) = self.sets.sweep(now) {
            tracing::warn!("{error}");
        }
        Ok(self.sets.link(&self.name))
    }
}

/// Names a folder by its files too: after an older catalogue is restored, another edition may get the same number.
fn folder_name(set: &str, id: EditionId, key: Digest) -> String {
    let key = key.to_hex();
    format!("{set}-{id}-{}", &key[..16])
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

fn safe_name(file: &str) -> Option<&str> {
    let is_part = !matches!(file, "" | "." | "..") && !file.contains(['/', '\0']);
    is_part.then_some(file)
}

fn blocked(path: &Path) -> ArchiveError {
    ArchiveError::Blocked {
        doing: PUBLISH,
        path: path.to_owned(),
        obstacle: "something that is no link",
    }
}

/// Records when an edition was replaced, in the folder's modification time.
pub(super) fn set_replaced_at(folder: &Path, now: SystemTime) -> Result<(), ArchiveError> {
    File::open(folder)
        .and_then(|folder| folder.set_modified(now))
        .map_err(ArchiveError::io("set the time of", folder))
}

pub(super) fn remove(folder: &Path) -> Result<(), ArchiveError> {
    match remove_tree(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ArchiveError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

pub(super) fn remove_file(path: &Path) -> Result<(), ArchiveError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ArchiveError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
