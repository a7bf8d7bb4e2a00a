//! Passes in this process, by a clock that the test turns, against scripted origins: when things are tried, and how
//! many at once.

use std::fs;

use gannet::clock::Clock as _;
use gannet::domain::{Verdict, VerdictOutcome, VersionId, VersionState};
use gannet::worker::PassReport;

mod claims;
mod objects;

use crate::rig::{Gate, Origin, Reply, TestApp, comes, folder, hourly, rows, soon, verifier};

/// Somebody outside judges every source, within so many hours.
fn person(name: &str, hours: u32, more: &str) -> String {
    verifier(
        name,
        &format!("external = true\ndeadline = \"{hours}h\"\n{more}"),
    )
}

/// All verdicts on the first version, oldest first.
async fn verdicts(app: &TestApp) -> Vec<Verdict> {
    app.verdicts(VersionId(1)).await.expect("verdicts")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outside_verdict_has_a_deadline() {
    let legal = person("legal", 3, "");
    let app = TestApp::new()
        .toml(&legal)
        .source("/x", ["content"])
        .open()
        .await;
    assert_eq!(app.pass().await.summary.awaiting_verdicts, 1);
    let sources = app.sources(&[]).await.expect("sources");
    let is_overdue = async || !app.overdue(&sources).await.expect("sources").is_empty();
    for _ in 0..2 {
        app.turn(60);
        app.pass().await;
        assert_eq!(app.state().await, VersionState::Pending);
        assert!(!is_overdue().await);
    }
    app.turn(60);
    assert!(is_overdue().await);
    assert_eq!(app.pass().await.summary.verification_errors, 1);
    assert_eq!(app.state().await, VersionState::Error);
    // It is not asked again, and may still answer.
    app.turn(60);
    app.pass().await;
    let verdicts = verdicts(&app).await;
    let details: Vec<_> = verdicts
        .iter()
        .map(|one| one.verdict.judgement.detail.as_str())
        .collect();
    assert_eq!(
        details,
        [
            "waits for a verdict from outside",
            "could not judge: no verdict within 3 h"
        ]
    );
    app.verdict("v1", "legal", VerdictOutcome::Passed, None)
        .await
        .expect("recorded");
    assert_eq!(app.state().await, VersionState::Passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_has_a_deadline_too() {
    let verifiers = verifier("text", "builtin = \"utf8\"") + &person("eyes", 2, "advisory = true");
    let app = TestApp::new()
        .toml(&verifiers)
        .source("/x", ["content"])
        .open()
        .await;
    assert_eq!(app.pass().await.summary.passed, 1);
    for (hour, expected) in [(1, 2), (2, 3), (3, 3)] {
        app.turn(60);
        assert_eq!(app.pass().await.summary.passed, 0, "hour {hour}");
        let verdicts = verdicts(&app).await;
        assert_eq!(verdicts.len(), expected, "hour {hour}");
    }
    let verdicts = verdicts(&app).await;
    let last = &verdicts[2].verdict;
    assert_eq!(
        (last.verifier.as_str(), last.judgement.outcome),
        ("eyes", VerdictOutcome::Error)
    );
    assert_eq!(app.state().await, VersionState::Passed);
}

/// Advice alone: no verifier decides, so nothing but the promise says that somebody is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn advice_has_a_deadline_where_nothing_is_required() {
    for (adviser, expected) in [
        (person("eyes", 2, "advisory = true"), [1, 1, 2, 2]),
        // A program that advises judges once.
        (
            verifier("eyes", "builtin = \"utf8\"\nadvisory = true"),
            [1, 1, 1, 1],
        ),
    ] {
        let app = TestApp::new()
            .toml(&adviser)
            .source("/x", ["content"])
            .open()
            .await;
        let mut counts = Vec::new();
        for _ in 0..4 {
            app.pass().await;
            counts.push(verdicts(&app).await.len());
            app.turn(60);
        }
        assert_eq!(counts, expected);
    }
}

/// A promise that was recorded by a clock which ran ahead is made anew: its own deadline would come in a year.
#[tokio::test(flavor = "multi_thread")]
async fn a_promise_from_the_future_is_made_anew() {
    let year_ahead = TestApp::new()
        .at("2027-01-31T12:00:00Z")
        .toml(&person("legal", 2, ""));
    let app = year_ahead.source("/x", ["content"]).open().await;
    assert_eq!(app.pass().await.summary.awaiting_verdicts, 1);
    app.turn(-365 * 24 * 60);
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        app.pass().await;
        app.turn(60);
    }
    for verdict in verdicts(&app).await {
        outcomes.push(verdict.verdict.judgement.outcome);
    }
    assert_eq!(
        outcomes,
        [
            VerdictOutcome::Pending,
            VerdictOutcome::Pending,
            VerdictOutcome::Error
        ]
    );
}

/// A verdict counts when it was recorded last, whatever the clock said then.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_verdict_counts_after_the_clock_was_set_back() {
    let folder = folder();
    let switch = folder.path().join("bad");
    let script = format!("[ ! -e {} ]", switch.display());
    let app = TestApp::new()
        .at("2026-01-31T13:00:00Z")
        .script(&script)
        .source("/x", [Reply::file("content")])
        .open()
        .await;
    assert_eq!(app.pass().await.summary.passed, 1);
    app.turn(-60);
    fs::write(&switch, "").expect("a file");
    let (source, version) = app.version("1").await.expect("a version");
    let asked = app.asked_now().await.expect("a number");
    let verified = app.verify(&source, &version, asked).await;
    let verified = verified.expect("judged");
    assert_eq!(verified.state, VersionState::Failed);
    assert_eq!(app.state().await, VersionState::Failed);
    for (outcome, state) in [
        (VerdictOutcome::Passed, VersionState::Passed),
        (VerdictOutcome::Failed, VersionState::Failed),
    ] {
        app.turn(-60);
        let given = app.verdict("1", "script", outcome, None).await;
        assert_eq!(given.expect("a verdict").version.state, state);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_judged_is_tried_again_once_an_hour() {
    let app = TestApp::new()
        .script("exit 9")
        .source("/x", [Reply::file("content")])
        .open()
        .await;
    assert_eq!(app.pass().await.summary.verification_errors, 1);
    for _ in 0..3 {
        app.turn(1);
        assert_eq!(app.pass().await.summary.verification_errors, 0);
    }
    app.turn(60);
    assert_eq!(app.pass().await.summary.verification_errors, 1);
    app.turn(1);
    assert_eq!(app.pass().await.summary.verification_errors, 0);
    let verdicts = app.catalogue().verdicts(VersionId(1)).await;
    assert_eq!(verdicts.expect("verdicts").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_path_that_is_blocked_does_not_end_the_pass() {
    let paths: Vec<_> = (0..30).map(|n| format!("/n{n}")).collect();
    let app = paths
        .iter()
        .fold(TestApp::new(), |app, path| app.source(path, [path.clone()]));
    let app = app.open().await;
    let published = app.published_file(&app.origin.folder_name());
    fs::create_dir_all(published.join("n0")).expect("a folder in the way");
    let report = app.pass().await;
    assert_eq!(report.summary.publish_failed, 1);
    let told = report.failures.join("\n");
    assert!(told.contains("n0: a folder is in the way"), "{told}");
    assert_eq!((report.summary.new, report.not_tried), (30, 0));
    for path in &paths[1..] {
        assert!(published.join(&path[1..]).is_file(), "{path}");
    }
}

/// Adds sources of the origin of which a process recorded a version each, and died before it judged them.
async fn undecided(app: &TestApp, count: usize) {
    let paths: Vec<_> = (0..count).map(|n| format!("/n{n}")).collect();
    for path in &paths {
        app.origin.on(path, [path.clone()]);
    }
    // The verifier is in force before there is anything to judge.
    app.pass().await;
    app.watch(&paths).await;
    let now = app.clock.now();
    let mut left = count;
    while left > 0 {
        let request = rows::request("run-gone", now);
        let claims = app.catalogue().claim(request).await.expect("claims");
        assert!(!claims.is_empty(), "{left} are not due");
        for claim in claims {
            let blob = rows::raw(&format!("/{}", claim.source.settings.name));
            let record = rows::record(&claim, now, rows::new(blob));
            app.catalogue()
                .record_attempt(record)
                .await
                .expect("recorded");
            left -= 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_undecided_versions_do_not_keep_a_source_waiting() {
    // The verifier does not come to an end.
    let app = TestApp::new().script("exec sleep 1000").open().await;
    undecided(&app, 900).await;
    app.origin.on("/late", ["content"]);
    app.watch(["/late"]).await;
    let arrived = async {
        soon(app.origin.arrived(1)).await;
        assert_eq!(app.origin.requests()[0].path, "/late");
        app.stop.request();
        app.stop.request();
    };
    let (report, ()) = tokio::join!(app.pass(), arrived);
    assert_eq!(report.summary.verification_errors, 0);
}

/// Only those that are judged right now are claimed for it.
#[tokio::test(flavor = "multi_thread")]
async fn undecided_sources_are_fetched_while_others_are_judged() {
    // All are due, and no verifier comes to an end.
    let app = TestApp::new().script("exec sleep 1000").open().await;
    undecided(&app, 20).await;
    app.turn(2 * 24 * 60);
    let arrived = async {
        soon(app.origin.arrived(16)).await;
        app.stop.request();
        app.stop.request();
    };
    tokio::join!(app.pass(), arrived);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_passes_do_not_judge_the_same_version_twice() {
    let app = TestApp::new()
        .script("exit 9")
        .source("/x", ["content"])
        .open()
        .await;
    assert_eq!(app.pass().await.summary.verification_errors, 1);
    let [begun, gate] = ["begun", "gate"].map(|name| app.folder().join(name));
    // Whoever comes second could not judge.
    let script = format!(
        "mkdir {} || exit 9; until [ -e {} ]; do sleep 0.01; done",
        begun.display(),
        gate.display()
    );
    app.turn(1);
    let one = app.again().script(&script).open().await;
    let other = one.again().script(&script).open().await;
    drop(app);
    let meanwhile = async {
        comes(|| begun.exists()).await;
        let summary = other.pass().await.summary;
        fs::write(&gate, "").expect("the gate opens");
        summary
    };
    let (
        PassReport {
            summary: judged, ..
        },
        left,
    ) = tokio::join!(one.pass(), meanwhile);
    assert_eq!((judged.passed, left.verification_errors), (1, 0));
    let verdicts = one.catalogue().verdicts(VersionId(1)).await;
    assert_eq!(verdicts.expect("verdicts").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_a_floor() {
    let busy = Reply::status(503).header("retry-after", "7200");
    let app = TestApp::new()
        .at("2026-01-31T12:10:00Z")
        .source("/x", [busy, Reply::file("content")])
        .open()
        .await;
    assert_eq!(app.pass().await.summary.failed, 1);
    app.turn(115);
    // Asked not to be asked before 14:10: at 14:05 is too early, and slots are whole hours.
    assert_eq!(app.pass().await.summary.attempts, 0);
    app.turn(55);
    assert_eq!(app.pass().await.summary.new, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_file_is_asked_for_after_thirty_days_without_it() {
    // A server that takes every condition for true.
    let stuck = Reply::status(304);
    let app = TestApp::new()
        .source(
            "/x",
            [Reply::file("old"), stuck.clone(), stuck, Reply::file("new")],
        )
        .open()
        .await;
    assert_eq!(app.pass().await.summary.new, 1);
    for days in [15, 14] {
        app.turn(days * 24 * 60);
        assert_eq!(app.pass().await.summary.unchanged, 1);
    }
    app.turn(24 * 60);
    assert_eq!(app.pass().await.summary.new, 1);
    // From the last whole one on it counts again.
    app.turn(29 * 24 * 60);
    assert_eq!(app.pass().await.summary.unchanged, 1);
    let asked: Vec<_> = app
        .origin
        .requests()
        .iter()
        .map(|request| request.header("if-none-match").is_some())
        .collect();
    assert_eq!(asked, [false, true, true, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_keep_the_limit_of_the_host_that_they_lead_to() {
    let gate = Gate::new();
    let app = TestApp::new().open().await;
    let target = &app.origin;
    target.on("/file", [Reply::file("content").behind(&gate)]);
    let origins: Vec<_> = (0..4).map(|_| Origin::start(true)).collect();
    for (number, origin) in origins.iter().enumerate() {
        let new = ["/a", "/b", "/c"].map(|path| {
            origin.on(path, [Reply::redirect(302, &target.url("/file"))]);
            hourly(&format!("{}{number}", &path[1..]), origin.url(path))
        });
        app.add(new.to_vec()).await.expect("added");
    }
    let watch = async {
        // Whoever waits for the target keeps no place at the host that it came from: all of them get that far.
        for origin in &origins {
            soon(origin.arrived(3)).await;
        }
        soon(target.arrived(2)).await;
        assert_eq!(target.requests().len(), 2);
        gate.open();
    };
    let (report, ()) = tokio::join!(app.pass(), watch);
    assert_eq!((report.summary.new, target.requests().len()), (12, 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_download_keeps_no_other_source_waiting() {
    let gate = Gate::new();
    let app = TestApp::new()
        .source("/slow", [Reply::file("slow").behind(&gate)])
        .source("/x", [Reply::file("one"), Reply::file("two")])
        .open()
        .await;
    let turn = async {
        let mut progress = app.progress.watch();
        let done = progress.wait_for(|now| now.summary.attempts == 1);
        soon(done).await.expect("a pass");
        app.turn(60);
        let done = progress.wait_for(|now| now.summary.attempts == 2);
        soon(done).await.expect("a pass");
        gate.open();
    };
    let (PassReport { summary, .. }, ()) = tokio::join!(app.pass(), turn);
    assert_eq!((summary.attempts, summary.new), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_host_with_more_sources_than_are_claimed_at_once_keeps_no_other_host_waiting() {
    const MANY: usize = 300;
    let gate = Gate::new();
    let app = (0..MANY).fold(TestApp::new(), |app, number| {
        app.source(
            &format!("/slow{number}"),
            [Reply::file("slow").behind(&gate)],
        )
    });
    let app = app.open().await;
    app.origin.on("/x", ["quick"]);
    // Those that were added first are claimed first.
    let quick = hourly("quick", app.origin.localhost_url("/x"));
    app.add(vec![quick]).await.expect("added");
    let turn = async {
        let mut progress = app.progress.watch();
        let done = progress.wait_for(|now| now.summary.attempts == 1);
        soon(done).await.expect("a pass");
        gate.open();
    };
    let (PassReport { summary, .. }, ()) = tokio::join!(app.pass(), turn);
    assert_eq!(summary.new, MANY as u64 + 1);
}
