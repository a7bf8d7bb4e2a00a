//! `gannet sql`: one query that only reads, within limits, and the page of the manual that describes the tables.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use gannet::app::Cell;
use rusqlite::Connection;
use serde_json::json;

use crate::rig::{Home, Said, TestApp};

fn home() -> Home {
    let home = Home::new("");
    home.serve("a.csv", "one\n");
    home.add("a.csv", &[]);
    home.fetch("a.csv");
    home
}

/// Runs statements on the catalogue, which no command would.
fn write(home: &Home, statements: &str) {
    let sql = Connection::open(home.data().join("gannet.db")).expect("the catalogue");
    sql.execute_batch(statements).expect(statements);
}

#[test]
fn a_query_is_a_table_for_people_and_for_programs() {
    let home = home();
    let query =
        "SELECT id, name, NULL AS gone, 0.5 AS half, x'00ff' AS bytes, 9e999 AS id FROM source";
    assert_eq!(
        home.ok(&["sql", query]),
        "id  name   gone  half  bytes           id\n 1  a.csv  NULL   0.5  2 bytes: 00ff  Inf\n"
    );
    let expected = json!([{"id": 1, "name": "a.csv", "gone": null, "half": 0.5, "bytes": "00ff", "id:1": "Inf"}]);
    assert_eq!(home.json(&["sql", "--json", query]), expected);
    assert_eq!(
        home.ok(&["sql", "--csv", query]),
        "id,name,gone,half,bytes,id:1\r\n1,a.csv,,0.5,00ff,Inf\r\n"
    );
    let said = home.run_with(&["sql", "-", "--csv"], "SELECT name\nFROM source;\n");
    assert_eq!(
        (said.code, said.out.as_str()),
        (Some(0), "name\r\na.csv\r\n")
    );
}

#[test]
fn queries_that_read_are_allowed() {
    let home = home();
    for query in [
        "VALUES (1), (2)",
        "SELECT 1; -- and a comment",
        "EXPLAIN QUERY PLAN SELECT * FROM source",
        "PRAGMA table_info(source)",
        "PRAGMA user_version",
        "SELECT name FROM pragma_table_xinfo('source')",
        "SELECT name FROM sqlite_schema",
        "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT sum(x) FROM n",
        "WITH t AS (SELECT 1) SELECT count(*) FROM t",
        "SELECT count(*) FROM version JOIN blob ON blob.id = blob_id",
        "SELECT value FROM source, json_each(tags) UNION SELECT 1",
        "SELECT settings ->> 'interval', json_group_array(name) OVER () FROM source",
        "SELECT datetime(created_at / 1000, 'unixepoch'), row_checksum(1), upper(name) FROM source",
        "SELECT s.name, x.value FROM source s JOIN text x USING (id)",
    ] {
        let said = home.run(&["sql", query]);
        assert_eq!(said.code, Some(0), "{query}: {said:#?}");
    }
    let none = home.run(&["sql", "SELECT 1 WHERE 0"]);
    assert_eq!(
        (none.code, none.out.as_str(), none.err.as_str()),
        (Some(1), "", "")
    );
    let none = home.run(&["sql", "--json", "SELECT 1 WHERE 0"]);
    assert_eq!((none.code, none.out.as_str()), (Some(1), "[]\n"));
}

#[test]
fn everything_else_is_refused_and_changes_nothing() {
    let home = home();
    let before = fs::read(home.data().join("gannet.db")).expect("the catalogue");
    let other = home.path("other.db").display().to_string();
    for (query, reason) in [
        ("SELEC 1", "near \"SELEC\": syntax error (line 1, column 1)"),
        (
            "SELECT 1,\n  missing FROM source",
            "no such column: missing (line 2, column 3)",
        ),
        ("SELECT * FROM missing", "no such table: missing"),
        ("", "there is no query"),
        (" ; ;", "there is no query"),
        ("SELECT 1; SELECT 2", "only one query at a time"),
        ("SELECT 1; nonsense", "only one query at a time"),
        ("SELECT ?1", "the query has parameters"),
        ("SELECT abs(-9223372036854775808)", "integer overflow"),
        ("DELETE FROM source", "only queries that read"),
        (
            "INSERT INTO chore VALUES ('x', 1)",
            "only queries that read",
        ),
        (
            "UPDATE source SET name = 'x' RETURNING name",
            "only queries that read",
        ),
        (
            "WITH x AS (SELECT 1) DELETE FROM source RETURNING id",
            "only queries that read",
        ),
        ("CREATE TABLE x (y)", "only queries that read"),
        ("CREATE TEMP TABLE x AS SELECT 1", "only queries that read"),
        ("DROP TABLE source", "only queries that read"),
        ("BEGIN", "only queries that read"),
        ("SAVEPOINT x", "only queries that read"),
        ("ANALYZE", "only queries that read"),
        ("REINDEX", "only queries that read"),
        ("VACUUM", "only queries that read"),
        (&format!("VACUUM INTO '{other}'"), "only queries that read"),
        (&format!("ATTACH '{other}' AS x"), "only queries that read"),
        ("DETACH main", "only queries that read"),
        ("PRAGMA writable_schema = 1", "only queries that read"),
        ("PRAGMA user_version = 1", "only queries that read"),
        ("PRAGMA journal_mode", "only queries that read"),
        ("PRAGMA wal_checkpoint(TRUNCATE)", "only queries that read"),
        ("PRAGMA integrity_check", "only queries that read"),
        ("PRAGMA temp_store_directory", "only queries that read"),
        (
            "SELECT * FROM pragma_database_list",
            "only queries that read",
        ),
        (
            "SELECT * FROM pragma_journal_mode",
            "only queries that read",
        ),
        ("SELECT load_extension('x')", "load_extension"),
        (
            "SELECT readfile('/etc/passwd')",
            "no such function: readfile",
        ),
        ("SELECT writefile('x', 'y')", "no such function: writefile"),
        (
            "SELECT fts3_tokenizer('simple')",
            "function: fts3_tokenizer",
        ),
        ("SELECT sqlite_offset(name) FROM source", "sqlite_offset"),
        ("SELECT name FROM dbstat", "only queries that read"),
        ("SELECT zeroblob(100000000)", "too big"),
        ("SELECT printf('%.*c', 100000000, 'x')", "too big"),
    ] {
        let said = home.run(&["sql", query]);
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(2), ""),
            "{query}: {said:#?}"
        );
        assert!(said.err.contains(reason), "{query}: {said:#?}");
    }
    let many = "SELECT 1;".repeat(7000);
    let said = home.run_with(&["sql", "-"], &many);
    assert_eq!(said.code, Some(2), "{said:#?}");
    let long = format!("SELECT '{}'", "x".repeat(65 << 10));
    let said = home.run_with(&["sql", "-"], &long);
    assert!(
        said.code == Some(2) && said.err.contains("64 KiB"),
        "{said:#?}"
    );
    assert!(!Path::new(&other).exists());
    let after = fs::read(home.data().join("gannet.db")).expect("the catalogue");
    assert!(before == after, "the catalogue was written to");
}

#[test]
fn a_query_that_never_ends_is_stopped() {
    let home = home();
    let endless =
        "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
    let growing = "WITH RECURSIVE n(x) AS (VALUES (zeroblob(4000000)) UNION ALL SELECT zeroblob(4000000) FROM n) SELECT x FROM n ORDER BY x";
    for (query, timeout, reason) in [
        (endless, "50ms", "stopped after 50 ms"),
        (growing, "4s", "stopped"),
        // One call of a function that SQLite cannot interrupt.
        (
            "SELECT instr(printf('%.*c', 4000000, 'a'), printf('%.*c', 2000000, 'a') || 'b')",
            "50ms",
            "stopped after 50 ms",
        ),
    ] {
        let begun = Instant::now();
        let said = home.run(&["sql", "--timeout", timeout, query]);
        assert_eq!(said.code, Some(2), "{query}: {said:#?}");
        assert!(said.err.contains(reason), "{query}: {said:#?}");
        assert!(begun.elapsed() < Duration::from_mins(1), "{query}");
    }
}

#[test]
fn rows_and_values_are_cut_at_their_limits() {
    let home = home();
    let numbers = |count: u32| {
        format!(
            "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT {count}) SELECT x FROM n"
        )
    };
    for (count, cut) in [(10_000, false), (10_001, true), (2_000_000, true)] {
        let said = home.run(&["sql", "--csv", &numbers(count)]);
        assert_eq!((said.code, said.out.lines().count()), (Some(0), 10_001));
        let note = "warning: only the first 10000 rows: there are more\n";
        assert_eq!(said.err, if cut { note } else { "" }, "{count}");
    }
    let said = home.run(&[
        "sql",
        "--json",
        "SELECT printf('%.*c', 70000, 'x') AS x, zeroblob(70000) AS y",
    ]);
    let rows: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let length = |name: &str| rows[0][name].as_str().map(str::len);
    assert_eq!((length("x"), length("y")), (Some(65_536), Some(131_072)));
    assert!(said.err.contains("2 values cut"), "{said:#?}");
    let large = numbers(1000).replace("SELECT x FROM n", "SELECT zeroblob(65536) FROM n");
    let said = home.run(&["sql", "--csv", &large]);
    assert_eq!((said.code, said.out.lines().count()), (Some(0), 256));
    assert!(
        said.err
            .contains("only the first 255 rows: the next one would exceed 16 MiB"),
        "{}",
        said.err
    );
}

#[test]
fn control_characters_reach_no_terminal() {
    let home = home();
    let query = "SELECT 'a' || char(27, 7, 155) || '[31mred' || char(10) || 'b' AS \"x\u{1b}[2Jy\", CAST(x'ff1b' AS TEXT) AS z";
    for format in [&[][..], &["--csv"], &["--json"]] {
        let said = home.run(&[&["sql", query], format].concat());
        assert_eq!(said.code, Some(0), "{said:#?}");
        let is_bad = |c: char| c.is_control() && c != '\n' && c != '\r';
        let escaped = format.contains(&"--json");
        assert!(escaped || !said.out.contains(is_bad), "{said:#?}");
        assert!(!said.out.contains('\u{1b}'), "{said:#?}");
    }
    let said = home.run(&["sql", "SELECT \u{1b}[31m"]);
    assert!(
        said.code == Some(2) && !said.err.contains('\u{1b}'),
        "{said:#?}"
    );
}

#[test]
fn hashes_of_those_who_sign_in_stay_hidden() {
    let home = home();
    write(
        &home,
        "PRAGMA foreign_keys = OFF;
         DROP TABLE IF EXISTS session; DROP TABLE IF EXISTS token; DROP TABLE IF EXISTS person;
         CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, password_hash TEXT);
         CREATE TABLE session (digest BLOB PRIMARY KEY, secret_digest BLOB, checksum ANY) STRICT, WITHOUT ROWID;
         CREATE TABLE token (id INTEGER PRIMARY KEY, name TEXT, secret_hash TEXT UNIQUE, Token_Digest TEXT);
         INSERT INTO person VALUES (1, 'anna', 'SECRET'); INSERT INTO session VALUES (x'534543524554', x'534543524554', 'SECRET');
         INSERT INTO token VALUES (1, 'ci', 'SECRET', 'SECRET');",
    );
    for query in [
        "SELECT * FROM person, session, token",
        "SELECT password_hash, PERSON.Password_Hash, hex(password_hash) FROM Person",
        "SELECT p.password_hash FROM main.\"person\" AS p",
        "SELECT secret_digest FROM (SELECT * FROM session)",
        "SELECT digest, hex(digest), checksum FROM session ORDER BY digest",
        "SELECT min(digest), group_concat(checksum) FROM session",
        "WITH t AS (SELECT secret_hash AS x FROM token) SELECT x FROM t",
        "SELECT group_concat(secret_hash) FROM token",
        "SELECT json_object('x', Token_Digest) FROM token GROUP BY secret_hash ORDER BY secret_hash",
        "SELECT count(*) FROM token WHERE secret_hash > 'A'",
        "SELECT count(*) FROM token JOIN (VALUES ('SECRET')) ON column1 = secret_hash",
        "SELECT secret_hash FROM token FULL JOIN (SELECT 'x' AS secret_hash) USING (secret_hash)",
        "SELECT * FROM token NATURAL JOIN (SELECT 'SECRET' AS secret_hash)",
        "SELECT 1 FROM token /**/ natural/**/join (SELECT 'SECRET' AS secret_hash)",
        "SELECT * FROM sqlite_stat4",
    ] {
        let said = home.run(&["sql", "--csv", query]);
        let is_found = said.out.contains("SECRET") || said.out.contains("534543524554");
        assert!(!is_found, "{query}: {said:#?}");
        assert!(
            !said.out.lines().any(|line| line == "1"),
            "{query}: {said:#?}"
        );
    }
    assert_eq!(
        home.ok(&["sql", "--csv", "SELECT id, name, secret_hash FROM token"]),
        "id,name,secret_hash\r\n1,ci,\r\n"
    );
    let said = home.run(&["sql", "SELECT name FROM token JOIN person USING (id)"]);
    assert!(
        said.code == Some(2) && said.err.contains("write ON"),
        "{said:#?}"
    );
}

#[test]
fn a_store_that_is_not_there_cannot_be_read() {
    let said: Said = Home::new("").run(&["sql", "SELECT 1"]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    let home = home();
    fs::write(
        home.data().join("gannet.db"),
        "no database at all, but long enough",
    )
    .expect("a file");
    let said = home.run(&["sql", "SELECT 1"]);
    assert_eq!(said.code, Some(3), "{said:#?}");
}

#[tokio::test]
async fn other_faces_get_cells_and_facts() {
    let test = TestApp::new().open().await;
    let table = test
        .app
        .sql("SELECT 1 AS one, 'x' AS x")
        .await
        .expect("a table");
    assert_eq!(table.columns, ["one", "x"]);
    assert_eq!(table.rows[0][0], Cell::Integer(1));
    assert!(!table.is_cut);
    let tables = test.app.tables().await.expect("the tables");
    let source = tables
        .iter()
        .find(|one| one.name == "source")
        .expect("a table");
    assert_eq!(source.rows, 0);
    let facts = |name: &str| {
        let column = source.columns.iter().find(|column| column.name == name);
        column.map(|column| (column.value_type.as_str(), column.is_nullable))
    };
    assert_eq!(facts("id"), Some(("INTEGER", false)));
    assert_eq!(facts("name"), Some(("TEXT", false)));
    assert_eq!(facts("removed_at"), Some(("INTEGER", true)));
    assert_eq!(facts("tags"), Some(("ANY", true)));
}

#[tokio::test]
async fn the_manual_describes_every_table_and_column() {
    let test = TestApp::new().open().await;
    let tables = test.app.tables().await.expect("the tables");
    let actual: BTreeSet<_> = tables
        .iter()
        .flat_map(|table| {
            table
                .columns
                .iter()
                .map(|column| format!("{}.{}", table.name, column.name))
        })
        .collect();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/manual/schema.md");
    let page = fs::read_to_string(page).expect("the page");
    let mut described = BTreeSet::new();
    for section in page.split("\n### ").skip(1) {
        let table = section.lines().next().unwrap_or_default();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        for row in rows {
            let names = row.split(" | ").next().unwrap_or_default();
            let names = names
                .split('`')
                .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
            described.extend(names.map(|name| format!("{table}.{name}")));
        }
    }
    let missing: Vec<_> = actual.difference(&described).collect();
    let invented: Vec<_> = described.difference(&actual).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "not described: {missing:?}\nnot there: {invented:?}"
    );
}
