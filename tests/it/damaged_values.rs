//! Single values of a wrong type that a pass writes beside or counts with: every other source is fetched, and the row is named.

use std::fs;

use serde_json::Value;

use crate::damaged_indexes::{NAMES, three_due};
use crate::rig::sqlite::{damage, make_looks_due};
use crate::rig::{Home, Said};

/// Asserts that the row is named.
#[track_caller]
fn assert_named(said: &Said, row: &str, what: &str) {
    assert_eq!(said.code, Some(3), "{what}: {said:#?}");
    let is_named = |line: &str| line.contains(row) && line.contains("is damaged");
    assert!(said.err.lines().any(is_named), "{what}: {said:#?}");
}

/// Asserts that these sources were fetched.
#[track_caller]
fn assert_fetched(home: &Home, names: &[&str], what: &str) {
    for name in names {
        let expected = format!("line 2 of {name}\n");
        assert_eq!(home.ok(&["cat", name]), expected, "{what}");
    }
}

/// Damage of a source's state that its claim meets.
const OF_STATES: [&str; 9] = [
    "fence = 'x'",
    "fence = NULL",
    "fence = 9223372036854775807",
    "host = x'00'",
    "publish_unsure = 'x'",
    "publish_error = x'00'",
    "recorded_claim = 'x'",
    "published_size = 'x'",
    "withdrawn_because = x'00'",
];

#[test]
fn a_damaged_state_costs_one_source_and_no_worker_is_blamed() {
    let home = three_due();
    let saved = home.save();
    for set in OF_STATES {
        for arguments in [
            &["--worker-only"][..],
            &["fetch", "*"],
            &["fetch", "*", "--whole"],
        ] {
            home.put_back(&saved);
            damage(
                &home.data(),
                &format!("UPDATE source_state SET {set} WHERE source_id = 1"),
            );
            let said = home.run(arguments);
            let what = format!("{set}: {arguments:?}");
            assert_named(&said, "row 1 of the table `source_state` (source a)", &what);
            assert_fetched(&home, &["b", "c"], &what);
            let is_blamed =
                said.out.contains("another worker") || said.err.contains("another worker");
            assert!(!is_blamed, "{what}: {said:#?}");
        }
    }
}

#[test]
fn a_damaged_time_of_the_last_sweep_counts_as_never() {
    let home = three_due();
    let saved = home.save();
    for value in ["'x'", "x'00'", "0.5", "9223372036854775807"] {
        for arguments in [
            &["--worker-only"][..],
            &["fetch", "*"],
            &["config", "adopt-archive", "--yes"],
        ] {
            home.put_back(&saved);
            damage(
                &home.data(),
                &format!("UPDATE archive_mark SET swept_at = {value}"),
            );
            let said = home.run(arguments);
            let what = format!("{value}: {arguments:?}");
            if value.starts_with('9') {
                assert_eq!(said.code, Some(0), "{what}: {said:#?}");
            } else if arguments[0] != "config" {
                assert_named(&said, "row 1 of the table `archive_mark`", &what);
            }
            if arguments[0] == "config" {
                assert_eq!(said.code, Some(0), "{what}: {said:#?}");
                home.ok(&["--worker-only"]);
            }
            assert_fetched(&home, &NAMES, &what);
            home.ok(&["--worker-only"]);
        }
    }
}

/// A version whose ordinal is no number is in nobody's way: the next one of its source gets another.
#[test]
fn a_damaged_ordinal_hinders_no_new_version() {
    let home = three_due();
    home.ok(&["fetch", "c"]);
    damage(&home.data(), "UPDATE source_state SET next_slot = 7");
    home.serve("c", "line 3 of c\n");
    let saved = home.save();
    for (value, version) in [
        ("x'00'", 0),
        ("'x'", 0),
        ("NULL", 0),
        ("x'00'", 1),
        ("'x'", 1),
    ] {
        home.put_back(&saved);
        let what = format!("{value} of {version}");
        let set = format!(
            "UPDATE version SET ordinal = {value} WHERE source_id = 3 AND ordinal = {version}"
        );
        assert_eq!(damage(&home.data(), &set), 1, "{what}");
        let said = home.run(&["--worker-only", "--json"]);
        let summary: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(summary["attempts"], 3, "{what}: {said:#?}");
        assert_fetched(&home, &["a", "b"], &what);
        assert_eq!(home.ok(&["cat", "c"]), "line 3 of c\n", "{what}");
        let published = fs::read_to_string(home.file("c")).expect("a file");
        assert_eq!(published, "line 3 of c\n", "{what}: {said:#?}");
    }
}

/// A withdrawal that cannot be read or written stops no pass, and its row is named by its path, or by its number.
#[test]
fn a_damaged_withdrawal_costs_one_file() {
    let home = three_due();
    let file = home.file("c");
    fs::remove_file(&file).expect("the file");
    fs::create_dir(&file).expect("a folder in the way");
    home.run(&["remove", "c"]);
    let saved = home.save();
    let by_path = "/c` of the table `withdrawal`";
    let by_number = "row 1 of the table `withdrawal`";
    for (set, is_in_the_way, named) in [
        ("left_size = 'x'", false, None),
        (
            "left_mtime = x'00', left_size = 7, left_inode = 7",
            false,
            None,
        ),
        ("left_inode = 'x'", false, None),
        ("path_key = x'00'", false, None),
        ("path_key = x'00'", true, Some(by_path)),
        ("left_size = 'x'", true, Some(by_path)),
        ("was_published = 'x'", false, Some(by_path)),
        ("problem = x'00'", false, None),
        ("path = x'ff00'", false, Some(by_number)),
    ] {
        home.put_back(&saved);
        let what = format!("{set}, {is_in_the_way}");
        assert_eq!(
            damage(&home.data(), &format!("UPDATE withdrawal SET {set}")),
            1,
            "{what}"
        );
        if !is_in_the_way {
            fs::remove_dir(&file).expect("the way free");
        }
        make_looks_due(&home.data());
        let said = home.pass();
        assert_fetched(&home, &["a", "b"], &what);
        if let Some(row) = named {
            assert_named(&said, row, &what);
        } else {
            assert_eq!(said.code, Some(0), "{what}: {said:#?}");
        }
    }
}

/// The row of the mark is named by its number, not by what it holds.
#[test]
fn a_damaged_mark_is_named_by_its_number() {
    let home = three_due();
    let saved = home.save();
    for set in ["id = x'ff00'", "id = NULL", "generation = 'x'"] {
        home.put_back(&saved);
        damage(&home.data(), &format!("UPDATE archive_mark SET {set}"));
        let said = home.run(&["fetch", "a"]);
        assert_named(&said, "row 1 of the table `archive_mark`", set);
    }
}
