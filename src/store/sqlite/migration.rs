//! Runs migrations, all or none, and past damage: SQLite adds no column to a table with a value of a wrong type. Such
//! rows are set aside: deleted, and returned with their values in words.
//!
//! Never guesses a value, and never deletes a row while the migrations succeed with it.

use std::ops::Range;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Row, TransactionBehavior};
use serde_json::{Map, Value};

use super::connection::APPLICATION_ID;
use super::damaged_state::source_name;
use super::failure::is_malformed;
use super::index::known_table;
use super::sql_damage::shown;
use super::statements::Statements as _;
use crate::domain::{SourceId, to_hex};
use crate::store::damaged_row::DamagedRow;

/// Longer values are left out of the words: the copy made before the migration has them.
const MAX_BYTES: usize = 200;

/// Applies the migrations after `version`, unless another process already did. Returns the rows that were set aside.
pub(super) fn apply(
    connection: &mut Connection,
    version: i64,
    migrations: &[&str],
) -> rusqlite::Result<Vec<DamagedRow>> {
    let mut aside = Vec::new();
    let numbers = version..version + i64::try_from(migrations.len()).expect("a handful");
    let Err(error) = run(connection, numbers.clone(), migrations, None) else {
        return Ok(aside);
    };
    // A column that cannot be added is an error without a code of its own.
    let of_rows = [
        ErrorCode::ConstraintViolation,
        ErrorCode::DatabaseCorrupt,
        ErrorCode::Unknown,
    ];
    let code = error.sqlite_error_code();
    if !code.is_some_and(|code| of_rows.contains(&code)) {
        return Err(error);
    }
    // A row that names one that is set aside is damaged itself: its readers say so.
    connection.pragma_update(None, "foreign_keys", false)?;
    let done = run(connection, numbers, migrations, Some(&mut aside));
    connection.pragma_update(None, "foreign_keys", true)?;
    done.map(|()| aside)
}

/// Makes an empty file a catalogue of schema `number`, unless another process already did.
pub(super) fn begin(
    connection: &mut Connection,
    number: i64,
    schema: &str,
) -> rusqlite::Result<()> {
    run(connection, 0..number, &[schema], None)
}

/// Runs the migrations from the schema at the start of the range to the one at its end; with `aside`, sets rows aside
/// that one of them fails on.
fn run(
    connection: &mut Connection,
    numbers: Range<i64>,
    migrations: &[&str],
    mut aside: Option<&mut Vec<DamagedRow>>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let current: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if current != numbers.start {
        return Ok(());
    }
    for migration in migrations {
        match &mut aside {
            None => transaction.execute_batch(migration)?,
            Some(aside) => run_past_damage(&transaction, migration, aside)?,
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", numbers.end)?;
    transaction.commit()
}

fn run_past_damage(
    sql: &Connection,
    migration: &str,
    aside: &mut Vec<DamagedRow>,
) -> rusqlite::Result<()> {
    let mut has_new_indexes = false;
    loop {
        sql.execute_batch("SAVEPOINT migration")?;
        let Err(error) = sql.execute_batch(migration) else {
            return sql.execute_batch("RELEASE migration");
        };
        sql.execute_batch("ROLLBACK TO migration; RELEASE migration")?;
        let found = set_aside(sql, migration)?;
        if found.is_empty() {
            if has_new_indexes || !is_malformed(&error) {
                return Err(error);
            }
            has_new_indexes = true;
            sql.execute_batch("REINDEX")?;
        }
        aside.extend(found);
    }
}

/// Deletes the rows with a value of a wrong type from the tables that a migration names, and returns them.
fn set_aside(sql: &Connection, migration: &str) -> rusqlite::Result<Vec<DamagedRow>> {
    const TABLES: &str =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict";
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_named = |table: &&String| {
        let mut words = migration.split(|letter| !is_word(letter));
        words.any(|word| word == table.as_str())
    };
    let mut found = Vec::new();
    let tables = sql.all::<String>(TABLES, [], |row| row.get(0))?;
    for table in tables.iter().filter(is_named) {
        let misfit = misfit_of(sql, table)?;
        let query =
            format!("SELECT {misfit} AS misfit, * FROM \"{table}\" WHERE {misfit} IS NOT NULL");
        let mut statement = sql.prepare(&query)?;
        let rows = statement.query_map([], |row| set_aside_row(sql, table, row))?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        if !rows.is_empty() {
            // An index may still hold what the row held.
            sql.execute_batch(&format!(
                "REINDEX \"{table}\"; DELETE FROM \"{table}\" WHERE {misfit} IS NOT NULL"
            ))?;
        }
        found.extend(rows);
    }
    Ok(found)
}

/// Returns an expression: the first column whose value is not of the column's type, or NULL.
fn misfit_of(sql: &Connection, table: &str) -> rusqlite::Result<String> {
    const COLUMNS: &str =
        "SELECT name, lower(type), \"notnull\" FROM pragma_table_xinfo(?1) WHERE hidden = 0";
    let cases = sql.all(COLUMNS, [table], |row| {
        let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let allowed = match kind.as_str() {
            "int" => "'integer'".to_owned(),
            "any" => "'integer', 'real', 'text', 'blob'".to_owned(),
            kind => format!("'{kind}'"),
        };
        let null = if row.get(2)? { "" } else { ", 'null'" };
        Ok(format!(
            " WHEN typeof(\"{name}\") NOT IN ({allowed}{null}) THEN '{name}'"
        ))
    })?;
    Ok(format!("(CASE{} END)", cases.concat()))
}

/// Describes a row that is set aside. Its first column names the one that is damaged.
fn set_aside_row(sql: &Connection, table: &str, row: &Row<'_>) -> rusqlite::Result<DamagedRow> {
    let misfit: String = row.get(0)?;
    let (mut values, mut source, mut held) = (Map::new(), None, String::new());
    for index in 1..row.as_ref().column_count() {
        let (name, value) = (row.as_ref().column_name(index)?, row.get_ref(index)?);
        if name == "source_id" || table == "source" && name == "id" {
            source = value.as_i64().ok();
        }
        let is_secret = ["address", "headers", "settings", "password_hash"].contains(&name);
        if name == misfit {
            held = if is_secret {
                "something else".to_owned()
            } else {
                shown(value)
            };
        }
        if !is_secret {
            values.insert(name.to_owned(), in_json(value));
        }
    }
    let source = match source {
        Some(id) => source_name(sql, SourceId(id))?,
        None => None,
    };
    let values = Value::Object(values);
    Ok(DamagedRow {
        table: known_table(table),
        id: shown(row.get_ref(1)?),
        source,
        reason: format!("`{misfit}` holds {held}; the upgrade set the row aside: {values}"),
    })
}

fn in_json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) if bytes.len() > MAX_BYTES => {
            format!("{} bytes", bytes.len()).into()
        }
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into(),
        ValueRef::Blob(bytes) => to_hex(bytes).into(),
    }
}
