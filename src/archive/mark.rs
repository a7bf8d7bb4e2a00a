//! `archive-id`: the mark by which the archive knows its catalogue.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
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

/// Writes the mark, whole or not at all.
pub(super) fn write(
    data_dir: &Path,
    mark: &ArchiveMark,
    temp_dir: &Path,
    owner: Owner,
) -> Result<(), ArchiveError> {
    let path = data_dir.join(FILE);
    let written = || -> io::Result<tempfile::NamedTempFile> {
        // A file cannot be renamed onto another disk.
        let on_one_disk = fs::metadata(temp_dir)?.dev() == fs::metadata(data_dir)?.dev();
        let folder = if on_one_disk { temp_dir } else { data_dir };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
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
