//! What consumers saw and see no more: shown everywhere with the time and the reason, and told to notifiers.

use std::fs;

use serde_json::Value;

use super::shown::{fact, line, reported};
use crate::rig::{Release, Reply, SUMS_VERIFIER, sqlite};

const EYES: &str = "[[verifier]]\nname = \"eyes\"\nsources = [\"data.csv\"]\nexternal = true\n";
const NUMBERS: &str = "[[verifier]]\nname = \"numbers\"\nsources = [\"data.csv\"]\ncommand = [\"sh\", \"-c\", \"echo no number; false\"]\n";

/// What happens to a file or a set, by a way of its own.
type Happen = fn(&Release);

/// How a source leaves its set, with the verifiers that are left without the set.
type Leave = fn(&Release, &str);

impl Release {
    /// Two sources that are published singly, and a notifier that writes what it is told into a file.
    fn telling(verifiers: &str) -> Self {
        let release = Self::with("");
        let told = release.gannet.path("told");
        let notifier = format!(
            "[[notify]]\nname = \"ops\"\non = [\"withdrawn\"]\ncommand = [\"sh\", \"-c\", \"cat >>$0\", {:?}]\n",
            told.display().to_string()
        );
        release.judge_by(&format!("{notifier}{verifiers}"));
        release.gannet.run(&["--worker-only"]);
        release
    }

    fn judge(&self, target: &str, verifier: &str, outcome: &str) {
        self.gannet.ok(&[
            "verdict",
            target,
            verifier,
            outcome,
            "--detail",
            "no number",
        ]);
    }

    /// What the notifier was told since the last look, a line each.
    fn told(&self) -> Vec<String> {
        self.gannet.run(&["--worker-only"]);
        let path = self.gannet.path("told");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        let lines = text.lines().filter(|line| line.starts_with("- "));
        let without_address =
            |line: &str| line.split(" (https").next().unwrap_or_default().to_owned();
        lines.map(without_address).collect()
    }

    /// Takes the notifier along into another policy.
    fn judge_on_by(&self, before: &str, after: &str) {
        let path = self.gannet.path("config.toml");
        let toml = fs::read_to_string(path).expect("TOML");
        self.gannet.configure(&toml.replace(before, after));
        self.gannet.ok(&["config", "adopt"]);
    }
}

/// A configuration of both: a verifier of the data, and one of the set.
fn eyes_and_sums() -> String {
    format!("{EYES}{SUMS_VERIFIER}")
}

#[test]
fn what_was_withdrawn_is_shown_with_the_time_and_the_reason() {
    let ways: [(&str, &str, &str, Happen); 4] = [
        ("a verdict", EYES, "failed by eyes: no number", |release| {
            release.judge("data.csv", "eyes", "failed");
        }),
        ("a policy", "", "failed by numbers: no number", |release| {
            release.judge_on_by("[[notify]]", &format!("{NUMBERS}[[notify]]"));
            release.gannet.run(&["verify", "--stale"]);
        }),
        (
            "a verdict on the set",
            SUMS_VERIFIER,
            "set release: failed by hand (sums): no number",
            |release| release.judge("set:release", "sums", "failed"),
        ),
        (
            "a verdict on a member",
            &eyes_and_sums(),
            "set release: failed by eyes: no number (data.csv)",
            |release| release.judge("data.csv", "eyes", "failed"),
        ),
    ];
    for (way, verifiers, because, happen) in ways {
        let release = Release::telling(verifiers);
        if verifiers.contains("eyes") {
            release.judge("data.csv", "eyes", "passed");
            release.gannet.run(&["--worker-only"]);
        }
        let before = release.gannet.source("data.csv");
        assert_ne!(before["published_version_id"], Value::Null, "{way}");
        assert_eq!(
            (&before["withdrawn_at"], &before["withdrawn_because"]),
            (&Value::Null, &Value::Null),
            "{way}"
        );
        happen(&release);
        let published = fact(&release, "data.csv", "published").unwrap_or_default();
        assert!(published.starts_with("withdrawn 20"), "{way}: {published}");
        assert!(
            published.ends_with(&format!(" UTC: {because}")),
            "{way}: {published}"
        );
        assert!(line(&release, "data.csv").contains("  withdrawn"), "{way}");
        let row = reported(&release, "data.csv");
        assert!(
            row.contains("withdrawn 20") && row.contains(because),
            "{way}: {row}"
        );
        for object in [
            release.gannet.source("data.csv"),
            release.gannet.json(&["show", "data.csv", "--json"]),
        ] {
            assert_eq!(object["withdrawn_because"], because, "{way}");
            let at = object["withdrawn_at"].as_str().unwrap_or_default();
            assert!(at.starts_with("20") && at.ends_with('Z'), "{way}: {at}");
            assert_eq!(object["published_version_id"], Value::Null, "{way}");
        }
        if because.starts_with("set") {
            let shown = release.gannet.ok(&["show", "set:release"]);
            let of_set = because.trim_start_matches("set release: ");
            assert!(
                shown.contains("published     withdrawn 20"),
                "{way}: {shown}"
            );
            assert!(shown.contains(of_set), "{way}: {shown}");
            assert_eq!(release.show()["withdrawn_because"], of_set, "{way}");
        }
        // Something else that passes is published, and it is over.
        release.judge_on_by(NUMBERS, "");
        release.serve("two");
        release.gannet.run(&["fetch", "data.csv", "SHA256SUMS"]);
        if verifiers.contains("eyes") {
            release.judge("data.csv", "eyes", "passed");
            release.gannet.run(&["--worker-only"]);
        }
        let after = release.gannet.source("data.csv");
        assert_ne!(after["published_version_id"], Value::Null, "{way}");
        assert_eq!(after["withdrawn_at"], Value::Null, "{way}");
    }
}

#[test]
fn what_was_never_published_was_not_withdrawn() {
    for (way, verifiers, words) in [
        ("a source", NUMBERS, "nothing yet, to be "),
        (
            "a set",
            &SUMS_VERIFIER.replace("sha256sum", "false"),
            "nothing yet: the set",
        ),
    ] {
        let release = Release::telling(verifiers);
        let published = fact(&release, "data.csv", "published").unwrap_or_default();
        assert!(published.starts_with(words), "{way}: {published}");
        let source = release.gannet.source("data.csv");
        assert_eq!(source["withdrawn_at"], Value::Null, "{way}");
        assert_eq!(release.told(), Vec::<String>::new(), "{way}");
    }
}

/// What happens, under which verifiers, and what is told of it.
type Way = (&'static str, &'static str, Happen, &'static [&'static str]);

fn check_what_is_told((way, verifiers, happen, expected): Way) {
    let nothing = " withdrawn, readers find nothing there: ";
    let release = Release::telling(verifiers);
    if verifiers == EYES {
        release.judge("data.csv", "eyes", "passed");
    }
    assert_eq!(release.told(), Vec::<String>::new(), "{way}");
    let version = |name: &str| {
        let list = release.gannet.json(&["list", "--json"]);
        let mut sources = list.as_array().into_iter().flatten();
        let found = sources.find(|source| source["name"] == name);
        found.map_or(Value::Null, |source| source["version_id"].clone())
    };
    let versions = ["SHA256SUMS", "data.csv"].map(version);
    happen(&release);
    let expected: Vec<_> = expected
        .iter()
        .map(|line| {
            let version = &versions[usize::from(line.contains("data.csv"))];
            line.replace("{nothing}", nothing)
                .replace("{}", &version.to_string())
        })
        .collect();
    assert_eq!(release.told(), expected, "{way}");
    assert_eq!(release.told(), Vec::<String>::new(), "{way}: once");
}

#[test]
fn notifiers_hear_of_a_file_that_was_withdrawn() {
    let ways: [Way; 5] = [
        (
            "a verdict",
            EYES,
            |release| release.judge("data.csv", "eyes", "failed"),
            &["- data.csv v{}{nothing}failed by eyes: no number"],
        ),
        (
            "a verdict, taken back in time",
            EYES,
            |release| {
                release.judge("data.csv", "eyes", "failed");
                release.judge("data.csv", "eyes", "passed");
            },
            &[],
        ),
        (
            "an older version is good",
            EYES,
            |release| {
                release.serve("two");
                release.gannet.run(&["fetch", "data.csv"]);
                release.judge("data.csv", "eyes", "passed");
                release.judge("data.csv", "eyes", "failed");
            },
            &[],
        ),
        (
            "a removal",
            EYES,
            |release| {
                release.gannet.ok(&["remove", "data.csv"]);
            },
            &[],
        ),
        (
            "a removal behind a verdict",
            EYES,
            |release| {
                release.judge("data.csv", "eyes", "failed");
                release.gannet.ok(&["remove", "data.csv"]);
            },
            &[],
        ),
    ];
    for way in ways {
        check_what_is_told(way);
    }
}

#[test]
fn notifiers_hear_of_a_set_that_was_withdrawn_or_takes_files_over() {
    let ways: [Way; 5] = [
        (
            "a set takes over",
            "",
            |release| {
                release.judge_on_by("[[notify]]", &format!("{SUMS_VERIFIER}[[notify]]"));
                release.gannet.ok(&["--worker-only"]);
            },
            &[
                "- data.csv v{}{nothing}it is published with its set from now on",
                "- SHA256SUMS v{}{nothing}it is published with its set from now on",
            ],
        ),
        (
            "a verdict on a set",
            SUMS_VERIFIER,
            |release| release.judge("set:release", "sums", "failed"),
            &["- set release{nothing}failed by hand (sums): no number"],
        ),
        (
            "a verdict on a set, taken back in time",
            SUMS_VERIFIER,
            |release| {
                release.judge("set:release", "sums", "failed");
                release.judge("set:release", "sums", "passed");
            },
            &[],
        ),
        (
            "a set without members",
            SUMS_VERIFIER,
            |release| {
                release.gannet.ok(&["remove", "tag:release", "--yes"]);
            },
            &["- set release{nothing}no source has its tag any more"],
        ),
        (
            "a set that is none any more",
            SUMS_VERIFIER,
            |release| release.judge_on_by(SUMS_VERIFIER, EYES),
            &["- set release{nothing}no verifier judges it as a set any more"],
        ),
    ];
    for way in ways {
        check_what_is_told(way);
    }
}

#[test]
fn what_an_older_schema_withdrew_is_shown_too() {
    let release = Release::telling(EYES);
    release.judge("data.csv", "eyes", "passed");
    release.judge("data.csv", "eyes", "failed");
    sqlite::take_back_to_schema_15(&release.gannet.data());
    release.gannet.ok(&["--worker-only"]);
    let published = fact(&release, "data.csv", "published").unwrap_or_default();
    assert!(published.starts_with("withdrawn 20"), "{published}");
    assert!(
        published.ends_with(" UTC: no version of it was good any more"),
        "{published}"
    );
    assert_eq!(
        release.gannet.source("SHA256SUMS")["withdrawn_at"],
        Value::Null
    );
}

/// What an adoption says of published files: those of a set that is declared no more change their place.
#[test]
fn an_adoption_says_that_the_files_of_a_set_move_when_it_ends() {
    let other = |tag: &str| {
        SUMS_VERIFIER
            .replace("tag:release", &format!("tag:{tag}"))
            .replace("\"sums\"", &format!("\"{tag}\""))
    };
    let json = "[[verifier]]\nname = \"json\"\nsources = [\"*.json\"]\nbuiltin = \"json\"\n";
    let both = SUMS_VERIFIER.to_owned() + &other("nightly");
    let release_moves =
        "the set release ended: each of its sources is published at its own path now";
    for (before, after, says, moves) in [
        (SUMS_VERIFIER, "", release_moves, true),
        (SUMS_VERIFIER, json, release_moves, true),
        (SUMS_VERIFIER, &other("nightly"), release_moves, true),
        (
            &both,
            json,
            "the sets nightly, release ended: each of its sources is published at its own path now",
            true,
        ),
        (
            &both,
            SUMS_VERIFIER,
            "the set nightly ended: each of its sources is published at its own path now",
            false,
        ),
        (
            SUMS_VERIFIER,
            &both,
            "and what is published stays, until",
            false,
        ),
    ] {
        let release = Release::with(before);
        release.fetch();
        assert!(release.link().exists(), "{before}");
        let said = release.judge_by(after);
        assert!(said.contains(says), "{said}");
        assert_eq!(
            said.contains("and what is published stays"),
            !says.contains("ended"),
            "{said}"
        );
        release.gannet.run(&["--worker-only"]);
        assert_eq!(!release.link().exists(), moves, "{said}");
        assert_eq!(
            release
                .gannet
                .data()
                .join("published")
                .join(release.origin.host().replace(':', "_"))
                .join("data.csv")
                .exists(),
            moves,
            "{said}"
        );
    }
}

#[test]
fn a_failed_file_of_a_source_that_left_goes_from_the_folder_at_once() {
    let check = |set: &str| {
        format!("{set}\n[[verifier]]\nname = \"good\"\nsources = [\"*\"]\ncommand = [\"true\"]\n")
    };
    let ways: [(&str, Leave); 6] = [
        ("still a member", |_, _| {}),
        ("removed", |release, _| {
            release.gannet.ok(&["remove", "data.csv"]);
        }),
        ("untagged", |release, _| {
            release.gannet.ok(&["edit", "data.csv", "--no-tags"]);
        }),
        ("all untagged", |release, _| {
            release.tag(&["data.csv", "SHA256SUMS"], &[]);
        }),
        ("no set any more", |release, verifiers| {
            release.judge_by(verifiers);
        }),
        (
            "no set any more by the verdict's own adoption",
            |release, verifiers| {
                let ca_file = release.origin.ca_file().display().to_string();
                let toml = format!("[fetch]\nca_file = {ca_file:?}\n{verifiers}");
                release.gannet.configure(&toml);
            },
        ),
    ];
    let release = Release::with(&check(SUMS_VERIFIER));
    release.fetch();
    // The members stand by name.
    let version = release.show()["published"]["members"][1]["version_id"].to_string();
    // The other member turns bad: the edition of before stays.
    release.origin.on("/SHA256SUMS", [Reply::file("bad")]);
    release.gannet.run(&["fetch", "tag:release"]);
    assert_eq!(release.data().as_deref(), Some("one"));
    let saved = release.save();
    for (way, leave) in ways {
        release.put_back(&saved);
        leave(&release, &check(""));
        let version = format!("v{version}");
        let said = release.gannet.run(&["verdict", &version, "good", "failed"]);
        assert_eq!(said.code, Some(0), "{way}: {said:?}");
        assert_eq!(release.data(), None, "{way}: {said:?}");
        assert_eq!(release.own("data.csv"), None, "{way}: {said:?}");
    }
}
