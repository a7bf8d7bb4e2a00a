//! The log tells a person's verdict from a verifier's, and keeps when a verifier set one aside.

use serde_json::Value;

use super::{CASES, RECALLED, home, judge_says, one_two_one};
use crate::rig::Gannet;

/// The events of a source or a set with this action.
fn events(gannet: &Gannet, owner: &str, action: &str) -> Vec<Value> {
    let log = gannet.ok(&["log", "--source", owner, "--json"]);
    let events = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    events
        .filter(|event: &Value| event["action"] == action)
        .collect()
}

fn detail(event: &Value) -> &str {
    event["detail"].as_str().unwrap_or_default()
}

#[test]
fn an_event_says_that_a_verdict_is_by_hand() {
    let gannet = home();
    let saved = gannet.save();
    for (target, verifier, owner) in CASES {
        let (set, what) = match owner.strip_prefix("set:") {
            Some(set) => (format!("{set}: "), "set"),
            None => (String::new(), "verdict"),
        };
        gannet.put_back(&saved);
        let own = events(&gannet, owner, &format!("{what}.passed"));
        assert!(own.iter().all(|event| event["by_hand"] == false), "{own:?}");
        for (outcome, reason) in [("failed", RECALLED), ("passed", "")] {
            let mut arguments = vec!["verdict", target, verifier, outcome];
            let mut words = format!("{set}{verifier}, by hand");
            if !reason.is_empty() {
                arguments.extend(["--detail", reason]);
                words = format!("{words}: {reason}");
            }
            gannet.ok(&arguments);
            let given = events(&gannet, owner, &format!("{what}.{outcome}"));
            let last = given.last().expect("an event");
            assert_eq!(
                (detail(last), &last["by_hand"]),
                (&*words, &Value::from(true))
            );
            let log = gannet.ok(&["log", "--source", owner]);
            assert!(log.contains(&words), "{log}");
        }
        gannet.ok(&["verify", owner]);
        let judged = events(&gannet, owner, &format!("{what}.passed"));
        if what == "verdict" {
            let last = judged.last().expect("an event");
            assert_eq!(
                (detail(last), &last["by_hand"]),
                (verifier, &Value::from(false))
            );
        }
    }
    // What somebody outside says in its own name is no override.
    gannet.put_back(&saved);
    gannet.ok(&["verdict", "c~0", "outside", "failed"]);
    let failed = events(&gannet, "c", "verdict.failed");
    assert_eq!(
        (detail(&failed[0]), &failed[0]["by_hand"]),
        ("outside", &Value::from(false))
    );
}

#[test]
fn what_a_verifier_sets_aside_is_an_event() {
    let gannet = home();
    let saved = gannet.save();
    for (target, verifier, owner) in CASES {
        gannet.put_back(&saved);
        gannet.ok(&["verdict", target, verifier, "failed", "--detail", RECALLED]);
        assert_eq!(events(&gannet, owner, "verdict.set-aside").len(), 0);
        gannet.ok(&["verify", owner]);
        let aside = events(&gannet, owner, "verdict.set-aside");
        assert_eq!(aside.len(), 1, "{aside:?}");
        let words = detail(&aside[0]);
        for part in [
            &format!("{verifier} failed by hand (tester@"),
            &format!("by cli): {RECALLED}; counts no more"),
        ] {
            assert!(words.contains(part.as_str()), "{words}");
        }
        assert_eq!(
            aside[0]["version_id"].is_i64(),
            owner != "set:eu",
            "{aside:?}"
        );
        gannet.ok(&["verify", owner]);
        assert_eq!(events(&gannet, owner, "verdict.set-aside").len(), 1);
    }
}

#[test]
fn what_ends_on_other_versions_of_the_same_bytes_is_an_event_of_each() {
    let gannet = one_two_one();
    gannet.ok(&["verdict", "v1", "prog", "failed"]);
    judge_says(&gannet, "exit 0 # again");
    gannet.ok(&["verify", "v3"]);
    let aside = events(&gannet, "a", "verdict.set-aside");
    let mut versions: Vec<_> = aside
        .iter()
        .map(|event| event["version_id"].as_i64())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, [Some(1), Some(3)], "{aside:?}");
}

#[test]
fn what_a_person_failed_is_not_withdrawn_in_the_name_of_the_verifier() {
    let gannet = home();
    let saved = gannet.save();
    for (target, verifier, owner) in CASES {
        for (reason, more) in [(RECALLED, ": recalled by vendor"), ("", "")] {
            gannet.put_back(&saved);
            gannet.ok(&["verdict", target, verifier, "failed", "--detail", reason]);
            let (action, set) = match owner.strip_prefix("set:") {
                Some(set) => ("set.withdrawn", format!("{set}: ")),
                None => ("file.withdrawn", String::new()),
            };
            let words = format!("failed by hand ({verifier}){more}");
            let withdrawn = events(&gannet, owner, action);
            assert_eq!(withdrawn.len(), 1, "{owner}");
            assert_eq!(detail(&withdrawn[0]), format!("{set}{words}"));
            let show = gannet.ok(&["show", owner]);
            assert!(show.contains(&words), "{show}");
        }
    }
}
