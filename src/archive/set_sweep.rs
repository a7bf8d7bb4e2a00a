//! Clearing away the editions that nobody needs any more.
//!
//! What a newer edition took the place of is deleted: all of it can be published again from the catalogue. What has no such reason to go (the
//! set has no link any more, a process was killed as it published, another catalogue made it) is moved to the trash. Never takes the folder
//! that a link leads to, nor one that readers may be in; whoever calls holds the lock of the published files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::ArchiveError;
use super::sets::{EDITIONS, KEEP, Sets, UNFINISHED, mark, remove, remove_file};

impl Sets {
    /// Removes the editions that no link leads to and that were replaced long enough ago, and what a killed process left.
    pub(super) fn sweep(&self, now: SystemTime) -> Result<(), ArchiveError> {
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

    /// Returns the sets whose links lead to an edition.
    pub(super) fn linked_sets(&self) -> Result<Vec<String>, ArchiveError> {
        if !self.are_there() {
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
