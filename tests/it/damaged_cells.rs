//! Single values of the catalogue that are damaged: the row is named, and everything beside it is read and done.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::rig::sqlite::damage;
use crate::rig::{Gannet, Home, Reply, Said, Terminal};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Three sources, each with two versions that a verifier passed.
fn histories() -> Home {
    let gannet =
        Home::new("[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n");
    let origin = &gannet.origin;
    for name in NAMES {
        let replies = [1, 2].map(|number| Reply::file(format!("line {number} of {name}\n")));
        origin.on(&format!("/{name}"), replies);
        let address = origin.url(&format!("/{name}"));
        gannet.ok(&["add", &address, "--allow-private"]);
    }
    for _ in 0..2 {
        for name in NAMES {
            gannet.fetch(name);
        }
    }
    gannet
}

fn published(gannet: &Gannet) -> Vec<PathBuf> {
    let path = |name| {
        let path = gannet.source(name)["published_path"].clone();
        PathBuf::from(path.as_str().expect("a path"))
    };
    NAMES.map(path).into()
}

fn all_due(gannet: &Gannet) {
    damage(
        &gannet.data(),
        "UPDATE source_state SET next_slot = 0 WHERE typeof(next_slot) = 'integer'",
    );
}

/// Asserts that the row is named, and that the exit code says that something is missing.
fn assert_told(said: &Said, row: &str, what: &str) {
    assert_eq!(said.code, Some(3), "{what}: {said:#?}");
    let is_named = |line: &str| line.contains(row) && line.contains("is damaged");
    assert!(said.err.lines().any(is_named), "{what}: {said:#?}");
}

/// Damage of a source, and how its row is named.
const OF_SOURCES: [(&str, &str); 19] = [
    (
        "UPDATE source SET settings = '[]' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = 'null' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"interval\":null}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"tags\":[],\"colour\":\"red\"}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"publish\":\"newest\",\"publish\":\"passed\"}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"interval\":\"often\"}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"interval\":7}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"interval\":\"-4h\"}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"tags\":[\"x\"}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"headers\":[]}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"publish\":\"qassed\"}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET created_at = 9223372036854775807 WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET published_path = (SELECT published_path FROM source WHERE id = 2) WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET published_path = '../outside' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET settings = '{\"enabled\":\"yes\"}' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE source SET name = x'ff00' WHERE id = 1",
        "row 1 of the table `source`",
    ),
    (
        "UPDATE source_state SET last_outcome = 'nev' WHERE source_id = 1",
        "row 1 of the table `source_state` (source a)",
    ),
    (
        "UPDATE source_state SET failures = 'many' WHERE source_id = 1",
        "row 1 of the table `source_state` (source a)",
    ),
    (
        "DELETE FROM source_state WHERE source_id = 1",
        "row 1 of the table `source_state` (source a)",
    ),
];

/// Whatever is damaged of one source, the others are listed, shown, fetched and published, and the file of that one stays.
#[test]
fn a_damaged_source_ends_nothing_for_others() {
    let gannet = histories();
    let origin = &gannet.origin;
    let files = published(&gannet);
    let saved = gannet.save();
    for (statement, row) in OF_SOURCES {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        for arguments in [
            &["list"][..],
            &["list", "--json"],
            &["list", "--csv"],
            &["dump"],
            &["dump", "--json"],
            &["report"],
            &["export", &gannet.path("saved").display().to_string()],
            &["verify", "*"],
            &["grep", "line", "*"],
        ] {
            let said = gannet.run(arguments);
            let what = format!("{statement}: {arguments:?}");
            assert_told(&said, row, &what);
            let sound: &[&str] = match arguments[0] {
                "export" => &["4 versions"],
                _ => &["b", "c"],
            };
            let is_there = |name: &&str| said.out.contains(*name);
            assert!(sound.iter().all(is_there), "{what}: {said:#?}");
        }
        for arguments in [
            &["show", "b"][..],
            &["history", "b"],
            &["log"],
            &["cat", "b"],
        ] {
            gannet.ok(arguments);
        }
        assert_told_of_apply(&gannet, row, statement);
        for name in NAMES {
            origin.on(
                &format!("/{name}"),
                [Reply::file(format!("line 3 of {name}\n"))],
            );
        }
        all_due(&gannet);
        for arguments in [
            &["--worker-only"][..],
            &["fetch", "*", "--json"],
            &["fetch", "b"],
        ] {
            let said = gannet.run(arguments);
            if arguments[0] == "--worker-only" && !statement.starts_with("DELETE") {
                assert_told(&said, row, statement);
            }
            for (index, name) in ["b", "c"].into_iter().enumerate() {
                let now = fs::read_to_string(&files[index + 1]).expect("a file");
                assert_eq!(now, format!("line 3 of {name}\n"), "{statement}: {said:#?}");
            }
        }
        let kept = fs::read_to_string(&files[0]).expect("a file");
        assert_eq!(kept, "line 2 of a\n", "{statement}");
        let log = gannet.ok(&["log", "--json", "--limit", "0"]);
        let events = log
            .lines()
            .filter(|line| line.contains("catalogue.damaged"));
        assert_eq!(events.count(), 1, "{statement}: {log}");
    }
}

/// Validators that cannot be read are damage of their source; an edit of what is asked forgets them.
#[test]
fn damaged_validators_are_damage_of_their_source() {
    for value in ["'{'", "'{\"e\":7}'", "'{\"colour\":\"\"}'", "7", "x'ff'"] {
        let gannet = histories();
        let statement = format!("UPDATE source_state SET validators = {value} WHERE source_id = 1");
        damage(&gannet.data(), &statement);
        gannet.ok(&["list"]);
        let fetch_line_3 = |name: &str| {
            let replies = [Reply::file(format!("line 3 of {name}\n"))];
            gannet.origin.on(&format!("/{name}"), replies);
        };
        NAMES.iter().copied().for_each(fetch_line_3);
        all_due(&gannet);
        let said = gannet.run(&["--worker-only"]);
        assert_told(&said, "row 1 of the table `source_state` (source a)", value);
        let contents = || NAMES.map(|name| gannet.ok(&["cat", name]));
        let expected = ["line 2 of a\n", "line 3 of b\n", "line 3 of c\n"];
        assert_eq!(contents(), expected, "{value}");
        gannet.ok(&["edit", "a", "--header", "X-Any: 1"]);
        gannet.ok(&["fetch", "a"]);
        assert_eq!(contents()[0], "line 3 of a\n", "{value}");
    }
}

/// A file of sources that does not name the damaged one neither removes nor replaces it.
fn assert_told_of_apply(gannet: &Gannet, row: &str, what: &str) {
    let file = gannet.path("sources.toml");
    let text = gannet.run(&["dump", "--toml"]).out;
    fs::write(&file, text).expect("a file");
    let file = file.display().to_string();
    for arguments in [&["apply", &file, "--prune", "--yes"][..], &["apply", &file]] {
        let said = gannet.run(arguments);
        assert_told(&said, row, what);
    }
    let log = gannet.ok(&["log"]);
    assert!(!log.contains("source.removed"), "{what}: {log}");
}

/// Damage beside the histories of sources: which commands meet it, and how its row is named.
#[test]
fn a_damaged_attempt_event_or_verdict_is_left_out_and_named() {
    let of_history = [
        &["history", "a"][..],
        &["show", "a"],
        &["dump"],
        &["report"],
    ];
    let gannet = histories();
    let origin = &gannet.origin;
    let saved = gannet.save();
    for (statement, row, meet) in [
        (
            "UPDATE attempt SET started_at = 'soon' WHERE id = 1",
            "row 1 of the table `attempt`",
            &of_history[..],
        ),
        (
            "UPDATE attempt SET outcome_id = 99999 WHERE id = 1",
            "row 1 of the table `attempt`",
            &of_history,
        ),
        (
            "UPDATE attempt SET tries = -1 WHERE id = 1",
            "row 1 of the table `attempt`",
            &of_history,
        ),
        (
            "UPDATE attempt SET duration_ms = NULL WHERE id = 1",
            "row 1 of the table `attempt`",
            &of_history,
        ),
        (
            "UPDATE verdict SET outcome = 'qassed' WHERE id = 1",
            "row 1 of the table `verdict`",
            &of_history,
        ),
        (
            "UPDATE verdict SET verifier_id = 99999 WHERE id = 1",
            "row 1 of the table `verdict`",
            &of_history,
        ),
        (
            "UPDATE verdict SET started_at = x'00' WHERE id = 1",
            "row 1 of the table `verdict`",
            &[&["verdicts"][..], &["history", "a"]],
        ),
        (
            "UPDATE event SET at = 'soon' WHERE id = 2",
            "row 2 of the table `event`",
            &[&["log"][..], &["log", "--json"], &["log", "--csv"]],
        ),
        (
            "UPDATE event SET action_id = 99999 WHERE id = 2",
            "row 2 of the table `event`",
            &[&["log"][..]],
        ),
        (
            "UPDATE event SET actor_id = 'me' WHERE id = 2",
            "row 2 of the table `event`",
            &[&["log"][..]],
        ),
        (
            "UPDATE version SET state = 'qassed' WHERE id = 1",
            "row of v1 is damaged",
            &of_history,
        ),
    ] {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        for arguments in meet {
            let said = gannet.run(arguments);
            assert_told(&said, row, &format!("{statement}: {arguments:?}"));
            assert!(!said.out.is_empty(), "{statement}: {said:#?}");
        }
        // The others are not concerned.
        gannet.ok(&["list"]);
        gannet.ok(&["history", "b"]);
        for name in NAMES {
            origin.on(
                &format!("/{name}"),
                [Reply::file(format!("line 3 of {name}\n"))],
            );
        }
        all_due(&gannet);
        let said = gannet.run(&["--worker-only"]);
        if statement.contains("UPDATE version") {
            // The daily look at the rows of all versions meets it.
            assert_told(&said, "row of v1", statement);
        } else {
            assert_eq!(said.code, Some(0), "{statement}: {said:#?}");
        }
        let list: Value = gannet.json(&["list", "--json"]);
        let versions = list.as_array().expect("sources").iter();
        let versions: Vec<_> = versions
            .map(|source| source["version_id"].clone())
            .collect();
        assert!(
            versions.iter().all(|id| id.as_i64() > Some(6)),
            "{statement}: {list}"
        );
    }
}

#[test]
fn the_dashboard_shows_the_sources_beside_a_damaged_one() {
    let gannet = histories();
    let saved = gannet.save();
    for (statement, row) in &OF_SOURCES[..2] {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        let mut terminal = Terminal::start(&gannet, &["--no-worker"]);
        terminal.wait_for("is damaged");
        terminal.wait_for(" b ");
        terminal.wait_for(" c ");
        terminal.press("q");
        assert_eq!(terminal.ended().exit_code(), 0, "{statement}: {row}");
    }
}
