//! Notifiers and the heartbeat: what is told, when and to whom, by real programs and to real servers, by a clock that the
//! test turns.

mod beginning;
mod over;
mod quiet;
mod rollback;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gannet::domain::{Action, SettingsPatch, SourceId, VerdictOutcome};
use serde_json::Value;

use crate::rig::{
    Gannet, Gate, Home, Origin, PATIENCE, Recorded, Reply, TestApp, at, fetch_section, folder,
    hourly, soon, until,
};

/// A server that takes messages.
fn hook() -> Origin {
    let hook = Origin::start(false);
    hook.on("/hook", [Reply::ok("ok")]);
    hook
}

fn webhook(hook: &Origin, more: &str) -> String {
    format!(
        "[[notify]]\nname = \"ops\"\nwebhook = \"{}\"\n{more}\n",
        hook.url("/hook")
    )
}

fn json(request: &Recorded) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

/// What was told so far: of each message, the changes with their sources.
fn told(hook: &Origin) -> Vec<Vec<String>> {
    let words = |change: &Value| {
        let text = |key: &str| change[key].as_str().expect("a text").to_owned();
        format!("{} {}", text("source"), text("change"))
    };
    let changes = |request: Recorded| {
        let message = json(&request);
        let changes = message["changes"].as_array().expect("changes").clone();
        changes.iter().map(words).collect()
    };
    hook.requests().into_iter().map(changes).collect()
}

const FAILS: u16 = 404;

fn fails() -> Reply {
    Reply::status(FAILS)
}

fn works() -> Reply {
    Reply::file("content")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_told_of_when_it_starts_to_fail_and_when_it_stops() {
    let hook = hook();
    let app = TestApp::new()
        .toml(&webhook(&hook, ""))
        .source("/x", [fails(), fails(), works()])
        .source("/y", [works()])
        .open()
        .await;
    let expected = [
        &["x failing"][..],
        &["x failing"],
        &["x failing", "x recovered"],
    ];
    for (hour, expected) in expected.into_iter().enumerate() {
        app.good_pass().await;
        assert_eq!(told(&hook).concat(), expected, "hour {hour}");
        // Whatever passes come in between.
        app.turn(20);
        app.good_pass().await;
        assert_eq!(told(&hook).concat(), expected, "hour {hour}");
        app.turn(40);
    }
    let messages: Vec<_> = hook.requests().iter().map(json).collect();
    let failing = &messages[0]["changes"][0];
    assert_eq!(messages[0]["type"], "gannet.changes");
    assert_eq!(failing["address"], app.origin.url("/x"));
    assert_eq!(failing["since"], "2026-01-31T12:00:00Z");
    assert_eq!(
        (&failing["failures"], &failing["source_id"]),
        (&1.into(), &1.into())
    );
    let detail = failing["detail"].as_str().expect("a detail");
    assert!(detail.contains("404"), "{detail}");
    let recovered = &messages[1]["changes"][0];
    assert_eq!(recovered["since"], "2026-01-31T14:00:00Z");
    assert_eq!(recovered["detail"], "after 2 failed attempts");
    let text = messages[1]["text"].as_str().expect("a text");
    assert!(text.starts_with("1 source recovered: x\n"), "{text}");
    assert_eq!(app.log(Action::NoticeSent).await, ["ops: 1 change"; 2]);
    assert_eq!(app.log(Action::SourceFailing).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_flaps_is_told_of_once_and_its_end_is_told_when_it_is_quiet() {
    let hook = hook();
    let app = TestApp::new()
        .toml(&webhook(&hook, "quiet = \"6h\""))
        .source("/x", [fails(), works(), fails(), works()])
        .open()
        .await;
    for _ in 0..6 {
        app.good_pass().await;
        assert_eq!(told(&hook), [["x failing"]]);
        app.turn(60);
    }
    // Nothing is due any more: it is the quiet period's end that is waited for.
    let off = SettingsPatch {
        enabled: Some(false),
        ..SettingsPatch::default()
    };
    let edited = app.edit(&["x".to_owned()], off).await;
    edited.expect("disabled");
    app.turn(-1);
    app.good_pass().await;
    assert_eq!(told(&hook).len(), 1);
    app.turn(1);
    app.good_pass().await;
    assert_eq!(told(&hook), [["x failing"], ["x recovered"]]);
    app.turn(600);
    app.good_pass().await;
    assert_eq!(told(&hook).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_fails_verification_is_told_of_once() {
    let hook = hook();
    let bad = Reply::file("not JSON");
    let json_rule = "[[verifier]]\nname = \"syntax\"\nsources = [\"*\"]\nbuiltin = \"json\"\n";
    let toml = webhook(&hook, "") + json_rule;
    let app = TestApp::new()
        .toml(&toml)
        .source(
            "/x",
            [
                Reply::file("{}"),
                bad.clone(),
                bad,
                Reply::file("worse"),
                Reply::file("[]"),
            ],
        )
        .open()
        .await;
    for expected in [0, 1, 1, 2, 3] {
        app.good_pass().await;
        assert_eq!(hook.requests().len(), expected);
        app.turn(60);
    }
    assert_eq!(
        told(&hook).concat(),
        ["x version-failed", "x version-failed", "x good-again"]
    );
    let change = &json(&hook.requests()[0])["changes"][0];
    assert_eq!(change["version_id"], 2);
    let detail = change["detail"].as_str().expect("a detail");
    assert!(detail.starts_with("syntax: "), "{detail}");
    // The newest one, once more: it passed in between.
    for (outcome, messages) in [("failed", 4), ("passed", 5), ("failed", 6)] {
        let outcome = outcome.parse().expect("an outcome");
        let given = app.verdict("x", "syntax", outcome, None);
        given.await.expect("a verdict");
        app.turn(60);
        app.good_pass().await;
        assert_eq!(hook.requests().len(), messages, "{outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_one_message() {
    let hook = hook();
    let paths: Vec<_> = (0..200).map(|number| format!("/n{number:03}")).collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    let folder = folder();
    let out = folder.path().join("out");
    let program = program(folder.path(), &out, "");
    let toml = webhook(&hook, "") + &command(&program, "");
    let app = TestApp::new().toml(&toml).open().await;
    app.watch(&paths).await;
    // Nothing is scripted: all of them get 404.
    app.good_pass().await;
    let [request] = &hook.requests()[..] else {
        panic!("{} messages", hook.requests().len())
    };
    let message = json(request);
    assert_eq!(message["count"], 200);
    let changes = message["changes"].as_array().expect("changes");
    assert_eq!(
        (changes.len(), &changes[99]["source"]),
        (100, &"n099".into())
    );
    let text = message["text"].as_str().expect("a text");
    assert!(text.starts_with("200 sources failing\n"), "{text}");
    let text = fs::read_to_string(out.join("stdin")).expect("the text");
    assert_eq!(
        text.lines().filter(|line| line.starts_with("- ")).count(),
        100
    );
    assert!(text.ends_with("\nand 100 more\n"), "{text}");
    for path in paths {
        app.origin.on(path, [works()]);
    }
    app.turn(60);
    app.good_pass().await;
    let text = json(&hook.requests()[1])["text"].clone();
    let text = text.as_str().expect("a text");
    assert!(text.starts_with("200 sources recovered\n"), "{text}");
    assert_eq!(hook.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_is_tried_again() {
    let hook = hook();
    let key = "http://127.0.0.1:1/${KEY}";
    hook.on(
        "/hook",
        [
            Reply::status(503),
            Reply::redirect(302, "/"),
            Reply::ok("ok"),
        ],
    );
    let toml = webhook(&hook, "") + &format!("[[notify]]\nname = \"down\"\nwebhook = \"{key}\"\n");
    let app = TestApp::new().toml(&toml).open().await;
    app.watch(["/x"]).await;
    let untold = app.pass().await.notify_failures;
    assert_eq!(untold[0], "could not tell ops: answered 503");
    assert!(untold[1].starts_with("could not tell down: "), "{untold:?}");
    assert!(!untold[1].contains("s3cret"), "{untold:?}");
    // Not at once, and then ever later.
    let mut requests = Vec::new();
    for _ in 0..5 {
        requests.push(hook.requests().len());
        app.pass().await;
        app.turn(1);
    }
    assert_eq!(requests, [1, 1, 2, 2, 3]);
    let ids: Vec<_> = hook
        .requests()
        .iter()
        .map(|request| request.header("webhook-id").expect("an id").to_owned())
        .collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
    assert_eq!(app.log(Action::NoticeSent).await, ["ops: 1 change"]);
    let failed = app.log(Action::NoticeFailed).await;
    for answer in ["503", "302"] {
        let event = format!("ops: 1 change: answered {answer}");
        assert!(failed.contains(&event), "{failed:?}");
    }
    assert!(!failed.concat().contains("s3cret"), "{failed:?}");
    app.turn(60);
    app.pass().await;
    assert_eq!(hook.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_well_before_anybody_could_be_told_is_no_news() {
    let hook = hook();
    hook.on("/hook", [Reply::status(500), Reply::ok("ok")]);
    let app = TestApp::new()
        .toml(&webhook(&hook, ""))
        .source("/x", [fails(), works()])
        .open()
        .await;
    assert_eq!(app.pass().await.notify_failures.len(), 1);
    app.turn(60);
    app.good_pass().await;
    assert_eq!(hook.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failure_is_none_yet_when_three_are_asked_for() {
    let hook = hook();
    let toml = webhook(&hook, "after = 3\non = [\"failing\"]");
    let app = TestApp::new()
        .toml(&toml)
        .source("/x", [fails(), fails(), works(), fails(), fails(), fails()])
        .open()
        .await;
    for hour in 0..7 {
        app.good_pass().await;
        let expected = usize::from(hour >= 5);
        assert_eq!(hook.requests().len(), expected, "hour {hour}");
        app.turn(60);
    }
    assert_eq!(json(&hook.requests()[0])["changes"][0]["failures"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_notifier_begins_with_what_is_so() {
    let hook = hook();
    let app = TestApp::new().open().await;
    for path in ["/x", "/y", "/z"] {
        app.origin.on(path, [fails(), fails(), works()]);
        app.watch([path]).await;
    }
    app.good_pass().await;
    let toml = webhook(&hook, "sources = [\"x\", \"z*\"]");
    let app = app.closed().hours_later(1).toml(&toml).open().await;
    app.good_pass().await;
    assert_eq!(told(&hook), [["x failing", "z failing"]]);
    let removed = app.remove(&["z".to_owned()], false).await;
    removed.expect("removed");
    app.turn(60);
    app.good_pass().await;
    assert_eq!(told(&hook)[1..], [["x recovered"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_signed() {
    let hook = hook();
    let toml = webhook(&hook, "secret = \"whsec_YSBrZXkgd2l0aCAyNCBvZGQgYnl0ZXMh\"");
    let app = TestApp::new().toml(&toml).open().await;
    app.watch(["/x"]).await;
    app.good_pass().await;
    let requests = hook.requests();
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    crate::webhook::assert_signed(&requests[0], at("2026-01-31T12:00:00Z"));
}

/// Writes a program that keeps what it gets in the folder `out`, and then does this.
fn program(folder: &Path, out: &Path, then: &str) -> PathBuf {
    let path = folder.join("tell");
    let out = out.display();
    let script = format!(
        "#!/bin/sh\nmkdir -p {out}\ncat > {out}/stdin\nenv > {out}/env\ncp \"$1\" {out}/json\necho x >> {out}/runs\n{then}\n"
    );
    fs::write(&path, script).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    path
}

fn command(program: &Path, more: &str) -> String {
    format!(
        "[[notify]]\nname = \"mail\"\ncommand = [{:?}, \"{{path}}\"]\n{more}\n",
        program.display().to_string()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_the_text_the_changes_and_the_facts() {
    let folder = folder();
    let out = folder.path().join("out");
    let program = program(folder.path(), &out, "");
    let app = TestApp::new().toml(&command(&program, "")).open().await;
    app.watch(["/x"]).await;
    app.good_pass().await;
    let read = |name: &str| fs::read_to_string(out.join(name)).expect(name);
    let text = read("stdin");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["1 source failing: x", ""]);
    assert!(
        lines[2].starts_with("- x failing since 2026-01-31 12:00 UTC: "),
        "{text}"
    );
    let environment = read("env");
    for line in [
        "GANNET_NOTIFIER=mail",
        "GANNET_CHANGES=1",
        "GANNET_SUMMARY=1 source failing: x",
    ] {
        assert!(environment.lines().any(|one| one == line), "{environment}");
    }
    assert!(!environment.contains("s3cret"), "{environment}");
    let changes: Value = serde_json::from_str(&read("json")).expect("JSON");
    assert_eq!(changes["changes"][0]["source"], "x");
    let runs = fs::read_dir(app.folder().join("tmp")).expect("a folder");
    let runs = runs.map(|run| run.expect("an entry").path());
    let left = runs.filter(|run| run.is_dir()).flat_map(|run| {
        let entries = fs::read_dir(run).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name())
    });
    let left: Vec<_> = left.collect();
    let is_left = |name: &&std::ffi::OsString| name.to_string_lossy().starts_with("verify-");
    assert_eq!(left.iter().find(is_left), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_fails_or_takes_too_long_has_not_told() {
    let folder = folder();
    let out = folder.path().join("out");
    let program = program(folder.path(), &out, "echo no such user >&2\nexit 67");
    let slow = "[[notify]]\nname = \"slow\"\ncommand = [\"sh\", \"-c\", \"exec sleep 1000\"]\ntimeout = \"100ms\"\n";
    let toml = command(&program, "") + slow;
    let app = TestApp::new().toml(&toml).open().await;
    app.watch(["/x"]).await;
    let untold = app.pass().await.notify_failures;
    let expected = [
        "could not tell mail: exit code 67: no such user",
        "could not tell slow: timed out after 100 ms",
    ];
    assert_eq!(untold, expected);
    app.turn(60);
    assert_eq!(app.pass().await.notify_failures.len(), 2);
    let runs = fs::read_to_string(out.join("runs")).expect("runs");
    assert_eq!(runs.lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_tell_once() {
    let hook = hook();
    let gate = Gate::new();
    hook.on("/hook", [Reply::ok("ok").behind(&gate)]);
    let toml = webhook(&hook, "");
    let one = TestApp::new().toml(&toml).open().await;
    let other = one.again().toml(&toml).open().await;
    one.watch(["/x"]).await;
    let meanwhile = async {
        soon(hook.arrived(1)).await;
        other.good_pass().await;
        gate.open();
    };
    tokio::join!(one.good_pass(), meanwhile);
    other.good_pass().await;
    assert_eq!(told(&hook), [["x failing"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_cut_off_is_sent_again() {
    let hook = hook();
    let gate = Gate::new();
    hook.on("/hook", [Reply::ok("ok").behind(&gate), Reply::ok("ok")]);
    let toml = webhook(&hook, "");
    let app = TestApp::new().toml(&toml).open().await;
    app.watch(["/x"]).await;
    let stop = async {
        soon(hook.arrived(1)).await;
        app.stop.request();
        app.stop.request();
    };
    tokio::join!(app.good_pass(), stop);
    let app = app.closed().toml(&toml).open().await;
    app.good_pass().await;
    app.good_pass().await;
    assert_eq!(told(&hook), [["x failing"], ["x failing"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heartbeat_is_sent_after_what_was_done_and_once_an_hour() {
    let hook = hook();
    hook.on(
        "/beat/s3cret",
        [Reply::ok("OK"), Reply::status(500), Reply::ok("OK")],
    );
    let address = hook.url("/beat/${KEY}");
    let toml = format!("[worker]\nheartbeat = \"{address}\"\n");
    let app = TestApp::new().toml(&toml).open().await;
    app.origin.on("/x", [works()]);
    app.good_pass().await;
    assert_eq!(
        hook.requests().len(),
        0,
        "no sources: the folder may be a wrong one"
    );
    let mut disabled = hourly("disabled", app.origin.url("/disabled"));
    disabled.settings.enabled = Some(false);
    app.add(vec![disabled]).await.expect("added");
    app.good_pass().await;
    assert_eq!(hook.requests().len(), 1, "the first");
    assert_eq!(hook.requests()[0].method, "GET");
    app.turn(59);
    app.good_pass().await;
    assert_eq!(hook.requests().len(), 1, "nothing was done");
    app.turn(1);
    let untold = app.pass().await.notify_failures;
    assert_eq!(untold, ["the heartbeat could not be sent: answered 500"]);
    app.good_pass().await;
    assert_eq!(hook.requests().len(), 3, "tried again");
    app.watch(["/x"]).await;
    app.turn(1);
    app.good_pass().await;
    assert_eq!(hook.requests().len(), 4, "a source was fetched");
    app.stop.request();
    app.turn(120);
    app.good_pass().await;
    assert_eq!(hook.requests().len(), 4, "a pass that had to stop");
}

/// A home whose notifiers are these, with a source that fails.
fn home(toml: &str) -> Home {
    let home = Home::new(toml);
    home.add("x", &[]);
    home
}

#[test]
fn nobody_to_tell_is_said_and_changes_no_exit_code() {
    let hook = hook();
    hook.on("/hook", [Reply::status(500)]);
    hook.on("/beat", [Reply::status(404)]);
    let heartbeat = format!("[worker]\nheartbeat = \"{}\"\n", hook.url("/beat"));
    let gannet = home(&(heartbeat + &webhook(&hook, "")));
    gannet.origin.on("/x", ["bad", "good"]);
    let said = gannet.run(&["--worker-only"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(
        said.err,
        "gannet: the heartbeat could not be sent: answered 404\n"
    );
    // A fetch by hand is no pass of the worker, and its failure is told as any other.
    gannet.origin.on("/x", [fails()]);
    let said = gannet.run(&["fetch", "x"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(
        said.err
            .ends_with("gannet: could not tell ops: answered 500\n"),
        "{said:#?}"
    );
    let paths: Vec<_> = hook
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, ["/beat", "/hook"]);
    let log = gannet.ok(&["log"]);
    assert!(
        log.contains("source.failing") && log.contains("notice.failed"),
        "{log}"
    );
}

#[test]
fn a_worker_that_stays_sends_the_heartbeat_when_nothing_is_due() {
    let hook = hook();
    hook.on("/beat", [Reply::ok("OK")]);
    let heartbeat = format!("[worker]\nheartbeat = \"{}\"\n", hook.url("/beat"));
    let gannet = Home::new(&heartbeat);
    gannet.ok(&["add", "https://example.org/x", "--disabled"]);
    let mut worker = gannet.start(&["--worker-only", "--loop"]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let arrived = runtime.block_on(async { tokio::time::timeout(PATIENCE, hook.arrived(1)).await });
    worker.kill().expect("the worker runs");
    worker.wait().expect("the worker ends");
    arrived.expect("a heartbeat");
}

#[test]
fn a_notifier_can_be_tried() {
    let hook = hook();
    let folder = folder();
    let out = folder.path().join("out");
    let program = program(folder.path(), &out, "echo queued as 17");
    let down = "[[notify]]\nname = \"down\"\ncommand = [\"false\"]\n";
    let toml =
        webhook(&hook, "format = \"text\"") + &command(&program, "on = [\"failing\"]") + down;
    let gannet = home(&toml);
    assert_eq!(
        gannet.ok(&["notify", "test", "ops"]),
        "ops: delivered: answered 200: ok\n"
    );
    assert_eq!(
        gannet.ok(&["notify", "test", "mail"]),
        "mail: delivered: queued as 17\n"
    );
    let said = gannet.run(&["notify", "test", "down"]);
    assert_eq!(
        (said.code, &said.out[..]),
        (Some(1), "down: not delivered: exit code 1\n")
    );
    let said = gannet.run(&["notify", "test", "nobody"]);
    assert_eq!(said.code, Some(2), "{said:#?}");
    assert!(
        said.err.contains("no notifier is called `nobody`"),
        "{said:#?}"
    );
    let request = &hook.requests()[0];
    assert_eq!(
        request.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let text = String::from_utf8_lossy(&request.body);
    assert!(
        text.starts_with("a test, nothing has happened: 1 source failing, "),
        "{text}"
    );
    let json = fs::read_to_string(out.join("json")).expect("JSON");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["test"], &json["count"]), (&true.into(), &1.into()));
    let log = gannet.ok(&["log"]);
    assert_eq!(log.matches("a test").count(), 3, "{log}");
}

#[test]
fn a_sample_of_each_kind_looks_like_a_real_one() {
    let hook = hook();
    for (kind, line) in [
        ("failing", "- example failing since 20"),
        (
            "version-failed",
            "- example v0 failed verification: schema: line 3",
        ),
        (
            "withdrawn",
            "- example v0 withdrawn, readers find nothing there: failed by schema: line 3",
        ),
        (
            "publish-failed",
            "- example cannot be published: permission denied",
        ),
        ("set-failed", "- set example failed verification: schema"),
        (
            "config-rejected",
            "- the configuration cannot be used: line 7: unknown key; the configuration before stays in force",
        ),
        (
            "recovered",
            "- example recovered after 3 failed attempts (a sample",
        ),
        ("good-again", "- example v0 is good again: a sample"),
        (
            "set-published",
            "- set example published: a sample, sent by",
        ),
        ("changed", "- example changed: v0: a sample"),
    ] {
        let toml = webhook(&hook, &format!("format = \"text\"\non = [\"{kind}\"]"));
        let gannet = home(&toml);
        gannet.ok(&["notify", "test", "ops"]);
        let requests = hook.requests();
        let text = String::from_utf8_lossy(&requests.last().expect("a message").body).into_owned();
        assert!(text.contains(line), "{kind}: {text}");
        assert!(
            text.contains("notify test") && text.contains("nothing has happened"),
            "{text}"
        );
        assert_eq!(text.contains("+bolt,2.50"), kind == "changed", "{text}");
        let is_source = !["set-failed", "set-published", "config-rejected"].contains(&kind);
        assert_eq!(
            text.contains("(https://example.org/prices.csv)"),
            is_source,
            "{text}"
        );
    }
}

/// Returns the recipes of the manual.
fn recipes() -> &'static str {
    let page = include_str!("../../assets/manual/notifications.md");
    let (_, rest) = page.split_once("```toml\n").expect("a recipe");
    rest.split_once("```").expect("its end").0
}

#[test]
fn the_recipes_do_as_written() {
    let hook = hook();
    for path in ["/gannet", "/services/T0/B0/s3cret", "/beat/11-22-33"] {
        hook.on(path, [Reply::ok("ok")]);
    }
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    // A mail server's program: it takes the letter on its stdin, and the receiver from the letter.
    let sendmail = at("sendmail");
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = \"-t -oi\" ] && cat > {}\n",
        at("letter").display()
    );
    fs::write(&sendmail, script).expect("a program");
    fs::set_permissions(&sendmail, fs::Permissions::from_mode(0o755)).expect("a mode");
    let address = |path: &str| hook.url(path);
    let secrets = format!(
        "NTFY_TOKEN=tk_xyz\nSLACK_WEBHOOK={}\nHEARTBEAT_ID=11-22-33\n",
        address("/services/T0/B0/s3cret")
    );
    fs::write(at("secrets"), secrets).expect("secrets");
    fs::set_permissions(at("secrets"), fs::Permissions::from_mode(0o600)).expect("a mode");
    let recipes = recipes()
        .replace("/usr/sbin/sendmail", &sendmail.display().to_string())
        .replace(
            "https://:${NTFY_TOKEN}@ntfy.example.org",
            &format!("http://:${{NTFY_TOKEN}}@{}", hook.host()),
        )
        .replace("https://hc-ping.com", &address("/beat"));
    let gannet = home("");
    let secrets_file = format!("secrets_file = {:?}\n", at("secrets").display().to_string());
    let fetch = fs::read_to_string(gannet.path("config.toml")).expect("a configuration");
    gannet.configure(&(secrets_file + &fetch + &recipes));
    // Nothing is scripted at /x: it fails.
    let said = gannet.run(&["--worker-only"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert_eq!(said.err.matches("gannet:").count(), 1, "{said:#?}");
    let letter = fs::read_to_string(at("letter")).expect("a letter");
    let (head, body) = letter.split_once("\n\n").expect("head and body");
    let expected = [
        "To: ops@example.org",
        "Subject: gannet: 1 source failing: x",
        "Content-Type: text/plain; charset=utf-8",
    ];
    assert_eq!(head.lines().collect::<Vec<_>>(), expected);
    assert!(
        body.starts_with("1 source failing: x\n\n- x failing since "),
        "{letter}"
    );
    let requests = hook.requests();
    let to = |path: &str| {
        requests
            .iter()
            .find(|request| request.path == path)
            .expect(path)
    };
    let phone = to("/gannet");
    // `:tk_xyz` in base64.
    assert_eq!(phone.header("authorization"), Some("Basic OnRrX3h5eg=="));
    assert!(phone.body.starts_with(b"1 source failing: x\n"));
    let chat = json(to("/services/T0/B0/s3cret"));
    assert!(
        chat["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("1 source failing: x\n"))
    );
    assert_eq!(to("/beat/11-22-33").method, "GET");
    assert_eq!(requests.len(), 3);
}

const JSON_RULE: &str =
    "[[verifier]]\nname = \"json\"\nsources = [\"*.json\"]\nbuiltin = \"json\"\n";

/// Single events: what changed for readers, what could not be published, and that a source is good again.
#[tokio::test(flavor = "multi_thread")]
async fn readers_hear_of_changes_with_the_lines_that_differ() {
    let hook = hook();
    let bodies = ["[\n1\n]\n", "[\n1,\n2\n]\n", "<html>", "[\n3\n]\n"];
    let on = "on = [\"changed\", \"good-again\", \"version-failed\"]\nquiet = \"1s\"";
    let toml = webhook(&hook, on) + JSON_RULE;
    let app = TestApp::new()
        .toml(&toml)
        .source("/x.json", bodies.map(Reply::file))
        .open()
        .await;
    let mut heard = Vec::new();
    for _ in bodies {
        app.pass().await;
        heard.push(told(&hook).concat().len());
        app.turn(60);
    }
    assert_eq!(
        told(&hook),
        [
            &["x.json changed"][..],
            &["x.json version-failed"],
            &["x.json good-again", "x.json changed"],
        ],
        "a first version is no change: {heard:?}"
    );
    let messages: Vec<_> = hook.requests().iter().map(json).collect();
    let difference = messages[0]["changes"][0]["difference"].as_str();
    let difference = difference.expect("a difference");
    assert!(
        difference.contains("-1\n") && difference.contains("+2"),
        "{difference}"
    );
    let text = messages[0]["text"].as_str().expect("a text");
    assert!(text.contains("\n    +2"), "{text}");
    let text = messages[2]["text"].as_str().expect("a text");
    assert!(text.contains("is good again"), "{text}");
}

/// Bad and good by turns: the first is told, and at the quiet period's end where that has led, if it is another.
#[tokio::test(flavor = "multi_thread")]
async fn contents_that_flap_are_told_of_once_and_their_end_is_told_when_it_is_quiet() {
    let cases: [(&[&str], &[&str]); 4] = [
        (
            &["{}", "{", "{{", "[1]", "{", "[2]", "}"],
            &["version-failed 7"],
        ),
        (&["{}", "{", "[1]", "}", "[2]"], &["good-again 5"]),
        (&["{}", "{", "[1]"], &["good-again 3"]),
        (&["{}", "{"], &[]),
    ];
    for (contents, end) in cases {
        let hook = hook();
        let toml = webhook(&hook, "quiet = \"12h\"") + JSON_RULE;
        let app = TestApp::new()
            .toml(&toml)
            .source("/x.json", contents.iter().copied().map(Reply::file))
            .open()
            .await;
        let versions = || -> Vec<String> {
            let changes = hook.requests().into_iter().flat_map(|request| {
                let changes = json(&request)["changes"].as_array().cloned();
                changes.expect("changes")
            });
            changes
                .map(|it| {
                    format!(
                        "{} {}",
                        it["change"].as_str().expect("a word"),
                        it["version_id"]
                    )
                })
                .collect()
        };
        for hour in 0..13 {
            app.pass().await;
            let expected = ["version-failed 2"].into_iter().filter(|_| hour > 0);
            assert_eq!(versions(), expected.collect::<Vec<_>>(), "hour {hour}");
            app.turn(60);
        }
        for _ in 0..2 {
            app.pass().await;
            let expected = [&["version-failed 2"], end].concat();
            assert_eq!(versions(), expected, "{contents:?}");
            app.turn(60);
        }
    }
}

/// A version that a person puts out and a verifier takes back stands as it was told.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_back_when_it_is_quiet_no_more_is_no_news() {
    let hook = hook();
    let toml = webhook(&hook, "quiet = \"6h\"") + JSON_RULE;
    let app = TestApp::new()
        .toml(&toml)
        .source("/x.json", ["{}", "{"].map(Reply::file))
        .open()
        .await;
    for _ in 0..2 {
        app.pass().await;
        app.turn(60);
    }
    for outcome in [VerdictOutcome::Passed, VerdictOutcome::Failed] {
        let given = app.verdict("x.json", "json", outcome, None).await;
        given.expect("a verdict");
        app.pass().await;
        assert_eq!(told(&hook), [["x.json version-failed"]], "{outcome:?}");
    }
    for _ in 0..8 {
        app.turn(60);
        app.pass().await;
        assert_eq!(told(&hook), [["x.json version-failed"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_before_anybody_was_told_is_not_told() {
    let hook = hook();
    let on = "on = [\"changed\", \"good-again\"]\nquiet = \"1s\"";
    let toml = webhook(&hook, on) + JSON_RULE;
    let app = TestApp::new()
        .toml(&toml)
        .source("/x.json", ["{}", "{", "{"].map(Reply::file))
        .open()
        .await;
    for _ in 0..2 {
        app.pass().await;
        app.turn(60);
    }
    // A person's word puts the failed version out, and the verifier takes it back.
    let good = async || {
        let verdict = app
            .app
            .verdict("x.json", "json", VerdictOutcome::Passed, None);
        verdict.await.expect("a verdict")
    };
    let given = good().await;
    let asked = app.asked_now().await.expect("a number");
    app.app
        .verify(&given.source, &given.version, asked)
        .await
        .expect("judged");
    app.pass().await;
    assert!(told(&hook).is_empty(), "{:?}", told(&hook));
    good().await;
    app.turn(60);
    app.pass().await;
    assert_eq!(told(&hook), [["x.json good-again", "x.json changed"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_that_was_not_delivered_comes_later() {
    let hook = Origin::start(false);
    hook.on(
        "/hook",
        [Reply::status(500), Reply::status(500), Reply::ok("ok")],
    );
    let app = TestApp::new()
        .toml(&webhook(&hook, "on = [\"changed\"]"))
        .source("/x", ["one", "two", "two", "two", "two"].map(Reply::file))
        .open()
        .await;
    for _ in 0..5 {
        app.pass().await;
        app.turn(60);
    }
    assert_eq!(told(&hook), [["x changed"]; 3], "twice in vain, then once");
    let ids: Vec<_> = hook
        .requests()
        .iter()
        .map(|request| request.header("webhook-id").map(str::to_owned))
        .collect();
    assert!(
        ids[0].is_some() && ids.iter().all(|id| *id == ids[0]),
        "{ids:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_and_what_cannot_be_published_are_told() {
    let hook = hook();
    let set = "[[verifier]]\nname = \"check\"\nscope = \"set\"\nsources = [\"tag:release\"]\ncommand = [\"sh\", \"-c\", \"! grep -r bad $1\", \"sh\", \"{path}\"]\n";
    let on = "on = [\"set-failed\", \"good-again\", \"set-published\", \"publish-failed\"]";
    let toml = webhook(&hook, on) + set;
    let app = TestApp::new().toml(&toml).open().await;
    app.origin
        .on("/a", ["good", "bad", "good again"].map(Reply::file));
    app.origin.on("/b", [Reply::file("b")]);
    let published = app.published_file(&app.origin.host().replace(':', "_"));
    fs::create_dir_all(published.join("b")).expect("a folder in the way");
    app.watch(["/a", "/b"]).await;
    let tags = SettingsPatch {
        tags: Some(vec!["release".to_owned()]),
        ..SettingsPatch::default()
    };
    app.edit(&["a".to_owned()], tags).await.expect("tagged");
    for _ in 0..3 {
        app.pass().await;
        app.turn(60);
    }
    let mut words = told(&hook).concat();
    words.sort();
    assert_eq!(
        words,
        [
            "b publish-failed",
            "set release good-again",
            "set release set-failed",
            "set release set-published",
            "set release set-published",
        ]
    );
}

/// A process that stays tells that its changed configuration cannot be used.
#[test]
fn a_configuration_that_cannot_be_used_is_told() {
    let hook = hook();
    let gannet = Gannet::new();
    let on = webhook(&hook, "on = [\"config-rejected\"]");
    gannet.configure(&on);
    gannet.ok(&["build_db"]);
    let origin = Origin::start(true);
    gannet.configure(&(fetch_section(origin.ca_file()) + &on));
    origin.on("/x", ["x"]);
    gannet.ok(&["add", &origin.url("/x"), "--allow-private"]);
    let mut service = gannet.start(&["--worker-only", "--loop"]);
    let pid = i32::try_from(service.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    // It listens for the signal before its first pass.
    until("a pass", || gannet.ok(&["log"]).contains("pass.finished"));
    gannet.configure(&format!(
        "{on}[[verifier]]\nname = \"a\"\nbiultin = \"json\"\n"
    ));
    until("a message", || {
        let sent =
            rustix::process::kill_process(pid.expect("a process"), rustix::process::Signal::HUP);
        assert!(sent.is_ok(), "not told");
        !hook.requests().is_empty()
    });
    service.kill().expect("killed");
    service.wait().expect("its end");
    assert_eq!(told(&hook)[0], ["the configuration config-rejected"]);
    let text = text_of(&hook.requests()[0]);
    assert!(
        text.contains("unknown key `verifier.biultin`, did you mean `builtin`"),
        "{text}"
    );
    for once in ["cannot be used", "stays in force"] {
        assert_eq!(text.matches(once).count(), 1, "{text}");
    }
    assert!(!text.contains("nothing is fetched"), "{text}");
}

fn text_of(request: &Recorded) -> String {
    json(request)["text"].as_str().expect("a text").to_owned()
}

/// Without its file a process neither fetches nor keeps to the configuration before; only that is said, behind the cause.
#[test]
fn a_configuration_that_is_gone_or_of_another_file_is_told_by_its_cause() {
    let verifier = "[[verifier]]\nname = \"a\"\nsources = [\"*\"]\nbuiltin = \"json\"\n";
    let cases: [(&str, &str); 2] = [
        (
            "[[verifier]]\nname = \"a\"\nbiultin = \"json\"\n",
            "did you mean `builtin`",
        ),
        ("", "has no verifier any more"),
    ];
    for (after, cause) in cases {
        let hook = hook();
        let on = webhook(&hook, "on = [\"config-rejected\"]");
        let gannet = home(&(on.clone() + verifier));
        gannet.run(&["--worker-only"]);
        gannet.configure(&(on + after));
        gannet.run(&[
            "--worker-only",
            "--data-dir",
            &gannet.data().display().to_string(),
        ]);
        let requests = hook.requests();
        let text = text_of(requests.last().expect("a message"));
        assert!(text.contains(cause), "{text}");
        assert_eq!(text.matches("nothing is fetched").count(), 1, "{text}");
        assert_eq!(text.matches("cannot be used").count(), 1, "{text}");
        assert!(!text.contains("stays in force"), "{text}");
    }
}
