//! The row of a source's state in errors of updates: SQLite checks the values that an update does not change, too, and
//! names no row.

use rusqlite::{Connection, Error};

use super::sql_damage::{damaged_error, damaged_row_in};
use super::statements::Statements as _;
use crate::domain::SourceId;
use crate::store::damaged_row::DamagedRow;

/// Names the row of a source's state in an error about a value of it that an update does not change.
pub(super) fn of_state(sql: &Connection, source: SourceId, error: Error) -> Error {
    match damaged_row_in(&error) {
        Some(row) if row.table.is_empty() => damaged_error(DamagedRow {
            table: "source_state",
            id: source.to_string(),
            source: source_name(sql, source).unwrap_or_default(),
            ..row
        }),
        _ => error,
    }
}

/// Returns the name of a source, if it is readable.
pub(super) fn source_name(sql: &Connection, source: SourceId) -> rusqlite::Result<Option<String>> {
    let name = "SELECT name FROM source WHERE id = ?1";
    Ok(sql
        .first(name, [source.0], |row| Ok(row.get(0).ok()))?
        .flatten())
}
