//! `trash/`: the first place of unneeded files, in one folder for each day, under their paths in the data folder.
//!
//! Deletes nothing before it was seen there on more than [`KEEP_DAYS`] days. The name of the day's folder holds the
//! count, which each look continues: a wrong clock, once or for ever, shifts it by a few days or none.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};

use super::ArchiveError;
use super::file::{make_folder, sync_folder};
use super::relocate::{duplicate, relocate};
use crate::files::{Owner, refuse_all_but_folder};

/// Whole days before deletion.
const KEEP_DAYS: i64 = 7;
/// Private: bodies of sources that only this account may see lie there.
const MODE: u32 = 0o700;
const DAY: &str = "%Y-%m-%d";
/// Most days that one look counts, however long ago the last one was: too few to delete anything by a single look.
const MOST_AT_ONCE: i64 = 4;
/// Prefix of unfinished copies. They are deleted with their day.
const COPYING: &str = ".copying-";

/// The folder `trash/`, made on first use.
#[derive(Clone, Debug)]
pub(super) struct Trash {
    data_dir: PathBuf,
    folder: PathBuf,
    owner: Owner,
}

impl Trash {
    pub(super) fn new(data_dir: &Path, owner: Owner) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            folder: data_dir.join("trash"),
            owner,
        }
    }

    /// Moves a file of the data folder to the folder of the day; no error when it is missing.
    pub(super) fn put(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.take(path, || self.make_way(path, now))
    }

    /// Moves a folder of the data folder to the folder of the day, beside an earlier one of the same name.
    pub(super) fn put_folder(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.take(path, || Ok(free_beside(self.make_way(path, now)?)))
    }

    /// Copies a file or a folder of the data folder to the folder of the day, beside an earlier one of the same name.
    pub(super) fn put_copy(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        let from = self.data_dir.join(path);
        let to = free_beside(self.make_way(path, now)?);
        duplicate(&from, &to, self.unfinished(&to), self.owner)
            .map_err(ArchiveError::io("copy to the trash", &from))
    }

    /// Makes the folders for a path in the folder of the day, and returns the target.
    fn make_way(&self, path: &str, now: DateTime<Utc>) -> Result<PathBuf, ArchiveError> {
        let name = now.format(DAY).to_string();
        let mut day = self.folder.join(&name);
        // A file in the place of the day's folder is passed by.
        if fs::symlink_metadata(&day).is_ok() && !day.is_dir() {
            day.set_file_name(format!("{name}.{name}.0"));
        }
        self.refuse_others()?;
        self.make(&self.folder)?;
        self.make(&day)?;
        let to = day.join(path);
        let parent = to.parent().unwrap_or(&day).to_owned();
        for folder in parent.ancestors().collect::<Vec<_>>().iter().rev() {
            if folder.starts_with(&day) {
                self.make(folder)?;
            }
        }
        Ok(to)
    }

    /// Moves the file or folder at `path` to the target that `make_way` makes. Tries once more when the target's folder
    /// is gone: another process counted the days and renamed it.
    fn take(
        &self,
        path: &str,
        make_way: impl Fn() -> Result<PathBuf, ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let from = self.data_dir.join(path);
        let is_gone = || fs::symlink_metadata(&from).is_err_and(|error| is_not_found(&error));
        match make_way().and_then(|to| self.move_to(&from, &to)) {
            Err(error) if says_not_found(&error) => {}
            moved => return moved,
        }
        if is_gone() {
            return Ok(());
        }
        match make_way().and_then(|to| self.move_to(&from, &to)) {
            Err(error) if says_not_found(&error) && is_gone() => Ok(()),
            moved => moved,
        }
    }

    fn move_to(&self, from: &Path, to: &Path) -> Result<(), ArchiveError> {
        relocate(from, to, self.unfinished(to), self.owner)
            .map_err(ArchiveError::io("move to the trash", from))?;
        sync_folder(to.parent().unwrap_or(&self.folder))
    }

    /// Returns the folder and the name prefix of an unfinished copy.
    fn unfinished<'a>(&'a self, to: &'a Path) -> (&'a Path, &'static str) {
        let day = to
            .ancestors()
            .find(|one| one.parent() == Some(&*self.folder));
        (day.unwrap_or(&self.folder), COPYING)
    }

    /// Returns the path of a file in the trash; `None` when it is not there.
    pub(super) fn find(&self, path: &str) -> Result<Option<PathBuf>, ArchiveError> {
        for day in self.days()? {
            let place = day.join(path);
            match fs::metadata(&place) {
                Ok(found) if found.is_file() => return Ok(Some(place)),
                Err(error) if !is_absent(&error) => {
                    return Err(ArchiveError::io("look for", &place)(error));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Fails with an explanation when a link or another obstacle is in the place of the folder: its target may be
    /// another program's.
    fn refuse_others(&self) -> Result<(), ArchiveError> {
        refuse_all_but_folder(&self.folder).map_err(ArchiveError::io("use", &self.folder))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the folders of all days, without links.
    pub(super) fn days(&self) -> Result<Vec<PathBuf>, ArchiveError> {
        self.refuse_others()?;
        let days = match fs::read_dir(&self.folder) {
            Err(error) if is_not_found(&error) => return Ok(Vec::new()),
            days => days.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        };
        let days = days.map_err(ArchiveError::io("list", &self.folder))?;
        Ok(days.iter().map(fs::DirEntry::path).collect())
    }

    /// Moves a file back to its path, in a folder that exists; `unfinished` is that folder and the prefix of an
    /// unfinished copy. Returns whether it was in the trash.
    pub(super) fn put_back(
        &self,
        path: &str,
        unfinished: (&Path, &str),
    ) -> Result<bool, ArchiveError> {
        let to = self.data_dir.join(path);
        let moved = |place: &Path| {
            relocate(place, &to, unfinished, self.owner)
                .map_err(ArchiveError::io("take from the trash", place))
        };
        let Some(place) = self.find(path)? else {
            return Ok(false);
        };
        match moved(&place) {
            // Meanwhile another process counted the days and renamed the folder, or moved the file.
            Err(error) if says_not_found(&error) => match self.find(path)? {
                Some(place) => moved(&place)?,
                // Another process moved the file back.
                None if to.is_file() => {}
                None => return Err(error),
            },
            moved => moved?,
        }
        sync_folder(to.parent().unwrap_or(&self.data_dir)).map(|()| true)
    }

    /// Counts the days since the last look, and returns the folders that are over. A folder that cannot be renamed
    /// retains its count, and does not stop the others.
    pub(super) fn expired_days(&self, now: DateTime<Utc>) -> Result<Vec<PathBuf>, ArchiveError> {
        let mut expired = Vec::new();
        for mut path in self.days()? {
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(known) = name.and_then(DayFolder::read) else {
                continue;
            };
            let age = known.at(now.date_naive());
            if age != known {
                // Files discarded later on the same day, after a look, may have the same age.
                let counted = free_beside(self.folder.join(age.to_string()));
                match fs::rename(&path, &counted) {
                    Ok(()) => path = counted,
                    // Another process counts, too.
                    Err(error) if is_not_found(&error) => continue,
                    Err(error) => tracing::warn!(
                        "{}: left to the next look",
                        ArchiveError::io("rename", &path)(error)
                    ),
                }
            }
            // The day itself counts from its last moment.
            if age.days > KEEP_DAYS {
                expired.push(path);
            }
        }
        Ok(expired)
    }

    /// Deletes the folder of a day, or a file named like one; no error when it is missing.
    pub(super) fn delete_day(day: &Path) -> Result<(), ArchiveError> {
        let deleted = match fs::symlink_metadata(day) {
            Ok(found) if !found.is_dir() => fs::remove_file(day),
            _ => fs::remove_dir_all(day),
        };
        match deleted {
            Err(error) if !is_not_found(&error) => Err(ArchiveError::io("remove", day)(error)),
            _ => Ok(()),
        }
    }

    fn make(&self, folder: &Path) -> Result<(), ArchiveError> {
        if make_folder(folder, MODE, self.owner)? {
            sync_folder(folder.parent().unwrap_or(&self.data_dir))?;
        }
        Ok(())
    }
}

fn is_not_found(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Returns whether an error means that a path is absent: a folder on the way may be missing, or a file.
fn is_absent(error: &io::Error) -> bool {
    is_not_found(error) || error.kind() == io::ErrorKind::NotADirectory
}

fn says_not_found(error: &ArchiveError) -> bool {
    matches!(error, ArchiveError::Unavailable { source, .. } if is_not_found(source))
}

/// Returns `path`, or an unused path beside it: `path.2`, `path.3`.
fn free_beside(path: PathBuf) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_owned();
    let mut free = path;
    for number in 2_u64.. {
        if fs::symlink_metadata(&free).is_err() {
            break;
        }
        let mut other = name.clone();
        other.push(format!(".{number}"));
        free.set_file_name(other);
    }
    free
}

/// The name of a day's folder: `2026-11-26`, and from the next day's look on `2026-11-26.2026-11-27.1`, with the day of
/// the last look and the days counted until then; a number follows when another folder has that name. A rename works on
/// a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DayFolder {
    put: NaiveDate,
    seen: NaiveDate,
    days: i64,
}

impl DayFolder {
    fn read(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let put = NaiveDate::parse_from_str(parts.next()?, DAY).ok()?;
        let (seen, days) = match (parts.next(), parts.next()) {
            (None, _) => (put, 0),
            (Some(seen), days) => (
                NaiveDate::parse_from_str(seen, DAY).ok()?,
                days?.parse().ok()?,
            ),
        };
        // The number of one of several folders, with nothing behind it.
        parts
            .next()
            .is_none_or(|number| number.parse::<u64>().is_ok())
            .then_some(())?;
        parts.next().is_none().then_some(Self { put, seen, days })
    }

    /// Returns the age after a look today. After a look from the future, days count from today on.
    fn at(self, today: NaiveDate) -> Self {
        let since = (today - self.seen).num_days();
        Self {
            seen: today,
            days: self.days.saturating_add(since.clamp(0, MOST_AT_ONCE)),
            ..self
        }
    }
}

impl fmt::Display for DayFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (put, seen) = (self.put.format(DAY), self.seen.format(DAY));
        write!(f, "{put}.{seen}.{}", self.days)
    }
}

#[cfg(test)]
mod tests;
