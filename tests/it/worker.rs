//! Passes in this process, by a clock that the test turns, against scripted origins: when things are tried, and how
//! many at once.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gannet::app::{App, PassSummary};
use gannet::clock::ManualClock;
use gannet::config::{Config, FetchConfig, ResourceLimits, VerifierConfig, VerifierKind};
use gannet::domain::{Scope, Verdict, VerdictOutcome, VersionId, VersionState, Weight};
use gannet::worker::{Progress, Selection, Stop, Worker};

mod claims;

use crate::net_rig::at;
use crate::origin::{Gate, Origin, Reply};
use crate::rig::{bare_config, hourly, open_app, write_checksums};

/// Long enough for any machine: only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

struct House {
    clock: ManualClock,
    app: Arc<App>,
    worker: Worker,
    stop: Stop,
    progress: Progress,
}

impl House {
    /// Opens the store in `folder`; `script` is what a verifier of every source runs.
    fn open(folder: &Path, origin: &Origin, time: &str, script: Option<&str>) -> Self {
        let verifier = |script: &str| VerifierConfig {
            name: "script".to_owned(),
            sources: vec!["*".parse().expect("a pattern")],
            kind: VerifierKind::Command {
                argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
                stdin: false,
                failed: vec![1],
                limits: ResourceLimits::default(),
            },
            weight: Weight::Required,
            scope: Scope::Source,
            timeout: PATIENCE,
        };
        Self::judged_by(
            folder,
            origin,
            time,
            script.map(verifier).into_iter().collect(),
        )
    }

    fn judged_by(
        folder: &Path,
        origin: &Origin,
        time: &str,
        verifiers: Vec<VerifierConfig>,
    ) -> Self {
        let config = Config {
            fetch: FetchConfig {
                ca_files: vec![origin.ca_file().to_owned()],
                read_timeout: PATIENCE,
                max_tries: 1,
                ..FetchConfig::default()
            },
            verifiers,
            ..bare_config(folder)
        };
        let clock = ManualClock::new(at(time));
        let app = open_app(config, clock.clone());
        Self {
            clock,
            worker: Worker::new(Arc::clone(&app)),
            app,
            stop: Stop::default(),
            progress: Progress::default(),
        }
    }

    /// Returns all verdicts on the first version, oldest first.
    async fn verdicts(&self) -> Vec<Verdict> {
        self.app.verdicts(VersionId(1)).await.expect("verdicts")
    }

    /// Returns the state of the first version.
    async fn state(&self) -> VersionState {
        let (_, version) = self.app.version("1").await.expect("a version");
        version.state
    }

    async fn add(&self, addresses: impl IntoIterator<Item = String>) {
        let new = addresses
            .into_iter()
            .map(|address| hourly(&address.clone(), address));
        self.app.add(new.collect()).await.expect("added");
    }

    async fn pass(&self) -> PassSummary {
        let pass = self.worker.pass(Selection::Due, &self.stop, &self.progress);
        let report = tokio::time::timeout(PATIENCE, pass).await.expect("it ends");
        assert!(report.error.is_none(), "{:?}", report.error);
        report.summary
    }

    fn advance(&self, minutes: i64) {
        self.clock.advance(chrono::Duration::minutes(minutes));
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("what is waited for comes")
}

async fn exists(path: &Path) {
    soon(async {
        while !path.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outside_verdict_has_a_deadline() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let legal = VerifierConfig {
        name: "legal".to_owned(),
        sources: vec!["*".parse().expect("a pattern")],
        kind: VerifierKind::External {
            deadline: Duration::from_hours(3),
        },
        weight: Weight::Required,
        scope: Scope::Source,
        timeout: PATIENCE,
    };
    let house = House::judged_by(folder.path(), &origin, "2026-01-31T12:00:00Z", vec![legal]);
    house.add([origin.url("/x")]).await;
    assert_eq!(house.pass().await.awaiting_verdicts, 1);
    for _ in 0..2 {
        house.advance(60);
        house.pass().await;
        assert_eq!(house.state().await, VersionState::Pending);
    }
    house.advance(60);
    assert_eq!(house.pass().await.verification_errors, 1);
    assert_eq!(house.state().await, VersionState::Error);
    // It is not asked again, and may still answer.
    house.advance(60);
    house.pass().await;
    let verdicts = house.verdicts().await;
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
    house
        .app
        .verdict("v1", "legal", VerdictOutcome::Passed, None)
        .await
        .expect("recorded");
    assert_eq!(house.state().await, VersionState::Passed);
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_has_a_deadline_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let verifier = |name: &str, kind, weight| VerifierConfig {
        name: name.to_owned(),
        sources: vec!["*".parse().expect("a pattern")],
        kind,
        weight,
        scope: Scope::Source,
        timeout: PATIENCE,
    };
    let deadline = Duration::from_hours(2);
    let verifiers = vec![
        verifier(
            "text",
            VerifierKind::Builtin(gannet::config::Builtin::Utf8),
            Weight::Required,
        ),
        verifier(
            "eyes",
            VerifierKind::External { deadline },
            Weight::Advisory,
        ),
    ];
    let house = House::judged_by(folder.path(), &origin, "2026-01-31T12:00:00Z", verifiers);
    house.add([origin.url("/x")]).await;
    assert_eq!(house.pass().await.passed, 1);
    for (hour, expected) in [(1, 2), (2, 3), (3, 3)] {
        house.advance(60);
        assert_eq!(house.pass().await.passed, 0, "hour {hour}");
        let verdicts = house.verdicts().await;
        assert_eq!(verdicts.len(), expected, "hour {hour}");
    }
    let verdicts = house.verdicts().await;
    let last = &verdicts[2].verdict;
    assert_eq!(
        (last.verifier.as_str(), last.judgement.outcome),
        ("eyes", VerdictOutcome::Error)
    );
    assert_eq!(house.state().await, VersionState::Passed);
}

/// Advice alone: no verifier decides, so nothing but the promise says that somebody is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn advice_has_a_deadline_where_nothing_is_required() {
    let deadline = Duration::from_hours(2);
    for (kind, expected) in [
        (VerifierKind::External { deadline }, [1, 1, 2, 2]),
        // A program that advises judges once.
        (
            VerifierKind::Builtin(gannet::config::Builtin::Utf8),
            [1, 1, 1, 1],
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = Origin::start(true);
        origin.on("/x", [Reply::file("content")]);
        let adviser = VerifierConfig {
            name: "eyes".to_owned(),
            sources: vec!["*".parse().expect("a pattern")],
            kind,
            weight: Weight::Advisory,
            scope: Scope::Source,
            timeout: PATIENCE,
        };
        let house = House::judged_by(
            folder.path(),
            &origin,
            "2026-01-31T12:00:00Z",
            vec![adviser],
        );
        house.add([origin.url("/x")]).await;
        let mut counts = Vec::new();
        for _ in 0..4 {
            house.pass().await;
            counts.push(house.verdicts().await.len());
            house.advance(60);
        }
        assert_eq!(counts, expected);
    }
}

/// A promise that was recorded by a clock which ran ahead is made anew: its own deadline would come in a year.
#[tokio::test(flavor = "multi_thread")]
async fn a_promise_from_the_future_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let deadline = Duration::from_hours(2);
    let verifier = VerifierConfig {
        name: "legal".to_owned(),
        sources: vec!["*".parse().expect("a pattern")],
        kind: VerifierKind::External { deadline },
        weight: Weight::Required,
        scope: Scope::Source,
        timeout: PATIENCE,
    };
    let year_ahead = "2027-01-31T12:00:00Z";
    let house = House::judged_by(folder.path(), &origin, year_ahead, vec![verifier]);
    house.add([origin.url("/x")]).await;
    assert_eq!(house.pass().await.awaiting_verdicts, 1);
    house.advance(-365 * 24 * 60);
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        house.pass().await;
        house.advance(60);
    }
    for verdict in house.verdicts().await {
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
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let switch = folder.path().join("bad");
    let script = format!("[ ! -e {} ]", switch.display());
    let house = House::open(
        folder.path(),
        &origin,
        "2026-01-31T13:00:00Z",
        Some(&script),
    );
    house.add([origin.url("/x")]).await;
    assert_eq!(house.pass().await.passed, 1);
    house.advance(-60);
    fs::write(&switch, "").expect("a file");
    let (source, version) = house.app.version("1").await.expect("a version");
    let asked = house.app.asked_now().await.expect("a number");
    let verified = house.app.verify(&source, &version, asked).await;
    let verified = verified.expect("judged");
    assert_eq!(verified.state, VersionState::Failed);
    assert_eq!(house.state().await, VersionState::Failed);
    for (outcome, state) in [
        (VerdictOutcome::Passed, VersionState::Passed),
        (VerdictOutcome::Failed, VersionState::Failed),
    ] {
        house.advance(-60);
        let given = house.app.verdict("1", "script", outcome, None).await;
        assert_eq!(given.expect("a verdict").version.state, state);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_judged_is_tried_again_once_an_hour() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let house = House::open(
        folder.path(),
        &origin,
        "2026-01-31T12:00:00Z",
        Some("exit 9"),
    );
    house.add([origin.url("/x")]).await;
    assert_eq!(house.pass().await.verification_errors, 1);
    for _ in 0..3 {
        house.advance(1);
        assert_eq!(house.pass().await.verification_errors, 0);
    }
    house.advance(60);
    assert_eq!(house.pass().await.verification_errors, 1);
    house.advance(1);
    assert_eq!(house.pass().await.verification_errors, 0);
    let verdicts = house.verdicts().await;
    assert_eq!(verdicts.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_path_that_is_blocked_does_not_end_the_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let paths: Vec<_> = (0..30).map(|n| format!("/{n}")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone())]);
    }
    let house = House::open(folder.path(), &origin, "2026-01-31T12:00:00Z", None);
    house.add(paths.iter().map(|path| origin.url(path))).await;
    let published = house.app.published_file(&origin.host().replace(':', "_"));
    fs::create_dir_all(published.join("0")).expect("a folder in the way");
    let pass = house
        .worker
        .pass(Selection::Due, &house.stop, &house.progress);
    let report = pass.await;
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(report.summary.publish_failed, 1);
    let told = report.failures.join("\n");
    assert!(told.contains("/0: a folder is in the way"), "{told}");
    assert_eq!((report.summary.new, report.not_tried), (30, 0));
    for path in &paths[1..] {
        assert!(published.join(&path[1..]).is_file(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_undecided_versions_do_not_keep_a_source_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let paths: Vec<_> = (0..900).map(|n| format!("/{n}")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone())]);
    }
    let start = "2026-01-31T12:00:00Z";
    let house = House::open(folder.path(), &origin, start, None);
    house.add(paths.iter().map(|path| origin.url(path))).await;
    assert_eq!(house.pass().await.new, 900);
    drop(house);
    rusqlite::Connection::open(folder.path().join("gannet.db"))
        .map(|catalogue| be_undecided(&catalogue))
        .expect("a catalogue");
    // The verifier does not come to an end.
    let house = House::open(folder.path(), &origin, start, Some("exec sleep 1000"));
    origin.on("/late", [Reply::file("content")]);
    house.add([origin.url("/late")]).await;
    let pass = house
        .worker
        .pass(Selection::Due, &house.stop, &house.progress);
    let arrived = async {
        soon(origin.arrived(901)).await;
        house.stop.request();
        house.stop.request();
    };
    let (report, ()) = tokio::join!(pass, arrived);
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(report.summary.verification_errors, 0);
}

/// Makes all versions undecided.
fn be_undecided(catalogue: &rusqlite::Connection) {
    let undecided = catalogue.execute("UPDATE version SET state = 'pending'", []);
    undecided.expect("undecided");
    write_checksums(catalogue);
}

/// Only those that are judged right now are claimed for it.
#[tokio::test(flavor = "multi_thread")]
async fn undecided_sources_are_fetched_while_others_are_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let paths: Vec<_> = (0..20).map(|n| format!("/{n}")).collect();
    for path in &paths {
        origin.on(path, [Reply::file(path.clone())]);
    }
    let house = House::open(folder.path(), &origin, "2026-01-31T12:00:00Z", None);
    house.add(paths.iter().map(|path| origin.url(path))).await;
    assert_eq!(house.pass().await.new, 20);
    drop(house);
    rusqlite::Connection::open(folder.path().join("gannet.db"))
        .map(|catalogue| be_undecided(&catalogue))
        .expect("a catalogue");
    // All are due, and no verifier comes to an end.
    let later = "2026-02-02T12:00:00Z";
    let house = House::open(folder.path(), &origin, later, Some("exec sleep 1000"));
    let pass = house
        .worker
        .pass(Selection::Due, &house.stop, &house.progress);
    let arrived = async {
        soon(origin.arrived(20 + 16)).await;
        house.stop.request();
        house.stop.request();
    };
    let (report, ()) = tokio::join!(pass, arrived);
    assert!(report.error.is_none(), "{:?}", report.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_passes_do_not_judge_the_same_version_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let time = "2026-01-31T12:00:00Z";
    let first = House::open(folder.path(), &origin, time, Some("exit 9"));
    first.add([origin.url("/x")]).await;
    assert_eq!(first.pass().await.verification_errors, 1);
    let (begun, gate) = (folder.path().join("begun"), folder.path().join("gate"));
    // Whoever comes second could not judge.
    let script = format!(
        "mkdir {} || exit 9; until [ -e {} ]; do sleep 0.01; done",
        begun.display(),
        gate.display()
    );
    let [one, other] = [(), ()].map(|()| {
        let time = "2026-01-31T12:01:00Z";
        House::open(folder.path(), &origin, time, Some(&script))
    });
    let meanwhile = async {
        exists(&begun).await;
        let summary = other.pass().await;
        fs::write(&gate, "").expect("the gate opens");
        summary
    };
    let (judged, left) = tokio::join!(one.pass(), meanwhile);
    assert_eq!((judged.passed, left.verification_errors), (1, 0));
    let verdicts = one.verdicts().await;
    assert_eq!(verdicts.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_a_floor() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let busy = Reply::status(503).header("retry-after", "7200");
    origin.on("/x", [busy, Reply::file("content")]);
    let house = House::open(folder.path(), &origin, "2026-01-31T12:10:00Z", None);
    house.add([origin.url("/x")]).await;
    assert_eq!(house.pass().await.failed, 1);
    house.advance(115);
    // Asked not to be asked before 14:10: at 14:05 is too early, and slots are whole hours.
    assert_eq!(house.pass().await.attempts, 0);
    house.advance(55);
    assert_eq!(house.pass().await.new, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_file_is_asked_for_after_thirty_days_without_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    // A server that takes every condition for true.
    let stuck = Reply::status(304);
    origin.on(
        "/x",
        [Reply::file("old"), stuck.clone(), stuck, Reply::file("new")],
    );
    let house = House::open(folder.path(), &origin, "2026-01-31T12:00:00Z", None);
    house.add([origin.url("/x")]).await;
    assert_eq!(house.pass().await.new, 1);
    for days in [15, 14] {
        house.advance(days * 24 * 60);
        assert_eq!(house.pass().await.unchanged, 1);
    }
    house.advance(24 * 60);
    assert_eq!(house.pass().await.new, 1);
    // From the last whole one on it counts again.
    house.advance(29 * 24 * 60);
    assert_eq!(house.pass().await.unchanged, 1);
    let asked: Vec<_> = origin
        .requests()
        .iter()
        .map(|request| request.header("if-none-match").is_some())
        .collect();
    assert_eq!(asked, [false, true, true, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_keep_the_limit_of_the_host_that_they_lead_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = Origin::start(true);
    let gate = Gate::new();
    target.on("/file", [Reply::file("content").behind(&gate)]);
    let origins: Vec<_> = (0..4).map(|_| Origin::start(true)).collect();
    let house = House::open(folder.path(), &target, "2026-01-31T12:00:00Z", None);
    for origin in &origins {
        let paths = ["/1", "/2", "/3"];
        for path in paths {
            origin.on(path, [Reply::redirect(302, &target.url("/file"))]);
        }
        house.add(paths.map(|path| origin.url(path))).await;
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
    let (summary, ()) = tokio::join!(house.pass(), watch);
    assert_eq!((summary.new, target.requests().len()), (12, 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_download_keeps_no_other_source_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let gate = Gate::new();
    origin.on("/slow", [Reply::file("slow").behind(&gate)]);
    origin.on("/x", [Reply::file("one"), Reply::file("two")]);
    let house = House::open(folder.path(), &origin, "2026-01-31T12:00:00Z", None);
    house.add([origin.url("/slow"), origin.url("/x")]).await;
    let turn = async {
        let mut progress = house.progress.watch();
        let done = progress.wait_for(|now| now.summary.attempts == 1);
        soon(done).await.expect("a pass");
        house.advance(60);
        let done = progress.wait_for(|now| now.summary.attempts == 2);
        soon(done).await.expect("a pass");
        gate.open();
    };
    let (summary, ()) = tokio::join!(house.pass(), turn);
    assert_eq!((summary.attempts, summary.new), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_host_with_more_sources_than_are_claimed_at_once_keeps_no_other_host_waiting() {
    const MANY: usize = 300;
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let gate = Gate::new();
    let slow: Vec<_> = (0..MANY).map(|number| format!("/slow/{number}")).collect();
    for path in &slow {
        origin.on(path, [Reply::file("slow").behind(&gate)]);
    }
    origin.on("/x", [Reply::file("quick")]);
    let house = House::open(folder.path(), &origin, "2026-01-31T12:00:00Z", None);
    // Those that were added first are claimed first.
    house.add(slow.iter().map(|path| origin.url(path))).await;
    house.add([origin.localhost_url("/x")]).await;
    let turn = async {
        let mut progress = house.progress.watch();
        let done = progress.wait_for(|now| now.summary.attempts == 1);
        soon(done).await.expect("a pass");
        gate.open();
    };
    let (summary, ()) = tokio::join!(house.pass(), turn);
    assert_eq!(summary.new, MANY as u64 + 1);
}
