//! Tests go through the doors of users. Only tests of damage and of SQLite itself say SQL; everybody else asks the rig for what
//! time, a crash or an earlier version leaves.

use std::fs;
use std::path::{Path, PathBuf};

/// Where SQL may stand: the rig's one file, tests of damage, tests of the engine and of `gannet sql`, and tests of what source code may
/// say.
fn may_say_sql(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    name == "rig/sqlite.rs"
        || name.starts_with("it/store/")
        || name.starts_with("it/layers/")
        || name.starts_with("bench/")
        || last.starts_with("damaged")
        || last == "raw_sql.rs"
        || name == "it/sql.rs"
}

fn files_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn only_tests_of_damage_and_of_sqlite_write_sql() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = Vec::new();
    files_below(&root, &mut files);
    assert!(files.len() > 100, "{}", files.len());
    let signs = [
        "rusqlite",
        "UPDATE ",
        "DELETE FROM",
        "INSERT INTO",
        "ALTER TABLE",
        "CREATE TRIGGER",
        "sqlite::damage",
    ];
    let mut found = Vec::new();
    for path in files {
        let name = path
            .strip_prefix(&root)
            .expect("below")
            .display()
            .to_string();
        let text = fs::read_to_string(&path).expect("a text");
        let said = signs.iter().filter(|sign| text.contains(**sign));
        if !may_say_sql(&name) {
            found.extend(said.map(|sign| format!("{name}: `{sign}`")));
        }
    }
    assert_eq!(found, [""; 0]);
}
