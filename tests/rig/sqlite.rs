//! Raw access to the catalogue's file, for tests of damage, of earlier schemas and of what a crash leaves. SQLite only: a test
//! that another engine has to pass never comes here.

use std::path::Path;

use rusqlite::Connection;

/// Opens the catalogue in this data folder.
pub(crate) fn open(data: &Path) -> Connection {
    Connection::open(data.join("gannet.db")).expect("the catalogue")
}

/// Runs statements on the catalogue in this data folder as they are, without its rules for foreign keys.
#[track_caller]
pub(crate) fn run(data: &Path, statements: &str) {
    let done = open(data).execute_batch(&format!("PRAGMA foreign_keys = OFF; {statements}"));
    done.unwrap_or_else(|error| panic!("{statements}: {error}"));
}

/// Lets as much time pass as makes every source due, and every look that a pass takes at times: the real program has no other clock.
pub(crate) fn make_all_due(data: &Path) {
    let due = "UPDATE source_state SET next_slot = 0; DELETE FROM chore; UPDATE archive_mark SET swept_at = NULL";
    run(data, due);
}

/// Lets a day pass since all published files were looked at.
pub(crate) fn make_looks_due(data: &Path) {
    run(data, "DELETE FROM chore");
}

/// Lets a day pass since the archive was tidied.
pub(crate) fn make_tidying_due(data: &Path) {
    run(data, "UPDATE archive_mark SET swept_at = NULL");
}

/// Runs statements on the catalogue in this data folder, while no column has a type, a check, or has to have a value.
pub(crate) fn damage(data: &Path, statements: &str) {
    let path = data.join("gannet.db");
    let before = with_schema(&path, |sql| {
        sql.execute_batch(
            "UPDATE sqlite_schema SET sql = replace(replace(replace(sql, 'IS NOT NULL', 'IS_'), ' NOT NULL', ''), 'IS_', 'IS NOT NULL')
                 WHERE type = 'table' AND name NOT LIKE 'sqlite_%';
             UPDATE sqlite_schema SET sql = replace(replace(sql, ') STRICT, WITHOUT', ') WITHOUT'), ') STRICT', ')')
                 WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
    });
    let sql = Connection::open(&path).expect("the catalogue");
    let damaged = sql.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {statements}"
    ));
    damaged.unwrap_or_else(|error| panic!("{statements}: {error}"));
    drop(sql);
    with_schema(&path, |sql| {
        for (name, text) in &before {
            let update = "UPDATE sqlite_schema SET sql = ?2 WHERE type = 'table' AND name = ?1";
            sql.execute(update, [name, text])?;
        }
        Ok(())
    });
}

/// Changes the schema as text; returns the tables as they were before.
fn with_schema(
    path: &Path,
    change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Vec<(String, String)> {
    let sql = Connection::open(path).expect("the catalogue");
    let config = rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE;
    sql.set_db_config(config, false).expect("a setting");
    let version: i64 = sql
        .query_row("PRAGMA schema_version", [], |row| row.get(0))
        .expect("a version");
    let tables = {
        let mut tables = sql
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .expect("a query");
        let rows = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows = rows.expect("tables").collect::<rusqlite::Result<Vec<_>>>();
        rows.expect("tables")
    };
    sql.execute_batch("PRAGMA writable_schema = ON")
        .expect("a setting");
    change(&sql).expect("a changed schema");
    sql.execute_batch(&format!("PRAGMA schema_version = {}", version + 1))
        .expect("another version");
    tables
}

/// Takes settings that are at their defaults, but for interval, tags and private addresses, back to the columns of schema 23.
pub(crate) const SETTINGS_OF_SCHEMA_23: &str = "CREATE TEMP TABLE old AS
        SELECT id, interval_hours, tags, coalesce(settings ->> 'allow_private', 0) AS allow_private FROM source;
    ALTER TABLE source DROP COLUMN interval_hours; ALTER TABLE source DROP COLUMN enabled; ALTER TABLE source DROP COLUMN tags;
    ALTER TABLE source DROP COLUMN publish; ALTER TABLE source DROP COLUMN settings;
    ALTER TABLE source DROP COLUMN checksum; ALTER TABLE policy DROP COLUMN checksum;
    ALTER TABLE withdrawal DROP COLUMN was_published; ALTER TABLE withdrawal DROP COLUMN left_size;
    ALTER TABLE withdrawal DROP COLUMN left_mtime; ALTER TABLE withdrawal DROP COLUMN left_inode; DROP TABLE left_file;
    ALTER TABLE source ADD COLUMN interval_hours INTEGER NOT NULL DEFAULT 24; ALTER TABLE source ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE source ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'; ALTER TABLE source ADD COLUMN headers TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE source ADD COLUMN allow_private INTEGER NOT NULL DEFAULT 0; ALTER TABLE source ADD COLUMN allow_http INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE source ADD COLUMN allow_empty INTEGER NOT NULL DEFAULT 0; ALTER TABLE source ADD COLUMN publish TEXT NOT NULL DEFAULT 'passed';
    ALTER TABLE source ADD COLUMN max_size_bytes INTEGER;
    UPDATE source SET (interval_hours, tags, allow_private) = (SELECT interval_hours, tags, allow_private FROM old WHERE old.id = source.id);
    DROP TABLE old; ALTER TABLE event DROP COLUMN by_hand; DROP INDEX source_removed_path; DROP INDEX file_set_published;
    DROP TABLE worker; DROP TABLE pending_object; ALTER TABLE source_state DROP COLUMN recorded_claim; ALTER TABLE source_state ADD COLUMN lease_until INTEGER;";

/// Gives a connection the checksum of rows as the catalogue computes it: FNV-1a of the kind, the bytes and the length of each value.
pub(crate) fn add_row_checksum(sql: &Connection) {
    use rusqlite::functions::FunctionFlags;
    use rusqlite::types::ValueRef;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let checksum = |values: &rusqlite::functions::Context<'_>| {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for value in (0..values.len()).map(|index| values.get_raw(index)) {
            let bytes = match value {
                ValueRef::Null => Vec::new(),
                ValueRef::Integer(number) => number.to_le_bytes().to_vec(),
                ValueRef::Real(number) => number.to_le_bytes().to_vec(),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
            };
            let length = (bytes.len() as u64).to_le_bytes();
            for byte in [value.data_type() as u8]
                .into_iter()
                .chain(bytes)
                .chain(length)
            {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Ok(hash.cast_signed())
    };
    sql.create_scalar_function("row_checksum", -1, flags, checksum)
        .expect("a function");
}

/// Gives versions that a test changed behind the store's back the checksum that their rows have to carry.
pub(crate) fn write_checksums(sql: &Connection) {
    write_checksums_of_schema_12(sql);
    update_versions(sql, include_str!("../../src/store/sqlite/schema/020.sql"));
}

/// Gives them the checksum that says nothing of their states, as schemas before 20 have it.
pub(crate) fn write_checksums_of_schema_12(sql: &Connection) {
    update_versions(sql, include_str!("../../src/store/sqlite/schema/012.sql"));
}

fn update_versions(sql: &Connection, migration: &str) {
    let update = migration
        .split_inclusive(';')
        .find(|statement| statement.contains("version SET"))
        .expect("a migration that changes checksums");
    sql.execute_batch(update).expect("checksums");
}
