//! A person's word on the contents of a set ends on every edition with them once the verifier judges them anew, and what readers see
//! follows.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::rig::Release;

/// Writes the program that judges: its definition stays, its fingerprint does not.
fn judge(release: &Release, script: &str) {
    let path = release.gannet.path("judge");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

fn by_program(release: &Release) -> String {
    let path = release.gannet.path("judge").display().to_string();
    format!(
        "[[verifier]]\nname = \"sums\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [{path:?}, \"{{path}}\"]\n"
    )
}

type Way = fn(&Release);

impl Release {
    /// A set whose editions 1 and 3 have the same contents.
    fn one_two_one() -> Self {
        let release = Self::new();
        judge(&release, "exit 0");
        release.judge_by(&by_program(&release));
        release.fetch();
        for contents in ["two", "one"] {
            release.serve(contents);
            release.fetch();
        }
        assert_eq!(release.show()["edition"]["id"], 3);
        release
    }

    fn say(&self, outcome: &str) -> String {
        self.gannet.ok(&["verdict", "set:release", "sums", outcome])
    }

    fn four(&self) {
        self.serve("three");
        self.fetch();
        assert_eq!(self.show()["edition"]["id"], 4);
        assert_eq!(self.data().as_deref(), Some("three"));
    }

    fn said_of(&self, edition: i64) -> Vec<(String, bool)> {
        let verdicts = self
            .gannet
            .json(&["verdicts", "set:release", "--json", "--limit", "100"]);
        let verdicts = verdicts.as_array().cloned().unwrap_or_default();
        let of_edition = |one: &&Value| one["edition_id"] == edition;
        let word = |one: &Value| {
            let outcome = one["outcome"].as_str().unwrap_or_default().to_owned();
            (outcome, one["by_hand"] == true)
        };
        verdicts.iter().filter(of_edition).map(word).collect()
    }
}

#[test]
fn a_verdict_by_hand_that_is_set_aside_counts_for_no_edition_with_the_same_contents() {
    let release = Release::one_two_one();
    release.judge_by(&format!("{}failed = [1]\n", by_program(&release)));
    let saved = release.save();
    for (hand, anew, own) in [
        (&["failed", "passed"][..], "exit 0", "passed"),
        (&["failed", "passed"], "exit 1", "failed"),
        (&["failed"], "exit 0", "passed"),
        (&["failed"], "exit 1", "failed"),
        (&["failed", "passed"], "exit 9", "error"),
    ] {
        let case = format!("{hand:?}, then {anew}");
        release.put_back(&saved);
        for outcome in hand {
            let said = release.say(outcome);
            assert!(said.contains("edition 1 has the same contents"), "{said}");
        }
        judge(&release, anew);
        let said = release.gannet.run(&["verify", "set:release"]).out;
        let last = hand[hand.len() - 1];
        let aside = format!(
            "set aside, and counts no more, on edition 1 of the same contents too: sums {last} by hand"
        );
        assert!(said.contains(&aside), "{case}: {said}");
        for edition in [1, 3] {
            assert_eq!(
                release.said_of(edition)[0],
                (own.to_owned(), false),
                "{case}: {edition}"
            );
        }
        let json = release.gannet.run(&["verify", "set:release", "--json"]).out;
        assert!(json.contains("\"set_aside\": []"), "{case}: {json}");
        // What the verifier finds later takes the place of what it could not.
        judge(&release, "exit 0 # now");
        release.gannet.run(&["verify", "set:release"]);
        if own == "error" {
            assert_eq!(release.said_of(1)[0], ("passed".to_owned(), false));
        }
    }
}

#[test]
fn judging_what_is_stale_publishes_no_contents_that_the_verifiers_of_now_fail() {
    // How a person's word came upon the contents of the editions 1 and 3.
    let ways: [(&str, Way); 3] = [
        ("set aside", |release| {
            release.say("failed");
            release.say("passed");
            release.gannet.ok(&["verify", "set:release"]);
        }),
        ("set aside by another program", |release| {
            release.say("failed");
            judge(release, "exit 0 # another");
            release.gannet.ok(&["verify", "set:release"]);
        }),
        ("never given", |_| {}),
    ];
    let release = Release::one_two_one();
    let saved = release.save();
    for (way, go) in ways {
        release.put_back(&saved);
        go(&release);
        release.four();
        judge(&release, "echo all bad; exit 1");
        let said = release.gannet.run(&["verify", "--stale"]);
        assert_eq!(said.code, Some(1), "{way}: {said:#?}");
        assert_eq!(release.data(), None, "{way}: {said:#?}");
        let again = release.gannet.run(&["verify", "--stale"]);
        assert_eq!(release.data(), None, "{way}: {again:#?}");
    }
}

#[test]
fn a_person_who_passed_an_older_edition_is_outdone_by_a_verifier_that_changes_its_mind() {
    let release = Release::new();
    judge(&release, "exit 1");
    release.judge_by(&by_program(&release));
    release.fetch();
    release.say("passed");
    assert_eq!(release.data().as_deref(), Some("one"));
    judge(&release, "exit 0");
    for contents in ["two", "one", "three"] {
        release.serve(contents);
        release.fetch();
    }
    assert_eq!(release.data().as_deref(), Some("three"));
    // Edition 3 was passed by the program itself, edition 1, of the same contents, by a person only.
    judge(&release, "exit 1 # again");
    release.gannet.run(&["verify", "--stale"]);
    assert_eq!(release.data(), None);
    // Whoever says so after that is believed again, and judging what is stale keeps it.
    release.say("passed");
    judge(&release, "exit 1 # and again");
    release.gannet.run(&["verify", "--stale"]);
    assert_eq!(release.data().as_deref(), Some("three"));
}

#[test]
fn judging_what_is_stale_says_which_edition_failed_by_whom_and_why() {
    let release = Release::one_two_one();
    release.judge_by(&format!("{}failed = [1]\n", by_program(&release)));
    release.four();
    let saved = release.save();
    for (script, edition, why, folder) in [
        (
            "grep -q three \"$1/data.csv\" && echo no three && exit 1; exit 0",
            4,
            "sums failed",
            "published edition 3 at ",
        ),
        (
            "echo all bad; exit 1",
            3,
            "sums failed",
            "no longer published",
        ),
        ("exit 9 # ill", 4, "sums error", "stays"),
    ] {
        release.put_back(&saved);
        judge(&release, script);
        let json = release.gannet.run(&["verify", "--stale", "--json"]);
        let json: Value = serde_json::from_str(&json.out).expect("JSON");
        let judged = json["sets_judged"].as_array().expect("editions").clone();
        assert!(
            judged.iter().any(|one| one["edition_id"] == edition),
            "{json}"
        );
        // The same for people.
        release.put_back(&saved);
        judge(&release, script);
        let said = release.gannet.run(&["verify", "--stale"]);
        assert_eq!(said.code, Some(1), "{said:#?}");
        let state = why.strip_prefix("sums ").unwrap_or_default();
        let line = format!("edition {edition} of the set release: {state}\n  {why}");
        assert!(said.out.contains(&line), "{said:#?}");
        if script.contains("no three") {
            assert!(said.out.contains("no three"), "{said:#?}");
            assert!(said.out.contains(", back from edition 4\n"), "{said:#?}");
        }
        assert!(folder == "stays" || said.out.contains(folder), "{said:#?}");
    }
}

#[test]
fn a_set_shows_the_verdicts_that_count_on_its_newest_edition() {
    let release = Release::one_two_one();
    for (outcome, shown, hidden) in [
        ("failed", "failed by hand", "passed"),
        ("passed", "passed by hand", "failed"),
    ] {
        release.say(outcome);
        let show = release.gannet.ok(&["show", "set:release"]);
        let (_, table) = show
            .split_once("verdicts on the newest edition:")
            .expect("verdicts");
        assert!(table.contains(shown) && !table.contains(hidden), "{table}");
    }
    release.gannet.ok(&["verify", "set:release"]);
    let show = release.gannet.ok(&["show", "set:release"]);
    assert!(!show.contains("by hand"), "{show}");
    let all = release.show()["edition"]["verdicts"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(4), "{all}");
}
