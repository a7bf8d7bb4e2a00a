//! Rows of the catalogue that are gone, and a file that fails then: what was published was good, and stays.

use std::fs;
use std::path::PathBuf;

use crate::rig::sqlite::{damage, make_fetches_due};
use crate::rig::{Home, Reply};

/// What is lost, of the source `a` with the id 1, and whether a pass has to say so when its next version fails.
const LOSSES: [(&str, bool); 13] = [
    ("DELETE FROM version WHERE source_id = 1", true),
    ("DELETE FROM version WHERE id = 3", true),
    (
        "UPDATE source_state SET version_id = NULL WHERE source_id = 1",
        false,
    ),
    (
        "DELETE FROM version WHERE source_id = 1; UPDATE source_state SET version_id = NULL WHERE source_id = 1",
        true,
    ),
    (
        "DELETE FROM version; DELETE FROM verdict; DELETE FROM attempt",
        true,
    ),
    ("DELETE FROM verdict", false),
    ("DELETE FROM attempt", false),
    ("DELETE FROM event", false),
    ("DELETE FROM blob", false),
    (
        "UPDATE version SET state = 'qassed' WHERE source_id = 1",
        true,
    ),
    ("DELETE FROM source_state WHERE source_id = 1", true),
    ("DELETE FROM source WHERE id = 1", true),
    (
        "UPDATE source_state SET published_version_id = NULL WHERE source_id = 1",
        false,
    ),
];

fn two_sources() -> (Home, [PathBuf; 2]) {
    let gannet =
        Home::new("[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n");
    let gannet = gannet.with_a_and_b(2);
    let files = ["a", "b"].map(|name| gannet.file(name));
    (gannet, files)
}

#[test]
fn a_file_stays_though_the_rows_that_say_why_are_gone() {
    let (gannet, [a, b]) = two_sources();
    let origin = &gannet.origin;
    let saved = gannet.save();
    for (statement, is_told) in LOSSES {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        origin.on("/a", [Reply::ok(vec![0xff, 0xfe])]);
        origin.on("/b", [Reply::file("line 3 of b\n")]);
        for round in 0..2 {
            make_fetches_due(&gannet.data());
            let said = gannet.run(&["--worker-only"]);
            let kept = fs::read_to_string(&a).unwrap_or_default();
            assert_eq!(kept, "line 2 of a\n", "{statement}: {round}: {said:#?}");
            let now = fs::read_to_string(&b).expect("a file");
            assert_eq!(now, "line 3 of b\n", "{statement}: {round}: {said:#?}");
            let told = said.err.contains("is damaged");
            // The first pass looks at the rows of all versions and blobs, too.
            let is_right = told == is_told || told && round == 0;
            assert!(is_right, "{statement}: {round}: {said:#?}");
        }
        let withdrawn = gannet.run(&["log", "--limit", "0"]).out;
        assert!(
            !withdrawn.contains("file.withdrawn"),
            "{statement}: {withdrawn}"
        );
        // The next version that is good takes its place, where the source is still known.
        if statement.contains("DELETE FROM source") {
            continue;
        }
        origin.on("/a", [Reply::file("line 4 of a\n")]);
        make_fetches_due(&gannet.data());
        gannet.run(&["--worker-only"]);
        let now = fs::read_to_string(&a).expect("a file");
        assert_eq!(now, "line 4 of a\n", "{statement}");
        let said = gannet.run(&["--worker-only"]);
        assert_eq!(said.code, Some(0), "{statement}: {said:#?}");
    }
}

/// A person who fails the version that is published, whose history is lost, withdraws nothing but that version's file.
#[test]
fn a_verdict_withdraws_a_version_whose_row_is_there() {
    let (gannet, [a, _]) = two_sources();
    damage(&gannet.data(), "DELETE FROM version WHERE id = 1");
    gannet.run(&["verdict", "v3", "text", "failed"]);
    // Which version was good before cannot be told.
    let kept = fs::read_to_string(&a).expect("a file");
    assert_eq!(kept, "line 2 of a\n");
}
