//! Failures of SQLite operations, and the store errors that they become.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};

use super::catalogue_file::CatalogueFile;
use super::holder::holder_of;
use super::sql_damage::{damaged_error, damaged_row_in};
use crate::files::{file_size_limit, refuse_all_but_file};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::StoreError;

/// The result of an operation, before its error names the catalogue.
pub(super) type Outcome<T> = std::result::Result<T, Failure>;

/// A failure, before its error names the catalogue.
#[derive(Debug)]
pub enum Failure {
    /// SQLite failed, or met a damaged row.
    Sql(rusqlite::Error),
    /// The operation was refused.
    Refused(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Failure {
    /// Returns the damage as an error; `None` for other failures.
    pub(super) fn damage(&self) -> Option<StoreError> {
        match self {
            Self::Refused(error) => error.is_damage().then(|| error.clone()),
            Self::Sql(error) => damage_in(error),
        }
    }

    /// Reports whether the failure is damage.
    pub(super) fn is_damage(&self) -> bool {
        self.damage().is_some()
    }

    /// Returns the damaged row; `None` for other failures.
    pub(super) fn damaged_row(&self) -> Option<DamagedRow> {
        match self.damage()? {
            StoreError::DamagedRow(row) => Some(*row),
            StoreError::Damaged { version, reason } => Some(DamagedRow {
                table: "version",
                id: version.to_string(),
                source: None,
                reason: reason.into_owned(),
            }),
            _ => None,
        }
    }

    /// Reports whether this is the failure of [`is_malformed`].
    pub(super) fn is_malformed(&self) -> bool {
        matches!(self, Self::Sql(error) if is_malformed(error))
    }

    /// Turns the failure into the store's error, which names the catalogue.
    pub(super) fn of(self, file: &CatalogueFile) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Sql(error) => sql_error(&error, file),
        }
    }
}

/// Reports whether SQLite met pages or an index that contradict each other.
pub(super) fn is_malformed(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

/// Turns an SQLite error into the store's error.
pub(super) fn sql_error(error: &rusqlite::Error, file: &CatalogueFile) -> StoreError {
    if let Some(damage) = damage_in(error) {
        return damage;
    }
    let place = file.place();
    // SQLite grows the shared-memory file itself: a full disk has an error code of its own there.
    let code = error.sqlite_error().map_or(0, |code| code.extended_code);
    let no_shared_memory = code == SQLITE_IOERR_SHMSIZE;
    // SQLite names no cause of a write that failed.
    let limit = || file_size_limit().filter(|_| code == SQLITE_IOERR_WRITE);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked {
            process: holder_of(&file.path),
            place,
            waited: file.busy_timeout,
        },
        Some(ErrorCode::DiskFull) => StoreError::Full { place },
        Some(_) if no_shared_memory => StoreError::Full { place },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Malformed {
            place,
            reason: error.to_string(),
        },
        Some(ErrorCode::NotADatabase) => {
            file.failed("not a gannet catalogue: the file is not an SQLite database")
        }
        _ => {
            let why = in_the_way(&file.path).or_else(|| Some(format!("{error}; {}", limit()?)));
            file.failed(why.unwrap_or_else(|| error.to_string()))
        }
    }
}

/// Describes what occupies the path of a file that SQLite makes beside the catalogue; `None` when nothing does.
fn in_the_way(path: &Path) -> Option<String> {
    ["-wal", "-shm", "-journal"].iter().find_map(|end| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        let beside = Path::new(&beside);
        let error = refuse_all_but_file(beside).err()?;
        Some(format!("{}: {error}", beside.display()))
    })
}

/// Returns the damage in an error of a row that was read; `None` for other errors.
fn damage_in(error: &rusqlite::Error) -> Option<StoreError> {
    if let rusqlite::Error::FromSqlConversionFailure(_, _, cause) = error
        && let Some(known) = cause.downcast_ref::<StoreError>()
    {
        return Some(known.clone());
    }
    damaged_row_in(error).map(|row| StoreError::DamagedRow(Box::new(row)))
}

/// Turns "no such row" into [`StoreError::Missing`].
pub(super) fn found<T>(
    row: rusqlite::Result<T>,
    what: &'static str,
    id: i64,
) -> std::result::Result<T, Failure> {
    match row {
        Err(rusqlite::Error::QueryReturnedNoRows) => Err(StoreError::Missing { what, id }.into()),
        other => Ok(other?),
    }
}

/// Runs a query that leaves damaged rows out, and returns the first damage as an error.
pub(super) fn strictly<T>(
    query: impl FnOnce(&mut Vec<DamagedRow>) -> std::result::Result<T, Failure>,
) -> std::result::Result<T, Failure> {
    let mut damaged = Vec::new();
    let value = query(&mut damaged)?;
    match damaged.pop() {
        Some(row) => Err(damaged_error(row).into()),
        None => Ok(value),
    }
}

/// Returns a query's result; a damaged row is noted and gives `None`.
pub(super) fn sound_one<T>(
    found: std::result::Result<T, Failure>,
    damaged: &mut Vec<DamagedRow>,
) -> std::result::Result<Option<T>, Failure> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(failure) => match failure.damaged_row() {
            Some(row) => {
                damaged.push(row);
                Ok(None)
            }
            None => Err(failure),
        },
    }
}
