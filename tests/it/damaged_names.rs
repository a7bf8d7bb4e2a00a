//! Names of verifiers, and what their fingerprints stand for, that are damaged: what was said under them is not known, and nothing is
//! published by that.

use std::fs;

use crate::damaged_refusals::refused_and_replaced;
use crate::rig::sqlite::damage;
use crate::rig::{Reply, Said};

/// The damage, and how its row is named.
const DAMAGES: [(&str, &str); 8] = [
    (
        "UPDATE text SET value = 'tuxt' WHERE value = 'text'",
        "of the table `text`",
    ),
    (
        "UPDATE text SET value = x'ff' WHERE value = 'text'",
        "of the table `text`",
    ),
    (
        "UPDATE text SET checksum = NULL WHERE value = 'text'",
        "of the table `text`",
    ),
    (
        "UPDATE text SET value = 'aa' WHERE id IN (SELECT fingerprint_id FROM verdict WHERE outcome = 'failed')",
        "of the table `text`",
    ),
    (
        "UPDATE text SET value = 'aa' WHERE id IN (SELECT fingerprint_id FROM verdict WHERE outcome = 'passed')",
        "of the table `text`",
    ),
    (
        "UPDATE definition SET value = '{}' WHERE value LIKE '%outside%'",
        "of the table `definition`",
    ),
    (
        "UPDATE definition SET value = replace(value, 'outside', 'insider')",
        "of the table `definition`",
    ),
    ("DELETE FROM definition", "of the table `definition`"),
];

#[test]
fn what_was_said_under_a_damaged_name_publishes_nothing() {
    // The bytes went, and come back.
    let gannet = refused_and_replaced();
    let origin = &gannet.origin;
    let file = gannet.file("b");
    let saved = gannet.save();
    for (statement, row) in DAMAGES {
        gannet.put_back(&saved);
        damage(&gannet.data(), statement);
        let is_refused = |said: &Said| {
            let now = fs::read_to_string(&file).expect("a file");
            assert_eq!(now, "three\n", "{statement}: {said:#?}");
        };
        origin.on("/b", [Reply::file("two\n")]);
        for _ in 0..2 {
            damage(&gannet.data(), "UPDATE source_state SET next_slot = 0");
            let said = gannet.run(&["--worker-only"]);
            is_refused(&said);
            assert_eq!(said.code, Some(3), "{statement}: {said:#?}");
            let named = said.err.lines().filter(|line| line.contains(row));
            assert_eq!(named.count(), 1, "{statement}: {said:#?}");
        }
        is_refused(&gannet.run(&["verify", "--stale"]));
    }
}
