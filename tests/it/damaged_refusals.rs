//! Bytes that a person failed stay refused though the row of their version, of its blob or of the verdict is damaged.

use std::fs;

use crate::rig::sqlite::damage;
use crate::rig::{Home, Reply, Said};

const DAMAGES: [&str; 20] = [
    "UPDATE blob SET digest = zeroblob(32) WHERE id = 2",
    "UPDATE blob SET digest = NULL WHERE id = 2",
    "DELETE FROM blob WHERE id = 2",
    "UPDATE version SET blob_id = 'x' WHERE id = 2",
    "UPDATE version SET blob_id = 1 WHERE id = 2",
    "UPDATE version SET source_id = 77 WHERE id = 2",
    "UPDATE version SET digest = NULL WHERE id = 2",
    "UPDATE version SET state = 'qassed' WHERE id = 2",
    "UPDATE verdict SET version_id = 'x' WHERE outcome = 'failed'",
    "DELETE FROM verdict WHERE outcome = 'failed'",
    "DELETE FROM verdict",
    "DELETE FROM version WHERE id = 2",
    "UPDATE verdict SET id = 0 WHERE outcome = 'failed'",
    "UPDATE verdict SET version_id = 1 WHERE outcome = 'failed'",
    "UPDATE verdict SET outcome = 'passed' WHERE outcome = 'failed'",
    "UPDATE verdict SET verifier_id = 1 WHERE outcome = 'failed'",
    "UPDATE verdict SET fingerprint_id = (SELECT fingerprint_id FROM verdict WHERE outcome = 'passed') WHERE outcome = 'failed'",
    "UPDATE verdict SET given_on = 1 WHERE outcome = 'failed'",
    "UPDATE verdict SET started_at = 0 WHERE outcome = 'failed'",
    "DELETE FROM definition WHERE value LIKE '%outside%'",
];

#[test]
fn refused_bytes_stay_refused_when_a_row_is_damaged() {
    let gannet = refused();
    let origin = &gannet.origin;
    let file = gannet.file("b");
    let saved = gannet.save();
    for statement in DAMAGES {
        gannet.put_back(&saved);
        let is_refused = |said: &Said| {
            let now = fs::read_to_string(&file).expect("a file");
            assert_ne!(now, "two\n", "{statement}: {said:#?}");
        };
        is_refused(&gannet.run(&["list"]));
        damage(&gannet.data(), statement);
        is_refused(&gannet.run(&["fetch", "b"]));
        is_refused(&gannet.run(&["fetch", "b", "--whole"]));
        // The bytes go, and come back.
        origin.on("/b", [Reply::file("three\n")]);
        is_refused(&gannet.run(&["fetch", "b"]));
        origin.on("/b", [Reply::file("two\n")]);
        is_refused(&gannet.run(&["fetch", "b"]));
        is_refused(&gannet.run(&["--worker-only"]));
        let log = gannet.run(&["log", "--limit", "0"]).out;
        // Nothing had to read the state.
        let is_named = log.contains("catalogue.damaged") || statement.contains("qassed");
        assert!(is_named, "{statement}: {log}");
    }
}

/// A source `b` whose version 2 passed, and was failed by a person then.
pub(crate) fn refused() -> Home {
    let gannet =
        Home::new("[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n");
    let gannet = gannet.with_source("b", ["one\n", "two\n"].map(Reply::file));
    gannet.fetch("b");
    gannet.fetch("b");
    gannet.ok(&["verdict", "v2", "text", "failed"]);
    gannet
}

/// The same, whose version 3 is published.
pub(crate) fn refused_and_replaced() -> Home {
    let gannet = refused();
    gannet.serve("b", "three\n");
    gannet.fetched(&["b"])
}

/// The verdict alone is enough, and so is what was kept beside it.
#[test]
fn a_refusal_is_known_without_what_was_kept_beside_its_verdict() {
    let gannet = refused();
    let origin = &gannet.origin;
    let saved = gannet.save();
    for statement in [
        "DELETE FROM refusal",
        "UPDATE refusal SET version_id = 1",
        "UPDATE refusal SET source_id = 9",
        "UPDATE refusal SET digest = zeroblob(32)",
    ] {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        for content in ["three\n", "two\n"] {
            origin.on("/b", [Reply::file(content)]);
            gannet.run(&["fetch", "b"]);
        }
        let file = gannet.file("b");
        let now = fs::read_to_string(&file).expect("a file");
        assert_eq!(now, "three\n", "{statement}");
    }
}

/// What a verifier says of the version otherwise is no way round a refusal whose verdict is lost; what a person says is.
#[test]
fn a_lost_refusal_is_ended_by_a_verdict_of_its_verifier_alone() {
    let gannet = refused();
    let file = gannet.file("b");
    let saved = gannet.save();
    for (statement, named) in [
        ("DELETE FROM verdict WHERE outcome = 'failed'", "v2"),
        (
            "UPDATE verdict SET version_id = 1 WHERE outcome = 'failed'",
            "v2",
        ),
        (
            "UPDATE verdict SET id = 0 WHERE outcome = 'failed'",
            "`id` holds 0: this verdict on it is damaged",
        ),
        (
            "UPDATE verdict SET outcome = 'passed' WHERE outcome = 'failed'",
            "`id` holds 3: this verdict on it is damaged",
        ),
    ] {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        let toml = gannet.path("config.toml");
        let text = fs::read_to_string(&toml).expect("a file");
        let other = format!(
            "{text}\n[[verifier]]\nname = \"page\"\nsources = [\"*\"]\nbuiltin = \"not-html\"\n"
        );
        fs::write(&toml, other).expect("a file");
        let said = gannet.run(&["verify", "--stale"]);
        let now = fs::read_to_string(&file).expect("a file");
        assert_eq!(now, "one\n", "{statement}: {said:#?}");
        assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
        let is_named = |line: &str| line.contains(named) && line.contains("is damaged");
        assert!(said.err.lines().any(is_named), "{statement}: {said:#?}");
        if named == "v2" {
            gannet.ok(&["verdict", "v2", "text", "passed"]);
            gannet.run(&["verify", "--stale"]);
            let now = fs::read_to_string(&file).expect("a file");
            assert_eq!(now, "two\n", "{statement}");
        }
    }
}
