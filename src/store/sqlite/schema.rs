//! The tables, and the numbered migrations that bring an older catalogue up to date. Migrations are only ever added.
//!
//! Never touches a file that is no catalogue, or that a newer gannet made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::catalogue_file::CatalogueFile;
use super::connection::{APPLICATION_ID, make_private, use_write_ahead_log};
use super::failure::sql_error;
#[cfg(test)]
use super::interned::add_row_checksum;
use super::migration::{apply, begin};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::{Result, StoreError};

macro_rules! migrations {
    ($($number:literal)*) => {
        &[$(include_str!(concat!("schema/", $number, ".sql"))),*]
    };
}

/// Migration N brings a catalogue from schema N − 1 to schema N.
const MIGRATIONS: &[&str] = migrations![
    "001" "002" "003" "004" "005" "006" "007" "008" "009" "010" "011" "012"
    "013" "014" "015" "016" "017" "018" "019" "020" "021" "022" "023" "024"
    "025" "026" "027" "028" "029" "030" "031" "032" "033" "034" "035" "036" "037" "038" "039" "040"
    "041" "042"
];

/// The newest schema as the migrations leave it: a new catalogue gets it at once, and reads no migration.
const NEWEST: &str = include_str!("schema/newest.sql");

/// How often a step is retried that SQLite gives up at once when another process takes it at the same moment.
const BUSY_TRIES: u32 = 50;

/// Migrates the catalogue to the newest schema; an empty file becomes a catalogue.
/// Returns the damaged rows that were set aside.
pub(super) fn prepare(
    connection: &mut Connection,
    file: &CatalogueFile,
) -> Result<Vec<DamagedRow>> {
    if check(connection, file, newest())? == 0 {
        log_ahead(connection, file)?;
        begin(connection, newest(), NEWEST).map_err(|error| sql_error(&error, file))?;
    }
    migrate(connection, file, MIGRATIONS)
}

/// Returns the number of the newest schema.
fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("a handful of migrations")
}

/// Refuses a file that is no catalogue, or has another schema than the newest.
pub(super) fn check_newest(connection: &Connection, file: &CatalogueFile) -> Result<()> {
    let known = newest();
    let found = check(connection, file, known)?;
    if found == known {
        return Ok(());
    }
    Err(StoreError::Older {
        place: file.place(),
        found,
        known,
    })
}

fn migrate(
    connection: &mut Connection,
    file: &CatalogueFile,
    migrations: &[&str],
) -> Result<Vec<DamagedRow>> {
    let known = i64::try_from(migrations.len()).expect("a handful of migrations");
    check(connection, file, known)?;
    log_ahead(connection, file)?;
    let mut aside = Vec::new();
    loop {
        let version = check(connection, file, known)?;
        let done = usize::try_from(version).expect("`check` refuses a negative number");
        if done == migrations.len() {
            return Ok(aside);
        }
        if version > 0 {
            copy_before(connection, file, version + 1)?;
        }
        let applied = apply(connection, version, &migrations[done..]);
        aside.extend(applied.map_err(|error| sql_error(&error, file))?);
    }
}

fn log_ahead(connection: &Connection, file: &CatalogueFile) -> Result<()> {
    // Without the retries, two processes that create the catalogue at once would both fail as busy, whatever the busy
    // time-out.
    retry(file.busy_timeout, || use_write_ahead_log(connection))
        .map_err(|error| sql_error(&error, file))
}

/// Returns the file's schema number, 0 for an empty file.
fn check(connection: &Connection, file: &CatalogueFile, known: i64) -> Result<i64> {
    let read = || -> rusqlite::Result<(i32, i64, i64)> {
        // One statement: another process cannot migrate between its three values.
        connection.query_row(
            "SELECT (SELECT application_id FROM pragma_application_id),
                    (SELECT user_version FROM pragma_user_version),
                    (SELECT count(*) FROM sqlite_schema)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    };
    let (application, version, tables) = read().map_err(|error| sql_error(&error, file))?;
    let empty = (application, version, tables) == (0, 0, 0);
    if !empty && (application != APPLICATION_ID || version < 0) {
        return Err(file.failed("not a gannet catalogue: another program's SQLite database"));
    }
    if version > known {
        return Err(StoreError::Newer {
            place: file.place(),
            found: version,
            known,
        });
    }
    Ok(version)
}

/// Copies the catalogue to `gannet.db.before-NNN` beside it.
fn copy_before(connection: &Connection, file: &CatalogueFile, migration: i64) -> Result<()> {
    let copy = CatalogueFile {
        path: with_suffix(&file.path, &format!(".before-{migration:03}")),
        ..file.clone()
    };
    let partial = with_suffix(&copy.path, &format!(".{}", std::process::id()));
    let failed = |error: std::io::Error| {
        copy.failed(format!("cannot keep a copy before the migration: {error}"))
    };
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // SQLite would create it readable for all, and it contains every small body.
    make_private(&partial).map_err(failed)?;
    connection
        .execute("VACUUM INTO ?1", [partial.to_string_lossy()])
        .map_err(|error| sql_error(&error, &copy))?;
    std::fs::File::open(&partial)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(&partial, &copy.path))
        .map_err(failed)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn retry<T>(within: Duration, step: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    for _ in 1..BUSY_TRIES {
        match step() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                std::thread::sleep(within / BUSY_TRIES);
            }
            other => return other,
        }
    }
    step()
}

/// Asserts that SQLite's query plan for `sql` has all of `steps` and none of `others`.
#[cfg(test)]
pub(super) fn assert_plan(sql: &str, steps: &[&str], others: &[&str]) {
    let plan = query_plan(sql);
    let is_good = steps.iter().all(|step| plan.contains(step));
    assert!(
        is_good && !others.iter().any(|step| plan.contains(step)),
        "{plan}"
    );
}

/// Returns SQLite's query plan for `sql` on the newest schema, one step a line.
#[cfg(test)]
pub(super) fn query_plan(sql: &str) -> String {
    let connection = Connection::open_in_memory().expect("a database");
    add_row_checksum(&connection).expect("a function");
    connection.execute_batch(NEWEST).expect("a schema");
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .expect("a statement");
    let steps = statement
        .raw_query()
        .mapped(|row| row.get::<_, String>(3))
        .collect::<rusqlite::Result<Vec<_>>>();
    steps.expect("a plan").join("\n")
}

#[cfg(test)]
mod tests;
