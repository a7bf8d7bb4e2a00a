//! Why a pass did not end well: what it says to people, programs read too, in JSON and in the log; and a set says both why it fails
//! and what it waits for. Through the real program.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::origin::{Origin, Reply};
use crate::rig::Gannet;

/// Sources `a`, judged by a rule, and `data` and `sums` of the set `eu`, which passes while both are in it. All good.
struct Home {
    origin: Origin,
    gannet: Gannet,
}

impl Home {
    fn new() -> Self {
        let origin = Origin::start(true);
        let verifiers = r#"max_tries = 1
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
        let gannet = Gannet::trusting(origin.ca_file(), verifiers);
        let home = Self { origin, gannet };
        home.serve("a", "1");
        home.add("a", &[]);
        home.gannet.ok(&["fetch", "a"]);
        home
    }

    /// A home in which the set is published.
    fn with_set() -> Self {
        let home = Self::new();
        for name in ["data", "sums"] {
            home.serve(name, name);
            home.add(name, &["--tag", "eu"]);
        }
        home.gannet.ok(&["fetch", "data", "sums"]);
        home
    }

    fn serve(&self, name: &str, content: &str) {
        let reply = Reply::file(content.to_owned());
        self.origin.on(&format!("/{name}"), [reply]);
    }

    fn add(&self, name: &str, more: &[&str]) {
        let url = self.origin.url(&format!("/{name}"));
        let arguments = ["add", &url, "1h", "--name", name, "--allow-private"];
        self.gannet.ok(&[&arguments, more].concat());
    }

    /// Puts a file where the folder of the published files is.
    fn block(&self) {
        let host = self.origin.host().replace(':', "_");
        let folder: PathBuf = self.gannet.data().join("published").join(host);
        fs::remove_dir_all(&folder).expect("a folder");
        fs::write(folder, "mine").expect("a file");
    }

    /// What a command prints as JSON, whatever its exit code.
    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.gannet.run(&[arguments, &["--json"]].concat());
        assert_eq!(said.code, Some(1), "{said:#?}");
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:#?}"))
    }

    /// The actions of the log with their details, oldest first.
    fn log(&self) -> Vec<(String, String)> {
        let log = self.gannet.ok(&["log", "--json", "--limit", "0"]);
        let read = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
        let events: Vec<_> = log.lines().map(read).collect();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .map(|event| (text(&event["action"]), text(&event["detail"])))
            .collect()
    }

    fn sets(&self) -> String {
        self.gannet.ok(&["list", "--sets"])
    }
}

#[test]
fn programs_read_why_a_source_is_no_good() {
    let home = Home::new();
    home.serve("a", "no JSON");
    let pass = home.json(&["fetch", "a"]);
    let source = &pass["sources"][0];
    let why = source["why"].as_str().expect("a reason");
    assert!(why.starts_with("json: "), "{pass}");
    assert!(why.contains("; v1 stays published at "), "{pass}");
    let text = home.gannet.run(&["fetch", "a"]).out;
    assert!(text.contains(why), "{text}");

    home.origin.on("/a", [Reply::status(404)]);
    let pass = home.json(&["fetch", "a"]);
    let why = pass["sources"][0]["why"].as_str().expect("a reason");
    assert!(why.starts_with("status: "), "{pass}");

    home.serve("a", "2");
    let said = home.gannet.ok(&["fetch", "a", "--json"]);
    let pass: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(pass["sources"][0]["why"], Value::Null);
    assert_eq!(pass["failing_sets"], serde_json::json!([]));
    assert_eq!(pass["not_published"], serde_json::json!([]));
}

#[test]
fn programs_read_what_is_not_published() {
    let home = Home::new();
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
    let home = Home::with_set();
    home.gannet.ok(&["remove", "data"]);
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
    let other = home.gannet.ok(&["fetch", "a", "--json"]);
    let other: Value = serde_json::from_str(&other).expect("JSON");
    assert_eq!(other["failing_sets"], serde_json::json!([]));
}

#[test]
fn the_log_says_of_a_pass_what_was_printed() {
    let home = Home::with_set();
    home.gannet.ok(&["remove", "data"]);
    home.block();
    home.serve("a", "2");
    for (command, words) in [
        ("fetch a", "; 1 not published; "),
        ("fetch sums", "; 1 set failed; "),
        ("fetch a sums", "; 1 set failed; 1 not published; "),
    ] {
        let said = home.gannet.run(&command.split(' ').collect::<Vec<_>>());
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
    type Step = fn(&Home);
    let restored: Step = |home| drop(home.gannet.ok(&["restore", "data"]));
    let down: Step = |home| {
        home.origin.on("/sums", [Reply::status(500)]);
        home.gannet.run(&["fetch", "sums"]);
    };
    for (step, waits) in [
        (restored, "the next pass judges it"),
        (down, "the last attempt at sums failed"),
    ] {
        let home = Home::with_set();
        home.gannet.ok(&["remove", "data"]);
        home.gannet.run(&["--worker-only"]);
        assert!(home.sets().ends_with("failed by both: no data\n"));
        step(&home);
        let both = format!("failed by both: no data; waits: {waits}\n");
        assert!(home.sets().ends_with(&both), "{}", home.sets());
        let list = home.gannet.ok(&["list"]);
        assert!(list.ends_with(&both), "{list}");
        let show = home.gannet.ok(&["show", "set:eu"]);
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
        let home = Home::new();
        home.serve(first, first);
        home.add(first, &["--tag", "eu"]);
        home.gannet.run(&["fetch", first]);
        home.serve(second, second);
        home.add(second, &["--tag", "eu"]);
        home.gannet.ok(&["fetch", second]);
        assert!(home.sets().contains("passed"), "{}", home.sets());
        let before = home.log().len();
        home.gannet.run(&["remove", "--purge", "--yes", second]);
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
    let home = Home::with_set();
    let of_sets = |home: &Home| {
        let log = home.log().into_iter();
        log.filter(|(action, _)| action.starts_with("set.")).count()
    };
    let before = of_sets(&home);
    home.gannet.ok(&["remove", "--purge", "--yes", "a"]);
    assert_eq!(of_sets(&home), before);
}
