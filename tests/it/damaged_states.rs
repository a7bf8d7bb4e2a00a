//! The state of a version that is another valid word than its verdicts gave it: nothing is published or withdrawn on its word.

use std::fs;
use std::path::PathBuf;

use crate::rig::sqlite::damage;
use crate::rig::{Gannet, Home, Reply, Said};

const BAD: &[u8] = &[0xff, 0xfe];

/// A source whose version 1 passed, and whose version 2 failed; the path of its published file.
fn good_and_bad() -> (Home, PathBuf) {
    let gannet =
        Home::new("[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::ok("line 1\n"), Reply::ok(BAD)]);
    gannet.ok(&["add", &origin.url("/a"), "--allow-private"]);
    for _ in 0..2 {
        gannet.run(&["fetch", "a"]);
    }
    let file = gannet.file("a");
    (gannet, file)
}

fn assert_told(said: &Said, version: &str, what: &str) {
    assert_eq!(said.code, Some(3), "{what}: {said:#?}");
    let is_named = |line: &str| line.contains(version) && line.contains("is damaged");
    assert!(said.err.lines().any(is_named), "{what}: {said:#?}");
}

/// The word that the damage left is shown nowhere.
fn assert_shown_as_damaged(gannet: &Gannet, what: &str) {
    for arguments in [&["list"][..], &["list", "--failing"]] {
        let said = gannet.run(arguments);
        assert_told(&said, "row of v2", what);
        let row = said.out.lines().find(|line| line.contains("DAMAGED"));
        let row = row.unwrap_or_else(|| panic!("{what}: {said:#?}"));
        assert!(row.contains(" damaged "), "{what}: {said:#?}");
    }
    for arguments in [&["list", "--json"][..], &["show", "a", "--json"]] {
        let said = gannet.run(arguments);
        assert_told(&said, "row of v2", what);
        assert!(
            said.out.contains("\"verified\": \"damaged\""),
            "{what}: {said:#?}"
        );
        assert!(
            said.out.contains("\"state\": \"damaged\""),
            "{what}: {said:#?}"
        );
    }
    for arguments in [&["show", "a"][..], &["report"], &["dump"]] {
        let said = gannet.run(arguments);
        assert!(said.out.contains("DAMAGED"), "{what}: {said:#?}");
    }
}

#[test]
fn nothing_is_published_or_withdrawn_on_the_word_of_a_damaged_state() {
    let (gannet, file) = good_and_bad();
    let origin = &gannet.origin;
    let saved = gannet.save();
    for (version, state) in [
        (2, "passed"),
        (2, "unverified"),
        (2, "pending"),
        (2, "error"),
        (1, "failed"),
        (1, "pending"),
        (1, "unverified"),
    ] {
        gannet.put_back(&saved);
        let what = format!("v{version} {state}");
        damage(
            &gannet.data(),
            &format!(
                "UPDATE version SET state = '{state}' WHERE id = {version};
                 UPDATE source_state SET publish_due = 1"
            ),
        );
        let named = format!("v{version}");
        assert_told(&gannet.run(&["history", "a"]), &named, &what);
        assert_told(&gannet.run(&["verify", "a"]), &named, &what);
        if version == 2 {
            assert_shown_as_damaged(&gannet, &what);
        }
        for _ in 0..2 {
            damage(
                &gannet.data(),
                "UPDATE archive_mark SET swept_at = NULL; UPDATE source_state SET publish_due = 1",
            );
            let said = gannet.run(&["--worker-only"]);
            assert_eq!(said.code, Some(3), "{what}: {said:#?}");
            assert!(said.err.contains("is damaged"), "{what}: {said:#?}");
            let kept = fs::read_to_string(&file).expect("a file");
            assert_eq!(kept, "line 1\n", "{what}: {said:#?}");
        }
        let log = gannet.run(&["log", "--limit", "0"]).out;
        assert!(!log.contains("file.withdrawn"), "{what}: {log}");
        assert!(log.contains("catalogue.damaged"), "{what}: {log}");
        // The same bytes are judged again, and the next version that is good takes its place.
        origin.on("/a", [Reply::ok(BAD), Reply::ok("line 3\n")]);
        for content in ["line 1\n", "line 3\n"] {
            gannet.run(&["fetch", "a"]);
            let now = fs::read_to_string(&file).expect("a file");
            assert_eq!(now, content, "{what}");
        }
    }
}
