//! Changes of a catalogue that SQLite would refuse, as a damaged disk makes them: any value in any column.

use std::path::Path;

use rusqlite::Connection;

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
