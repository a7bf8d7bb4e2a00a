//! `trash/`: where what seems unneeded goes first, a folder for each day, each with the paths as they were in the data folder.
//!
//! Deletes nothing that has lain there for less than [`KEEP_DAYS`] days.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::ArchiveError;
use super::file::{make_folder, sync_folder};
use crate::files::Owner;

/// For so many whole days something stays.
const KEEP_DAYS: u64 = 7;
/// Bodies of sources that only this account may see lie there.
const MODE: u32 = 0o700;
const DAY: &str = "%Y-%m-%d";

/// The folder `trash/`, which is made when it is first needed.
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

    /// Moves a file of the data folder to the folder of the day; fine when it is gone already.
    pub(super) fn put(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        let to = self.make_way(path, now)?;
        self.take(path, &to)
    }

    /// Moves a folder of the data folder likewise, beside one of the same name that was moved there before.
    pub(super) fn put_folder(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        let mut to = self.make_way(path, now)?;
        let name = to.file_name().unwrap_or_default().to_owned();
        for number in 2_u64.. {
            if fs::symlink_metadata(&to).is_err() {
                break;
            }
            let mut other = name.clone();
            other.push(format!(".{number}"));
            to.set_file_name(other);
        }
        self.take(path, &to)
    }

    /// Makes the folders that lead to where something is moved, and returns that.
    fn make_way(&self, path: &str, now: DateTime<Utc>) -> Result<PathBuf, ArchiveError> {
        let day = self.folder.join(now.format(DAY).to_string());
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

    fn take(&self, path: &str, to: &Path) -> Result<(), ArchiveError> {
        let from = self.data_dir.join(path);
        match fs::rename(&from, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed.map_err(ArchiveError::io("move to the trash", &from))?,
        }
        sync_folder(to.parent().unwrap_or(&self.folder))
    }

    /// Returns where a file lies that was moved here.
    pub(super) fn find(&self, path: &str) -> Option<PathBuf> {
        let days = fs::read_dir(&self.folder).ok()?;
        days.flatten()
            .map(|day| day.path().join(path))
            .find(|place| place.is_file())
    }

    /// Moves a file back to where it was. Returns whether it lay here.
    pub(super) fn put_back(&self, path: &str) -> Result<bool, ArchiveError> {
        let Some(place) = self.find(path) else {
            return Ok(false);
        };
        let to = self.data_dir.join(path);
        let parent = to.parent().unwrap_or(&self.data_dir).to_owned();
        self.make(&parent)?;
        fs::rename(&place, &to).map_err(ArchiveError::io("take from the trash", &place))?;
        sync_folder(&parent).map(|()| true)
    }

    /// Returns the folders of days whose time is over.
    pub(super) fn expired(&self, now: DateTime<Utc>) -> Result<Vec<PathBuf>, ArchiveError> {
        let days = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            days => days.map_err(ArchiveError::io("list", &self.folder))?,
        };
        let today = now.date_naive();
        let mut expired = Vec::new();
        for day in days {
            let day = day.map_err(ArchiveError::io("list", &self.folder))?;
            let name = day.file_name();
            let date = name
                .to_str()
                .map(|name| NaiveDate::parse_from_str(name, DAY));
            let is_over = |date: NaiveDate| {
                // The day itself counts as the time of its last moment.
                date.checked_add_days(Days::new(KEEP_DAYS + 1))
                    .is_some_and(|end| end <= today)
            };
            if matches!(date, Some(Ok(date)) if is_over(date)) {
                expired.push(day.path());
            }
        }
        Ok(expired)
    }

    /// Deletes the folder of a day; fine when it is gone already.
    pub(super) fn delete(day: &Path) -> Result<(), ArchiveError> {
        match fs::remove_dir_all(day) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ArchiveError::io("remove", day)(error))
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_moved_there_is_found_comes_back_and_goes_after_its_days() {
        let data = tempfile::tempdir().expect("a folder");
        let trash = Trash::new(data.path(), Owner::default());
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        fs::create_dir_all(data.path().join("objects/ab")).expect("folders");
        for name in [
            "objects/ab/one",
            "objects/ab/two",
            "gannet.db.before-002.77",
        ] {
            fs::write(data.path().join(name), name).expect("a file");
            trash.put(name, at("2026-03-01T23:59:00Z")).expect("moved");
            assert!(!data.path().join(name).exists(), "{name}");
            let place = trash.find(name).expect("it lies there");
            assert_eq!(fs::read_to_string(place).expect("a file"), name);
        }
        trash
            .put("objects/ab/none", at("2026-03-01T23:59:00Z"))
            .expect("gone already");
        assert!(trash.put_back("objects/ab/one").expect("moved"));
        assert!(!trash.put_back("objects/ab/none").expect("not there"));
        assert!(data.path().join("objects/ab/one").exists());
        for (now, over) in [
            ("2026-03-08T23:58:59Z", 0),
            ("2026-03-09T00:00:00Z", 1),
            ("2026-02-01T00:00:00Z", 0),
        ] {
            let expired = trash.expired(at(now)).expect("a listing");
            assert_eq!(expired.len(), over, "{now}");
        }
    }
}
