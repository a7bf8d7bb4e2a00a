//! The published folders of sets: `sets/NAME` is a link to one complete edition, replaced in one step.
//!
//! Whoever enters the folder through the link once sees one edition, whatever happens meanwhile: a folder that was
//! replaced stays for [`KEEP`]. Never judges what is published; whoever calls holds the lock of the published files.

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
use super::published::refuse_folder;
use super::trash::Trash;
use crate::domain::{Content, Digest, EditionId, safe_part};
use crate::files::{Owner, refuse_all_but_folder, remove_tree};

/// How long an edition that was replaced stays, for readers that are inside.
pub(super) const KEEP: Duration = Duration::from_mins(10);
/// Where the editions lie. No set is called so.
pub(super) const EDITIONS: &str = ".editions";
/// What a folder is called until it is complete.
pub(super) const UNFINISHED: &str = ".new";
const FOLDER_MODE: u32 = 0o755;

/// The folder `sets/`, which is made when it is first needed.
#[derive(Clone, Debug)]
pub struct SetFolders {
    pub(super) folder: PathBuf,
    pub(super) trash: Trash,
    owner: Owner,
    /// Sets that readers were kept from, until their publication is recorded anew.
    reopened: Arc<Mutex<BTreeSet<String>>>,
}

/// An edition's folder that is being filled.
#[derive(Debug)]
pub struct EditionFolder {
    sets: SetFolders,
    name: String,
    /// Where it lies when it is complete.
    complete: PathBuf,
    /// Nothing when the edition lies complete already.
    path: Option<PathBuf>,
    /// The edition that readers see now.
    former: Option<PathBuf>,
}

impl SetFolders {
    /// Keeps the folders of sets in `folder`, which need not exist.
    pub(super) fn new(folder: PathBuf, owner: Owner, trash: Trash) -> Self {
        Self {
            folder,
            trash,
            owner,
            reopened: Arc::default(),
        }
    }

    /// Returns the link through which readers enter a set, whether it is there or not.
    pub fn link(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Tells whether a set's link leads anywhere.
    pub fn is_linked(&self, name: &str) -> bool {
        self.current(name).is_some()
    }

    /// Returns what tells the edition that a set's link leads to from all others, `sets/` and the name of its folder.
    pub fn linked_edition(&self, name: &str) -> Option<String> {
        let folder = self.current(name)?;
        let folder = folder.file_name()?.to_str()?;
        Some(format!("sets/{folder}"))
    }

    /// Tells whether a set's link leads to this edition with these files, which the key stands for.
    pub fn leads_to(&self, name: &str, id: EditionId, key: Digest) -> bool {
        self.current(name) == Some(self.editions().join(folder_name(name, id, key)))
    }

    /// Tells whether these files lie in the folder that a set's link leads to, by a glance at each that looks as it was written.
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

    /// Returns the first of these files in whose place a set's readers find other contents; one that is missing is none. An error says
    /// that one of them cannot be read now.
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

    /// Returns the folder that the link of a set leads to, if there is a link of ours.
    pub(super) fn current(&self, name: &str) -> Option<PathBuf> {
        let target = fs::read_link(self.link(name)).ok()?;
        let folder = target.strip_prefix(EDITIONS).ok()?.to_str()?;
        let is_ours = folder.starts_with(&format!("{name}-")) && !folder.contains('/');
        let path = self.folder.join(&target);
        (is_ours && path.is_dir()).then_some(path)
    }

    /// Begins to fill the folder of an edition, or to put back what is missing from it; readers see it when it is published.
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

    /// Removes a set's link; fine when it is gone already. The editions stay a while for readers that are inside.
    pub fn withdraw(&self, name: &str, now: SystemTime) -> Result<(), ArchiveError> {
        self.refuse_links()?;
        let link = self.link(name);
        match fs::symlink_metadata(&link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Ok(metadata) if metadata.is_symlink() => {}
            _ => return Err(blocked(&link)),
        }
        if let Some(folder) = self.current(name) {
            mark(&folder, now)?;
        }
        fs::remove_file(&link).map_err(ArchiveError::io("remove", &link))?;
        sync_folder(&self.folder)
    }

    /// Copies the edition that a set's link leads to to the trash, where it stays for its days; fine when there is none.
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

    /// Tells whether a set was ever published here.
    pub fn any_published(&self) -> bool {
        self.editions().is_dir()
    }

    /// Fails in words where something else lies in the place of the folders: what a link leads to is another program's.
    pub(super) fn refuse_links(&self) -> Result<(), ArchiveError> {
        for folder in [self.folder.clone(), self.editions()] {
            refuse_all_but_folder(&folder).map_err(ArchiveError::io("use", &folder))?;
        }
        Ok(())
    }

    /// Makes a folder that readers enter, when it is missing.
    fn make(&self, folder: &Path) -> Result<(), ArchiveError> {
        make_folder(folder, FOLDER_MODE, self.owner).map(drop)
    }

    pub(super) fn editions(&self) -> PathBuf {
        self.folder.join(EDITIONS)
    }

    /// Lets the link lead to a complete edition, in one step.
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
        // No set is called so: a name does not begin with a dot.
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
    /// Tells whether a file lies in the folder as it should. Takes it over from the edition that readers see now, if it is there with
    /// the right content.
    pub fn has(&self, file: &EditionFile) -> bool {
        let Some(path) = &self.path else {
            return file.lies_in(&self.complete).unwrap_or(false);
        };
        let Some(former) = &self.former else {
            return false;
        };
        let from = former.join(&file.name);
        // Whoever owns the files may have written to them all the same.
        digest_of(&from).is_ok_and(|digest| digest == file.digest)
            && fs::hard_link(&from, path.join(&file.name)).is_ok()
    }

    /// Writes a file, durable when this returns. In a folder that readers see it takes the place of the one that lies there in
    /// one step.
    pub fn write(&self, file: &EditionFile, content: &Content) -> Result<(), ArchiveError> {
        if safe_name(&file.name).is_none() {
            return Err(ArchiveError::BadPath(file.name.clone()));
        }
        let Some(folder) = &self.path else {
            return self.put_back(file, content);
        };
        self.write_in(folder, file, content).map(drop)
    }

    /// Writes a file beside the complete folder, and moves it in.
    fn put_back(&self, file: &EditionFile, content: &Content) -> Result<(), ArchiveError> {
        let folder = unfinished(&self.complete);
        remove(&folder)?;
        self.sets.make(&folder)?;
        let new = self.write_in(&folder, file, content)?;
        let place = self.complete.join(&file.name);
        fs::rename(&new, &place).map_err(|error| {
            let is_in_the_way = refuse_folder(&place).err();
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

    /// Removes what was written and is not published.
    pub fn abandon(&self) -> Result<(), ArchiveError> {
        remove(&unfinished(&self.complete))
    }

    /// Makes the folder durable, then lets the link lead to it: readers see all of it or nothing. Returns the link.
    pub fn publish(&self, now: SystemTime) -> Result<PathBuf, ArchiveError> {
        let complete = &self.complete;
        if self.path.is_none() {
            // Some of its files may have been put back.
            sync_folder(complete)?;
            remove(&unfinished(complete))?;
        }
        if let Some(path) = &self.path {
            sync_folder(path)?;
            fs::rename(path, complete).map_err(ArchiveError::io("replace", complete))?;
            sync_folder(&self.sets.editions())?;
        }
        // Its time is when it is replaced, and so the other's is now: before the step, lest a crash leave it looking old.
        mark(complete, now)?;
        if let Some(former) = self.former.as_ref().filter(|former| *former != complete) {
            mark(former, now)?;
        }
        self.sets.switch(&self.name, complete)?;
        self.sets.reopened().remove(&self.name);
        // What cannot be removed now is tried again by the next pass, which tells.
        if let Err(error) = self.sets.sweep(now) {
            tracing::warn!("{error}");
        }
        Ok(self.sets.link(&self.name))
    }
}

/// Names a folder by its files too: an older catalogue that is put back gives a number again, to another edition.
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
        path: path.to_owned(),
        obstacle: "something that is no link",
    }
}

/// Writes down when an edition was replaced.
pub(super) fn mark(folder: &Path, now: SystemTime) -> Result<(), ArchiveError> {
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
