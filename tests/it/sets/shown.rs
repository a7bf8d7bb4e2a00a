//! What is shown of a source that is published with a set: whether it ever was, which version consumers see, and why the set
//! fails. The same everywhere.

use serde_json::{Value, json};

use crate::rig::{Release, Reply, SUMS_VERIFIER};

/// The words of a source's line in `list`, from its state on.
pub(super) fn line(release: &Release, name: &str) -> String {
    let list = release.gannet.ok(&["list"]);
    let found = list.lines().find(|line| line.contains(name));
    found.unwrap_or_else(|| panic!("{name}: {list}")).to_owned()
}

/// What `show` says behind a word.
pub(super) fn fact(release: &Release, name: &str, word: &str) -> Option<String> {
    let shown = release.gannet.ok(&["show", name]);
    let facts = shown.split("\n\n").next().unwrap_or_default();
    let mut lines = facts.lines();
    let found = lines.find(|line| line.split(' ').next() == Some(word))?;
    Some(found[word.len()..].trim().to_owned())
}

/// The row of a source in the report's first table.
pub(super) fn reported(release: &Release, name: &str) -> String {
    let page = release.gannet.ok(&["report"]);
    let link = format!(">{name}<");
    let row = page.split("<tr>").find(|row| row.contains(&link));
    row.unwrap_or_else(|| panic!("{name}: {page}")).to_owned()
}

const WHY: &str = "failed by sums: data.csv: FAILED";

#[test]
fn a_member_that_was_never_published_is_not_said_to_be() {
    let release = Release::new();
    assert!(line(&release, "data.csv").ends_with("  not yet (set release)"));
    let published = fact(&release, "data.csv", "published");
    let expected = "nothing yet, to be published with the set release";
    assert_eq!(published.as_deref(), Some(expected));

    release.serve_sums("something else");
    release.fetch();
    assert!(line(&release, "data.csv").ends_with("  not yet (set release)"));
    let nothing = "nothing yet: the set release has not passed";
    let published = fact(&release, "data.csv", "published");
    assert_eq!(published.as_deref(), Some(nothing));
    let why = fact(&release, "data.csv", "why").unwrap_or_default();
    assert!(why.starts_with(&format!("set release: {WHY}")), "{why}");
    let source = release.gannet.source("data.csv");
    assert_eq!(source["published_version_id"], Value::Null);
    let row = reported(&release, "data.csv");
    for part in ["class=\"w bad\">SETFAIL<", nothing, WHY] {
        assert!(row.contains(part), "{part}: {row}");
    }
}

#[test]
fn the_version_that_consumers_see_of_a_member_is_named() {
    let release = Release::new();
    release.fetch();
    let first = release.gannet.source("data.csv")["version_id"].clone();
    let with_set = format!("with the set release (v{first})");
    // The checksums do not agree with what comes next: the set stays as it was.
    for (data, sums, state) in [("one", "one", "new"), ("two", "one", "set-fail")] {
        release.serve_data(data);
        release.serve_sums(sums);
        if state == "set-fail" {
            release.fetch();
        }
        let source = release.gannet.source("data.csv");
        assert_eq!(source["published_version_id"], first, "{data}");
        assert_eq!(source["state"], state, "{data}");
        let short = format!("  set release (v{first})");
        assert!(line(&release, "data.csv").ends_with(&short), "{data}");
        let published = fact(&release, "data.csv", "published");
        assert_eq!(published.as_ref(), Some(&with_set), "{data}");
        assert!(reported(&release, "data.csv").contains(&with_set), "{data}");
    }
    release.serve("two");
    release.fetch();
    let source = release.gannet.source("data.csv");
    assert_eq!(source["published_version_id"], source["version_id"]);
    assert_ne!(source["version_id"], first);
    assert_eq!(source["set_error"], Value::Null);
}

#[test]
fn why_a_set_fails_is_said_wherever_it_shows() {
    let cannot = SUMS_VERIFIER.replace("sha256sum", "no-such-program");
    let other = SUMS_VERIFIER
        .replace("\"sums\"", "\"others\"")
        .replace("tag:release", "tag:other");
    let two_sets = format!("{SUMS_VERIFIER}{other}");
    for (case, verifiers, state, why) in [
        ("failed", SUMS_VERIFIER, "failed", WHY),
        ("error", &cannot, "error", "could not be judged by sums: "),
        (
            "two sets",
            &two_sets,
            "error",
            "data.csv is in the sets other and release at once",
        ),
    ] {
        let release = Release::with(verifiers);
        release.serve_sums("something else");
        if case == "two sets" {
            let tags = ["--tag", "release", "--tag", "other"];
            let edit = [&["edit", "data.csv"], &tags[..]].concat();
            release.gannet.ok(&edit);
        }
        release.fetch();
        let texts = [
            ("show SOURCE", release.gannet.ok(&["show", "data.csv"])),
            ("show SET", release.gannet.ok(&["show", "set:release"])),
            ("list", release.gannet.ok(&["list"])),
            ("list --sets", release.gannet.ok(&["list", "--sets"])),
            ("report", release.gannet.ok(&["report"])),
        ];
        for (command, text) in texts {
            assert!(text.contains(why), "{case}, {command}: {text}");
        }
        let sets = release.gannet.json(&["list", "--sets", "--json"]);
        let sets = sets.as_array().expect("a list").iter();
        let set = sets.clone().find(|set| set["name"] == "release");
        let objects = [
            release.gannet.source("data.csv")["set_error"].clone(),
            release.gannet.json(&["show", "data.csv", "--json"])["set_error"].clone(),
            release.show()["error"].clone(),
            set.map_or(json!(null), |set| set["error"].clone()),
        ];
        for error in objects {
            let text = error.as_str().unwrap_or_default();
            assert!(text.contains(why), "{case}: {error}");
        }
        let list = release.gannet.ok(&["list", "--sets"]);
        let row = list.lines().find(|line| line.starts_with("release"));
        let words: Vec<_> = row.unwrap_or_default().split_whitespace().collect();
        assert_eq!(words[1], state, "{case}: {list}");
        assert_eq!(release.gannet.source("data.csv")["state"], "set-fail");
    }
}

/// The actions of the lines that `log` prints of a set.
fn logged(release: &Release, set: &str) -> Vec<String> {
    let log = release.gannet.ok(&["log", "--source", set, "--json"]);
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let of =
        |key: &'static str| move |line: &Value| line[key].as_str().unwrap_or_default().to_owned();
    lines
        .map(|line| format!("{} {}", of("action")(&line), of("detail")(&line)))
        .collect()
}

#[test]
fn a_member_without_verdicts_leads_to_those_on_its_set() {
    let release = Release::new();
    release.fetch();
    let said = release.gannet.run(&["verdicts", "data.csv"]);
    let words = "no verdict matches; those on its set: `gannet verdicts set:release`\n";
    assert_eq!(
        (said.code, said.err.as_str()),
        (Some(0), words),
        "{said:#?}"
    );
}

#[test]
fn the_log_of_a_set_has_the_events_of_that_set_alone() {
    let other = |tag: &str| {
        SUMS_VERIFIER
            .replace("tag:release", &format!("tag:{tag}"))
            .replace("\"sums\"", &format!("{tag:?}"))
    };
    let release = Release::with(&(SUMS_VERIFIER.to_owned() + &other("release-2") + &other("2")));
    release.fetch();
    release.add("other.txt", "release-2");
    release.origin.on("/other.txt", [Reply::file("other")]);
    release.gannet.run(&["fetch", "other.txt"]);
    release.serve_data("bad");
    release.gannet.run(&["fetch", "tag:release"]);
    release.gannet.ok(&["edit", "tag:release", "--no-tags"]);
    let of_release = [
        "verdict.passed release: sums",
        "set.passed release",
        "set.published release: edition 1",
        "verdict.failed release: sums: ",
        "set.failed release: sums: ",
        "set.withdrawn release: no source has its tag any more",
    ];
    let found = logged(&release, "set:release");
    assert_eq!(found.len(), of_release.len(), "{found:?}");
    for (found, expected) in found.iter().zip(of_release) {
        assert!(found.starts_with(expected), "{found}");
    }
    let lines = release.gannet.ok(&["log", "--source", "set:release"]);
    for (action, part) in [
        ("set.passed", " edition 1 of release ("),
        ("set.failed", " edition 3 of release: sums: "),
    ] {
        let line = lines.lines().find(|line| line.contains(action));
        assert!(line.is_some_and(|line| line.contains(part)), "{lines}");
    }
    let of_other = logged(&release, "set:release-2");
    assert!(
        of_other.iter().all(|line| line.contains(" release-2")),
        "{of_other:?}"
    );
    assert!(!of_other.is_empty());
    assert_eq!(
        logged(&release, "set:2"),
        Vec::<String>::new(),
        "it has no member"
    );
    let people = release.gannet.ok(&["log", "--source", "set:release"]);
    assert_eq!(people.lines().count(), of_release.len(), "{people}");
    let nobody = release.gannet.run(&["log", "--source", "set:releas"]);
    assert_eq!(nobody.code, Some(2));
    assert!(
        nobody.err.contains("no set is called `releas`"),
        "{nobody:?}"
    );
    // One that ended has its events still.
    release.judge_by("");
    assert_eq!(logged(&release, "set:release").len(), of_release.len());
}
