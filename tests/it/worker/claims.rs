//! Whose claims end when, with several workers on one catalogue: of one process, of this machine and of others.

use std::path::Path;
use std::sync::Arc;

use gannet::domain::{SourceId, WorkerInfo};
use gannet::store::{ClaimRequest, Workers};
use gannet::worker::{Progress, Selection, Stop, Worker};

use super::*;

/// Has a worker claim every source that is due, and do nothing with it.
async fn claim(app: &TestApp, worker: WorkerInfo) {
    let request = ClaimRequest {
        worker,
        ..rows::request("replaced", app.clock.now())
    };
    let claims = app.catalogue().claim(request).await;
    assert_eq!(claims.expect("a claim").len(), 1);
}

/// Makes the folder of a process that was killed: its lock is there, and nobody holds it.
fn leave_folder(data_dir: &Path, owner: &str) {
    let folder = data_dir.join("tmp").join(owner);
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("lock"), "").expect("a lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_a_worker_that_could_not_release_them_are_free() {
    let app = TestApp::new()
        .source("/x", [Reply::file("content")])
        .open()
        .await;
    // As a full disk leaves it: the folder of the owner went, its claim did not.
    let gone = WorkerInfo {
        folder: "run-gone".to_owned(),
        ..app.archive().machine().new_worker()
    };
    claim(&app, gone).await;
    assert_eq!(app.pass().await.summary.new, 1);
    assert_eq!(app.catalogue().read(Workers).await, Ok(Vec::new()));
}

/// A system that was started anew has no process of before, and the folders in `tmp/` are this machine's.
#[tokio::test(flavor = "multi_thread")]
async fn claims_of_a_worker_that_a_crash_of_the_machine_killed_are_free() {
    for (host, is_free) in [(None, true), (Some("elsewhere"), false)] {
        let app = TestApp::new()
            .source("/x", [Reply::file("content")])
            .open()
            .await;
        let mut killed = WorkerInfo {
            boot: "the one before".to_owned(),
            folder: "run-killed".to_owned(),
            ..app.archive().machine().new_worker()
        };
        // The folder of another machine's worker came with a copy of the data folder.
        killed.host = host.map_or(killed.host, str::to_owned);
        leave_folder(app.folder(), "run-killed");
        claim(&app, killed).await;
        assert_eq!(app.pass().await.summary.new, u64::from(is_free), "{host:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_another_machine_hold_until_its_worker_was_not_seen_for_a_lease() {
    let app = TestApp::new()
        .source("/x", [Reply::file("content")])
        .open()
        .await;
    claim(&app, rows::worker("other")).await;
    // Whatever this machine's folders say: none of them is that worker's.
    leave_folder(app.folder(), "run-killed");
    for _ in 0..3 {
        assert_eq!(app.pass().await.summary.attempts, 0);
        app.turn(4);
        let seen = gannet::store::Fact::WorkerSeen(rows::worker("other"));
        let noted = app.catalogue().record(seen, app.stamp()).await;
        noted.expect("it lives");
    }
    app.turn(4);
    assert_eq!(app.pass().await.summary.attempts, 0);
    app.turn(1);
    assert_eq!(app.pass().await.summary.new, 1);
}

/// The dashboard has one worker for what is due, and one for what is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_done_leaves_the_claims_of_another_one_of_its_process_alone() {
    let gate = Gate::new();
    let app = TestApp::new()
        .source("/x", [Reply::file("slow").behind(&gate)])
        .open()
        .await;
    app.origin.on("/y", [Reply::file("content")]);
    let asked = Worker::new(Arc::clone(&app.app));
    let (stop, progress) = (Stop::default(), Progress::default());
    let other = async {
        app.origin.arrived(1).await;
        app.watch(["/y"]).await;
        let these = Selection::These(vec![SourceId(2)]);
        let report = asked.pass(these, &stop, &progress).await;
        gate.open();
        report.summary.new
    };
    let (PassReport { summary, .. }, new) = tokio::join!(app.pass(), other);
    assert_eq!((summary.new, new), (1, 1));
}

/// A worker whose clock jumps with that of all others is seen by the new time before its next claim, and keeps what it holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_clock_takes_no_claim_from_a_worker_that_was_seen_since() {
    let gate = Gate::new();
    let app = TestApp::new()
        .source("/x", [Reply::file("slow").behind(&gate)])
        .open()
        .await;
    app.origin
        .on("/y", [Reply::file("one"), Reply::file("two")]);
    app.watch(["/y"]).await;
    let another = Worker::new(Arc::clone(&app.app));
    let (stop, progress) = (Stop::default(), Progress::default());
    let jump = async {
        let mut watch = app.progress.watch();
        soon(watch.wait_for(|now| now.summary.attempts == 1))
            .await
            .expect("a pass");
        app.turn(365 * 24 * 60);
        // It is tried again by the worker that was seen just before.
        soon(watch.wait_for(|now| now.summary.attempts == 2))
            .await
            .expect("a pass");
        let report = another.pass(Selection::Due, &stop, &progress).await;
        gate.open();
        report.summary.attempts
    };
    let (PassReport { summary, .. }, others) = tokio::join!(app.pass(), jump);
    assert_eq!((summary.new, others), (3, 0));
}
