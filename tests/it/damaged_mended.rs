//! Damage with a way on that needs no backup: a policy or an archive is adopted anew, a source is given up, or enabled again.

use std::fs;

use crate::rig::sqlite::damage;
use crate::rig::{Home, Reply, Said};

/// The sources `a` and `b`, each with a version that a verifier passed.
fn two_sources() -> Home {
    let gannet =
        Home::new("[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n");
    gannet.with_a_and_b(1)
}

#[track_caller]
fn assert_told(said: &Said, words: &str, what: &str) {
    assert_eq!(said.code, Some(3), "{what}: {said:#?}");
    let is_named = said.err.contains("is damaged") && said.err.contains(words);
    assert!(is_named, "{what}: {said:#?}");
}

#[test]
fn a_damaged_policy_is_mended_by_adopting_the_configuration() {
    let gannet = two_sources();
    let origin = &gannet.origin;
    let saved = gannet.save();
    for damaged in [
        "verifiers = 'x'",
        "verifiers = NULL",
        "adopted_at = 'soon'",
        "actor_id = 999",
        "actor_id = NULL",
        "file = x'ff'",
    ] {
        gannet.put_back(&saved);
        damage(&gannet.data(), &format!("UPDATE policy SET {damaged}"));
        for arguments in [
            &["--worker-only"][..],
            &["config", "check"],
            &["verify", "a"],
        ] {
            let said = gannet.run(arguments);
            assert_told(&said, "`gannet config adopt`", damaged);
        }
        gannet.ok(&["cat", "a"]);
        gannet.ok(&["config", "adopt"]);
        for arguments in [&["--worker-only"][..], &["config", "check"], &["list"]] {
            gannet.ok(arguments);
        }
        // What did not pass is not published by the policy that is in force again.
        let file = gannet.file("a");
        origin.on("/a", [Reply::ok(vec![0xff, 0xfe])]);
        assert_eq!(gannet.run(&["fetch", "a"]).code, Some(1), "{damaged}");
        let kept = fs::read_to_string(&file).expect("a file");
        assert_eq!(kept, "line 1 of a\n", "{damaged}");
    }
}

/// Without its mark a catalogue is read and not changed, until the archive is taken over.
#[test]
fn a_damaged_mark_is_mended_by_adopting_the_archive() {
    let gannet = two_sources();
    let origin = &gannet.origin;
    let saved = gannet.save();
    for damaged in [
        "generation = 'x'",
        "generation = NULL",
        "id = NULL",
        "id = x'ff'",
    ] {
        gannet.put_back(&saved);
        damage(
            &gannet.data(),
            &format!("UPDATE archive_mark SET {damaged}"),
        );
        gannet.ok(&["list"]);
        assert_eq!(gannet.ok(&["cat", "a"]), "line 1 of a\n", "{damaged}");
        let said = gannet.run(&["fetch", "a"]);
        assert_told(&said, "`gannet config adopt-archive`", damaged);
        gannet.ok(&["config", "adopt-archive"]);
        origin.on("/a", [Reply::file("line 2 of a\n")]);
        gannet.fetch("a");
        assert_eq!(gannet.ok(&["cat", "a"]), "line 2 of a\n", "{damaged}");
        gannet.ok(&["--worker-only"]);
    }
}

/// A source that cannot be read can be given up with its history, by its id, and nothing else goes with it.
#[test]
fn a_damaged_source_is_given_up_by_its_id() {
    let gannet = two_sources();
    let origin = &gannet.origin;
    let file = gannet.file("a");
    let saved = gannet.save();
    for (statement, is_place_known) in [
        (
            "UPDATE source SET settings = '{\"interval\":\"x\"}' WHERE id = 1",
            true,
        ),
        ("UPDATE source SET settings = '{' WHERE id = 1", true),
        ("UPDATE source SET name = x'ff' WHERE id = 1", true),
        (
            "UPDATE source_state SET failures = 'x' WHERE source_id = 1",
            true,
        ),
        ("UPDATE source SET removed_at = 'x' WHERE id = 1", true),
        ("DELETE FROM source_state WHERE source_id = 1", true),
        ("DELETE FROM source WHERE id = 1", false),
        (
            "UPDATE source SET published_path = (SELECT published_path FROM source WHERE id = 2) WHERE id = 1",
            false,
        ),
        ("UPDATE source SET path_key = 'x' WHERE id = 1", false),
        (
            "UPDATE source SET published_path = x'ff' WHERE id = 1",
            false,
        ),
    ] {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        let said = gannet.run(&["list"]);
        assert_told(&said, "row 1 of the table `source", statement);
        let said = gannet.run(&["remove", "1"]);
        assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
        let said = gannet.run(&["remove", "1", "--purge", "--yes"]);
        let code = i32::from(!is_place_known);
        assert_eq!(said.code, Some(code), "{statement}: {said:#?}");
        assert!(said.out.starts_with("purged "), "{statement}: {said:#?}");
        assert_eq!(!file.exists(), is_place_known, "{statement}");
        let left = format!("gannet: {} still holds what was purged", file.display());
        assert_eq!(said.err.contains(&left), !is_place_known, "{said:#?}");
        if !is_place_known {
            fs::remove_file(&file).expect("the file");
        }
        for arguments in [&["list"][..], &["--worker-only"], &["cat", "b"]] {
            gannet.ok(arguments);
        }
        assert!(gannet.file("b").exists(), "{statement}");
        // Its address is free again.
        gannet.ok(&["add", &origin.url("/a"), "--allow-private"]);
    }
    let gannet = two_sources();
    for id in ["77", "0", "a"] {
        damage(
            &gannet.data(),
            "UPDATE source SET settings = '{' WHERE id = 1",
        );
        let said = gannet.run(&["remove", id, "--purge", "--yes"]);
        assert_ne!(said.code, Some(0), "{said:#?}");
    }
}

/// No second history of an address is begun whose source is lost while its history is left.
#[test]
fn the_address_of_a_lost_source_is_not_added_again() {
    let gannet = two_sources();
    let origin = &gannet.origin;
    let moved = origin.url("/moved");
    gannet.ok(&["edit", "a", "--address", &moved]);
    damage(&gannet.data(), "DELETE FROM source WHERE id = 1");
    for address in [origin.url("/a"), moved] {
        let add = ["add", &address, "--allow-private", "--name", "again"];
        let said = gannet.run(&add);
        assert_told(&said, "row 1 of the table `source`", &address);
        assert!(said.err.contains("gannet remove 1 --purge"), "{said:#?}");
    }
    gannet.ok(&["add", &origin.url("/a/below"), "--allow-private"]);
    let log = gannet.run(&["log", "--limit", "0"]).out;
    assert_eq!(log.matches("source.added").count(), 3, "{log}");
}

/// A source that no pass would take, though it is enabled, or the other way round, is named and mended.
#[test]
fn a_source_that_is_fetched_against_its_settings_is_named() {
    for statement in [
        "UPDATE source_state SET active = 'yes' WHERE source_id = 1",
        "UPDATE source_state SET active = 0 WHERE source_id = 1",
        "UPDATE source_state SET active = 2 WHERE source_id = 1",
        "UPDATE source_state SET active = NULL WHERE source_id = 1",
    ] {
        let gannet = two_sources();
        let origin = &gannet.origin;
        damage(&gannet.data(), statement);
        damage(&gannet.data(), "UPDATE archive_mark SET swept_at = NULL");
        for arguments in [&["list"][..], &["list", "--json"], &["--worker-only"]] {
            let said = gannet.run(arguments);
            assert_told(
                &said,
                "row 1 of the table `source_state` (source a)",
                statement,
            );
        }
        let log = gannet.ok(&["log", "--limit", "0"]);
        assert_eq!(
            log.matches("catalogue.damaged").count(),
            1,
            "{statement}: {log}"
        );
        gannet.ok(&["disable", "a"]);
        gannet.ok(&["enable", "a"]);
        gannet.ok(&["list"]);
        damage(&gannet.data(), "UPDATE source_state SET next_slot = 0");
        origin.on("/a", [Reply::file("line 2 of a\n")]);
        gannet.ok(&["--worker-only"]);
        assert_eq!(gannet.ok(&["cat", "a"]), "line 2 of a\n", "{statement}");
    }
}
