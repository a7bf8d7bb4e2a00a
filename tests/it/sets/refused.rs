//! Contents of a set that a person failed: they come back under no other names and in no other way, until a person passes them.

use crate::rig::Release;

const BOTH: [&str; 2] = ["SHA256SUMS", "data.csv"];

/// Judges by nothing that has to do with names.
const ANY: &str = "[[verifier]]\nname = \"sums\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"true\"]\n";
const OTHER: &str = "[[verifier]]\nname = \"other\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"true\"]\n";
const PEOPLE: &str = "[[verifier]]\nname = \"sums\"\nscope = \"set\"\nsources = [\"tag:release\"]\nexternal = true\n";

type Way = fn(&Release);

impl Release {
    fn pass(&self) {
        self.gannet.run(&["--worker-only"]);
    }

    fn rename(&self, from: &str, to: &str) {
        self.gannet.ok(&["edit", from, "--name", to]);
        self.pass();
    }

    fn judged(&self, outcome: &str) {
        let detail = ["--detail", "rates of another year"];
        let verdict = ["verdict", "set:release", "sums", outcome];
        self.gannet.ok(&[&verdict[..], &detail].concat());
    }
}

#[test]
fn what_a_person_failed_comes_back_in_no_way() {
    let ways: [(&str, Way); 10] = [
        ("passes", |release| {
            release.fetch();
            release.pass();
        }),
        ("renamed", |release| release.rename("data.csv", "rates.csv")),
        ("renamed and back", |release| {
            release.rename("data.csv", "rates.csv");
            release.rename("rates.csv", "data.csv");
        }),
        ("both renamed, and judged what is stale", |release| {
            release.gannet.ok(&["edit", "data.csv", "--name", "a"]);
            release.gannet.ok(&["edit", "SHA256SUMS", "--name", "b"]);
            release.gannet.run(&["verify", "--stale"]);
        }),
        ("left and came back", |release| {
            release.gannet.ok(&["edit", "data.csv", "--no-tags"]);
            release.pass();
            release.gannet.ok(&["edit", "data.csv", "--tag", "release"]);
        }),
        ("disabled and enabled", |release| {
            release.gannet.ok(&["disable", "data.csv"]);
            release.pass();
            release.gannet.ok(&["enable", "data.csv"]);
        }),
        ("removed and restored", |release| {
            release.gannet.ok(&["remove", "data.csv"]);
            release.pass();
            release.gannet.ok(&["restore", "data.csv"]);
        }),
        ("no set, and a set again", |release| {
            release.judge_by("");
            release.pass();
            release.judge_by(ANY);
        }),
        ("another verifier beside", |release| {
            release.judge_by(&format!("{OTHER}{ANY}"));
            release.rename("data.csv", "rates.csv");
        }),
        ("other bytes, and the same again", |release| {
            release.serve("two");
            release.fetch();
            assert_eq!(release.data().as_deref(), Some("two"));
            release.serve("one");
        }),
    ];
    for verifiers in [ANY, PEOPLE] {
        let release = Release::with(verifiers);
        release.fetch();
        release.judged("passed");
        assert_eq!(release.files(), BOTH);
        release.judged("failed");
        assert!(!release.link().exists());
        let failed = release.save();
        for (way, go) in ways {
            if verifiers == PEOPLE && !way.contains("renamed") {
                continue;
            }
            release.put_back(&failed);
            go(&release);
            release.pass();
            release.fetch();
            let shown = release.show();
            assert_eq!(shown["edition"]["verified"], "failed", "{way}: {shown}");
            let verdicts = shown["edition"]["verdicts"].to_string();
            assert!(verdicts.contains("rates of another year"), "{way}: {shown}");
            let comes_back = release.data().as_deref() == Some("one");
            assert!(!comes_back || release.files().len() < 2, "{way}");

            // Whatever is new of one member is judged by the verifiers.
            if verifiers == ANY {
                release.serve("three");
                release.fetch();
                release.pass();
                assert_eq!(release.show()["edition"]["verified"], "passed", "{way}");
                assert_eq!(release.files().len(), 2, "{way}");
            }
        }
    }
}

#[test]
fn an_edition_with_the_same_contents_does_not_take_the_place_of_one_that_a_person_failed() {
    for verifiers in [ANY, PEOPLE] {
        let release = Release::with(verifiers);
        release.fetch();
        release.judged("passed");
        release.rename("data.csv", "rates.csv");
        release.judged("passed");
        assert_eq!(release.files(), ["SHA256SUMS", "rates.csv"]);
        release.judged("failed");
        assert!(!release.link().exists(), "{:?}", release.files());
        release.rename("rates.csv", "data.csv");
        assert!(!release.link().exists(), "{:?}", release.files());
        // Nor is it so for ever.
        release.judged("passed");
        assert_eq!(release.files(), BOTH);
        release.rename("data.csv", "rates.csv");
        release.judged("passed");
        assert_eq!(release.files(), ["SHA256SUMS", "rates.csv"]);
    }
}

#[test]
fn a_pass_says_who_failed_the_contents_that_came_again() {
    let release = Release::with(ANY);
    release.fetch();
    release.judged("failed");
    release
        .gannet
        .ok(&["edit", "data.csv", "--name", "rates.csv"]);
    let said = release.gannet.run(&["--worker-only"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    let because = "set release: failed verification by hand (sums): rates of another year";
    assert!(said.err.contains(because), "{said:#?}");
    let verdicts = release.gannet.json(&["verdicts", "set:release", "--json"]);
    let actors: Vec<_> = verdicts
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["outcome"] == "failed")
        .map(|one| one["actor"].clone())
        .collect();
    assert_eq!(actors.len(), 2, "{verdicts}");
    assert_eq!(actors[0], actors[1], "whoever gave it: {verdicts}");
    // The newest of both says on which edition.
    assert_eq!(verdicts[0]["given_on"], 1, "{verdicts}");
    let marked = "rates of another year; of the same contents as edition 1";
    for shown in [&["verdicts", "set:release"][..], &["show", "set:release"]] {
        let shown = release.gannet.ok(shown);
        assert_eq!(shown.matches(marked).count(), 1, "{shown}");
    }
    let said = release
        .gannet
        .ok(&["verdict", "set:release", "sums", "passed"]);
    let counts =
        "edition 1 has the same contents and was failed by sums: the verdict counts for it too";
    assert!(said.contains(counts), "{said}");
}

#[test]
fn what_a_program_failed_is_judged_anew_under_other_names() {
    let release = Release::new();
    release
        .gannet
        .ok(&["edit", "data.csv", "--name", "rates.csv"]);
    release.fetch();
    assert_eq!(release.show()["edition"]["verified"], "failed");
    release.rename("rates.csv", "data.csv");
    assert_eq!(release.files(), BOTH);
    // Asked again by an operator, the verifier has the last word over a person.
    release.judged("failed");
    release.rename("data.csv", "rates.csv");
    release.rename("rates.csv", "data.csv");
    assert!(!release.link().exists());
    release.gannet.ok(&["verify", "set:release"]);
    assert_eq!(release.files(), BOTH);
}

#[test]
fn verify_judges_what_would_be_published_now() {
    let renamed: Way = |release| {
        release
            .gannet
            .ok(&["edit", "data.csv", "--name", "rates.csv"]);
    };
    let cases: [(&str, Way, &[&str], &str); 4] = [
        ("as it is", |_| {}, &BOTH, "passed"),
        ("a name that the sums do not have", renamed, &BOTH, "failed"),
        (
            "a member that left",
            |release| {
                release.gannet.ok(&["edit", "data.csv", "--no-tags"]);
            },
            &BOTH,
            "failed",
        ),
        (
            "a member that is due",
            |release| {
                release.add("notes.txt", "release");
            },
            &BOTH,
            "passed",
        ),
    ];
    let release = Release::new();
    release.fetch();
    let saved = release.save();
    for (case, go, files, state) in cases {
        release.put_back(&saved);
        go(&release);
        let said = release.gannet.run(&["verify", "set:release"]);
        let words = format!(" of the set release: {state}");
        assert!(said.out.contains(&words), "{case}: {said:#?}");
        assert_eq!(said.code, Some(i32::from(state == "failed")), "{case}");
        assert_eq!(release.files(), files, "{case}");
        let waits = "set release: notes.txt is due: judged is its newest edition";
        assert_eq!(
            said.err.contains(waits),
            case.ends_with("due"),
            "{case}: {said:#?}"
        );
        let names: Vec<_> = release.show()["edition"]["members"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["source"].clone())
            .collect();
        match case {
            "a name that the sums do not have" => assert_eq!(names, ["SHA256SUMS", "rates.csv"]),
            "a member that left" => assert_eq!(names, ["SHA256SUMS"]),
            _ => assert_eq!(names, BOTH, "{case}"),
        }
    }
}
