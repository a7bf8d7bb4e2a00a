//! `trash/`: where what seems unneeded goes first, a folder for each day, each with the paths as they were in the data folder.
//!
//! Deletes nothing that was not seen there for more than [`KEEP_DAYS`] days. Those are counted from look to look, in the name of the
//! day's folder: a clock that is wrong once, or for ever, adds a few days or none.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};

use super::ArchiveError;
use super::file::{make_folder, sync_folder};
use super::relocate::{duplicate, relocate};
use crate::files::{Owner, refuse_all_but_folder};

/// For so many whole days something stays.
const KEEP_DAYS: i64 = 7;
/// Bodies of sources that only this account may see lie there.
const MODE: u32 = 0o700;
const DAY: &str = "%Y-%m-%d";
/// As many days count at most, however long ago the last look was: fewer than make up the time, so that no single look does.
const MOST_AT_ONCE: i64 = 4;
/// How the names of copies begin that are not whole yet. They go with the day.
const COPYING: &str = ".copying-";

/// The folder `trash/`, which is made when it is first needed.
#[derive(Clone, Debug)]
pub struct Trash {
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

    /// Moves a file of the data folder to the folder of the day; fine when it is gone already.
    pub(super) fn put(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.take(path, || self.make_way(path, now))
    }

    /// Moves a folder of the data folder likewise, beside one of the same name that was moved there before.
    pub(super) fn put_folder(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.take(path, || Ok(free_beside(self.make_way(path, now)?)))
    }

    /// Puts a copy of a file or a folder of the data folder there, beside one of the same name that was put there before.
    pub(super) fn put_copy(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        let from = self.data_dir.join(path);
        let to = free_beside(self.make_way(path, now)?);
        duplicate(&from, &to, self.unfinished(&to), self.owner)
            .map_err(ArchiveError::io("copy to the trash", &from))
    }

    /// Makes the folders that lead to where something is moved, and returns that.
    fn make_way(&self, path: &str, now: DateTime<Utc>) -> Result<PathBuf, ArchiveError> {
        let name = now.format(DAY).to_string();
        let mut day = self.folder.join(&name);
        // A file that somebody put there under the name of the day keeps nothing out.
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

    /// Moves what lies at `path` to the place that `make_way` makes. Tries once more when that place is gone by then: another
    /// process counted the days, and the folder of the day has another name.
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

    /// Returns in which folder, and under a name that begins how, a copy lies until it is whole.
    fn unfinished<'a>(&'a self, to: &'a Path) -> (&'a Path, &'static str) {
        let day = to
            .ancestors()
            .find(|one| one.parent() == Some(&*self.folder));
        (day.unwrap_or(&self.folder), COPYING)
    }

    /// Returns where a file lies that was moved here; nothing when it lies nowhere here.
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

    /// Fails in words where something else lies in the place of the folder: what a link leads to is another program's.
    fn refuse_others(&self) -> Result<(), ArchiveError> {
        refuse_all_but_folder(&self.folder).map_err(ArchiveError::io("use", &self.folder))
    }

    /// Returns where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the folders of all days, no links.
    pub(super) fn days(&self) -> Result<Vec<PathBuf>, ArchiveError> {
        self.refuse_others()?;
        let days = match fs::read_dir(&self.folder) {
            Err(error) if is_not_found(&error) => return Ok(Vec::new()),
            days => days.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        };
        let days = days.map_err(ArchiveError::io("list", &self.folder))?;
        Ok(days.iter().map(fs::DirEntry::path).collect())
    }

    /// Moves a file back to where it was, to a folder that is there; `unfinished` is that folder and how the name of a copy begins
    /// there until it is whole. Returns whether it lay here.
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
            // Another process counted the days meanwhile, and the folder of the day has another name, or moved the file.
            Err(error) if says_not_found(&error) => match self.find(path)? {
                Some(place) => moved(&place)?,
                // Another process moved it back.
                None if to.is_file() => {}
                None => return Err(error),
            },
            moved => moved?,
        }
        sync_folder(to.parent().unwrap_or(&self.data_dir)).map(|()| true)
    }

    /// Counts the days since the last look, and returns the folders of days whose time is over. One that cannot be renamed keeps
    /// the count of the look before, and keeps no other one from being counted.
    pub(super) fn expired_days(&self, now: DateTime<Utc>) -> Result<Vec<PathBuf>, ArchiveError> {
        let mut expired = Vec::new();
        for mut path in self.days()? {
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(known) = name.and_then(Age::read) else {
                continue;
            };
            let age = known.at(now.date_naive());
            if age != known {
                // What was put there on the same day, after a look at what lay there before, has the same age.
                let counted = free_beside(self.folder.join(age.to_string()));
                match fs::rename(&path, &counted) {
                    Ok(()) => path = counted,
                    // Another process looks, too.
                    Err(error) if is_not_found(&error) => continue,
                    Err(error) => tracing::warn!(
                        "{}: left to the next look",
                        ArchiveError::io("rename", &path)(error)
                    ),
                }
            }
            // The day itself counts as the time of its last moment.
            if age.days > KEEP_DAYS {
                expired.push(path);
            }
        }
        Ok(expired)
    }

    /// Deletes the folder of a day, or a file that is called like one; fine when it is gone already.
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

/// Tells whether nothing is at a path: one of its folders may be missing, or a file.
fn is_absent(error: &io::Error) -> bool {
    is_not_found(error) || error.kind() == io::ErrorKind::NotADirectory
}

fn says_not_found(error: &ArchiveError) -> bool {
    matches!(error, ArchiveError::Unavailable { source, .. } if is_not_found(source))
}

/// Returns `path`, or a place beside that is free: `path.2`, `path.3`.
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

/// What the name of a day's folder says: `2026-11-26`, and from the next day's look on `2026-11-26.2026-11-27.1`, with the day of the
/// last look and the days counted until then; a number follows where another folder has that name. A name takes no room on a disk
/// that is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Age {
    put: NaiveDate,
    seen: NaiveDate,
    days: i64,
}

impl Age {
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
        // The number of one of several, and nothing else after it.
        parts
            .next()
            .is_none_or(|number| number.parse::<u64>().is_ok())
            .then_some(())?;
        parts.next().is_none().then_some(Self { put, seen, days })
    }

    /// Returns the age when somebody looks today. After a look from the future, days count from today on.
    fn at(self, today: NaiveDate) -> Self {
        let since = (today - self.seen).num_days();
        Self {
            seen: today,
            days: self.days.saturating_add(since.clamp(0, MOST_AT_ONCE)),
            ..self
        }
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (put, seen) = (self.put.format(DAY), self.seen.format(DAY));
        write!(f, "{put}.{seen}.{}", self.days)
    }
}

#[cfg(test)]
mod tests;
