//! Rows that cannot be read: text where a number belongs, a word that is none, a row without the one that belongs to it.
//!
//! A list leaves such a row out, and notes it: what is sound beside it is read, and whoever reads says what is missing. What would
//! delete or withdraw something reads strictly instead, and stops. Never takes a row that is damaged for one that is not there.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use rusqlite::ffi::{
    SQLITE_CONSTRAINT_CHECK, SQLITE_CONSTRAINT_DATATYPE, SQLITE_CONSTRAINT_NOTNULL,
};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, Row};

use super::Store;
use super::error::{Failure, Result, StoreError};
use super::event::insert_event;
use super::row::Columns;
use crate::domain::{Action, Stamp};

/// A row of the catalogue that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DamagedRow {
    /// Its table.
    pub table: &'static str,
    /// Its id, or the name that stands for it; empty when that is not known.
    pub id: String,
    /// The name of the source that it is of, where that can be read.
    pub source: Option<String>,
    /// Which column holds what, and why that cannot be; or what is missing.
    pub reason: String,
}

impl fmt::Display for DamagedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, id, .. } = self;
        if self.table.is_empty() {
            f.write_str("a row of the catalogue")?;
        } else if *table == "version" && id.bytes().all(|byte| byte.is_ascii_digit()) {
            write!(f, "the catalogue's row of v{id}")?;
        } else {
            write!(f, "the catalogue's row {id} of the table `{table}`")?;
        }
        if let Some(source) = &self.source {
            write!(f, " (source {source})")?;
        }
        write!(f, " is damaged: {}", self.reason)
    }
}

/// So many damaged rows are kept in mind at most.
const MAX_NOTED: usize = 1000;

/// The damaged rows that were met since they were taken last, each once.
#[derive(Default)]
pub(super) struct Noted(Mutex<BTreeSet<DamagedRow>>);

impl Noted {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<DamagedRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, damaged: Vec<DamagedRow>) {
        if damaged.is_empty() {
            return;
        }
        let mut noted = self.lock();
        for row in damaged {
            if noted.len() < MAX_NOTED {
                noted.insert(row);
            }
        }
    }
}

impl Store {
    /// Returns the damaged rows that were left out of what was read, since [`Self::take_damage`]; the first thousand.
    pub fn damage(&self) -> Vec<DamagedRow> {
        self.noted().lock().iter().cloned().collect()
    }

    /// Returns the same and forgets them: those that still are damaged will be met again.
    pub fn take_damage(&self) -> Vec<DamagedRow> {
        let noted = std::mem::take(&mut *self.noted().lock());
        noted.into_iter().collect()
    }

    /// Notes the row that an error is about. Returns whether it is about one.
    pub fn note_damage(&self, error: &StoreError) -> bool {
        let row = Failure::from(error.clone()).damaged_row();
        let is_one = row.is_some();
        self.noted().add(row.into_iter().collect());
        is_one
    }

    /// Returns those of these rows of which no event says that they are damaged, as far as the newest events go.
    pub async fn untold_damage(&self, damaged: Vec<DamagedRow>) -> Result<Vec<DamagedRow>> {
        self.read(move |sql| {
            let mut untold = Vec::new();
            for row in &damaged {
                if !is_told(sql, &row.to_string())? {
                    untold.push(row.clone());
                }
            }
            Ok(untold)
        })
        .await
    }

    /// Records that rows are damaged, an event each.
    pub async fn record_damage(&self, damaged: Vec<DamagedRow>, stamp: Stamp) -> Result<()> {
        self.write(move |transaction| {
            for row in &damaged {
                let (action, detail) = (Action::RowDamaged, row.to_string());
                // Another process may have been first.
                if !is_told(transaction.sql, &detail)? {
                    insert_event(transaction, &stamp, action, None, None, Some(&detail))?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Like [`Self::read`], for a query that leaves damaged rows out: they are noted.
    pub(super) async fn read_sound<T: Send + 'static>(
        &self,
        mut query: impl FnMut(&Connection, &mut Vec<DamagedRow>) -> std::result::Result<T, Failure>
        + Send
        + 'static,
    ) -> Result<T> {
        let read = self.read(move |sql| {
            let mut damaged = Vec::new();
            Ok((query(sql, &mut damaged)?, damaged))
        });
        let (value, damaged) = read.await?;
        self.noted().add(damaged);
        Ok(value)
    }
}

/// So many events are looked through, from the newest on, for one that says the same already.
const LOOKED_THROUGH: i64 = 20_000;

fn is_told(sql: &Connection, detail: &str) -> rusqlite::Result<bool> {
    sql.prepare_cached(
        "SELECT 1 FROM event e NOT INDEXED CROSS JOIN text w ON w.id = e.action_id
         WHERE e.id > (SELECT max(id) FROM event) - ?1 AND w.value = ?2 AND e.detail = ?3",
    )?
    .exists(rusqlite::params![
        LOOKED_THROUGH,
        Action::RowDamaged.as_str(),
        detail
    ])
}

/// Reads a row of `table`, of which the first column is the id. Damage is an error that names the row.
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

/// Names the row in an error that one of its values cannot be.
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

/// Collects the rows that are sound; those that are damaged are added to `damaged`.
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

/// Says in SQLite's terms that a row is damaged; [`Failure::at`] says it in ours.
pub(super) fn damaged_error(row: DamagedRow) -> Error {
    let damage = StoreError::DamagedRow(Box::new(row));
    Error::FromSqlConversionFailure(0, Type::Null, Box::new(damage))
}

/// Returns the damaged row that an error of SQLite's is about; nothing when it is about something else.
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

/// The damage of a row of which only the error is known.
fn unnamed(error: &Error) -> DamagedRow {
    DamagedRow {
        table: "",
        id: String::new(),
        source: None,
        reason: error.to_string(),
    }
}

/// Tells whether an error is that a value is not one that belongs there.
fn is_of_value(error: &Error) -> bool {
    match error {
        // What is changed of a row that is damaged: SQLite looks at the values that stay, too.
        Error::SqliteFailure(failure, _) => matches!(
            failure.extended_code,
            SQLITE_CONSTRAINT_DATATYPE | SQLITE_CONSTRAINT_NOTNULL | SQLITE_CONSTRAINT_CHECK
        ),
        _ => column_of(error).is_some(),
    }
}

/// Returns which column an error is about.
pub(super) fn column_of(error: &Error) -> Option<usize> {
    match error {
        Error::InvalidColumnType(index, ..)
        | Error::IntegralValueOutOfRange(index, _)
        | Error::FromSqlConversionFailure(index, ..)
        | Error::Utf8Error(index, _) => Some(*index),
        _ => None,
    }
}

/// Returns which column holds what, and why that cannot be; nothing for an error that is about no value, or says it all already.
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
        // What is read of it is whether the row fits it.
        "checksum" => "it does not fit its checksum".to_owned(),
        // It may be a secret.
        "address" | "headers" => format!("`{column}` holds something else{cause}"),
        _ if value.is_empty() => format!("`{column}` is empty{cause}"),
        _ => format!("`{column}` holds {value}{cause}"),
    })
}

/// Returns a value as it is shown; what is long is cut.
fn shown(value: ValueRef<'_>) -> String {
    const MOST: usize = 40;
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let cut: String = text.chars().take(MOST).collect();
            let rest = if cut.len() < text.len() { "…" } else { "" };
            format!("`{}{rest}`", cut.escape_debug())
        }
    }
}
