//! How an operation of SQLite's failed, and which error of the store that is.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use super::catalogue_file::CatalogueFile;
use super::holder::holder_of;
use super::sql_damage::{damaged_error, damaged_row_in};
use crate::files::refuse_all_but_file;
use crate::store::damaged_row::DamagedRow;
use crate::store::error::StoreError;

/// What an operation returns before the catalogue is named in its failure.
pub(super) type Outcome<T> = std::result::Result<T, Failure>;

/// How an operation failed, before the catalogue is named in it.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
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
    /// Returns the failure when it is that a row is damaged.
    pub(super) fn damage(&self) -> Option<StoreError> {
        match self {
            Self::Refused(error) => error.is_damage().then(|| error.clone()),
            Self::Sql(error) => damage_in(error),
        }
    }

    /// Tells whether a row is damaged.
    pub(super) fn is_damage(&self) -> bool {
        self.damage().is_some()
    }

    /// Returns the row that is damaged, if that is the failure.
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

    /// Returns the store's error for the failure of an operation on this catalogue.
    pub(super) fn of(self, file: &CatalogueFile) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Sql(error) => sql_error(&error, file),
        }
    }
}

/// Returns the store's error for an error of SQLite's about this catalogue.
pub(super) fn sql_error(error: &rusqlite::Error, file: &CatalogueFile) -> StoreError {
    if let Some(damage) = damage_in(error) {
        return damage;
    }
    let place = file.place();
    // The shared-memory file grows by hand: when the disk is full, SQLite says so with a code of its own.
    let no_shared_memory = error
        .sqlite_error()
        .is_some_and(|code| code.extended_code == SQLITE_IOERR_SHMSIZE);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked {
            process: holder_of(&file.path),
            place,
            waited: file.busy_timeout,
        },
        Some(ErrorCode::DiskFull) => StoreError::Full { place },
        Some(_) if no_shared_memory => StoreError::Full { place },
        Some(ErrorCode::NotADatabase) => {
            file.failed("not a gannet catalogue: the file is not an SQLite database")
        }
        _ => file.failed(in_the_way(&file.path).unwrap_or_else(|| error.to_string())),
    }
}

/// Says what lies in the place of a file that SQLite makes beside the catalogue; nothing when nothing does.
fn in_the_way(path: &Path) -> Option<String> {
    ["-wal", "-shm", "-journal"].iter().find_map(|end| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        let beside = Path::new(&beside);
        let error = refuse_all_but_file(beside).err()?;
        Some(format!("{}: {error}", beside.display()))
    })
}

/// Returns the damage that was met while a row was read.
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

/// Runs a query that would leave damaged rows out: a damaged row is its error.
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

/// Returns what a query found, or notes that its row is damaged.
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
