//! What verdicts count, with the real program: outside verifiers, advisory ones, provenance, and judging again what an
//! older judge had judged.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::rig::{Gannet, Home, Origin, Reply, until, verifier};

fn add(gannet: &Gannet, origin: &Origin, path: &str) {
    gannet.ok(&["add", &origin.url(path), "1h", "--allow-private"]);
}

fn script(gannet: &Gannet, text: &str) -> PathBuf {
    let path = gannet.path("check.sh");
    let new = gannet.path("check.sh.new");
    fs::write(&new, format!("#!/bin/sh\n{text}\n")).expect("a script");
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).expect("a mode");
    // In one step, as an installation does it.
    fs::rename(&new, &path).expect("in its place");
    path
}

fn published(gannet: &Gannet, name: &str) -> Option<String> {
    let path = gannet.source(name)["published_path"].as_str()?.to_owned();
    Some(fs::read_to_string(path).expect("the published file"))
}

fn outcomes(verdicts: &Value) -> Vec<(&str, &str)> {
    let all = verdicts.as_array().expect("verdicts").iter();
    all.map(|one| {
        (
            one["verifier"].as_str().expect("a name"),
            one["outcome"].as_str().expect("a word"),
        )
    })
    .collect()
}

#[test]
fn everything_that_verifiers_printed_of_a_version_can_be_read() {
    let print = "command = [\"sh\", \"-c\", \"seq 1 40; printf 'tab\\\\there\\\\033[2J\\\\n' >&2; exit 1\"]";
    let gannet = Home::new(&verifier("count", print));
    let origin = &gannet.origin;
    for (path, content) in [("/a", "1"), ("/b", "1")] {
        origin.on(path, [Reply::file(content)]);
        add(&gannet, origin, path);
        gannet.run(&["fetch", &path[1..]]);
    }
    origin.on("/a", [Reply::file("2")]);
    gannet.run(&["fetch", "a"]);
    for (arguments, versions) in [
        (&["v1"][..], &["v1 of a: count failed"][..]),
        (&["a~1"], &["v1 of a"]),
        (&["a:published", "b"], &[]),
        (&["a"], &["v3 of a", "v1 of a"]),
        (&["v1", "b"], &["v2 of b", "v1 of a"]),
        (&["-n", "1"], &["v3 of a"]),
    ] {
        let said = gannet.run(&[&["verdicts", "--full"], arguments].concat());
        let heads = said.out.lines().filter(|line| !line.starts_with(' '));
        let heads: Vec<_> = heads.collect();
        assert_eq!(heads.len(), versions.len(), "{arguments:?}: {said:#?}");
        for (head, version) in heads.iter().zip(versions) {
            assert!(head.starts_with(version), "{arguments:?}: {head}");
        }
        if versions.is_empty() {
            assert!(
                said.code == Some(2) && said.err.contains("nothing of a is published"),
                "{said:#?}"
            );
        }
    }
    let said = gannet.ok(&["verdicts", "v1", "--full"]);
    let printed = |line: &str| said.lines().any(|one| one == format!("  | {line}"));
    assert!(
        (1..=40).all(|number| printed(&number.to_string())),
        "{said}"
    );
    assert!(
        said.contains("  | tab\there") && !said.contains('\u{1b}'),
        "{said}"
    );
    assert_eq!(gannet.run(&["verdicts", "--full", "--json"]).code, Some(2));
}

#[test]
fn a_version_waits_for_an_outside_verdict() {
    let gannet = Home::new(&verifier("legal", "external = true"));
    let origin = &gannet.origin;
    origin.on("/terms.txt", ["one", "two"].map(Reply::file));
    add(&gannet, origin, "/terms.txt");
    let summary = gannet.fetch("terms.txt");
    assert_eq!(summary["awaiting_verdicts"], 1, "{summary}");
    assert_eq!(gannet.source("terms.txt")["verified"], "pending");
    assert_eq!(published(&gannet, "terms.txt"), None);
    gannet.ok(&["verdict", "terms.txt", "legal", "passed"]);
    assert_eq!(published(&gannet, "terms.txt").as_deref(), Some("one"));

    gannet.fetch("terms.txt");
    let said = gannet.ok(&[
        "verdict",
        "terms.txt",
        "legal",
        "failed",
        "--detail",
        "clause 4",
    ]);
    assert!(said.contains("failed"), "{said}");
    assert_eq!(published(&gannet, "terms.txt").as_deref(), Some("one"));
    let verdicts = gannet.json(&["verdicts", "--json"]);
    assert_eq!(
        outcomes(&verdicts),
        [
            ("legal", "failed"),
            ("legal", "pending"),
            ("legal", "passed"),
            ("legal", "pending")
        ]
    );
    // A pass later nobody is asked again.
    gannet.run(&["--worker-only"]);
    assert_eq!(gannet.json(&["verdicts", "--json"]), verdicts);
}

#[test]
fn only_declared_verifiers_give_verdicts() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("one")]);
    let other = "[[verifier]]\nname = \"legal\"\nsources = [\"tag:x\"]\nexternal = true\n
        [[verifier]]\nname = \"sums\"\nsources = [\"tag:release\"]\nscope = \"set\"\nexternal = true\n";
    gannet.write_config("config.toml", other);
    add(&gannet, origin, "/a");
    gannet.fetch("a");
    for (name, expected) in [
        ("audit", "external = true"),
        ("legal", "does not judge a"),
        (
            "sums",
            "judges the set release, not a alone\n  hint: give it for the set: `gannet verdict set:release`",
        ),
        ("a\u{1b}[2J", "no verifier is called"),
    ] {
        let said = gannet.run(&["verdict", "a", name, "passed"]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
    assert_eq!(gannet.json(&["verdicts", "--json"]), Value::Array(vec![]));
}

#[test]
fn an_advisory_verdict_is_shown_and_blocks_nothing() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a.json", ["{}", "no"].map(Reply::file));
    let advisory = verifier("json", "builtin = \"json\"\nadvisory = true");
    let required = verifier("text", "builtin = \"utf8\"");
    gannet.write_config("config.toml", &(advisory.clone() + &required));
    add(&gannet, origin, "/a.json");
    gannet.fetch("a.json");
    let said = gannet.run(&["fetch", "a.json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.err.contains("by json (advisory): not JSON"),
        "{said:?}"
    );
    assert_eq!(gannet.source("a.json")["verified"], "passed");
    assert_eq!(published(&gannet, "a.json").as_deref(), Some("no"));
    // The file is published before an advisory verifier runs.
    let log = gannet.ok(&["log", "--json"]);
    let at = |what: &str| log.rfind(what).unwrap_or_else(|| panic!("{what}: {log}"));
    assert!(at("file.published") < at("verdict.failed"), "{log}");

    // With no other verifier the version is as good as unverified.
    gannet.write_config("config.toml", &advisory);
    gannet.run(&["verify", "a.json~0"]);
    assert_eq!(gannet.source("a.json")["verified"], "unverified");
    assert_eq!(published(&gannet, "a.json").as_deref(), Some("no"));
}

#[test]
fn a_verdict_tells_where_it_comes_from() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("content")]);
    let program = script(&gannet, "echo looked; echo closely >&2; exit 1");
    let command = format!(
        "command = [{:?}, \"--in\", \"{{path}}\"]",
        program.display().to_string()
    );
    gannet.write_config("config.toml", &verifier("check", &command));
    add(&gannet, origin, "/a");
    gannet.fetch("a");
    let verdicts = gannet.json(&["verdicts", "a", "--verifier", "check", "--json"]);
    let verdict = &verdicts[0];
    assert_eq!(verdict["outcome"], "failed");
    assert_eq!(verdict["exit_code"], 1);
    assert_eq!(verdict["argv"][1], "--in");
    assert_eq!(verdict["argv"][0], program.display().to_string());
    assert_eq!(
        verdict["digest"],
        "sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    );
    let output = verdict["output"].as_str().expect("its output");
    assert!(output.contains("looked") && output.contains("closely"));
    assert!(
        verdict["actor"]
            .as_str()
            .expect("who")
            .starts_with("tester@")
    );
    let started = verdict["started_at"].as_str().expect("a time");
    assert!(started.ends_with('Z') && verdict["duration_ms"].is_u64());
    let fingerprint = verdict["fingerprint"].as_str().expect("a fingerprint");
    let definition = serde_json::to_string(&verdict["definition"]).expect("JSON");
    assert!(definition.contains("sha256:"), "{definition}");

    let by_prefix = |prefix: &str| gannet.json(&["verdicts", "--fingerprint", prefix, "--json"]);
    assert_eq!(by_prefix(&fingerprint[..8]), verdicts);
    let other = if fingerprint.starts_with('0') {
        "1"
    } else {
        "0"
    };
    assert_eq!(by_prefix(other), Value::Array(vec![]));
    let none = gannet.json(&["verdicts", "--outcome", "passed", "--json"]);
    assert_eq!(none, Value::Array(vec![]));
    let unknown = gannet.run(&["verdicts", "--verifier", "other", "--json"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(gannet.ok(&["verdicts"]).contains(&fingerprint[..12]));
}

#[test]
fn a_history_is_judged_again_when_its_verifier_changes() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let contents = ["1", "22", "333", "4444"];
    origin.on("/a", contents.map(Reply::file));
    origin.on("/b", [Reply::file("1")]);
    let command = |program: PathBuf| {
        format!(
            "command = [{:?}, \"{{path}}\"]",
            program.display().to_string()
        )
    };
    let shorter_than = |length: usize| {
        format!("test $(wc -c < \"$1\") -lt {length} || {{ echo too long; exit 1; }}")
    };
    let verifiers = verifier("short", &command(script(&gannet, &shorter_than(5))));
    gannet.write_config("config.toml", &verifiers);
    add(&gannet, origin, "/a");
    add(&gannet, origin, "/b");
    for _ in contents {
        gannet.fetch("a");
    }
    gannet.fetch("b");
    assert_eq!(published(&gannet, "a").as_deref(), Some("4444"));
    let nothing = gannet.ok(&["verify", "--stale"]);
    assert!(nothing.contains("every verdict is up to date with its verifier"));

    // The program is replaced: three of five versions are bad now, and the file follows.
    script(&gannet, &shorter_than(2));
    let judged = gannet.run(&["verify", "--stale", "--json"]);
    assert_eq!(judged.code, Some(1), "{judged:?}");
    let judged: Value = serde_json::from_str(&judged.out).expect("JSON");
    assert_eq!(judged["judged"], 5);
    assert_eq!(judged["failed"], 3);
    let changed = judged["changed"].as_array().expect("what changed");
    assert_eq!(changed.len(), 3);
    assert!(changed.iter().all(|one| one["source"] == "a"));
    assert_eq!(published(&gannet, "a").as_deref(), Some("1"));
    let log = gannet.ok(&["log", "--json"]);
    assert_eq!(log.matches("\"verdict.failed\"").count(), 3, "{log}");
    assert!(
        log.rfind("file.published") > log.find("verdict.failed"),
        "{log}"
    );

    // Another verifier beside it judges what it has not judged; the first one is left alone.
    gannet.write_config(
        "config.toml",
        &(verifiers + &verifier("text", "builtin = \"utf8\"")),
    );
    let judged: Value =
        serde_json::from_str(&gannet.run(&["verify", "--stale", "b", "--json"]).out).expect("JSON");
    assert_eq!(
        (&judged["judged"], &judged["passed"]),
        (&1.into(), &1.into())
    );
    gannet.run(&["verify", "--stale", "--newest-first"]);
    let text = gannet.json(&["verdicts", "--verifier", "text", "--json"]);
    let ids: Vec<_> = text
        .as_array()
        .expect("verdicts")
        .iter()
        .map(|one| &one["version_id"])
        .collect();
    assert_eq!(ids.len(), 5, "{text}");
    let short = gannet.json(&["verdicts", "--verifier", "short", "--json"]);
    assert_eq!(short.as_array().expect("verdicts").len(), 10);
}

#[test]
fn a_person_is_not_overruled_by_an_unchanged_verifier() {
    let gannet = Home::new(&verifier("json", "builtin = \"json\""));
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("no")]);
    add(&gannet, origin, "/a");
    gannet.fetch("a");
    gannet.ok(&["verdict", "a", "json", "passed", "--detail", "looked at it"]);
    gannet.ok(&["verify", "--stale"]);
    assert_eq!(gannet.source("a")["verified"], "passed");
}

#[test]
fn judging_again_goes_on_where_it_was_killed() {
    const VERSIONS: usize = 24;
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let contents = (0..VERSIONS).map(|number| Reply::file(format!("{number}")));
    origin.on("/a", contents);
    let program = script(&gannet, "exit 0");
    let command = format!("command = [{:?}]", program.display().to_string());
    gannet.write_config("config.toml", &verifier("v", &command));
    add(&gannet, origin, "/a");
    for _ in 0..VERSIONS {
        gannet.fetch("a");
    }
    let runs = gannet.path("runs");
    script(&gannet, &format!("echo >> {}", runs.display()));
    let judged = || {
        let verdicts = gannet.json(&["verdicts", "--limit", "0", "--json"]);
        verdicts.as_array().expect("verdicts").len() - VERSIONS
    };
    let ran = || std::fs::metadata(&runs).map_or(0, |facts| facts.len());
    let mut rounds = 0;
    while judged() < VERSIONS {
        let before = ran();
        let mut child = gannet.start(&["verify", "--stale"]);
        // Several of them were judged by then, and recorded.
        until("some runs of the verifier, or the end", || {
            ran() > before + 6 || child.try_wait().expect("a child").is_some()
        });
        let _ = child.kill();
        child.wait().expect("its end");
        rounds += 1;
    }
    assert!(rounds > 1, "killed at least once");
    // Some verdicts may have been reached and not recorded; none is recorded twice.
    assert_eq!(judged(), VERSIONS);
    let rest = gannet.ok(&["verify", "--stale"]);
    assert!(rest.contains("every verdict is up to date"), "{rest}");
}

#[test]
fn an_http_verifier_gets_the_bytes_and_the_facts() {
    let mut gannet = Home::new("");
    gannet.origin.on(
        "/a.csv",
        [Reply::file("a,b\n1,2\n").header("content-type", "text/csv")],
    );
    gannet.origin.on(
        "/check",
        [Reply::ok(
            r#"{"verdict": "failed", "detail": "row 1 is odd"}"#,
        )],
    );
    let http = format!(
        "http = {:?}\nsecret = \"${{KEY}}\"",
        gannet.origin.url("/check")
    );
    gannet.write_config("config.toml", &verifier("remote", &http));
    gannet.set("KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    gannet.ok(&[
        "add",
        &gannet.origin.url("/a.csv"),
        "1h",
        "--allow-private",
        "--name",
        "Zürich 100%",
    ]);
    assert_eq!(gannet.run(&["fetch", "1"]).code, Some(1));
    assert_eq!(gannet.source("Zürich 100%")["verified"], "failed");
    let requests = gannet.origin.requests();
    let asked = requests
        .iter()
        .find(|request| request.path == "/check")
        .expect("it was asked");
    assert_eq!(asked.method, "POST");
    assert_eq!(&asked.body[..], b"a,b\n1,2\n");
    for (name, expected) in [
        ("content-type", "text/csv"),
        ("gannet-verifier", "remote"),
        ("gannet-source-id", "1"),
        ("gannet-source-name", "Z%C3%BCrich 100%25"),
        ("gannet-version-id", "1"),
        ("gannet-file-name", "a.csv"),
        ("gannet-size-bytes", "8"),
        (
            "gannet-digest",
            "sha256:492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470",
        ),
    ] {
        let value = asked
            .header(name)
            .unwrap_or_else(|| panic!("{name}: {asked:?}"));
        assert_eq!(value, expected, "{name}");
    }
    assert!(
        asked
            .header("webhook-signature")
            .expect("signed")
            .starts_with("v1,")
    );
    let verdicts = gannet.json(&["verdicts", "--json"]);
    assert_eq!(verdicts[0]["detail"], "row 1 is odd");
    let log = gannet.ok(&["log", "--json"]);
    assert!(!log.contains("MfKQ9r8") && !verdicts.to_string().contains("MfKQ9r8"));
}

#[test]
fn an_http_verifier_may_answer_later() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("one")]);
    origin.on("/check", [Reply::status(202)]);
    let http = format!("http = {:?}", origin.url("/check"));
    gannet.write_config("config.toml", &verifier("slow", &http));
    add(&gannet, origin, "/a");
    assert_eq!(gannet.fetch("a")["awaiting_verdicts"], 1);
    assert_eq!(gannet.source("a")["verified"], "pending");
    // It has been asked, and is waited for.
    gannet.run(&["--worker-only"]);
    let asked = || {
        origin
            .requests()
            .iter()
            .filter(|request| request.path == "/check")
            .count()
    };
    assert_eq!(asked(), 1);
    gannet.ok(&["verdict", "a", "slow", "passed"]);
    assert_eq!(published(&gannet, "a").as_deref(), Some("one"));
    gannet.run(&["--worker-only"]);
    assert_eq!(asked(), 1);
    // An operator may ask again.
    gannet.run(&["verify", "a"]);
    assert_eq!(asked(), 2);
}

#[test]
fn an_http_verifier_that_gives_no_verdict_could_not_judge() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let replies = [
        ("redirect", Reply::redirect(302, "/elsewhere"), "302"),
        ("missing", Reply::status(404), "404"),
        ("broken", Reply::status(503), "503"),
        ("nonsense", Reply::ok("<html>passed</html>"), "not JSON"),
        ("empty", Reply::ok(""), "empty"),
        ("wrong", Reply::ok(r#"{"verdict": "error"}"#), "expected"),
        ("stalled", Reply::ok("{}").stall_after(1), "1 s"),
    ];
    let mut verifiers = String::new();
    origin.on("/a", [Reply::file("one")]);
    for (name, reply, _) in &replies {
        let path = format!("/check/{name}");
        origin.on(&path, [reply.clone()]);
        let http = format!("http = {:?}\ntimeout = \"1s\"", origin.url(&path));
        verifiers += &verifier(name, &http);
    }
    verifiers += &verifier("refused", "http = \"http://127.0.0.1:1/\"");
    gannet.write_config("config.toml", &verifiers);
    add(&gannet, origin, "/a");
    assert_eq!(gannet.fetch("a")["verification_errors"], 1);
    let verdicts = gannet.json(&["verdicts", "--json"]);
    let refused = ("refused", Reply::status(0), "connect");
    for (name, _, expected) in replies.iter().chain([&refused]) {
        let one = verdicts.as_array().expect("verdicts").iter();
        let one = one
            .clone()
            .find(|one| one["verifier"] == *name)
            .expect("a verdict");
        assert_eq!(one["outcome"], "error", "{one}");
        let detail = one["detail"].as_str().expect("a detail");
        assert!(detail.contains(expected), "{name}: {detail}");
    }
    assert_eq!(published(&gannet, "a"), None);
    assert!(
        !origin
            .requests()
            .iter()
            .any(|request| request.path == "/elsewhere")
    );
}

#[test]
fn the_configuration_can_be_checked_before_it_is_used() {
    let http = "http = \"https://user:hunter2@h/\"\nsecret = \"${NO_SUCH}\"\nadvisory = true";
    let external = "external = true\ndeadline = \"7d\"";
    let gannet = Home::new(&(verifier("remote", http) + &verifier("legal", external)));
    let said = gannet.ok(&["config", "check"]);
    for expected in [
        "config.toml: valid",
        "verifier remote: is asked by HTTP, may take 1 d to answer; judges *; advisory",
        "verifier legal: is waited for, up to 7 d; judges *",
        "warning: verifier remote: ${NO_SUCH} has no value",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
    gannet.write_config("config.toml", &verifier("legal", "extrenal = true"));
    let said = gannet.run(&["config", "check"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("did you mean `external`?"), "{said:?}");
    assert!(!gannet.data().exists(), "nothing is made");
}

#[test]
fn what_counts_otherwise_now_counts() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a.json", ["{}", "no"].map(Reply::file));
    let advisory = verifier("json", "builtin = \"json\"\nadvisory = true");
    gannet.write_config("config.toml", &advisory);
    add(&gannet, origin, "/a.json");
    gannet.fetch("a.json");
    gannet.fetch("a.json");
    assert_eq!(published(&gannet, "a.json").as_deref(), Some("no"));
    // The advice becomes a rule: what it had failed is withdrawn, without a new run.
    gannet.write_config("config.toml", &verifier("json", "builtin = \"json\""));
    let verdicts = gannet.json(&["verdicts", "--json"]);
    assert_eq!(gannet.run(&["verify", "--stale"]).code, Some(1));
    assert_eq!(gannet.json(&["verdicts", "--json"]), verdicts);
    assert_eq!(gannet.source("a.json")["verified"], "failed");
    assert_eq!(published(&gannet, "a.json").as_deref(), Some("{}"));
    // And the rule goes.
    gannet.write_config("config.toml", "");
    // The last verifier goes when somebody says so.
    gannet.ok(&["config", "adopt"]);
    gannet.ok(&["verify", "--stale"]);
    assert_eq!(gannet.source("a.json")["verified"], "unverified");
    assert_eq!(published(&gannet, "a.json").as_deref(), Some("no"));
}

#[test]
fn a_verifier_that_is_gone_holds_nothing_up() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/a", [Reply::file("one")]);
    let good = verifier("text", "builtin = \"utf8\"");
    let broken = verifier("broken", "command = [\"sh\", \"-c\", \"exit 9\"]");
    gannet.write_config("config.toml", &(good.clone() + &broken));
    add(&gannet, origin, "/a");
    gannet.fetch("a");
    assert_eq!(gannet.source("a")["verified"], "error");
    gannet.write_config("config.toml", &good);
    gannet.ok(&["--worker-only"]);
    assert_eq!(gannet.source("a")["verified"], "passed");
    assert_eq!(published(&gannet, "a").as_deref(), Some("one"));
}
