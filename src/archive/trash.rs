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
use super::relocate::relocate;
use crate::files::Owner;

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
        self.take(path, || self.make_way(path, now))
    }

    /// Moves a folder of the data folder likewise, beside one of the same name that was moved there before.
    pub(super) fn put_folder(&self, path: &str, now: DateTime<Utc>) -> Result<(), ArchiveError> {
        self.take(path, || Ok(free_beside(self.make_way(path, now)?)))
    }

    /// Makes the folders that lead to where something is moved, and returns that.
    fn make_way(&self, path: &str, now: DateTime<Utc>) -> Result<PathBuf, ArchiveError> {
        let name = now.format(DAY).to_string();
        let mut day = self.folder.join(&name);
        // A file that somebody put there under the name of the day keeps nothing out.
        if fs::symlink_metadata(&day).is_ok() && !day.is_dir() {
            day.set_file_name(format!("{name}.{name}.0"));
        }
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
        let day = to
            .ancestors()
            .find(|one| one.parent() == Some(&*self.folder));
        let unfinished = (day.unwrap_or(&self.folder), COPYING);
        relocate(from, to, unfinished, self.owner)
            .map_err(ArchiveError::io("move to the trash", from))?;
        sync_folder(to.parent().unwrap_or(&self.folder))
    }

    /// Returns where a file lies that was moved here.
    pub(super) fn find(&self, path: &str) -> Option<PathBuf> {
        let days = fs::read_dir(&self.folder).ok()?;
        days.flatten()
            .map(|day| day.path().join(path))
            .find(|place| place.is_file())
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
        let Some(place) = self.find(path) else {
            return Ok(false);
        };
        match moved(&place) {
            // Another process counted the days meanwhile, and the folder of the day has another name, or moved the file.
            Err(error) if says_not_found(&error) => match self.find(path) {
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
    pub(super) fn expired(&self, now: DateTime<Utc>) -> Result<Vec<PathBuf>, ArchiveError> {
        let days = match fs::read_dir(&self.folder) {
            Err(error) if is_not_found(&error) => return Ok(Vec::new()),
            days => days.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        };
        let days = days.map_err(ArchiveError::io("list", &self.folder))?;
        let mut expired = Vec::new();
        for day in days {
            let mut path = day.path();
            let Some(known) = day.file_name().to_str().and_then(Age::read) else {
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
    pub(super) fn delete(day: &Path) -> Result<(), ArchiveError> {
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

fn says_not_found(error: &ArchiveError) -> bool {
    matches!(error, ArchiveError::Io { source, .. } if is_not_found(source))
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
        let unfinished = (&*data.path().join("objects/ab"), "copy-");
        let put_back = |path: &str| trash.put_back(path, unfinished).expect("moved");
        assert!(put_back("objects/ab/one"));
        assert!(!put_back("objects/ab/none"));
        assert!(data.path().join("objects/ab/one").exists());
    }

    /// Looks at a folder of this day at each of these times; returns after which it is over, counted from 1, if it is.
    fn over_after(put: &str, looks: &[&str]) -> Option<usize> {
        let data = tempfile::tempdir().expect("a folder");
        let trash = Trash::new(data.path(), Owner::default());
        fs::create_dir_all(data.path().join("trash").join(put)).expect("a folder");
        let over = looks.iter().position(|now| {
            let now = format!("{now}T23:59:59Z").parse().expect("a time");
            !trash.expired(now).expect("a listing").is_empty()
        });
        over.map(|at| at + 1)
    }

    #[test]
    fn what_was_seen_for_more_than_seven_days_is_over_whatever_one_clock_says() {
        let daily = [
            "2026-03-02",
            "2026-03-03",
            "2026-03-04",
            "2026-03-05",
            "2026-03-06",
            "2026-03-07",
            "2026-03-08",
            "2026-03-09",
        ];
        let weekly = ["2026-03-08", "2026-03-08", "2026-03-15", "2026-03-22"];
        let ahead_once = [
            "2027-03-02",
            "2027-03-02",
            "2026-03-02",
            "2026-03-03",
            "2026-03-04",
        ];
        let ahead_for_ever = [
            "2027-03-02",
            "2027-03-03",
            "2027-03-04",
            "2027-03-05",
            "2027-03-06",
        ];
        let behind = ["1970-01-01", "1970-01-02", "2026-03-02"];
        for (put, looks, expected) in [
            ("2026-03-01", &daily[..], Some(8)),
            ("2026-03-01", &weekly, Some(3)),
            // One look never does, however late it comes.
            ("2026-03-01", &["2036-01-01"], None),
            ("2026-03-01", &ahead_once, None),
            ("2026-03-01", &ahead_for_ever, Some(5)),
            ("2026-03-01", &behind, None),
            // Put there by a clock that ran ahead.
            (
                "2027-03-01",
                &[&["2026-03-01"], &daily[..]].concat(),
                Some(9),
            ),
            ("2026-02-20.2026-03-01.7", &daily, Some(1)),
            ("2026-02-20.2026-03-01.6", &daily, Some(2)),
            ("2026-02-20.2027-03-01.6", &daily, Some(3)),
            // None of ours.
            ("lost+found", &daily, None),
            ("2026-02-20.x.9", &daily, None),
            ("2026-02-20.2026-03-01", &daily, None),
            ("2026-02-20.2026-03-01.7.x", &daily, None),
            ("2026-02-20.2026-03-01.7.2.2", &daily, None),
            // One of several.
            ("2026-02-20.2026-03-01.7.2", &daily, Some(1)),
        ] {
            assert_eq!(over_after(put, looks), expected, "{put}: {looks:?}");
        }
    }

    #[test]
    fn what_lies_there_is_found_whatever_its_folder_is_called() {
        let data = tempfile::tempdir().expect("a folder");
        let trash = Trash::new(data.path(), Owner::default());
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        fs::write(data.path().join("a"), "a").expect("a file");
        trash.put("a", at("2026-03-01T12:00:00Z")).expect("moved");
        assert_eq!(
            trash
                .expired(at("2026-03-02T12:00:00Z"))
                .expect("a listing"),
            [] as [PathBuf; 0]
        );
        let place = trash.find("a").expect("it lies there");
        assert_eq!(place, data.path().join("trash/2026-03-01.2026-03-02.1/a"));
    }

    #[test]
    fn what_is_put_there_after_a_look_of_the_same_day_is_lost_no_more_than_what_was_there_before() {
        for (what, names, by_day_8, left) in [
            (
                "a folder",
                &["2026-03-01", "2026-03-01.2026-03-02.1"][..],
                2,
                0,
            ),
            (
                "several",
                &[
                    "2026-03-01",
                    "2026-03-01.2026-03-02.1",
                    "2026-03-01.2026-03-02.1.2",
                    "2026-03-01.2026-03-01.0",
                ],
                4,
                0,
            ),
            ("a file", &["2026-03-01+"], 1, 0),
            ("files", &["2026-03-01+", "2026-03-01.2026-03-02.1+"], 2, 0),
            (
                "a file and a folder",
                &["2026-03-01+", "2026-03-01.2026-03-02.1"],
                2,
                0,
            ),
            ("another folder", &["2026-03-01", "2026-02-31"], 2, 1),
        ] {
            let data = tempfile::tempdir().expect("a folder");
            let trash = Trash::new(data.path(), Owner::default());
            let folder = data.path().join("trash");
            for name in names {
                if let Some(file) = name.strip_suffix('+') {
                    fs::create_dir_all(&folder).expect("a folder");
                    fs::write(folder.join(file), "").expect("a file");
                } else {
                    fs::create_dir_all(folder.join(name)).expect("a folder");
                    fs::write(folder.join(name).join("a"), name).expect("a file");
                }
            }
            let count = || fs::read_dir(&folder).expect("a list").count();
            for day in 2..=9 {
                let now = format!("2026-03-0{day}T12:00:00Z").parse().expect("a time");
                let over = trash.expired(now).expect(what);
                if day < 9 {
                    assert_eq!((over.len(), count()), (0, by_day_8), "{what}: {day}");
                }
                for day in &over {
                    Trash::delete(day).expect(what);
                }
            }
            assert_eq!(count(), left, "{what}");
        }
    }

    #[test]
    fn what_is_moved_while_another_process_renames_the_day_gets_there() {
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        for (path, times, moved) in [("a", 1, true), ("a", 2, false), ("none", 1, true)] {
            let data = tempfile::tempdir().expect("a folder");
            let trash = Trash::new(data.path(), Owner::default());
            fs::write(data.path().join("a"), "a").expect("a file");
            let turn = std::cell::Cell::new(0);
            let taken = trash.take(path, || {
                let to = trash.make_way(path, now)?;
                turn.set(turn.get() + 1);
                if turn.get() <= times {
                    let day = to.parent().expect("a day");
                    fs::rename(day, data.path().join(format!("trash/{}", turn.get())))
                        .expect("renamed");
                }
                Ok(to)
            });
            assert_eq!(taken.is_ok(), moved, "{path}: {times}");
            assert_eq!(trash.find("a").is_some(), path == "a" && moved);
            // Never nowhere.
            assert_ne!(trash.find("a").is_some(), data.path().join("a").exists());
        }
    }

    #[test]
    fn a_file_that_several_put_back_at_once_is_back() {
        let data = tempfile::tempdir().expect("a folder");
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        fs::write(data.path().join("a"), "a").expect("a file");
        for _ in 0..200 {
            Trash::new(data.path(), Owner::default())
                .put("a", now)
                .expect("moved");
            std::thread::scope(|scope| {
                let put_back = || {
                    let trash = Trash::new(data.path(), Owner::default());
                    trash.put_back("a", (data.path(), "copy-")).expect("back");
                };
                for _ in 0..4 {
                    scope.spawn(put_back);
                }
            });
            assert!(data.path().join("a").is_file());
        }
    }

    #[test]
    fn a_file_that_is_called_like_the_day_keeps_nothing_out() {
        let data = tempfile::tempdir().expect("a folder");
        let trash = Trash::new(data.path(), Owner::default());
        fs::create_dir(data.path().join("trash")).expect("a folder");
        fs::write(data.path().join("trash/2026-03-01"), "").expect("a file");
        fs::write(data.path().join("a"), "a").expect("a file");
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        trash.put("a", now).expect("moved");
        let place = trash.find("a").expect("it lies there");
        assert_eq!(place, data.path().join("trash/2026-03-01.2026-03-01.0/a"));
    }
}
