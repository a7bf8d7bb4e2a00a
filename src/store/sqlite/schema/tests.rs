//! A new catalogue, and catalogues of every older schema, with their rows.

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
        let fitting = format!("SELECT count(*) FROM (SELECT {fits} FROM {table} d) WHERE checksum");
        assert_eq!(number(&fitting), 3, "{table}");
        let kept = format!(
            "SELECT group_concat(verdict_id) = '1' FROM {}",
            tables.refusals()
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
fn messages_of_an_older_catalogue_are_kept_and_nobody_has_judged_them() {
    use crate::domain::VersionState;
    use crate::store::sqlite::message_query::message_with_row;
    let rows = "PRAGMA foreign_keys = OFF;
        INSERT INTO queue (id, name) VALUES (1, 'orders');
        INSERT INTO text (id, value, checksum) VALUES (1, 'me', row_checksum(1, 'me'));
        INSERT INTO message (id, uuid, queue_id, received_at, persisted_at, sender_id, body, checksum)
            VALUES (5, zeroblob(16), 1, 7, 8, 1, '{}', row_checksum(zeroblob(16), 1, 7, 8, 1, '{}'));";
    let (_folder, sql) = migrated_with(37, rows);
    let message = message_with_row(&sql, 5).expect("sound").expect("kept");
    assert_eq!(message.body, "{}");
    assert_eq!(message.state, Some(VersionState::Unverified));
    let rows = text(&sql, "SELECT CAST(count(*) AS TEXT) FROM message_state");
    assert_eq!(rows, "0");
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
        let attempts = attempts_of(&sql, SourceId(7), None, None, &mut damaged).expect("a read");
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
