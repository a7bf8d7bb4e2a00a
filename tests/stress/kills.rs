//! Killed at any moment, nothing is lost. It looks at the catalogue of SQLite by itself.

use std::fs;
use std::time::Instant;

use serde_json::Value;

use crate::knife::Knife;
use crate::rig::{Gannet, Home, Numbers, noise, sqlite};

fn content(path: usize, round: u64) -> Vec<u8> {
    if path == 7 {
        // Large, and it does not compress: it lives in the archive's own folder, the others in the catalogue.
        return noise(round, 1_200_000);
    }
    let mut numbers = Numbers(round);
    let line = |n| format!("{path},{round},{n},{}\n", numbers.below(1 << 31));
    (0..40).map(line).collect::<String>().into_bytes()
}

/// The objects that a blob names, sorted.
fn objects_with_a_name(gannet: &Gannet) -> Vec<String> {
    let catalogue = sqlite::read(&gannet.data());
    let mut named = catalogue
        .prepare("SELECT object FROM blob WHERE object IS NOT NULL ORDER BY object")
        .expect("a query");
    let named = named.query_map([], |row| row.get(0)).expect("rows");
    named.collect::<Result<_, _>>().expect("names")
}

fn check_catalogue(gannet: &Gannet) {
    let catalogue = sqlite::read(&gannet.data());
    let check: String = catalogue
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(check, "ok");
    let dangling: i64 = catalogue
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .expect("a check");
    assert_eq!(dangling, 0);
}

#[test]
fn killed_two_hundred_times_nothing_is_lost() {
    const ROUNDS: u64 = 200;
    let gannet = Home::new(
        "per_host = 8\n[[verifier]]\nname = \"lines\"\nsources = [\"[0-3].csv\"]\ncommand = [\"grep\", \"-q\", \",\", \"{path}\"]\n",
    );
    let paths: Vec<_> = (0..8).map(|n| format!("/{n}.csv")).collect();
    gannet.add_files(&gannet.origin, &paths);
    for path in &paths {
        gannet.origin.on(path, ["a,b\n"]);
    }
    let begun = Instant::now();
    gannet.fetch("*");
    let mut knife = Knife::of(begun.elapsed());
    for round in 0..ROUNDS {
        for (n, path) in paths.iter().enumerate() {
            // The large file changes less often, so that most rounds get far.
            match (n, round % 8) {
                (7, 0) => gannet.origin.on(path, [content(n, round / 8)]),
                (7, _) => {}
                _ => gannet.origin.on(path, [content(n, round)]),
            }
        }
        let mut child = gannet.start(&["fetch", "*"]);
        knife.falls_on(&mut child);
        check_catalogue(&gannet);
    }
    let summary = gannet.fetch("*");
    assert_eq!(
        (&summary["attempts"], &summary["failed"]),
        (&Value::from(8), &Value::from(0)),
        "{summary}"
    );
    // The last death may have come between a version and its verdict: a pass over what is undecided judges it.
    gannet.ok(&["--worker-only"]);
    let mut versions = 0;
    for (n, path) in paths.iter().enumerate() {
        let name = &path[1..];
        let newest = content(n, if n == 7 { (ROUNDS - 1) / 8 } else { ROUNDS - 1 });
        assert!(gannet.bytes(&["cat", name]) == newest, "{name}");
        let published = gannet.source(name)["published_path"]
            .as_str()
            .expect("published")
            .to_owned();
        let lies_there = fs::read(published).expect("the published file");
        assert!(lies_there == newest, "{name}");
        versions += gannet.history(name)["versions"]
            .as_array()
            .map_or(0, Vec::len);
    }
    // Many rounds must have got as far as keeping something, or this test shows nothing.
    assert!(versions > 100, "{versions}");
    let export = gannet.path("export");
    gannet.ok(&["export", &export.display().to_string()]);
    assert_eq!(gannet.temporary(), [""; 0]);
    check_catalogue(&gannet);
    let named = objects_with_a_name(&gannet);
    assert!(!named.is_empty());
    assert_eq!(gannet.objects(), named, "every object is named by a blob");
    let query = "SELECT (SELECT count(*) FROM worker), (SELECT count(*) FROM pending_object)";
    let left = sqlite::read(&gannet.data())
        .query_row(query, [], |row| Ok([row.get::<_, i64>(0)?, row.get(1)?]));
    assert_eq!(left, Ok([0, 0]), "nothing is left of the dead");
}
