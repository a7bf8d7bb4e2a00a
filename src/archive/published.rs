//! The published files: plain copies below `published/`, for other programs to read.
//!
//! Never shows a reader a partial file, never follows a link out of its folder, and never decides what is published.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustix::fs::fstat;
use tempfile::{NamedTempFile, TempPath};

use super::file::{digest_of, give, make_folder, sync_file_system, sync_folder};
use super::looks::{Looks, MODE, seal, seal_of, target};
use super::temp_dir::TempDir;
use super::trash::Trash;
use super::{ArchiveError, temp_beside};
use crate::domain::{Content, Digest, FileSeal};
use crate::files::Owner;

/// What is done to a file, in errors about an obstacle.
pub(super) const PUBLISH: &str = "publish";
pub(super) const WITHDRAW: &str = "withdraw";

const FOLDER_MODE: u32 = 0o755;

/// Most files that are synced one by one. Syncing the whole file system costs as much as a few of these, and also waits
/// for other programs' writes.
const MAX_SINGLE_SYNCS: usize = 8;

/// One file to publish.
#[derive(Debug)]
pub struct PublishItem {
    /// The path below `published/`: parts separated by `/`.
    pub path: String,
    /// The content.
    pub content: Content,
}

/// The folder of published files.
#[derive(Debug)]
pub struct Published {
    folder: PathBuf,
    owner: Owner,
    trash: Trash,
    temp: Arc<TempDir>,
}

/// A complete temporary file, ready to be renamed to its target.
struct StagedFile {
    file: TempPath,
    target: PathBuf,
    seal: FileSeal,
}

/// What a batch has learned about folders.
#[derive(Default)]
struct Folders {
    /// Folders found to be real, not links.
    checked: BTreeSet<PathBuf>,
    /// Folders whose entries changed.
    touched: BTreeSet<PathBuf>,
    /// Folders on another file system than the temporary files.
    elsewhere: BTreeSet<PathBuf>,
}

impl Published {
    /// Returns the published files below `folder`, which exists.
    pub(super) fn new(folder: PathBuf, owner: Owner, trash: Trash, temp: Arc<TempDir>) -> Self {
        Self {
            folder,
            owner,
            trash,
            temp,
        }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Replaces each published file atomically; its content is durable (one sync of the file system for many files, one
    /// each for a few) before the rename.
    ///
    /// Renames a content's file when this is its only owner, else copies. Returns one result per item, in order; a
    /// failed item does not affect the others.
    pub fn publish(&self, items: Vec<PublishItem>) -> Vec<Result<FileSeal, ArchiveError>> {
        let temp_dir = self.temp.path();
        let many = items.len() > MAX_SINGLE_SYNCS;
        let mut folders = Folders::default();
        let ready: Vec<_> = items
            .into_iter()
            .map(|item| self.prepare(item, temp_dir, !many, &mut folders))
            .collect();
        // The bytes must be durable before the rename, or a power cut leaves an empty file under the name.
        let synced = if many {
            sync_file_system(temp_dir)
        } else {
            Ok(())
        };
        let mut results: Vec<_> = ready
            .into_iter()
            .map(|ready| {
                let ready = ready?;
                again(&synced)?;
                self.place(ready, temp_dir, &mut folders)
            })
            .collect();
        let synced = folders.sync(temp_dir);
        if synced.is_err() {
            for result in &mut results {
                if result.is_ok()
                    && let Err(error) = again(&synced)
                {
                    *result = Err(error);
                }
            }
        }
        results
    }

    /// Removes a published file. Returns whether it existed. Fails with [`ArchiveError::Missing`] when a folder above
    /// it is missing: the file may still exist.
    pub fn withdraw(&self, path: &str) -> Result<bool, ArchiveError> {
        let target = target(&self.folder, path)?;
        let parent = self.check_way(&target, path)?;
        refuse_folder(&target, WITHDRAW)?;
        match fs::remove_file(&target) {
            Ok(()) => sync_folder(&parent).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(ArchiveError::io("remove", &target)(error)),
        }
    }

    /// Removes the empty folders above a withdrawn file. Only called after the withdrawal is recorded: until then, a
    /// missing folder means that its file system is unmounted.
    pub fn tidy(&self, path: &str) {
        let Ok(target) = target(&self.folder, path) else {
            return;
        };
        let empty = target.ancestors().skip(1);
        let mut left = empty.take_while(|folder| **folder != *self.folder);
        // A folder in use by another file cannot be removed, which ends the walk.
        let above = left.find(|folder| fs::remove_dir(folder).is_err());
        let synced = sync_folder(above.unwrap_or(&self.folder));
        if let Err(error) = synced {
            tracing::debug!("{error}");
        }
    }

    /// Returns the folder of a published file. Fails when any folder on the way is missing, or is no folder.
    fn check_way(&self, target: &Path, path: &str) -> Result<PathBuf, ArchiveError> {
        let missing = |folder: &Path| ArchiveError::Missing {
            path: target.to_owned(),
            folder: folder.to_owned(),
        };
        let mut folder = self.folder.clone();
        let mut folders = Folders::default();
        // The first may be a link to another file system; those below may not.
        match fs::metadata(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing(&folder)),
            Ok(found) if !found.is_dir() => folders.check(&folder, WITHDRAW)?,
            _ => {}
        }
        let (above, _) = path.rsplit_once('/').unwrap_or_default();
        for part in above.split('/').filter(|part| !part.is_empty()) {
            folder.push(part);
            match fs::symlink_metadata(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(missing(&folder));
                }
                _ => folders.check(&folder, WITHDRAW)?,
            }
        }
        Ok(folder)
    }

    /// Copies a published file to the trash, where it stays even if the file is replaced.
    pub fn keep_copy(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.trash.put_copy(&format!("published/{path}"), now)
    }

    /// Returns the paths below `published/` of the files with one of these contents, given by size and digest. Reads
    /// only files with a matching size.
    pub fn with_contents(
        &self,
        contents: &HashSet<(u64, Digest)>,
    ) -> Result<Vec<String>, ArchiveError> {
        let sizes: HashSet<_> = contents.iter().map(|(size, _)| *size).collect();
        let (mut found, mut folders) = (Vec::new(), vec![self.folder.clone()]);
        while let Some(folder) = folders.pop() {
            let failed = ArchiveError::io("list", &folder);
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let path = entry.map_err(ArchiveError::io("list", &folder))?.path();
                let Ok(one) = fs::symlink_metadata(&path) else {
                    continue;
                };
                if one.is_dir() {
                    folders.push(path);
                } else if one.is_file() && sizes.contains(&one.len()) {
                    let digest = digest_of(&path).map_err(ArchiveError::io("read", &path))?;
                    let below = path.strip_prefix(&self.folder).ok();
                    let below = below.filter(|_| contents.contains(&(one.len(), digest)));
                    found.extend(below.map(|path| path.to_string_lossy().into_owned()));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Returns a row of looks at published files.
    pub fn looks(&self) -> Looks<'_> {
        Looks::new(&self.folder)
    }

    fn prepare(
        &self,
        item: PublishItem,
        temp_dir: &Path,
        sync: bool,
        folders: &mut Folders,
    ) -> Result<StagedFile, ArchiveError> {
        let target = target(&self.folder, &item.path)?;
        self.make_way(&target, folders)?;
        let (file, seal) = temporary(item.content, temp_dir)?;
        give(self.owner, &file)?;
        if sync {
            File::open(&file)
                .and_then(|opened| opened.sync_all())
                .map_err(ArchiveError::io("sync", &file))?;
        }
        Ok(StagedFile { file, target, seal })
    }

    fn make_way(&self, target: &Path, folders: &mut Folders) -> Result<(), ArchiveError> {
        let parent = target.parent().expect("a path inside has a parent");
        if folders.checked.contains(parent) {
            return Ok(());
        }
        let below = parent
            .strip_prefix(&self.folder)
            .expect("the target was joined to the folder");
        let mut folder = self.folder.clone();
        for part in below {
            let above = folder.clone();
            folder.push(part);
            if folders.checked.contains(&folder) {
                continue;
            }
            // The check below names an obstacle.
            match make_folder(&folder, FOLDER_MODE, self.owner) {
                Ok(true) => {
                    folders.touched.insert(above);
                }
                Ok(false) => {}
                Err(error) => folders.check(&folder, PUBLISH).and(Err(error))?,
            }
            folders.check(&folder, PUBLISH)?;
        }
        folders.checked.insert(folder);
        Ok(())
    }

    fn place(
        &self,
        ready: StagedFile,
        temp_dir: &Path,
        folders: &mut Folders,
    ) -> Result<FileSeal, ArchiveError> {
        let (target, mut seal) = (ready.target, ready.seal);
        let mut placed = ready.file.persist(&target);
        if let Err(error) = placed {
            placed = match error.error.kind() {
                // Another process withdrew the last file of the folder meanwhile, and the folder with it.
                io::ErrorKind::NotFound => {
                    folders.checked.clear();
                    self.make_way(&target, folders)?;
                    error.path.persist(&target)
                }
                _ => Err(error),
            };
        }
        if let Err(error) = placed {
            placed = match error.error.kind() {
                io::ErrorKind::CrossesDevices => {
                    let copy = self.copy_beside(&error.path, &target, temp_dir, folders)?;
                    seal = seal_of(&copy)?;
                    copy.persist(&target)
                }
                _ => Err(error),
            };
        }
        if let Err(error) = placed {
            refuse_folder(&target, PUBLISH)?;
            return Err(ArchiveError::io("replace", &target)(error.error));
        }
        let parent = target.parent().expect("a path inside has a parent");
        if !folders.touched.contains(parent) {
            folders.touched.insert(parent.to_owned());
        }
        Ok(seal)
    }

    /// Copies a file to the file system of its target, for published files on another disk than `tmp/`.
    fn copy_beside(
        &self,
        file: &Path,
        target: &Path,
        temp_dir: &Path,
        folders: &mut Folders,
    ) -> Result<TempPath, ArchiveError> {
        let folder = target.parent().expect("a path inside has a parent");
        if !folders.elsewhere.contains(folder) {
            temp_beside::begin(folder, temp_dir)?;
            folders.elsewhere.insert(folder.to_owned());
        }
        temp_beside::copy(file, folder, temp_dir, MODE, self.owner)
    }
}

impl Folders {
    /// Checks that `path` is a folder and no link, which could lead out of the published files.
    fn check(&mut self, path: &Path, doing: &'static str) -> Result<(), ArchiveError> {
        let kind = fs::symlink_metadata(path)
            .map_err(ArchiveError::io("examine", path))?
            .file_type();
        if kind.is_dir() {
            self.checked.insert(path.to_owned());
            return Ok(());
        }
        Err(ArchiveError::Blocked {
            doing,
            path: path.to_owned(),
            obstacle: if kind.is_symlink() {
                "a link"
            } else {
                "a file"
            },
        })
    }

    /// Makes the changed entries durable.
    fn sync(&self, temp_dir: &Path) -> Result<(), ArchiveError> {
        // A sync of one file system does not cover folders on several.
        if self.touched.len() > MAX_SINGLE_SYNCS && self.elsewhere.is_empty() {
            return sync_file_system(temp_dir);
        }
        self.touched.iter().try_for_each(|path| sync_folder(path))
    }
}

/// Puts content into a temporary file of its own, by a rename when nobody else has the content's file. Returns the file
/// with its seal.
fn temporary(content: Content, temp_dir: &Path) -> Result<(TempPath, FileSeal), ArchiveError> {
    let new =
        || NamedTempFile::new_in(temp_dir).map_err(ArchiveError::io("make a file in", temp_dir));
    let mode = Permissions::from_mode(MODE);
    let file = match content {
        Content::Memory(bytes) => {
            let mut file = new()?;
            let seal = file
                .write_all(&bytes)
                .and_then(|()| file.as_file().set_permissions(mode))
                .and_then(|()| Ok(seal(&fstat(file.as_file())?)))
                .map_err(ArchiveError::io("write", file.path()))?;
            return Ok((file.into_temp_path(), seal));
        }
        Content::File { path, .. } => match Arc::try_unwrap(path) {
            Ok(path) => path,
            Err(shared) => {
                let copy = new()?.into_temp_path();
                fs::copy(&*shared, &copy).map_err(ArchiveError::io("write", &copy))?;
                copy
            }
        },
    };
    fs::set_permissions(&file, mode).map_err(ArchiveError::io("set the mode of", &file))?;
    let seal = seal_of(&file)?;
    Ok((file, seal))
}

/// Fails when a folder lies in the place of a file.
pub(super) fn refuse_folder(target: &Path, doing: &'static str) -> Result<(), ArchiveError> {
    match fs::symlink_metadata(target) {
        Ok(metadata) if metadata.is_dir() => Err(ArchiveError::Blocked {
            doing,
            path: target.to_owned(),
            obstacle: "a folder",
        }),
        _ => Ok(()),
    }
}

/// Returns the result of a step of the whole batch for one item.
fn again(result: &Result<(), ArchiveError>) -> Result<(), ArchiveError> {
    match result {
        Err(ArchiveError::Unavailable {
            doing,
            place,
            source,
        }) => Err(ArchiveError::Unavailable {
            doing,
            place: place.clone(),
            source: source.raw_os_error().map_or_else(
                || io::Error::new(source.kind(), source.to_string()),
                io::Error::from_raw_os_error,
            ),
        }),
        _ => Ok(()),
    }
}
