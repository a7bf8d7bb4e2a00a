//! Damage of rows inside SQLite's errors: a damaged row that is read names itself in the error.

use rusqlite::ffi::{
    SQLITE_CONSTRAINT_CHECK, SQLITE_CONSTRAINT_DATATYPE, SQLITE_CONSTRAINT_NOTNULL,
};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Error, Row};

use super::row::Columns;
use crate::domain::shortened;
use crate::store::damaged_row::DamagedRow;
use crate::store::error::StoreError;

/// The reason for a row that does not fit its checksum.
pub(super) const NO_FIT: &str = "it does not fit its checksum";

/// Reads a row of `table` whose first column is the id. Damage is an error that names the row.
pub(super) fn read_row<T>(
    table: &'static str,
    row: &Row<'_>,
    read: impl FnOnce(&mut Columns<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    read(&mut Columns::new(row)).map_err(|error| {
        let id = row.get_ref(0).map(shown).unwrap_or_default();
        named(table, id, row, error)
    })
}

/// Adds the row to an error about an invalid value.
pub(super) fn named(table: &'static str, id: String, row: &Row<'_>, error: Error) -> Error {
    match reason_of(row, &error) {
        Some(reason) => damaged_error(DamagedRow {
            table,
            id,
            source: None,
            reason,
        }),
        None => error,
    }
}

/// Collects the sound rows; damaged ones are added to `damaged`.
pub(super) fn sound_rows<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
    damaged: &mut Vec<DamagedRow>,
) -> rusqlite::Result<Vec<T>> {
    let mut sound = Vec::new();
    for row in rows {
        match row {
            Ok(row) => sound.push(row),
            Err(error) => damaged.push(damaged_row_in(&error).ok_or(error)?),
        }
    }
    Ok(sound)
}

/// Wraps a damaged row in an SQLite error, from which [`Failure::of`] makes the store's.
pub(super) fn damaged_error(row: DamagedRow) -> Error {
    let damage = StoreError::DamagedRow(Box::new(row));
    Error::FromSqlConversionFailure(0, Type::Null, Box::new(damage))
}

/// Returns the damaged row in an SQLite error; `None` for other errors.
pub(super) fn damaged_row_in(error: &Error) -> Option<DamagedRow> {
    let Error::FromSqlConversionFailure(_, _, cause) = error else {
        return is_of_value(error).then(|| unnamed(error));
    };
    match cause.downcast_ref() {
        Some(StoreError::DamagedRow(row)) => Some(DamagedRow::clone(row)),
        Some(StoreError::Damaged { version, reason }) => Some(DamagedRow {
            table: "version",
            id: version.to_string(),
            source: None,
            reason: reason.to_string(),
        }),
        _ => Some(unnamed(error)),
    }
}

/// The damage of a row that its error does not name.
fn unnamed(error: &Error) -> DamagedRow {
    let words = error.to_string();
    DamagedRow {
        table: "",
        id: String::new(),
        source: None,
        reason: refused_value(&words).unwrap_or(words),
    }
}

/// Returns SQLite's refusal of an unchanged value, in an update of other columns, as a reason.
fn refused_value(words: &str) -> Option<String> {
    let (_, place) = words.rsplit_once(' ')?;
    let (_, column) = place.split_once('.')?;
    if words.starts_with("NOT NULL ") {
        return Some(format!("`{column}` is empty"));
    }
    let (_, kind) = words.split_once(" value in ")?;
    let (kind, _) = kind.split_once(' ')?;
    Some(format!("`{column}` holds no usable {kind}"))
}

/// Reports whether an error is about an invalid value.
fn is_of_value(error: &Error) -> bool {
    match error {
        // An update of a damaged row: SQLite checks the unchanged values, too.
        Error::SqliteFailure(failure, _) => matches!(
            failure.extended_code,
            SQLITE_CONSTRAINT_DATATYPE | SQLITE_CONSTRAINT_NOTNULL | SQLITE_CONSTRAINT_CHECK
        ),
        _ => column_of(error).is_some(),
    }
}

/// Returns the column that an error is about.
pub(super) fn column_of(error: &Error) -> Option<usize> {
    match error {
        Error::InvalidColumnType(index, ..)
        | Error::IntegralValueOutOfRange(index, _)
        | Error::FromSqlConversionFailure(index, ..)
        | Error::Utf8Error(index, _) => Some(*index),
        _ => None,
    }
}

/// Returns the reason why a row's column is invalid; `None` for an error without a value, or one with a reason.
pub(super) fn reason_of(row: &Row<'_>, error: &Error) -> Option<String> {
    let (index, cause) = match error {
        Error::InvalidColumnType(index, ..) | Error::IntegralValueOutOfRange(index, _) => {
            (*index, String::new())
        }
        Error::FromSqlConversionFailure(_, _, cause) if cause.is::<StoreError>() => return None,
        Error::FromSqlConversionFailure(index, _, cause) => (*index, format!(": {cause}")),
        Error::Utf8Error(index, _) => (*index, ": no text".to_owned()),
        _ => return None,
    };
    let column = row.as_ref().column_name(index).unwrap_or("?");
    let column = if column.contains(' ') { "set" } else { column };
    let value = row.get_ref(index).map(shown).unwrap_or_default();
    Some(match column {
        // Read as whether the row fits its checksum.
        "checksum" => NO_FIT.to_owned(),
        // The value may be a secret.
        "address" | "headers" | "password_hash" => {
            format!("`{column}` holds something else{cause}")
        }
        _ if value.is_empty() => format!("`{column}` is empty{cause}"),
        _ => format!("`{column}` holds {value}{cause}"),
    })
}

/// Returns a value in the form shown to people; a long one is cut.
pub(super) fn shown(value: ValueRef<'_>) -> String {
    const MOST: usize = 40;
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            format!("`{}`", shortened(&text, MOST).escape_debug())
        }
    }
}
