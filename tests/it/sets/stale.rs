//! `verify --stale` and sets: whatever stands ready is judged by the verifiers in force.

use serde_json::Value;

use crate::rig::{Release, Reply, SUMS_VERIFIER};

/// Another verifier of the set, which runs this program.
fn second(program: &str, more: &str) -> String {
    format!(
        "\n[[verifier]]\nname = \"second\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [{program:?}]\n{more}"
    )
}

impl Release {
    /// How many sets `verify --stale` judged: in all, that did not pass, without a required verifier, and how many wait.
    fn verify_stale(&self) -> [u64; 4] {
        let said = self.gannet.run(&["verify", "--stale", "--json"]);
        let done: Value = serde_json::from_str(&said.out).expect("JSON");
        let counts = ["sets", "sets_failed", "sets_unverified", "sets_waiting"]
            .map(|key| done[key].as_u64().expect("a count"));
        // An edition that waits for a verdict is no failure.
        let pending = done["sets_pending"].as_u64().expect("a count");
        assert_eq!(said.code, Some(i32::from(counts[1] > pending)), "{said:#?}");
        counts
    }
}

const NOTHING: [u64; 4] = [0; 4];

#[test]
fn an_edition_is_judged_by_the_verifiers_in_force() {
    let sums = SUMS_VERIFIER;
    let advisory = "advisory = true\n";
    let changed = sums.replace("--quiet", "--status");
    for (case, before, after, judged, state) in [
        (
            "another one",
            sums,
            changed.as_str(),
            [1, 0, 0, 0],
            "passed",
        ),
        (
            "one more that passes",
            sums,
            &format!("{sums}{}", second("true", "")),
            [1, 0, 0, 0],
            "passed",
        ),
        (
            "one more that fails",
            sums,
            &format!("{sums}{}", second("false", "")),
            [1, 1, 0, 0],
            "failed",
        ),
        (
            "one that fails is gone",
            &format!("{sums}{}", second("false", "")),
            sums,
            [1, 0, 0, 0],
            "passed",
        ),
        (
            "one that fails is advisory",
            &format!("{sums}{}", second("false", "")),
            &format!("{sums}{}", second("false", advisory)),
            [1, 0, 0, 0],
            "passed",
        ),
        (
            "one that advised is required",
            &format!("{sums}{}", second("false", advisory)),
            &format!("{sums}{}", second("false", "")),
            [1, 1, 0, 0],
            "failed",
        ),
        (
            "advice only, another one",
            &second("true", advisory),
            &second("false", advisory),
            [1, 0, 1, 0],
            "unverified",
        ),
        (
            "advice only at first",
            &second("true", advisory),
            sums,
            [1, 0, 0, 0],
            "passed",
        ),
        (
            "from outside",
            sums,
            &format!(
                "{sums}{}",
                second("x", "").replace("command = [\"x\"]", "external = true")
            ),
            [1, 1, 0, 0],
            "pending",
        ),
        ("the same", sums, sums, NOTHING, "passed"),
    ] {
        let release = Release::with(before);
        release.fetch();
        release.judge_by(after);
        assert_eq!(release.verify_stale(), judged, "{case}");
        let shown = release.show();
        assert_eq!(
            (&shown["verified"], &shown["edition"]["id"]),
            (&state.into(), &1.into()),
            "{case}"
        );
        // What waits for a verdict from outside stays where it is.
        assert_eq!(release.data().is_some(), state != "failed", "{case}");
        assert_eq!(release.verify_stale(), NOTHING, "{case}: done");
    }
}

#[test]
fn a_combination_that_was_never_judged_is_judged() {
    for (case, sums, judged, state) in [
        ("good", "one", [1, 0, 0, 0], "passed"),
        ("bad", "else", [1, 1, 0, 0], "failed"),
    ] {
        let release = Release::with("");
        release.serve_sums(sums);
        release.fetch();
        release.judge_by(SUMS_VERIFIER);
        assert_eq!(release.show()["edition"], Value::Null, "{case}");
        assert_eq!(release.verify_stale(), judged, "{case}");
        assert_eq!(release.show()["verified"], state, "{case}");
        assert_eq!(release.data().is_some(), state == "passed", "{case}");
        assert_eq!(release.verify_stale(), NOTHING, "{case}");
    }
}

#[test]
fn the_newest_combination_is_judged_and_not_only_the_edition_before() {
    let release = Release::new();
    release.fetch();
    release.add("notes.txt", "alone");
    release.origin.on("/notes.txt", [Reply::file("notes")]);
    release.gannet.fetch("notes.txt");
    release
        .gannet
        .ok(&["edit", "notes.txt", "--tag", "release"]);
    assert_eq!(release.verify_stale(), [1, 0, 0, 0]);
    assert_eq!(release.files(), ["SHA256SUMS", "data.csv", "notes.txt"]);
    // One that is due would be another version in a moment: what was judged of the set still is.
    release.add("more.txt", "release");
    assert_eq!(release.verify_stale(), NOTHING);
    release.judge_by(&SUMS_VERIFIER.replace("--quiet", "--status"));
    assert_eq!(release.verify_stale(), [1, 0, 0, 0]);
}

#[test]
fn the_edition_that_readers_see_is_judged_too() {
    let release = Release::new();
    release.fetch();
    release.serve_data("two");
    release.fetch();
    assert_eq!(release.show()["verified"], "failed");
    assert_eq!(release.data().as_deref(), Some("one"));
    release.judge_by(&SUMS_VERIFIER.replace("sha256sum", "false && sha256sum"));
    assert_eq!(release.verify_stale(), [1, 1, 0, 0]);
    assert!(!release.link().exists(), "it does not pass any more either");
    assert_eq!(release.verify_stale(), NOTHING);
}

/// Readers see none on the way that is found bad a moment later, and at the end the newest that the verifiers of now let pass.
#[test]
fn readers_see_no_older_edition_that_was_not_judged_anew() {
    let release = Release::new();
    for data in ["one", "two", "three"] {
        release.serve(data);
        release.fetch();
    }
    let saved = release.save();
    for (good, served) in [
        (&["one", "two"][..], Some("two")),
        (&["one"], Some("one")),
        (&[], None),
    ] {
        release.put_back(&saved);
        let rule = format!("cd \"$1\" && grep -qxE '({})' data.csv", good.join("|"));
        release.judge_by(&SUMS_VERIFIER.replace(
            "cd \\\"$1\\\" && sha256sum --quiet -c SHA256SUMS",
            &rule.replace('"', "\\\""),
        ));
        let before = release.events().len();
        release.verify_stale();
        assert_eq!(release.data().as_deref(), served);
        let seen = release.events().split_off(before);
        let seen: Vec<_> = seen
            .iter()
            .filter_map(|event| event.split(' ').next())
            .collect();
        let published = seen.iter().filter(|one| **one == "set.published").count();
        assert_eq!(published, usize::from(served.is_some()), "{seen:?}");
        assert_eq!(release.verify_stale(), NOTHING);
    }
}

#[test]
fn a_set_that_waits_for_its_first_edition_is_told() {
    let release = Release::new();
    assert_eq!(release.verify_stale(), [0, 0, 0, 1]);
    let said = release.gannet.ok(&["verify", "--stale"]);
    let told = "every verdict is up to date with its verifier\n1 set not judged yet: `gannet list --sets` says what each waits for\n";
    assert_eq!(said, told);
    release.gannet.ok(&["remove", "tag:release", "--yes"]);
    assert_eq!(release.verify_stale(), NOTHING, "nobody waits");
}
