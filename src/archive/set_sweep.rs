//! Removes editions that are no longer needed.
//!
//! An edition that a newer one replaced is deleted: the catalogue can publish it again. Others (the set has no link any
//! more, a process was killed while publishing, another catalogue made it) are moved to the trash. Never removes a
//! linked folder, nor one with possible readers, except for purged content; the caller holds the lock of the published
//! files.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::ArchiveError;
use super::file::{digest_of, sync_folder};
use super::set_folders::{
    EDITIONS, KEEP, SetFolders, UNFINISHED, remove, remove_file, set_replaced_at,
};
use crate::domain::{Digest, EditionId};

impl SetFolders {
    /// Removes editions without a link that were replaced long enough ago, and the remains of killed processes.
    pub fn sweep(&self, now: SystemTime) -> Result<(), ArchiveError> {
        self.refuse_links()?;
        let editions = self.editions();
        let names = match names_in(&editions) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            names => names.map_err(ArchiveError::io("list", &editions))?,
        };
        let linked = self.linked()?;
        let newest: BTreeMap<_, _> = linked.iter().filter_map(|name| edition_in(name)).collect();
        for name in names {
            let path = editions.join(&name);
            let is_unfinished = name.ends_with(UNFINISHED);
            if !is_unfinished && (linked.contains(&name) || !is_older(&path, now)?) {
                continue;
            }
            let is_replaced = edition_in(&name)
                .is_some_and(|(set, id)| newest.get(set).is_some_and(|newest| id < *newest));
            if is_replaced && !is_unfinished {
                remove(&path)?;
            } else {
                tracing::info!("nothing needs {}: moved to the trash", path.display());
                self.discard(&name, now)?;
            }
        }
        Ok(())
    }

    /// Returns the names of the linked folders. Removes unfinished links of killed processes.
    fn linked(&self) -> Result<Vec<String>, ArchiveError> {
        let names = names_in(&self.folder).map_err(ArchiveError::io("list", &self.folder))?;
        let mut linked = Vec::new();
        for name in names {
            let path = self.folder.join(&name);
            let Ok(target) = fs::read_link(&path) else {
                continue;
            };
            if name.starts_with('.') {
                remove_file(&path)?;
            } else if let Some(folder) = target.file_name().and_then(|folder| folder.to_str()) {
                linked.push(folder.to_owned());
            }
        }
        Ok(linked)
    }

    /// Deletes the editions with one of these contents (size and digest), in the trash too, even if readers are inside;
    /// linked editions stay. Returns the folders that may still hold one, each with the reason.
    pub fn erase(
        &self,
        contents: &HashSet<(u64, Digest)>,
    ) -> Result<Vec<(PathBuf, String)>, ArchiveError> {
        self.refuse_links()?;
        let editions = self.editions();
        let mut folders = folders_in(&editions)?;
        let linked = if folders.is_empty() {
            Vec::new()
        } else {
            self.linked()?
        };
        folders.retain(|path| !linked.iter().any(|name| path.ends_with(name)));
        let mut left = Vec::new();
        match self.trash.days() {
            Ok(days) => {
                for day in days {
                    folders.extend(folders_in(&day.join("sets").join(EDITIONS))?);
                }
            }
            Err(error) => left.push((self.trash.folder().to_owned(), error.to_string())),
        }
        for folder in folders {
            let erased = match holds_any(&folder, contents) {
                Ok(false) => Ok(()),
                Ok(true) => self.erase_folder(&folder),
                Err(error) => Err(ArchiveError::io("read", &folder)(error)),
            };
            left.extend(erased.err().map(|error| (folder, error.to_string())));
        }
        Ok(left)
    }

    /// Returns the unlinked editions of a set, each with its number and folder.
    pub fn replaced(&self, set: &str) -> Result<Vec<(EditionId, PathBuf)>, ArchiveError> {
        self.refuse_links()?;
        let current = self.current(set);
        let mut replaced = Vec::new();
        for folder in folders_in(&self.editions())? {
            let name = folder.file_name().and_then(|name| name.to_str());
            match name.and_then(edition_in) {
                Some((of, id)) if of == set && current.as_ref() != Some(&folder) => {
                    replaced.push((EditionId(id), folder));
                }
                _ => {}
            }
        }
        Ok(replaced)
    }

    /// Deletes one unlinked edition, even if readers are inside.
    pub fn erase_folder(&self, folder: &Path) -> Result<(), ArchiveError> {
        remove(folder)?;
        sync_folder(folder.parent().unwrap_or(&self.folder))
    }

    /// Returns the sets with a linked edition.
    pub fn linked_sets(&self) -> Result<Vec<String>, ArchiveError> {
        if !self.any_published() {
            return Ok(Vec::new());
        }
        let mut names = names_in(&self.folder).map_err(ArchiveError::io("list", &self.folder))?;
        names.retain(|name| self.current(name).is_some());
        Ok(names)
    }

    fn discard(&self, name: &str, now: SystemTime) -> Result<(), ArchiveError> {
        self.trash
            .put_folder(&format!("sets/{EDITIONS}/{name}"), now.into())
    }
}

/// Splits the name of a complete edition's folder into the set's name and the edition's number.
fn edition_in(name: &str) -> Option<(&str, i64)> {
    let (name, key) = name.rsplit_once('-')?;
    let (set, id) = name.rsplit_once('-')?;
    let is_key = key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = id.parse().ok()?;
    is_key.then_some((set, id))
}

fn is_older(folder: &Path, now: SystemTime) -> Result<bool, ArchiveError> {
    let modified = fs::symlink_metadata(folder).and_then(|metadata| metadata.modified());
    let modified = modified.map_err(ArchiveError::io("examine", folder))?;
    if modified > now + KEEP {
        // Replaced while the clock ran ahead: its time begins anew.
        set_replaced_at(folder, now)?;
    }
    Ok(now.duration_since(modified).is_ok_and(|age| age > KEEP))
}

/// Returns the folders in a folder, which need not exist.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let entries = entries.map_err(ArchiveError::io("list", folder))?;
    let mut folders: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    folders.retain(|path| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()));
    Ok(folders)
}

/// Returns whether a folder holds a file with one of these contents. Reads only files with a matching size.
fn holds_any(folder: &Path, contents: &HashSet<(u64, Digest)>) -> io::Result<bool> {
    let sizes: HashSet<_> = contents.iter().map(|(size, _)| *size).collect();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        if found.is_file()
            && sizes.contains(&found.len())
            && contents.contains(&(found.len(), digest_of(&entry.path())?))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the names in a folder. One that is not UTF-8 is not gannet's and is left out.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::edition_in;

    #[test]
    fn the_set_and_the_number_are_read_from_a_folder_s_name() {
        for (name, expected) in [
            ("release-7-0123456789abcdef", Some(("release", 7))),
            ("a-b-3-12-0123456789abcdef", Some(("a-b-3", 12))),
            ("release-7", None),
            ("a-1-5", None),
            ("release-x-0123456789abcdef", None),
            ("release-7-0123456789abcdeg", None),
            ("release-7-0123456789abcdef.new", None),
            ("", None),
        ] {
            assert_eq!(edition_in(name), expected, "{name}");
        }
    }
}
