//! Clearing away the editions that nobody needs any more.
//!
//! What a newer edition took the place of is deleted: all of it can be published again from the catalogue. What has no such reason to go (the
//! set has no link any more, a process was killed as it published, another catalogue made it) is moved to the trash. Never takes the folder
//! that a link leads to, nor one that readers may be in but for one with purged content; whoever calls holds the lock of the published
//! files.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::ArchiveError;
use super::file::{digest_of, sync_folder};
use super::set_folders::{EDITIONS, KEEP, SetFolders, UNFINISHED, mark, remove, remove_file};
use crate::domain::{Digest, EditionId};

impl SetFolders {
    /// Removes the editions that no link leads to and that were replaced long enough ago, and what a killed process left.
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

    /// Returns the names of the folders that links lead to. Removes links that a killed process did not get to put in their place.
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

    /// Deletes the editions that hold a file with one of these contents, given by size and digest, and those of them in the trash:
    /// whoever may be inside, but for those that links lead to. Returns those that may still hold one, each with the reason.
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

    /// Returns the folders of a set's editions that its link does not lead to, each with the edition's number.
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

    /// Deletes one edition that no link leads to any more, whoever may be inside.
    pub fn erase_folder(&self, folder: &Path) -> Result<(), ArchiveError> {
        remove(folder)?;
        sync_folder(folder.parent().unwrap_or(&self.folder))
    }

    /// Returns the sets whose links lead to an edition.
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

/// Reads the name of a complete edition's folder: the set, and the edition's number.
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
        // Replaced while the clock ran ahead: it stays for as long from now on.
        mark(folder, now)?;
    }
    Ok(now.duration_since(modified).is_ok_and(|age| age > KEEP))
}

/// Returns the folders in a folder, which need not be there.
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

/// Tells whether a file in a folder has one of these contents. Reads only those of a size that one of them has.
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

/// Returns what lies in a folder; what is not named by text is none of ours.
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
