//! `archive-id`: the mark by which the archive knows its catalogue.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::ArchiveError;
use super::file::give;
use crate::domain::ArchiveMark;
use crate::files::Owner;

/// The file in the data folder.
pub(super) const FILE: &str = "archive-id";

/// Reads the mark; nothing when there is none.
pub(super) fn read(data_dir: &Path) -> Result<Option<ArchiveMark>, ArchiveError> {
    let path = data_dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(ArchiveError::io("read", &path))?,
    };
    let mark = text.trim_end().parse();
    let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    mark.map(Some)
        .map_err(|reason| ArchiveError::io("read", &path)(invalid(reason)))
}

/// Writes the mark, whole or not at all. `process` is this one's name among those that work on the folder.
pub(super) fn write(
    data_dir: &Path,
    mark: &ArchiveMark,
    process: &str,
    owner: Owner,
) -> Result<(), ArchiveError> {
    let path = data_dir.join(FILE);
    let written = || -> io::Result<tempfile::NamedTempFile> {
        // Beside its place: `tmp/` may lie on another file system.
        let mut file = tempfile::Builder::new()
            .prefix(&unfinished(process))
            .tempfile_in(data_dir)?;
        writeln!(file, "{mark}")?;
        // Whoever may read the catalogue may read it: it is no secret.
        file.as_file()
            .set_permissions(Permissions::from_mode(0o644))?;
        // The folder is not synced: a number that is lost with the power is one too small, which harms nothing.
        file.as_file().sync_data()?;
        Ok(file)
    };
    let file = written().map_err(ArchiveError::io("write", &path))?;
    give(owner, file.path())?;
    file.persist(&path)
        .map(drop)
        .map_err(|error| ArchiveError::io("write", &path)(error.error))
}

/// Removes the marks that a process left unfinished which was killed.
pub(super) fn sweep_of_dead(data_dir: &Path, process: &str) {
    let prefix = unfinished(process);
    for entry in fs::read_dir(data_dir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn unfinished(process: &str) -> String {
    format!(".{FILE}-{process}-")
}
