//! Why a pass did not end well: what it says to people, programs read too, in JSON and in the log; and a set says both why it fails
//! and what it waits for. Through the real program.

use std::fs;

use serde_json::Value;

use crate::rig::{Home, Reply, fixture};

fixture! {
    /// Sources `a`, judged by a rule, and `data` and `sums` of the set `eu`, which passes while both are in it. All good.
    struct Scene;
}

impl Scene {
    fn new() -> Self {
        let verifiers = r#"
            [[verifier]]
            name = "json"
            sources = ["a"]
            builtin = "json"
            [[verifier]]
            name = "both"
            scope = "set"
            sources = ["tag:eu"]
            command = ["sh", "-c", "cd $1 && cat data sums >/dev/null 2>&1 || { echo no data; exit 1; }", "sh", "{path}"]
"#;
        Self(Home::new(verifiers).with_source("a", ["1"]).fetched(&["a"]))
    }

    /// A home in which the set is published.
    fn with_set() -> Self {
        let Self(home) = Self::new();
        let home = ["data", "sums"]
            .into_iter()
            .fold(home, |home, name| home.with_member(name, &["eu"], [name]));
        Self(home.fetched(&["data", "sums"]))
    }

    fn block(&self) {
        let folder = self.folder();
        fs::remove_dir_all(&folder).expect("a folder");
        fs::write(folder, "mine").expect("a file");
    }

    /// What a command prints as JSON, whatever its exit code.
    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(said.code, Some(1), "{said:#?}");
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:#?}"))
    }

    /// The actions of the log with their details, oldest first.
    fn log(&self) -> Vec<(String, String)> {
        let log = self.ok(&["log", "--json", "--limit", "0"]);
        let read = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
        let events: Vec<_> = log.lines().map(read).collect();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .map(|event| (text(&event["action"]), text(&event["detail"])))
            .collect()
    }

    fn sets(&self) -> String {
        self.ok(&["list", "--sets"])
    }
}

#[test]
fn programs_read_why_a_source_is_no_good() {
    let home = Scene::new();
    home.serve("a", "no JSON");
    let pass = home.json(&["fetch", "a"]);
    let source = &pass["sources"][0];
    let why = source["why"].as_str().expect("a reason");
    assert!(why.starts_with("json: "), "{pass}");
    assert!(why.contains("; v1 stays published at "), "{pass}");
    let text = home.run(&["fetch", "a"]).out;
    assert!(text.contains(why), "{text}");

    home.origin.on("/a", [Reply::status(404)]);
    let pass = home.json(&["fetch", "a"]);
    let why = pass["sources"][0]["why"].as_str().expect("a reason");
    assert!(why.starts_with("status: "), "{pass}");

    home.serve("a", "2");
    let said = home.ok(&["fetch", "a", "--json"]);
    let pass: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(pass["sources"][0]["why"], Value::Null);
    assert_eq!(pass["failing_sets"], serde_json::json!([]));
    assert_eq!(pass["not_published"], serde_json::json!([]));
}

#[test]
fn programs_read_what_is_not_published() {
    let home = Scene::new();
    home.block();
    home.serve("a", "2");
    let pass = home.json(&["fetch", "a"]);
    assert_eq!(pass["publish_failed"], 1, "{pass}");
    let one = &pass["not_published"][0];
    assert_eq!((&one["what"], &one["source_id"]), (&"a".into(), &1.into()));
    let why = one["why"].as_str().expect("a reason");
    assert!(why.contains("a file is in the way"), "{pass}");
    let again = home.json(&["--worker-only"]);
    assert_eq!(again["not_published"][0]["what"], "a", "{again}");
}

#[test]
fn programs_read_which_sets_fail_and_why() {
    let home = Scene::with_set();
    home.ok(&["remove", "data"]);
    for _ in 0..2 {
        // The pass that finds it, and one that finds nothing new.
        let pass = home.json(&["--worker-only"]);
        assert_eq!(pass["sets_failing"], 1, "{pass}");
        let set = &pass["failing_sets"][0];
        assert_eq!(set["set"], "eu", "{pass}");
        assert_eq!(set["why"], "failed by both: no data", "{pass}");
    }
    let pass = home.json(&["fetch", "sums"]);
    assert_eq!(pass["failing_sets"][0]["set"], "eu", "{pass}");
    let why = pass["sources"][0]["why"].as_str().unwrap_or_default();
    assert!(why.starts_with("set eu: failed by both: no data"), "{pass}");
    let other = home.ok(&["fetch", "a", "--json"]);
    let other: Value = serde_json::from_str(&other).expect("JSON");
    assert_eq!(other["failing_sets"], serde_json::json!([]));
}

#[test]
fn the_log_says_of_a_pass_what_was_printed() {
    let home = Scene::with_set();
    home.ok(&["remove", "data"]);
    home.block();
    home.serve("a", "2");
    for (command, words) in [
        ("fetch a", "; 1 not published; "),
        ("fetch sums", "; 1 set failed; "),
        ("fetch a sums", "; 1 set failed; 1 not published; "),
    ] {
        let said = home.run(&command.split(' ').collect::<Vec<_>>());
        assert!(said.out.contains(words), "{said:#?}");
        let log = home.log();
        let mut passes = log.iter().filter(|(action, _)| action == "pass.finished");
        let (_, last) = passes.next_back().expect("a pass");
        assert!(said.out.contains(&format!("{last}\n")), "{last}: {said:#?}");
        let is = |action: &str| log.iter().filter(|(one, _)| one == action).count();
        assert_eq!(is("pass.started"), is("pass.finished"));
    }
}

#[test]
fn a_set_says_why_it_fails_and_what_it_waits_for() {
    type Step = fn(&Scene);
    let restored: Step = |home| drop(home.ok(&["restore", "data"]));
    let down: Step = |home| {
        home.origin.on("/sums", [Reply::status(500)]);
        home.run(&["fetch", "sums"]);
    };
    for (step, waits) in [
        (restored, "the next pass judges it"),
        (down, "the last attempt at sums failed"),
    ] {
        let home = Scene::with_set();
        home.ok(&["remove", "data"]);
        home.run(&["--worker-only"]);
        assert!(home.sets().ends_with("failed by both: no data\n"));
        step(&home);
        let both = format!("failed by both: no data; waits: {waits}\n");
        assert!(home.sets().ends_with(&both), "{}", home.sets());
        let list = home.ok(&["list"]);
        assert!(list.ends_with(&both), "{list}");
        let show = home.ok(&["show", "set:eu"]);
        for fact in [
            format!("waits         {waits}\n"),
            "why           failed by both: no data\n".to_owned(),
        ] {
            assert!(show.contains(&fact), "{show}");
        }
    }
}

#[test]
fn the_log_says_that_a_set_stands_as_an_older_edition_does() {
    // The first edition failed or passed already; the second one, with the source that is purged, is of the other kind.
    for (first, second, action) in [
        ("sums", "data", "set.failed"),
        ("data", "sums", "set.failed"),
    ] {
        let home = Scene::new();
        home.serve(first, first);
        home.add(first, &["--tag", "eu"]);
        home.run(&["fetch", first]);
        home.serve(second, second);
        home.add(second, &["--tag", "eu"]);
        home.ok(&["fetch", second]);
        assert!(home.sets().contains("passed"), "{}", home.sets());
        let before = home.log().len();
        home.run(&["remove", "--purge", "--yes", second]);
        assert!(home.sets().contains("failed"), "{}", home.sets());
        let log = home.log();
        let new: Vec<_> = log.iter().filter(|(one, _)| one == action).collect();
        assert_eq!(new.len(), 2, "{before}: {log:?}");
        let (_, detail) = new.last().expect("an event");
        assert_eq!(detail, "eu: both: no data");
        let withdrawn = log.iter().any(|(one, _)| one == "set.withdrawn");
        assert!(withdrawn, "{log:?}");
    }
}

#[test]
fn a_purge_that_changes_no_set_says_nothing_of_sets() {
    let home = Scene::with_set();
    let of_sets = |home: &Scene| {
        let log = home.log().into_iter();
        log.filter(|(action, _)| action.starts_with("set.")).count()
    };
    let before = of_sets(&home);
    home.ok(&["remove", "--purge", "--yes", "a"]);
    assert_eq!(of_sets(&home), before);
}
