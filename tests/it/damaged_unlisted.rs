//! Sources that no list meets, since their rows are gone or say that they were removed at no time: they are named, and no second
//! history of the same address is begun.

use std::fs;

use crate::rig::sqlite::damage;
use crate::rig::{Home, Said};

const UNLISTED: [(&str, &str); 5] = [
    (
        "UPDATE source SET removed_at = 'x' WHERE id = 2",
        "row 2 of the table `source` (source b)",
    ),
    (
        "UPDATE source SET removed_at = 1795704908894.5 WHERE id = 2",
        "row 2 of the table `source` (source b)",
    ),
    (
        "UPDATE source SET removed_at = x'00' WHERE id = 2",
        "row 2 of the table `source` (source b)",
    ),
    (
        "DELETE FROM source WHERE id = 2",
        "row 2 of the table `source`",
    ),
    (
        "UPDATE source SET id = 77 WHERE id = 2",
        "row 77 of the table `source`",
    ),
];

fn assert_told(said: &Said, row: &str, what: &str) {
    assert_eq!(said.code, Some(3), "{what}: {said:#?}");
    let is_named = |line: &str| line.contains(row) && line.contains("is damaged");
    assert!(said.err.lines().any(is_named), "{what}: {said:#?}");
}

#[test]
fn a_source_that_no_list_meets_is_named_and_never_added_again() {
    let gannet = Home::new("").with_a_and_b(1);
    let origin = &gannet.origin;
    let file = gannet.path("sources.toml").display().to_string();
    fs::write(&file, gannet.ok(&["dump", "--toml"])).expect("a file");
    let saved = gannet.save();
    for (statement, row) in UNLISTED {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        for arguments in [
            &["apply", "--dry-run", &file][..],
            &["apply", &file],
            &["apply", "--prune", "--yes", &file],
            &["list"],
            &["list", "--json"],
            &["dump", "--toml"],
        ] {
            assert_told(
                &gannet.run(arguments),
                row,
                &format!("{statement}: {arguments:?}"),
            );
        }
        if statement.contains("removed_at") {
            let address = origin.url("/b");
            for arguments in [
                &["add", &address, "--allow-private"][..],
                &["add", &address, "--allow-private", "--name", "other"],
                &["add", &origin.url("/c"), "--allow-private", "--name", "b"],
            ] {
                assert_told(
                    &gannet.run(arguments),
                    row,
                    &format!("{statement}: {arguments:?}"),
                );
            }
        }
        let log = gannet.run(&["log", "--limit", "0"]).out;
        let added = log.matches("source.added").count();
        assert_eq!(added, 2, "{statement}: {log}");
        assert!(!log.contains("source.removed"), "{statement}: {log}");
    }
}
