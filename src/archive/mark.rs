//! `archive-id`: the mark that identifies the archive's catalogue.

use std::fs::{File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::ArchiveError;
use super::file::give;
use crate::domain::ArchiveMark;
use crate::files::{Owner, open_plain};

/// File name in the data folder.
pub(super) const FILE: &str = "archive-id";
/// Longest file that is read, in bytes: many times the length of a mark.
const MOST: u64 = 1 << 10;

/// Reads the mark; `None` when there is none.
pub(super) fn read(data_dir: &Path) -> Result<Option<ArchiveMark>, ArchiveError> {
    let path = data_dir.join(FILE);
    let mut text = String::new();
    let read = open_plain(File::options().read(true), &path)
        .and_then(|file| file.take(MOST).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(ArchiveError::io("read", &path))?,
    };
    let mark = text.trim_end().parse();
    let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    mark.map(Some)
        .map_err(|reason| ArchiveError::io("read", &path)(invalid(reason)))
}

/// Writes the mark atomically, unless the file holds a later one of the same catalogue, written by another process. The
/// caller holds the lock of the mark. `process` is the owner's name of this process.
pub(super) fn write(
    data_dir: &Path,
    mark: &ArchiveMark,
    process: &str,
    owner: Owner,
) -> Result<(), ArchiveError> {
    let path = data_dir.join(FILE);
    // An unreadable mark is replaced.
    let found = read(data_dir).ok().flatten();
    if found.is_some_and(|found| found.id == mark.id && found.generation > mark.generation) {
        return Ok(());
    }
    let written = || -> io::Result<tempfile::NamedTempFile> {
        // Beside its target: `tmp/` may lie on another file system.
        let mut file = tempfile::Builder::new()
            .prefix(&unfinished(process))
            .tempfile_in(data_dir)?;
        writeln!(file, "{mark}")?;
        // No secret: readable to the readers of the catalogue.
        file.as_file()
            .set_permissions(Permissions::from_mode(0o644))?;
        // The folder is not synced: after a power cut the number may be too small, which is harmless.
        file.as_file().sync_data()?;
        Ok(file)
    };
    let file = written().map_err(ArchiveError::io("write", &path))?;
    give(owner, file.path())?;
    file.persist(&path).map(drop).map_err(|error| {
        // A rename would not replace a folder.
        let in_the_way = open_plain(File::options().read(true), &path).err();
        ArchiveError::io("write", &path)(in_the_way.unwrap_or(error.error))
    })
}

/// Returns the prefix of unfinished marks of one process.
pub(super) fn unfinished(process: &str) -> String {
    format!(".{FILE}-{process}-")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_mark_takes_the_place_of_a_later_one_of_its_catalogue() {
        let mark = |id: &str, generation| ArchiveMark {
            id: id.repeat(16),
            generation,
        };
        let data = tempfile::tempdir().expect("a folder");
        for (written, left) in [
            (mark("0a", 5), mark("0a", 5)),
            (mark("0a", 6), mark("0a", 6)),
            (mark("0a", 5), mark("0a", 6)),
            (mark("0a", 6), mark("0a", 6)),
            (mark("0b", 1), mark("0b", 1)),
        ] {
            write(data.path(), &written, "run-a", Owner::default()).expect("written");
            assert_eq!(read(data.path()).expect("read"), Some(left));
        }
        fs::write(data.path().join(FILE), "spoiled").expect("a file");
        write(data.path(), &mark("0a", 1), "run-a", Owner::default()).expect("written");
        assert_eq!(read(data.path()).expect("read"), Some(mark("0a", 1)));
    }
}
