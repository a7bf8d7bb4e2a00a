//! Verdicts that a person gave in the place of a verifier: they are marked wherever verdicts are shown, judging what is stale keeps
//! and counts them, and whoever asks the verifier anew reads what was set aside by that. Through the real program.

mod events;

use std::fs;

use serde_json::Value;

use crate::rig::{Gannet, Home};

const RECALLED: &str = "recalled by vendor";

/// Sources `a`, judged by a program; `b`, by a built-in rule; `c`, by somebody outside; `m`, with its set, by two programs. All
/// passed.
fn home() -> Home {
    let home = Home::new("");
    let judge = write_judge(&home, "");
    home.write_config("config.toml", &format!(
        "[[verifier]]\nname = \"prog\"\nsources = [\"a\"]\ncommand = [\"true\"]
         [[verifier]]\nname = \"rule\"\nsources = [\"b\"]\nbuiltin = \"json\"
         [[verifier]]\nname = \"outside\"\nsources = [\"c\"]\nexternal = true
         [[verifier]]\nname = \"whole\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [\"true\"]
         [[verifier]]\nname = \"other\"\nscope = \"set\"\nsources = [\"tag:eu\"]\ncommand = [{judge:?}]\n"
    ));
    ["a", "b", "c"]
        .into_iter()
        .fold(home, |home, name| home.with_source(name, ["7"]))
        .with_member("m", &["eu"], ["7"])
        .fetched(&["a", "b", "c", "m"])
}

/// What `verify --stale` says, to people and to programs.
fn stale(home: &Home) -> (String, Value) {
    let said = home.run(&["verify", "--stale"]).out;
    let json = home.run(&["verify", "--stale", "--json"]).out;
    (said, serde_json::from_str(&json).expect("JSON"))
}

/// Writes the program that judges the set besides; another text is another program.
fn write_judge(home: &Home, more: &str) -> String {
    home.program("judge", &format!("exit 0 {more}"))
}

/// A version or an edition, its verifier, and whose verdicts and state are looked at.
const CASES: [(&str, &str, &str); 3] = [
    ("a~0", "prog", "a"),
    ("b~0", "rule", "b"),
    ("set:eu", "whole", "set:eu"),
];

#[test]
fn a_verdict_by_hand_is_marked_wherever_it_is_shown() {
    let gannet = home();
    let saved = gannet.save();
    for (target, verifier, owner) in CASES {
        gannet.put_back(&saved);
        gannet.ok(&["verdict", target, verifier, "failed", "--detail", RECALLED]);
        let table = gannet.ok(&["verdicts", owner, "--verifier", verifier]);
        assert_eq!(table.matches("failed by hand").count(), 1, "{table}");
        assert!(!table.contains("passed by hand"), "{table}");
        let full = gannet.ok(&["verdicts", owner, "--verifier", verifier, "--full"]);
        let words = format!("{verifier} failed by hand: {RECALLED}");
        assert!(full.contains(&words), "{full}");

        let json = gannet.json(&["verdicts", owner, "--verifier", verifier, "--json"]);
        let mut marks: Vec<_> = json
            .as_array()
            .expect("verdicts")
            .iter()
            .map(|one| (one["outcome"].to_string(), one["by_hand"].to_string()))
            .collect();
        marks.sort();
        let expected = [("\"failed\"", "true"), ("\"passed\"", "false")];
        let expected = expected.map(|(said, mark)| (said.to_owned(), mark.to_owned()));
        assert_eq!(marks, expected);

        let show = gannet.ok(&["show", owner]);
        assert!(show.contains("failed by hand"), "{show}");
        let why = format!("{verifier}, by hand: {RECALLED}");
        assert!(show.contains(&why), "{show}");
    }
}

#[test]
fn what_the_verifier_sets_aside_is_said() {
    let gannet = home();
    let saved = gannet.save();
    for (target, verifier, owner) in CASES {
        gannet.put_back(&saved);
        gannet.ok(&["verdict", target, verifier, "failed", "--detail", RECALLED]);
        let said = gannet.run(&["verify", owner]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:#?}");
        let said = said.out;
        let aside = format!("  set aside, and counts no more: {verifier} failed by hand (");
        assert!(said.contains(&aside), "{said}");
        assert!(said.contains("tester@"), "{said}");
        assert!(said.contains(&format!("by cli): {RECALLED}\n")), "{said}");
        // It is set aside once.
        let again = gannet.ok(&["verify", owner]);
        assert!(!again.contains("set aside"), "{again}");

        gannet.ok(&["verdict", target, verifier, "passed"]);
        let json = gannet.json(&["verify", owner, "--json"]);
        let aside = &json[0]["set_aside"];
        assert_eq!(aside[0]["outcome"], "passed", "{json}");
        assert_eq!(aside[0]["by_hand"], true, "{json}");
        assert_eq!(json[0]["verdicts"][0]["by_hand"], false, "{json}");
    }
}

#[test]
fn judging_what_is_stale_says_what_it_keeps() {
    const NOW: &str = "every verdict is up to date with its verifier";
    let home = home();
    let (said, json) = stale(&home);
    assert_eq!(said, format!("{NOW}\n"));
    assert_eq!(json["by_hand"], 0);
    for (number, (target, verifier, _)) in (1..).zip(CASES) {
        home.ok(&["verdict", target, verifier, "passed"]);
        let (said, json) = stale(&home);
        let (verdicts, are) = if number == 1 {
            ("verdict", "is")
        } else {
            ("verdicts", "are")
        };
        let kept =
            format!("{NOW}, but for those by hand\n{number} {verdicts} by hand {are} kept: ");
        assert!(said.starts_with(&kept), "{said}");
        assert!(said.contains("`gannet verify SOURCE`"), "{said}");
        assert_eq!(json["by_hand"], number);
    }
    // Nor does another verifier of the set that is another program now.
    write_judge(&home, "# another one");
    let (said, _) = stale(&home);
    assert!(said.contains("1 set judged"), "{said}");
    assert!(said.contains("3 verdicts by hand are kept"), "{said}");
    home.ok(&["verify", "a", "b", "set:eu"]);
    assert_eq!(stale(&home).0, format!("{NOW}\n"));
}

#[test]
fn what_an_outside_verifier_says_is_its_own() {
    let gannet = home();
    gannet.ok(&["verdict", "c~0", "outside", "failed", "--detail", RECALLED]);
    let table = gannet.ok(&["verdicts", "c"]);
    assert!(!table.contains("by hand"), "{table}");
    let said = gannet.run(&["verify", "c"]).out;
    assert!(!said.contains("set aside"), "{said}");
    let stale = gannet.run(&["verify", "--stale"]).out;
    assert!(!stale.contains("by hand"), "{stale}");
}

/// A source whose versions 1 and 3 have the same bytes, judged by the program `judge`.
fn one_two_one() -> Home {
    let home = Home::new("");
    let judge = write_judge(&home, "");
    let verifier = format!(
        "[[verifier]]\nname = \"prog\"\nsources = [\"a\"]\ncommand = [{judge:?}]\nfailed = [1]\n"
    );
    home.write_config("config.toml", &verifier);
    home.add("a", &[]);
    for contents in ["one", "two", "one"] {
        home.serve("a", contents);
        home.ok(&["fetch", "a"]);
    }
    home
}

fn judge_says(gannet: &Gannet, script: &str) {
    fs::write(gannet.path("judge"), format!("#!/bin/sh\n{script}\n")).expect("a program");
}

/// What was said last of a version, and whether by hand.
fn last_of(gannet: &Gannet, version: i64) -> (String, bool) {
    let verdicts = gannet.json(&["verdicts", "a", "--json", "--limit", "100"]);
    let verdicts = verdicts.as_array().expect("verdicts").clone();
    let last = verdicts.iter().find(|one| one["version_id"] == version);
    let last = last.expect("a verdict");
    (
        last["outcome"].as_str().unwrap_or_default().to_owned(),
        last["by_hand"] == true,
    )
}

fn state_of(gannet: &Gannet, version: i64) -> String {
    let history = gannet.history("a");
    let versions = history["versions"].as_array().expect("versions");
    let of_version = versions.iter().find(|one| one["id"] == version);
    of_version.map_or_else(String::new, |one| {
        one["verified"].as_str().unwrap_or_default().to_owned()
    })
}

#[test]
fn what_is_set_aside_of_one_version_counts_for_no_other_with_the_same_bytes() {
    let gannet = one_two_one();
    let saved = gannet.save();
    for (given_on, asked, other) in [("v1", "v3", 1), ("v3", "v1", 3)] {
        for (hand, script, own, published) in [
            ("passed", "exit 1", "failed", "two"),
            ("passed", "exit 0", "passed", "one"),
            ("failed", "exit 0", "passed", "one"),
            ("failed", "exit 1", "failed", "two"),
            ("passed", "exit 7", "error", "one"),
        ] {
            let case = format!("{hand} on {given_on}, then {script} on {asked}");
            gannet.put_back(&saved);
            gannet.ok(&["verdict", given_on, "prog", "failed"]);
            if hand == "passed" {
                gannet.ok(&["verdict", given_on, "prog", "passed"]);
            }
            judge_says(&gannet, script);
            let said = gannet.run(&["verify", asked]).out;
            let aside = format!(
                "set aside, and counts no more, on v{other} of the same contents too: prog {hand} by hand"
            );
            assert!(said.contains(&aside), "{case}: {said}");
            for version in [1, 3] {
                assert_eq!(last_of(&gannet, version), (own.to_owned(), false), "{case}");
                assert_eq!(state_of(&gannet, version), own, "{case}");
            }
            let file = gannet.ok(&["cat", "a:published"]);
            assert_eq!(file, published, "{case}");
        }
    }
}

#[test]
fn a_version_that_is_judged_for_the_first_time_ends_no_verdict_by_hand() {
    let gannet = Home::new(
        "[[verifier]]\nname = \"prog\"\nsources = [\"a\"]\ncommand = [\"grep\", \"-q\", \"two\", \"{path}\"]\n",
    );
    let gannet = gannet.with_source("a", ["one"]);
    gannet.run(&["fetch", "a"]);
    gannet.ok(&["verdict", "v1", "prog", "passed"]);
    for contents in ["three", "one"] {
        gannet.serve("a", contents);
        gannet.run(&["fetch", "a"]);
    }
    assert_eq!(last_of(&gannet, 3), ("failed".to_owned(), false));
    assert_eq!(last_of(&gannet, 1), ("passed".to_owned(), true));
    assert_eq!(gannet.ok(&["cat", "a:published"]), "one");
}

/// Whoever renames or removes a verifier hears that what people failed in its name may be published.
#[test]
fn a_verifier_that_goes_says_what_people_failed_in_its_name() {
    let home = home();
    let saved = home.save();
    for (target, verifier, is_renamed) in [
        ("a~0", "prog", true),
        ("a~0", "prog", false),
        ("b~0", "rule", true),
        ("c~0", "outside", true),
        ("set:eu", "whole", true),
    ] {
        for is_failed in [true, false] {
            home.put_back(&saved);
            if is_failed {
                home.ok(&["verdict", target, verifier, "failed"]);
            }
            let config = fs::read_to_string(home.path("config.toml")).expect("TOML");
            let name = format!("name = \"{verifier}\"");
            let other = if is_renamed {
                config.replace(&name, &format!("name = \"new-{verifier}\""))
            } else {
                let mut tables: Vec<_> = config.split("[[verifier]]").collect();
                tables.retain(|table| !table.contains(&name));
                tables.join("[[verifier]]")
            };
            home.configure(&other);
            let said = home.run(&["config", "adopt"]);
            let words = format!(
                "{verifier} is declared no more, so the 1 version or edition that a person failed in its name may be published"
            );
            let what = format!("{verifier}, renamed: {is_renamed}: {said:?}");
            assert_eq!((said.out + &said.err).contains(&words), is_failed, "{what}");
        }
    }
}

/// Whoever has a verifier judge other sources, or only advise, hears of whose failed versions it is required no more.
#[test]
fn a_verifier_that_is_required_of_less_says_what_people_failed_in_its_name() {
    let home = home();
    let saved = home.save();
    for (target, verifier, before, after, ended) in [
        (
            "a~0",
            "prog",
            "sources = [\"a\"]",
            "sources = [\"b\"]",
            Some("a"),
        ),
        (
            "a~0",
            "prog",
            "sources = [\"a\"]",
            "sources = [\"tag:none\"]",
            Some("a"),
        ),
        (
            "a~0",
            "prog",
            "sources = [\"a\"]",
            "sources = [\"a\"]\nadvisory = true",
            Some("a"),
        ),
        (
            "c~0",
            "outside",
            "sources = [\"c\"]",
            "sources = [\"[ab]\"]",
            Some("c"),
        ),
        (
            "set:eu",
            "whole",
            "sources = [\"tag:eu\"]",
            "sources = [\"tag:us\"]",
            Some("set eu"),
        ),
        // It judges the source still, and is required.
        (
            "a~0",
            "prog",
            "sources = [\"a\"]",
            "sources = [\"[ab]\"]",
            None,
        ),
        (
            "a~0",
            "prog",
            "command = [\"true\"]",
            "command = [\"true\", \"again\"]",
            None,
        ),
    ] {
        home.put_back(&saved);
        home.ok(&["verdict", target, verifier, "failed"]);
        let config = fs::read_to_string(home.path("config.toml")).expect("TOML");
        let tables = config.split("[[verifier]]").map(|table| {
            if table.contains(&format!("name = \"{verifier}\"")) {
                table.replacen(before, after, 1)
            } else {
                table.to_owned()
            }
        });
        home.configure(&tables.collect::<Vec<_>>().join("[[verifier]]"));
        let said = home.run(&["config", "adopt"]);
        let what = format!("{verifier}: {before} -> {after}: {said:?}");
        let said = said.out + &said.err;
        let words = "so the 1 version or edition that a person failed in its name may be published";
        assert_eq!(said.contains(words), ended.is_some(), "{what}");
        if let Some(of) = ended {
            let why = format!("{verifier} is not required of {of} any more, {words}: require it");
            assert!(said.contains(&why), "{what}");
        }
    }
}

/// An edit after which a verifier judges a source no more says what people failed in its name.
#[test]
fn an_edit_that_ends_a_refusal_says_so() {
    let home = home();
    let saved = home.save();
    for (is_failed, edit, ended) in [
        (true, &["edit", "a", "--name", "z"][..], Some("z")),
        (true, &["edit", "a", "--interval", "2h"], None),
        (true, &["edit", "a", "--tag", "other"], None),
        (false, &["edit", "a", "--name", "z"], None),
    ] {
        home.put_back(&saved);
        if is_failed {
            home.ok(&["verdict", "a~0", "prog", "failed"]);
        }
        let said = home.run(edit);
        let words = ended.map(|name| format!(
            "gannet: prog is not required of {name} any more, so the 1 version or edition that a person failed in its name may be published"
        ));
        assert_eq!(said.code, Some(0), "{said:?}");
        match words {
            Some(words) => assert!(said.err.contains(&words), "{edit:?}: {said:?}"),
            None => assert!(!said.err.contains("any more"), "{edit:?}: {said:?}"),
        }
    }
}

#[test]
fn the_report_shows_the_verdicts_that_count() {
    let gannet = one_two_one();
    for (outcome, shown) in [
        ("failed", "prog: failed by hand"),
        ("passed", "prog: passed by hand"),
    ] {
        gannet.ok(&["verdict", "v2", "prog", outcome]);
        let report = gannet.ok(&["report"]);
        let by_hand = report.matches("by hand").count();
        assert!(report.contains(shown) && by_hand == 1, "{report}");
    }
    judge_says(&gannet, "exit 1 # bad");
    let said = gannet.run(&["verify", "--stale"]);
    // The one by hand is kept, and is what consumers are taken back to.
    let back = "published v2 at ";
    assert!(said.out.contains(back), "{said:#?}");
    assert!(said.out.contains(", back from v3"), "{said:#?}");
    let report = gannet.ok(&["report"]);
    assert_eq!(report.matches("prog: passed").count(), 1, "{report}");
    assert_eq!(report.matches("prog: failed").count(), 2, "{report}");
}
