//! Verdicts that cannot be read, or are lost: new contents are kept all the same, and asking the verifiers anew is the way on.

use std::fs;
use std::path::{Path, PathBuf};

use crate::damaged_refusals::refused_and_replaced;
use crate::rig::Home;
use crate::rig::sqlite::damage;

/// What becomes of the verdict by which a person failed version 2.
const DAMAGES: [&str; 10] = [
    "UPDATE verdict SET outcome = 'passed' WHERE outcome = 'failed'",
    "UPDATE verdict SET outcome = 'qassed' WHERE outcome = 'failed'",
    "UPDATE verdict SET verifier_id = 1 WHERE outcome = 'failed'",
    "UPDATE verdict SET fingerprint_id = (SELECT fingerprint_id FROM verdict WHERE outcome = 'passed') WHERE outcome = 'failed'",
    "UPDATE verdict SET given_on = 1 WHERE outcome = 'failed'",
    "UPDATE verdict SET detail = x'ff' WHERE outcome = 'failed'",
    "UPDATE verdict SET id = 0 WHERE outcome = 'failed'",
    "UPDATE verdict SET checksum = NULL WHERE outcome = 'failed'",
    "UPDATE definition SET value = '{}' WHERE value LIKE '%outside%'",
    LOST,
];
const LOST: &str = "DELETE FROM verdict WHERE outcome = 'failed'";

/// A source `b` of which version 2 was failed by a person and version 3 is published; the bytes of version 2 come back.
fn back_again() -> (Home, PathBuf) {
    let gannet = refused_and_replaced();
    gannet.serve("b", "two\n");
    let file = gannet.file("b");
    (gannet, file)
}

#[track_caller]
fn assert_published(file: &Path, content: &str, what: &str) {
    let now = fs::read_to_string(file).expect("a file");
    assert_eq!(now, content, "{what}");
}

/// The contents that came are a version that waits, each attempt is recorded, and the source is due when it would be.
#[test]
fn contents_that_came_are_kept_while_a_verdict_cannot_be_read() {
    let (gannet, file) = back_again();
    let saved = gannet.save();
    for statement in DAMAGES {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        for (round, outcome) in ["new", "unchanged"].into_iter().enumerate() {
            damage(&gannet.data(), "UPDATE source_state SET next_slot = 0");
            let said = gannet.run(&["--worker-only"]);
            let what = format!("{statement}: {round}: {said:#?}");
            assert_eq!(said.code, Some(3), "{what}");
            let named = said.err.lines().filter(|line| line.contains("is damaged"));
            assert_eq!(named.count(), 1, "{what}");
            assert_published(&file, "three\n", &what);
            let source = gannet.source("b");
            assert_eq!(source["last_outcome"], outcome, "{what}: {source}");
            assert_eq!(source["verified"], "pending", "{what}: {source}");
            let is_due = gannet.run(&["--worker-only"]).out.contains("1 fetched");
            assert!(!is_due, "{what}");
        }
        assert_eq!(gannet.ok(&["cat", "v4"]), "two\n", "{statement}");
    }
}

/// The verifiers are asked anew, and the log keeps what the row held; what they say counts for the same bytes that wait.
#[test]
fn asking_the_verifiers_anew_sets_aside_what_cannot_be_read() {
    let (gannet, file) = back_again();
    let saved = gannet.save();
    for statement in DAMAGES {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        let said = gannet.run(&["fetch", "b"]);
        assert!(
            said.err.contains("gannet verify v"),
            "{statement}: {said:#?}"
        );
        let said = gannet.run(&["verify", "v2"]);
        let is_said = said
            .err
            .contains("counts no more, the verifiers were asked anew");
        assert!(is_said && said.code == Some(0), "{statement}: {said:#?}");
        gannet.ok(&["--worker-only"]);
        assert_published(&file, "two\n", statement);
        let log = gannet.ok(&["log", "--limit", "0"]);
        let aside: Vec<_> = log
            .lines()
            .filter(|line| line.contains("set-aside"))
            .collect();
        assert!(!aside.is_empty(), "{statement}: {log}");
        let is_explained =
            |line: &&str| line.contains("b v2 verdict") && line.contains("asked anew");
        assert!(aside.iter().all(is_explained), "{statement}: {aside:#?}");
        for arguments in [&["list"][..], &["history", "b"], &["verdicts"]] {
            gannet.ok(arguments);
        }
    }
}

/// Whoever fails the version once more has failed the bytes that wait, too.
#[test]
fn a_new_verdict_takes_the_place_of_one_that_is_lost() {
    let (gannet, file) = back_again();
    let saved = gannet.save();
    for (outcome, content) in [("failed", "three\n"), ("passed", "two\n")] {
        gannet.put_back(&saved);
        damage(&gannet.data(), LOST);
        gannet.run(&["fetch", "b"]);
        gannet.ok(&["verdict", "v2", "text", outcome]);
        gannet.run(&["--worker-only"]);
        assert_published(&file, content, outcome);
        let state = gannet.source("b")["verified"].clone();
        assert_eq!(state, outcome);
        gannet.ok(&["list"]);
    }
}
