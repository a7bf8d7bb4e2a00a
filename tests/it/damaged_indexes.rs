//! Indexes that disagree with their tables: what they hide is done all the same, and they are named and built anew.

use std::fs;

use serde_json::Value;

use crate::rig::sqlite::{damage, damage_beside, make_looks_due};
use crate::rig::{Home, Reply, Said};

pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];
const RULE: &str = "[[verifier]]\nname = \"text\"\nsources = [\"*\"]\nbuiltin = \"utf8\"\n";

/// Three sources that were fetched once, and are due.
pub(crate) fn three_due() -> Home {
    let home = NAMES.into_iter().fold(Home::new(RULE), |home, name| {
        home.with_source(name, [Reply::file(format!("line 1 of {name}\n"))])
    });
    let home = home.fetched(&NAMES);
    for name in NAMES {
        let replies = [Reply::file(format!("line 2 of {name}\n"))];
        home.origin.on(&format!("/{name}"), replies);
    }
    damage(&home.data(), "UPDATE source_state SET next_slot = 7");
    home
}

/// Asserts that the index is named, and that its damage is one event.
#[track_caller]
fn assert_named(home: &Home, said: &Said, index: &str, what: &str) {
    assert_eq!(said.code, Some(3), "{what}: {said:#?}");
    let name = format!("the catalogue's index `{index}`");
    let is_named = |line: &str| line.contains(&name) && line.contains("it was built anew");
    assert!(said.err.lines().any(is_named), "{what}: {said:#?}");
    let log = home.ok(&["log", "--limit", "0", "--json"]);
    let events = log.lines().filter(|line| line.contains(&name));
    assert_eq!(events.count(), 1, "{what}: {log}");
}

/// Whatever one entry of the index of due sources, or the slot of one source, is damaged into: all are fetched in one pass, and the
/// next pass has nothing to name.
#[test]
fn a_damaged_entry_of_what_is_due_hides_no_source() {
    let home = three_due();
    let saved = home.save();
    for (entry, slot, is_checked) in [
        ("99999999", "7", true),
        ("99999999", "7", false),
        ("-3", "7", true),
        ("5", "7", false),
        ("7", "99999999", true),
        ("7", "99999999", false),
        ("7", "-99999999", false),
        ("7", "70000", false),
        ("7", "'xyz'", true),
        ("7", "x'00'", true),
        ("7", "NULL", true),
        ("'xyz'", "'xyz'", true),
        ("NULL", "NULL", true),
    ] {
        home.put_back(&saved);
        let what = format!("{slot}, in the index {entry}, {is_checked}");
        let set =
            |value| format!("UPDATE source_state SET next_slot = {value} WHERE source_id = 3");
        damage(&home.data(), &set(entry));
        if entry != slot {
            damage_beside(&home.data(), "source_state_due", &set(slot));
        }
        // Without that, only an operation that meets the damage brings it to light.
        if is_checked {
            make_looks_due(&home.data());
        }
        let said = home.run(&["--worker-only", "--json"]);
        let is_hidden = entry == "99999999" && !is_checked;
        if is_hidden {
            assert_eq!(said.code, Some(0), "{what}: {said:#?}");
            make_looks_due(&home.data());
            let said = home.pass();
            assert_named(&home, &said, "source_state_due", &what);
        } else {
            let summary: Value = serde_json::from_str(&said.out).expect("JSON");
            assert_eq!(summary["attempts"], 3, "{what}: {said:#?}");
            if entry != slot {
                assert_named(&home, &said, "source_state_due", &what);
            }
            assert!(said.err.contains("(source c)"), "{what}: {said:#?}");
            assert_eq!(said.code, Some(3), "{what}: {said:#?}");
        }
        for name in NAMES {
            let expected = format!("line 2 of {name}\n");
            assert_eq!(home.ok(&["cat", name]), expected, "{what}");
        }
        make_looks_due(&home.data());
        home.ok(&["--worker-only"]);
        home.ok(&["list"]);
    }
}

/// A file that waits to be published is published although the index of such files has lost it.
#[test]
fn a_lost_entry_of_what_is_to_be_published_holds_no_file_back() {
    let home = three_due();
    let file = home.file("c");
    fs::remove_file(&file).expect("the file");
    fs::create_dir(&file).expect("a folder in the way");
    assert_eq!(home.run(&["fetch", "c"]).code, Some(1));
    fs::remove_dir(&file).expect("the way free");
    let saved = home.save();
    for arguments in [&["--worker-only"][..], &["fetch", "a"]] {
        home.put_back(&saved);
        let set = |due| format!("UPDATE source_state SET publish_due = {due} WHERE source_id = 3");
        damage(&home.data(), &set(0));
        damage_beside(&home.data(), "source_state_publish", &set(1));
        make_looks_due(&home.data());
        let said = home.run(arguments);
        assert_named(&home, &said, "source_state_publish", arguments[0]);
        let content = fs::read_to_string(&file).expect("a file");
        assert_eq!(content, "line 2 of c\n");
        home.ok(&["--worker-only"]);
    }
}

/// A version that waits for its verdicts is judged although the index of such versions has lost it, or has it under another number.
#[test]
fn a_lost_entry_of_what_is_to_be_judged_leaves_no_version_pending() {
    let home = three_due();
    home.write_config("other.toml", "");
    let other = home.path("other.toml").display().to_string();
    home.run(&["--config", &other, "fetch", "c"]);
    assert_eq!(home.source("c")["verified"], "pending");
    let saved = home.save();
    for is_command in [false, true] {
        home.put_back(&saved);
        let set = |state| {
            format!("UPDATE version SET state = '{state}' WHERE source_id = 3 AND ordinal = 1")
        };
        damage(&home.data(), &set("passed"));
        damage_beside(&home.data(), "version_unjudged", &set("pending"));
        make_looks_due(&home.data());
        let said = if is_command {
            // Judging writes the state, and meets the entry that is not there.
            home.run(&["verify", "c"])
        } else {
            home.pass()
        };
        assert_eq!(home.source("c")["verified"], "passed", "{said:#?}");
        assert_named(&home, &said, "version_unjudged", &format!("{is_command}"));
        home.ok(&["--worker-only"]);
    }
}
