//! Damaged rows in the catalogue of an earlier gannet: the upgrade sets them aside, names them, and goes on.

use std::fs;

use crate::rig::sqlite::{damage, take_back_to_schema_5, take_back_to_schema_15};
use crate::rig::{Home, Reply};

/// The damage, and how its row is named.
const DAMAGES: [(&str, &str); 12] = [
    (
        "UPDATE attempt SET error = x'ff' WHERE id = 1",
        "row 1 of the table `attempt` (source a)",
    ),
    (
        "UPDATE attempt SET tries = 'x' WHERE id = 1",
        "row 1 of the table `attempt` (source a)",
    ),
    (
        "UPDATE attempt SET started_at = NULL WHERE id = 1",
        "row 1 of the table `attempt` (source a)",
    ),
    (
        "UPDATE event SET detail = x'00' WHERE id = 2",
        "row 2 of the table `event`",
    ),
    (
        "UPDATE event SET at = 'x' WHERE id = 2",
        "row 2 of the table `event`",
    ),
    (
        "UPDATE text SET value = x'ff' WHERE value = 'unchanged'",
        "of the table `text`",
    ),
    (
        "UPDATE source_state SET failures = 'x' WHERE source_id = 1",
        "row 1 of the table `source_state` (source a)",
    ),
    (
        "UPDATE source_state SET host = x'00', fence = 'x' WHERE source_id = 1",
        "row 1 of the table `source_state` (source a)",
    ),
    (
        "UPDATE source SET name = x'ff' WHERE id = 1",
        "row 1 of the table `source`",
    ),
    (
        "UPDATE source SET created_at = 'x' WHERE id = 1",
        "row 1 of the table `source` (source a)",
    ),
    (
        "UPDATE version SET fetched_at = 'x' WHERE source_id = 1",
        "row of v1 (source a)",
    ),
    (
        "UPDATE verdict SET detail = x'ff' WHERE id = 1",
        "row 1 of the table `verdict`",
    ),
];

/// Whatever is damaged, the first command that changes something brings the catalogue up to date and names the row; the other source
/// is fetched and published.
#[test]
fn a_damaged_row_stops_no_upgrade() {
    for is_of_schema_5 in [true, false] {
        let back = if is_of_schema_5 {
            take_back_to_schema_5
        } else {
            take_back_to_schema_15
        };
        let gannet =
            Home::new("[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n")
                .with_a_and_b(1);
        // Of the outcome `unchanged`, too.
        gannet.fetch("a");
        let saved = gannet.save();
        for (statement, row) in DAMAGES {
            gannet.put_back(&saved);
            back(&gannet.data());
            if is_of_schema_5 {
                // That had no mark.
                fs::remove_file(gannet.data().join("archive-id")).expect("a mark");
            }
            damage(&gannet.data(), statement);
            damage(&gannet.data(), "UPDATE source_state SET next_slot = 0");
            gannet.origin.on("/b", [Reply::file("line 2 of b\n")]);
            let said = gannet.pass();
            assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
            // No later schema adds a column to that table: the row stays.
            let stays = !is_of_schema_5 && statement.contains("UPDATE version");
            let words = if stays {
                "does not fit its checksum"
            } else {
                "the upgrade set the row aside: {"
            };
            let is_named = |line: &str| line.contains(row) && line.contains(words);
            assert!(said.err.lines().any(is_named), "{statement}: {said:#?}");
            let content = fs::read_to_string(gannet.file("b")).expect("a file");
            assert_eq!(content, "line 2 of b\n", "{statement}: {said:#?}");
            let kept = fs::read_to_string(gannet.file("a")).expect("a file");
            assert_eq!(kept, "line 1 of a\n", "{statement}");
            let log = gannet.run(&["log", "--json", "--limit", "0"]).out;
            let words = words.trim_end_matches('{');
            let events = log.lines().filter(|line| line.contains(words));
            assert_eq!(events.count(), 1, "{statement}: {log}");
            assert!(gannet.run(&["list"]).out.contains(" b "), "{statement}");
            gannet.ok(&["cat", "b"]);
        }
    }
}

/// A command that is no pass names and records it, too, be it one that only reads.
#[test]
fn an_upgrade_by_a_command_names_the_row() {
    let gannet = Home::new("").with_a_and_b(1);
    let saved = gannet.save();
    for arguments in [&["list"][..], &["cat", "b"], &["interval", "2h", "b"]] {
        gannet.put_back(&saved);
        take_back_to_schema_15(&gannet.data());
        damage(
            &gannet.data(),
            "UPDATE attempt SET error = x'ff' WHERE id = 1",
        );
        let said = gannet.run(arguments);
        assert_eq!(said.code, Some(3), "{arguments:?}: {said:#?}");
        let is_named = said.err.contains("row 1 of the table `attempt` (source a)");
        assert!(is_named, "{arguments:?}: {said:#?}");
        let log = gannet.ok(&["log"]);
        let events = log.matches("the upgrade set the row aside").count();
        assert_eq!(events, 1, "{arguments:?}: {log}");
        gannet.ok(&["list"]);
    }
}
