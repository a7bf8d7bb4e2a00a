//! What is told of a pass: of each source what became of it, also when the pass could not begin; and what is to come.

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rig::{Gannet, Gate, Home, Origin, Reply, Terminal, said, until};

fn add(gannet: &Gannet, origin: &Origin, names: &[&str]) {
    for name in names {
        gannet.ok(&["add", &origin.url(&format!("/{name}")), "--allow-private"]);
    }
}

/// Name, outcome, version and state of each source, and the kind of its error.
fn outcomes(pass: &Value) -> Vec<[Value; 5]> {
    let sources = pass["sources"].as_array().expect("sources");
    let fields = ["name", "outcome", "version_id", "verified", "error_kind"];
    sources
        .iter()
        .map(|source| fields.map(|field| source[field].clone()))
        .collect()
}

#[test]
fn json_says_what_became_of_each_source() {
    let gannet =
        Home::new("[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n");
    let origin = &gannet.origin;
    origin.on("/bad", ["{}", "no"].map(Reply::file));
    origin.on("/down", [Reply::status(404)]);
    origin.on("/good", [Reply::file("{}")]);
    add(&gannet, origin, &["good", "down", "bad"]);
    let first = gannet.run(&["--worker-only", "--json"]);
    let first: Value = serde_json::from_str(&first.out).expect("JSON");
    let named = |rows: Vec<[Value; 5]>| -> Vec<_> {
        rows.into_iter()
            .map(|[name, outcome, version, verified, kind]| {
                json!([name, outcome, version.is_i64(), verified, kind])
            })
            .collect()
    };
    assert_eq!(
        named(outcomes(&first)),
        [
            json!(["bad", "new", true, "passed", null]),
            json!(["down", "failed", false, null, "status"]),
            json!(["good", "new", true, "passed", null]),
        ]
    );
    assert_eq!(
        named(outcomes(&gannet.fetch("*"))),
        [
            json!(["bad", "new", true, "failed", null]),
            json!(["down", "failed", false, null, "status"]),
            json!(["good", "unchanged", true, "passed", null]),
        ]
    );
    let down = &first["sources"][1];
    assert!(
        down["error"]
            .as_str()
            .is_some_and(|error| error.contains("404"))
    );
    assert_eq!(
        gannet.json(&["--worker-only", "--json"])["sources"],
        json!([])
    );
}

#[test]
fn a_pass_that_cannot_begin_says_so_of_each_source() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("a")]);
    add(&gannet, origin, &["a"]);
    gannet.fetch("a");
    gannet.configure("[fetch]\nca_file = \"gone.pem\"\n");
    let failed = gannet.run(&["fetch", "a"]);
    assert_eq!(failed.code, Some(3), "{failed:?}");
    for part in ["not tried", "gone.pem", "nothing was fetched"] {
        assert!(failed.out.contains(part), "{part}: {failed:?}");
    }
    assert!(
        !failed.out.contains("nothing was due") && !failed.out.contains("v1"),
        "{failed:?}"
    );
    let failed = gannet.run(&["fetch", "a", "--json"]);
    let object: Value = serde_json::from_str(&failed.out).expect("JSON");
    assert_eq!(object["sources"][0]["outcome"], "untried");
    let error = object["sources"][0]["error"].as_str().expect("a reason");
    assert!(error.contains("gone.pem"), "{error}");
}

#[test]
fn a_source_that_another_worker_is_at_is_busy() {
    let (origin, gate) = (Origin::start(true), Gate::new());
    origin.on("/slow", [Reply::file("slow").behind(&gate)]);
    let gannet = Gannet::trusting(origin.ca_file(), "");
    add(&gannet, &origin, &["slow"]);
    let first = gannet.start(&["fetch", "slow"]);
    until("the request", || !origin.requests().is_empty());
    let second = gannet.run(&["fetch", "slow"]);
    assert!(
        second.out.contains("busy") && !second.out.contains("due"),
        "{second:?}"
    );
    assert_eq!(gannet.fetch("slow")["sources"][0]["outcome"], "busy");
    gate.open();
    let first = said(&first.wait_with_output().expect("it ends"));
    assert!(
        first.code == Some(0) && first.out.contains("new"),
        "{first:?}"
    );
}

#[test]
fn quiet_says_only_what_was_asked_for() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("a")]);
    let address = origin.url("/a");
    for arguments in [
        ["add", &address, "--allow-private", "-q"].as_slice(),
        &["fetch", "a", "--quiet"],
        &["edit", "a", "--interval", "2h", "-q"],
        &["-q", "disable", "a"],
        &["interval", "a", "3h", "-q"],
        &["rm", "a", "-q"],
        &["restore", "a", "-q"],
    ] {
        let said = gannet.run(arguments);
        assert_eq!(
            (said.code, said.out.as_str(), said.err.as_str()),
            (Some(0), "", ""),
            "{arguments:?}"
        );
    }
    assert!(gannet.ok(&["list", "-q"]).contains("3h"));
    assert!(gannet.run(&["fetch", "b", "-q"]).err.contains("no source"));
}

#[test]
fn quiet_leaves_stdout_empty_and_says_on_stderr_what_is_bad() {
    let gannet =
        Home::new("[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n");
    let origin = &gannet.origin;
    origin.on("/bad", [Reply::file("no")]);
    origin.on("/down", [Reply::status(404)]);
    origin.on("/good", [Reply::file("{}")]);
    add(&gannet, origin, &["good", "down", "bad"]);
    let bad = "gannet: bad: v1 failed verification by json: ";
    let before = "gannet: bad: v1 failed before: json: ";
    let down = "gannet: down: ";
    for (arguments, code, parts) in [
        (&["-q", "fetch", "bad"][..], 1, &[bad][..]),
        // The version that failed before.
        (&["-q", "fetch", "bad"], 1, &[before]),
        (&["fetch", "down", "-q"], 1, &[down]),
        (&["fetch", "good", "-q"], 0, &[]),
        (&["fetch", "*", "-q"], 1, &[before, down]),
        (&["verify", "good", "-q"], 0, &[]),
        (&["--worker-only", "-q"], 0, &[]),
    ] {
        let said = gannet.run(arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:#?}");
        assert!(said.out.is_empty() || arguments[0] == "verify", "{said:#?}");
        for part in parts {
            assert!(said.err.contains(part), "{arguments:?}: {said:#?}");
        }
        assert_eq!(said.err.lines().count(), parts.len(), "{said:#?}");
    }
    // A source that is due and down.
    gannet.ok(&["edit", "down", "--address", &origin.url("/gone")]);
    let said = gannet.run(&["--worker-only", "-q"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:#?}");
    assert!(
        said.err
            .contains("gannet: 1 fetched: 0 new, 0 unchanged, 1 failed"),
        "{said:#?}"
    );
}

#[test]
fn a_worker_that_stays_says_on_a_terminal_what_it_watches() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("a")]);
    add(&gannet, origin, &["a"]);
    let mut terminal = Terminal::start(&gannet, &["--worker-only", "--loop"]);
    terminal.wait_for("watching 1 source, 1 due now; ^C ends");
    terminal.wait_for("1 fetched: 1 new");
    terminal.wait_for("watching 1 source, next at 20");
    terminal.press("\x03");
    terminal.ended();
}

#[test]
fn usage_errors_help_or_say_nothing() {
    let gannet = Gannet::new();
    for (arguments, helps, noise) in [
        (["ad", "x"].as_slice(), "'add'", "add_url"),
        (&["daemon"], "--worker-only --loop", "remove"),
        (&["run"], "gannet --worker-only", "remove"),
        (
            &["add", "--frob", "x"],
            "unexpected argument '--frob'",
            "as a value",
        ),
        (&["list", "--fail"], "'--failing'", "as a value"),
        (&["url_enable"], "unrecognized", "url_enabled"),
        (&["version"], "'gannet --version' prints it", "verdict"),
        (
            &["log", "--every", "1h"],
            "unexpected argument '--every'",
            "similar",
        ),
        (
            &["add", "--every", "1h"],
            "unexpected argument '--every'",
            "similar",
        ),
        (
            &["edit", "a", "--every=1h"],
            "unexpected argument '--every'",
            "similar",
        ),
        (&["add", "--intreval", "1h"], "'--interval'", "as a value"),
    ] {
        let said = gannet.run(arguments);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(
            said.err.contains(helps) && !said.err.contains(noise),
            "{said:?}"
        );
    }
    assert!(
        gannet.run(&["status"]).err.contains("no sources yet")
            || gannet.run(&["status"]).code == Some(3)
    );
}

#[test]
fn many_addresses_are_added_at_once() {
    use std::io::Write as _;
    let gannet = Gannet::new();
    let interval = |name: &str| gannet.source(name)["interval"].clone();
    gannet.ok(&[
        "add",
        "https://h.example/a",
        "https://h.example/b",
        "12h",
        "--tag",
        "t",
    ]);
    assert_eq!((interval("a"), interval("b")), (json!("12h"), json!("12h")));
    gannet.ok(&["add", "https://h.example/c", "--interval", "2d"]);
    assert_eq!(interval("c"), "2d");
    let mut child = gannet
        .command(&["add", "-", "--interval", "6h"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("gannet starts");
    let lines = b"# mine\nhttps://h.example/d\nhttps://h.example/e 1h\n";
    child
        .stdin
        .take()
        .expect("stdin")
        .write_all(lines)
        .expect("read");
    let added = said(&child.wait_with_output().expect("it ends"));
    assert_eq!(
        (added.code, added.out.lines().count()),
        (Some(0), 2),
        "{added:?}"
    );
    assert_eq!((interval("d"), interval("e")), (json!("6h"), json!("1h")));
    for (arguments, part) in [
        (
            ["add", "https://h.example/x", "https://h.example/a"].as_slice(),
            "taken",
        ),
        (
            &[
                "add",
                "https://h.example/x",
                "https://h.example/y",
                "--name",
                "z",
            ],
            "2 sources cannot share one name",
        ),
        (&["add", "https://h.example/x", "30m"], "1h, 12h"),
        (
            &["add", "https://h.example/x", "1h", "--interval", "2h"],
            "two intervals",
        ),
    ] {
        let said = gannet.run(arguments);
        assert!(said.code == Some(2) && said.err.contains(part), "{said:?}");
    }
    assert_eq!(
        gannet.json(&["list", "--json"]).as_array().map(Vec::len),
        Some(5)
    );
}

/// A worker that stays looks at the catalogue of its own accord once a minute.
#[test]
fn a_worker_that_stays_sees_within_seconds_what_another_process_adds() {
    for arguments in [
        &["--worker-only", "--loop"][..],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let home = Home::new("").with_source("first.txt", ["first"]);
        let mut worker = home.start(arguments);
        let is_fetched = |name: &str| {
            home.ok(&["list"]).contains(name) && home.source(name)["version_id"].is_i64()
        };
        until("the first pass", || is_fetched("first.txt"));
        for name in ["second.txt", "third.txt"] {
            home.serve(name, name);
            home.add(name, &[]);
            let added = Instant::now();
            until("the file that was added", || is_fetched(name));
            let waited = added.elapsed();
            assert!(
                waited < Duration::from_secs(20),
                "{arguments:?}: {waited:?}"
            );
        }
        worker.kill().expect("it runs");
        worker.wait().expect("its end");
    }
}

#[test]
fn a_worker_that_stays_prints_each_pass_as_a_line_of_json() {
    let home = Home::new("").with_source("first.txt", ["first"]);
    let mut worker = home.start(&["--worker-only", "--loop", "--json"]);
    let mut lines = BufReader::new(worker.stdout.take().expect("a pipe")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("text");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let first = next();
    assert_eq!((&first["new"], &first["error"]), (&json!(1), &Value::Null));
    assert_eq!(first["sources"][0]["name"], "first.txt", "{first}");
    home.serve("second.txt", "second");
    home.add("second.txt", &[]);
    let second = next();
    assert_eq!(second["sources"][0]["name"], "second.txt", "{second}");
    worker.kill().expect("it runs");
    worker.wait().expect("its end");
}
