//! Rows that do not fit what they name: stored bytes that one of them may need are neither purged nor swept away.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::rig::sqlite::damage;
use crate::rig::{Home, Reply, sqlite};

/// Bytes that no compression makes smaller, of more than 1 MiB: an object.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56).to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(1_200_000).collect()
}

/// Version 1 of `s` and version 2 of `u` have the same bytes; version 3 of `s` has others.
fn shared() -> Home {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/s", [1, 2].map(|seed| Reply::file(noise(seed))));
    origin.on("/u", [Reply::file(noise(1))]);
    for name in ["s", "u"] {
        let address = origin.url(&format!("/{name}"));
        gannet.ok(&["add", &address, "--allow-private", "--name", name]);
        gannet.fetch(name);
    }
    gannet.fetch("s");
    assert_eq!(files_below(&gannet.data().join("objects")).len(), 2);
    gannet
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => files.extend(files_below(&path)),
            path => files.push(path),
        }
    }
    files
}

const UNFIT: [(&str, &str); 13] = [
    ("DELETE FROM version WHERE id = 2", "row of v2"),
    ("UPDATE version SET id = 77 WHERE id = 2", "row of v77"),
    (
        "UPDATE source_state SET version_id = 88 WHERE source_id = 2",
        "row of v88 (source u)",
    ),
    ("DELETE FROM blob WHERE id = 1", "row of v"),
    ("UPDATE blob SET object = 'zz' WHERE id = 1", "table `blob`"),
    (
        "UPDATE blob SET object = NULL, body = x'00' WHERE id = 1",
        "table `blob`",
    ),
    ("UPDATE blob SET object = NULL WHERE id = 1", "table `blob`"),
    (
        "UPDATE blob SET digest = zeroblob(32) WHERE id = 1",
        "row of v",
    ),
    ("UPDATE blob SET base_id = 999 WHERE id = 1", "table `blob`"),
    ("UPDATE version SET blob_id = 'x' WHERE id = 2", "row of v2"),
    ("UPDATE version SET blob_id = 999 WHERE id = 2", "row of v2"),
    ("UPDATE version SET blob_id = 2 WHERE id = 2", "row of v2"),
    (
        "UPDATE version SET source_id = 1, ordinal = 77 WHERE id = 2",
        "row of v2",
    ),
];

/// Nothing goes to the trash or from there on the word of a damaged row, which is named once.
#[test]
fn no_object_goes_while_a_row_does_not_fit() {
    let gannet = shared();
    let data = gannet.data();
    let objects = files_below(&data.join("objects"));
    let old = data.join("trash/2001-01-01.2001-01-08.7/objects/00");
    fs::create_dir_all(&old).expect("a folder");
    fs::write(old.join(format!("{:062}-1-abcdefgh", 0)), "lost").expect("an object");
    let saved = gannet.save();
    for (statement, row) in UNFIT {
        gannet.put_back(&saved);
        damage(&data, statement);
        for pass in 0..2 {
            damage(&data, "UPDATE archive_mark SET swept_at = NULL");
            let said = gannet.run(&["--worker-only"]);
            assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
            let is_named = |line: &str| line.contains(row) && line.contains("is damaged");
            assert!(said.err.lines().any(is_named), "{statement}: {said:#?}");
            let now = files_below(&data.join("objects"));
            assert_eq!(now, objects, "{statement}, pass {pass}");
            let trash = files_below(&data.join("trash"));
            assert_eq!(trash.len(), 1, "{statement}, pass {pass}: {trash:?}");
        }
        let log = gannet.ok(&["log", "--json", "--limit", "0"]);
        let named = log
            .lines()
            .filter(|line| line.contains("catalogue.damaged") && line.contains(row));
        let rows: Vec<_> = named
            .filter_map(|line| line.split_once("\"detail\":"))
            .collect();
        let once: BTreeSet<_> = rows.iter().map(|(_, detail)| *detail).collect();
        assert!(
            !rows.is_empty() && rows.len() == once.len(),
            "{statement}: {log}"
        );
    }
}

/// A purge deletes neither versions of other sources nor what such a version may need.
#[test]
fn a_purge_refuses_while_a_row_does_not_fit() {
    let gannet = shared();
    let data = gannet.data();
    let objects = files_below(&data.join("objects"));
    let saved = gannet.save();
    for (statement, row) in UNFIT {
        gannet.put_back(&saved);
        damage(&data, statement);
        let said = gannet.run(&["remove", "s", "--purge", "--yes"]);
        assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
        let is_told = said.err.contains(row) && said.err.contains("nothing is purged");
        assert!(is_told, "{statement}: {said:#?}");
        assert_eq!(files_below(&data.join("objects")), objects, "{statement}");
        let versions: i64 = sqlite::read(&data)
            .query_row("SELECT count(*) FROM version", [], |row| row.get(0))
            .expect("a number");
        let left = if statement.starts_with("DELETE FROM version") {
            2
        } else {
            3
        };
        assert_eq!(versions, left, "{statement}");
        // Without its history it can go.
        gannet.ok(&["remove", "s"]);
    }
    gannet.put_back(&saved);
    gannet.ok(&["remove", "s", "--purge", "--yes"]);
    assert_eq!(files_below(&gannet.data().join("objects")).len(), 1);
    assert_eq!(gannet.bytes(&["cat", "u"]), noise(1));
}

/// A history of which versions are missing can be purged itself, and with that the damage ends.
#[test]
fn a_history_with_lost_versions_can_be_purged() {
    let gannet = shared();
    let saved = gannet.save();
    for (statement, name) in [
        ("DELETE FROM version WHERE id = 2", "u"),
        ("DELETE FROM version WHERE id = 1", "s"),
        ("DELETE FROM version WHERE id = 3", "s"),
        ("DELETE FROM version WHERE source_id = 1", "s"),
    ] {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        let other = if name == "u" { "s" } else { "u" };
        let said = gannet.run(&["remove", other, "--purge", "--yes"]);
        assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
        gannet.ok(&["remove", name, "--purge", "--yes"]);
        gannet.ok(&["--worker-only"]);
        gannet.ok(&["remove", other, "--purge", "--yes"]);
    }
}
