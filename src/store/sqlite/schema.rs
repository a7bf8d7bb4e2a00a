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
    "025" "026" "027" "028" "029" "030" "031" "032" "033" "034" "035" "036"
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
mod tests {
    use super::*;
    use crate::store::sqlite::connection::open_for_writing;

    fn open(path: &Path, migrations: &[&str]) -> Result<Connection> {
        make_private(path).expect("a file");
        let file = CatalogueFile::new(path, Duration::from_secs(5));
        let mut connection = open_for_writing(&file)?;
        migrate(&mut connection, &file, migrations).map(|_| connection)
    }

    fn text(sql: &Connection, query: &str) -> String {
        let row = sql.query_row(query, [], |row| row.get(0));
        row.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Makes a catalogue of an older schema with these rows, and opens it with the newest.
    fn migrated_with(schema: usize, rows: &str) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gannet.db");
        let older = open(&path, &MIGRATIONS[..schema]).expect("an older schema");
        older.execute_batch(rows).expect("rows");
        drop(older);
        let migrated = open(&path, MIGRATIONS).expect("the newest schema");
        (folder, migrated)
    }

    #[test]
    fn an_older_catalogue_is_copied_then_migrated() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gannet.db");
        let first = "CREATE TABLE a (x INTEGER) STRICT";
        open(&path, &[first])
            .expect("schema 1")
            .execute("INSERT INTO a VALUES (7)", [])
            .expect("a row");
        let second = "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1";
        let migrated = open(&path, &[first, second]).expect("schema 2");
        let y: i64 = migrated
            .query_row("SELECT y FROM a", [], |row| row.get(0))
            .expect("the new column");
        assert_eq!(y, 8);
        let copy = Connection::open(folder.path().join("gannet.db.before-002")).expect("the copy");
        let x: i64 = copy
            .query_row("SELECT * FROM a", [], |row| {
                assert_eq!(row.as_ref().column_count(), 1);
                row.get(0)
            })
            .expect("the old table");
        assert_eq!(x, 7);
        drop(migrated);
        assert!(matches!(
            open(&path, &[first]),
            Err(StoreError::Newer {
                found: 2,
                known: 1,
                ..
            })
        ));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_older_schema() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gannet.db");
        let first = "CREATE TABLE a (x INTEGER) STRICT";
        open(&path, &[first]).expect("schema 1");
        open(
            &path,
            &[
                first,
                "CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE a (x INTEGER)",
            ],
        )
        .expect_err("a table that is there");
        let connection = open(&path, &[first]).expect("schema 1 still");
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .expect("a count");
        assert_eq!(tables, 1);
    }

    #[test]
    fn the_newest_version_of_an_older_catalogue_was_received_whole() {
        let rows = "PRAGMA foreign_keys = OFF;
             INSERT INTO version (id, source_id, ordinal, blob_id, name_id, fetched_at, state)
                 VALUES (3, 1, 0, 1, 1, 77, 'passed');
             INSERT INTO source_state (source_id, host, next_slot, active, version_id)
                 VALUES (1, 'h', 1, 1, 3), (2, 'h', 1, 1, NULL);";
        let (_folder, sql) = migrated_with(7, rows);
        let whole =
            "SELECT group_concat(source_id || ' ' || ifnull(whole_at, 'never')) FROM source_state";
        assert_eq!(text(&sql, whole), "1 77,2 never");
    }

    #[test]
    fn validators_of_every_older_catalogue_are_kept() {
        let rows = r#"PRAGMA foreign_keys = OFF;
            INSERT INTO source_state (source_id, host, next_slot, active, etag, last_modified)
                VALUES (1, 'h', 1, 1, 'W/"é\1"', 'Sat'), (2, 'h', 1, 1, NULL, 'Sun'), (3, 'h', 1, 1, NULL, NULL);"#;
        let asked = "UPDATE source_state SET validators_address = 'aa', validators_fields = ''";
        let read = "SELECT group_concat(ifnull(validators, 'none'), char(10)) FROM source_state";
        for schema in 1..34 {
            let (update, asked) = match schema {
                ..13 => ("", ""),
                _ => (asked, r#","a":"aa","f":"""#),
            };
            let (_folder, sql) = migrated_with(schema, &format!("{rows} {update}"));
            let expected = format!(
                r#"{{"e":"W/\"é\\1\"","m":"Sat"{asked}}}
{{"m":"Sun"{asked}}}
none"#
            );
            assert_eq!(text(&sql, read), expected, "from schema {schema}");
        }
    }

    #[test]
    fn a_damaged_state_of_a_source_stops_no_migration() {
        let rows = r#"PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'source_state'; PRAGMA schema_version = 1000;
            INSERT INTO source_state (source_id, host, next_slot, active, failures, etag)
                VALUES (1, 'h', 1, 1, 'x', '"a"'), (2, 'h', 1, 1, 0, x'00'), (3, 'h', 1, 1, 0, '"c"');
            UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'source_state'; PRAGMA schema_version = 1001;"#;
        let (_folder, sql) = migrated_with(33, rows);
        let sound = "SELECT validators FROM source_state WHERE source_id = 3";
        assert_eq!(text(&sql, sound), r#"{"e":"\"c\""}"#);
    }

    #[test]
    fn versions_of_every_older_catalogue_get_digest_and_checksum() {
        use crate::domain::VersionId;
        use crate::store::sqlite::version_row::place_by_id;
        let rows = "PRAGMA foreign_keys = OFF;
             CREATE TEMP VIEW numbers (n) AS VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9);
             INSERT INTO text (id, value) VALUES (1, 'a.csv');
             INSERT INTO blob (id, digest, size_bytes, form, depth, stored_bytes, body)
                 SELECT n, CAST(printf('%032d', n) AS BLOB), 1, 'raw', 0, 1, x'00' FROM numbers;
             INSERT INTO version (id, source_id, ordinal, blob_id, name_id, fetched_at, state)
                 SELECT n * 3000000000, n % 4, n / 4, 10 - n, 1, 1769860830000 + n,
                     CASE n % 5 WHEN 0 THEN 'pending' WHEN 1 THEN 'passed' WHEN 2 THEN 'failed' WHEN 3 THEN 'error' ELSE 'unverified' END FROM numbers;";
        for schema in 1..12 {
            let (_folder, migrated) = migrated_with(schema, rows);
            for number in 1..10 {
                let id = VersionId(number * 3_000_000_000);
                let place = place_by_id(&migrated, id).expect("a checksum that fits");
                assert_eq!(place.expect("the version").blob_id, 10 - number);
            }
            let query = "SELECT count(*) FROM version v JOIN blob b ON b.id = v.blob_id AND b.digest = v.digest";
            let sound: i64 = migrated
                .query_row(query, [], |row| row.get(0))
                .expect("a count");
            assert_eq!(sound, 9, "from schema {schema}");
        }
    }

    /// A refusal (1) and two verdicts of a verifier, on a version and on an edition.
    const VERDICTS_OF_SCHEMA_22: &str = r#"PRAGMA foreign_keys = OFF;
        INSERT INTO text (id, value) VALUES (1, 'eyes'), (2, 'aa'), (3, 'bb'), (4, 'me');
        INSERT INTO definition VALUES (2, '{"outside":true}'), (3, '{"name":"eyes"}');
        INSERT INTO version (id, source_id, ordinal, blob_id, name_id, fetched_at, state, digest)
            VALUES (5, 7, 0, 1, 1, 77, 'failed', zeroblob(32));
        INSERT INTO edition VALUES (5, 'release', 77, 'failed', zeroblob(32), 1);
        INSERT INTO edition_member VALUES (5, 7, 5, 'a');
        INSERT INTO verdict VALUES (1, 5, 1, 2, 4, 'failed', '', NULL, '', 1769860830000, 0, NULL),
            (2, 5, 1, 3, 4, 'failed', '', 1, '', 1769860830000, 5, 4), (700, 5, 1, 3, 4, 'passed', '', 1, '', 1769860830000, 5, 4);
        INSERT INTO edition_verdict SELECT * FROM verdict;"#;

    #[test]
    fn verdicts_of_an_older_catalogue_get_checksums_and_refusals_are_kept() {
        use crate::store::sqlite::verdict_tables::{OF_EDITIONS, OF_VERSIONS};
        let (_folder, sql) = migrated_with(22, VERDICTS_OF_SCHEMA_22);
        sql.execute_batch("PRAGMA foreign_keys = OFF")
            .expect("a setting");
        let number = |query: &str| -> i64 {
            let row = sql.query_row(query, [], |row| row.get(0));
            row.unwrap_or_else(|error| panic!("{query}: {error}"))
        };
        for tables in [OF_VERSIONS, OF_EDITIONS] {
            let (fits, table) = (tables.fits(), tables.verdicts);
            let fitting =
                format!("SELECT count(*) FROM (SELECT {fits} FROM {table} d) WHERE checksum");
            assert_eq!(number(&fitting), 3, "{table}");
            let kept = format!(
                "SELECT group_concat(verdict_id) = '1' FROM {}",
                tables.refusals
            );
            assert_eq!(number(&kept), 1, "{table}");
            let columns = [
                "id",
                tables.on,
                "verifier_id",
                "fingerprint_id",
                "actor_id",
                "started_at",
                "given_on",
            ];
            for column in columns {
                for flip in (0..64).map(|bit| 1_i64.rotate_left(bit)) {
                    sql.execute_batch(&format!(
                        "BEGIN; UPDATE {table} SET {column} = ({column} | {flip}) - ({column} & {flip}) WHERE id = 2"
                    ))
                    .expect("a flipped bit");
                    assert_eq!(number(&fitting), 2, "{table}.{column} {flip}");
                    sql.execute_batch("ROLLBACK").expect("as before");
                }
            }
        }
    }

    #[test]
    fn settings_of_every_older_catalogue_are_kept() {
        use crate::domain::SourceId;
        use crate::store::sqlite::source_row::source_by_id;
        let rows = r#"PRAGMA foreign_keys = OFF;
            INSERT INTO source (id, name, address, interval_hours, enabled, tags, headers, allow_private, allow_http, allow_empty, publish,
                max_size_bytes, published_path, path_key, created_at)
            VALUES (1, 'a', 'https://h/a', 24, 1, '[]', '[]', 0, 0, 0, 'passed', NULL, 'a', 'a', 1),
                (2, 'b', 'https://h/b', 168, 0, '["x","y"]', '[["A","1"],["a","2"],["A","3"],["B","${T}"]]', 1, 1, 1, 'newest',
                    3000, 'b', 'b', 1),
                (3, 'c', 'https://h/c', 7, 1, '[', '[]', 0, 0, 0, 'passed', NULL, 'c', 'c', 1),
                (4, 'd', 'https://h/d', 7, 1, 'null', '[]', 0, 0, 0, 'passed', NULL, 'd', 'd', 1),
                (5, 'e', 'https://h/e', 7, 1, '{}', '[]', 0, 0, 0, 'passed', NULL, 'e', 'e', 1),
                (6, 'f', 'https://h/f', 7, 1, '[]', 'null', 0, 0, 0, 'passed', NULL, 'f', 'f', 1),
                (7, 'g', 'https://h/g', 7, 1, '[]', '1', 0, 0, 0, 'passed', NULL, 'g', 'g', 1);
            INSERT INTO source_state (source_id, host, next_slot, active) SELECT id, 'h', 0, enabled FROM source;"#;
        for schema in 1..24 {
            let (_folder, sql) = migrated_with(schema, rows);
            let settings = |id| {
                let source = source_by_id(&sql, SourceId(id)).ok()?;
                let settings = source.settings.beyond_defaults();
                Some(serde_json::to_string(&settings).expect("JSON"))
            };
            assert_eq!(settings(1).as_deref(), Some("{}"), "from schema {schema}");
            let all = r#"{"interval":"7d","enabled":false,"tags":["x","y"],"allow_private":true,"allow_http":true,"allow_empty":true,"publish":"newest","max_size":"3000B","headers":{"A":["1","3"],"B":"${T}","a":"2"}}"#;
            assert_eq!(settings(2).as_deref(), Some(all), "from schema {schema}");
            for damaged in 3..8 {
                assert_eq!(settings(damaged), None, "{damaged} from schema {schema}");
            }
            let computed = "SELECT group_concat(interval_hours || ' ' || enabled || tags || publish, ', ' ORDER BY id) FROM source";
            assert_eq!(
                text(&sql, computed),
                r#"24 1[]passed, 168 0["x","y"]newest"#
            );
        }
    }

    #[test]
    fn attempts_and_events_of_every_older_catalogue_are_read() {
        use crate::domain::{Action, SourceId};
        use crate::store::sqlite::{attempt_query::attempts_of, event::list};
        use crate::store::types::EventFilter;
        let rows = "PRAGMA foreign_keys = OFF;
            INSERT INTO text (id, value) VALUES (1, 'failed'), (2, 'me'), (3, 'fetch.failed'), (4, 'verdict.passed');
            INSERT INTO attempt VALUES (5, 7, 1769860830000, 20, 3, 1, 503, NULL, NULL, 'status', '503');
            INSERT INTO event (id, at, actor_id, action_id, source_id, version_id, detail)
                VALUES (8, 1769860830000, 2, 3, 7, NULL, 'status: 503'), (9, 1769860830000, 2, 4, 7, 3, 'schema');";
        for schema in 1..30 {
            let (_folder, sql) = migrated_with(schema, rows);
            let mut damaged = Vec::new();
            let attempts =
                attempts_of(&sql, SourceId(7), None, None, &mut damaged).expect("a read");
            let shown = attempts.iter().map(|one| (one.id.0, &one.provenance));
            assert_eq!(shown.collect::<Vec<_>>(), [(5, &None)], "from {schema}");
            assert_eq!(attempts[0].error.as_deref(), Some("503"));
            let all = EventFilter {
                limit: 9,
                ..EventFilter::default()
            };
            let events = list(&sql, &all, &mut damaged).expect("a read");
            let shown = events.iter().map(|one| (one.event.action, one.event.about));
            let expected = [(Action::FetchFailed, None), (Action::VerdictPassed, None)];
            assert_eq!(shown.collect::<Vec<_>>(), expected, "from {schema}");
            assert!(damaged.is_empty(), "from {schema}");
        }
    }

    #[test]
    fn claims_of_an_older_catalogue_hold_until_they_would_have() {
        use crate::store::sqlite::worker::living;
        let rows = "PRAGMA foreign_keys = OFF;
             INSERT INTO source_state (source_id, host, next_slot, active, lease_owner, lease_until, fence)
             VALUES (1, 'h', 0, 1, 'run-live', 1769860830001, 3), (2, 'h', 0, 1, 'run-over', 1769860830000, 4),
                 (3, 'h', 0, 1, NULL, NULL, 5)";
        let (_folder, sql) = migrated_with(29, rows);
        let now = chrono::DateTime::from_timestamp_millis(1_769_860_830_000).expect("a time");
        let held = "SELECT group_concat(source_id || ' ' || fence || ' ' || lease_owner) FROM source_state
             WHERE lease_owner IN (SELECT id FROM worker WHERE folder = id AND seen_at > ?1 AND seen_at <= ?2)";
        let held: String = sql
            .query_row(held, living(now), |row| row.get(0))
            .expect("a claim");
        assert_eq!(held, "1 3 run-live");
    }

    #[test]
    fn a_new_catalogue_has_the_schema_that_the_migrations_lead_to() {
        let (_folder, migrated) = migrated_with(1, "");
        let mut statements = migrated
            .prepare("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY rowid")
            .expect("a statement");
        let statements = statements.query_map([], |row| row.get::<_, String>(0));
        let all: rusqlite::Result<String> = statements
            .expect("rows")
            .map(|statement| Ok(statement? + ";\n"))
            .collect();
        let all = all.expect("the schema");
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/store/sqlite/schema/newest.sql"
        );
        if option_env!("GANNET_WRITE_SCHEMA").is_some() {
            std::fs::write(file, &all).expect("written");
        }
        let written = std::fs::read_to_string(file).expect("the file");
        assert!(
            written == all,
            "after a migration, run this test with GANNET_WRITE_SCHEMA=1 to write {file} anew"
        );
    }

    #[test]
    fn a_new_catalogue_is_not_copied() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gannet.db");
        make_private(&path).expect("a file");
        let file = CatalogueFile::new(&path, Duration::from_secs(5));
        let mut connection = open_for_writing(&file).expect("a file");
        prepare(&mut connection, &file).expect("a catalogue");
        drop(connection);
        let files = std::fs::read_dir(folder.path()).expect("a listing").count();
        assert_eq!(files, 1);
    }
}
