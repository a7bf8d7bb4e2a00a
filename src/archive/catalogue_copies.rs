//! Copies of the catalogue from before its migrations, beside `gannet.db`.
//!
//! Never makes a copy; the catalogue does.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::ArchiveError;

/// Infix of a copy's name, followed by the schema's number; a process number follows while the copy is being made.
const BEFORE: &str = ".before-";

/// A copy that was written to more recently may still be in the making.
const MAKING: Duration = Duration::from_hours(24);

pub(super) fn complete(data_dir: &Path) -> Vec<String> {
    let mut copies = names_in(data_dir).unwrap_or_default();
    copies.retain(|name| kind_of(name) == Some(CopyKind::Complete));
    copies.sort();
    copies
}

/// Returns the names of incomplete copies that killed processes left.
pub(super) fn half_made(data_dir: &Path, now: SystemTime) -> Result<Vec<String>, ArchiveError> {
    let mut copies = names_in(data_dir)?;
    copies.retain(|name| {
        let written = fs::metadata(data_dir.join(name)).and_then(|file| file.modified());
        kind_of(name) == Some(CopyKind::HalfMade)
            && written.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > MAKING))
    });
    Ok(copies)
}

#[derive(Debug, PartialEq, Eq)]
enum CopyKind {
    Complete,
    HalfMade,
}

/// Returns the kind of copy that a file name denotes; `None` for other files.
fn kind_of(name: &str) -> Option<CopyKind> {
    let (_, numbers) = name.split_once(BEFORE)?;
    let process = numbers.split_once('.').map(|(_, process)| process);
    let is_number = process.is_some_and(|process| process.parse::<u32>().is_ok());
    Some(if is_number {
        CopyKind::HalfMade
    } else {
        CopyKind::Complete
    })
}

fn names_in(folder: &Path) -> Result<Vec<String>, ArchiveError> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    });
    listed.map_err(ArchiveError::io("list", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whether_a_copy_is_complete() {
        for (name, expected) in [
            ("gannet.db.before-002", Some(CopyKind::Complete)),
            ("gannet.db.before-002.77", Some(CopyKind::HalfMade)),
            ("gannet.db.before-002.old", Some(CopyKind::Complete)),
            ("gannet.db", None),
            ("gannet.db-wal", None),
            ("", None),
        ] {
            assert_eq!(kind_of(name), expected, "{name}");
        }
    }

    #[test]
    fn only_a_copy_that_nobody_wrote_to_for_a_day_is_half_made() {
        let data = tempfile::tempdir().expect("a folder");
        for name in [
            "gannet.db",
            "gannet.db.before-001",
            "gannet.db.before-002.7",
        ] {
            fs::write(data.path().join(name), "").expect("a file");
        }
        let written = fs::metadata(data.path().join("gannet.db.before-002.7"));
        let written = written.and_then(|file| file.modified()).expect("a time");
        for (age, expected) in [
            (Duration::ZERO, &[][..]),
            (MAKING, &[]),
            (MAKING + Duration::from_secs(1), &["gannet.db.before-002.7"]),
        ] {
            let found = half_made(data.path(), written + age).expect("a list");
            assert_eq!(found, expected, "{age:?}");
        }
        assert_eq!(complete(data.path()), ["gannet.db.before-001"]);
    }
}
