//! Whose claims end when, with several workers on one catalogue: of one process, of this machine and of others.

use gannet::archive::Archive;
use gannet::domain::{SourceId, WorkerId, WorkerInfo};
use gannet::store::{ClaimRequest, ClaimWhat, Store};

use super::*;

/// When every test begins.
const NOON: &str = "2026-01-31T12:00:00Z";

/// A worker of a machine that is not this one.
fn of_another_machine() -> WorkerInfo {
    WorkerInfo {
        id: WorkerId("of another machine".into()),
        host: "elsewhere".to_owned(),
        boot: "another".to_owned(),
        folder: "run-other".to_owned(),
        pid: 7,
    }
}

impl House {
    async fn with_source(folder: &Path, origin: &Origin) -> Self {
        let house = Self::open(folder, origin, NOON, None);
        house.add([origin.url("/x")]).await;
        house
    }

    fn catalogue(&self) -> Store {
        Store::open(&self.app.config().data_dir.join("gannet.db")).expect("a catalogue")
    }

    fn worker_of_this_machine(&self) -> WorkerInfo {
        let archive = Archive::open(&self.app.config().data_dir).expect("an archive");
        archive.machine().new_worker()
    }

    /// Has a worker claim every source that is due, and do nothing with it.
    async fn claim(&self, worker: WorkerInfo) {
        let request = ClaimRequest {
            what: ClaimWhat::Due,
            worker,
            now: self.app.now(),
            limit: 9,
            excluded_hosts: Vec::new(),
        };
        let claims = self.catalogue().claim(request).await;
        assert_eq!(claims.expect("a claim").len(), 1);
    }
}

/// Makes the folder of a process that was killed: its lock is there, and nobody holds it.
fn leave_folder(data_dir: &Path, owner: &str) {
    let folder = data_dir.join("tmp").join(owner);
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("lock"), "").expect("a lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_a_worker_that_could_not_release_them_are_free() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let house = House::with_source(folder.path(), &origin).await;
    // As a full disk leaves it: the folder of the owner went, its claim did not.
    let gone = WorkerInfo {
        folder: "run-gone".to_owned(),
        ..house.worker_of_this_machine()
    };
    house.claim(gone).await;
    assert_eq!(house.pass().await.new, 1);
    assert_eq!(house.catalogue().workers().await, Ok(Vec::new()));
}

/// A system that was started anew has no process of before, and the folders in `tmp/` are this machine's.
#[tokio::test(flavor = "multi_thread")]
async fn claims_of_a_worker_that_a_crash_of_the_machine_killed_are_free() {
    for (host, is_free) in [(None, true), (Some("elsewhere"), false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = Origin::start(true);
        origin.on("/x", [Reply::file("content")]);
        let house = House::with_source(folder.path(), &origin).await;
        let mut killed = WorkerInfo {
            boot: "the one before".to_owned(),
            folder: "run-killed".to_owned(),
            ..house.worker_of_this_machine()
        };
        // The folder of another machine's worker came with a copy of the data folder.
        killed.host = host.map_or(killed.host, str::to_owned);
        leave_folder(folder.path(), "run-killed");
        house.claim(killed).await;
        assert_eq!(house.pass().await.new, u64::from(is_free), "{host:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_another_machine_hold_until_its_worker_was_not_seen_for_a_lease() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let house = House::with_source(folder.path(), &origin).await;
    house.claim(of_another_machine()).await;
    // Whatever this machine's folders say: none of them is that worker's.
    leave_folder(folder.path(), "run-killed");
    for _ in 0..3 {
        assert_eq!(house.pass().await.attempts, 0);
        house.advance(4);
        let seen = gannet::store::Fact::WorkerSeen(of_another_machine());
        let noted = house.catalogue().record(seen, house.app.stamp()).await;
        noted.expect("it lives");
    }
    house.advance(4);
    assert_eq!(house.pass().await.attempts, 0);
    house.advance(1);
    assert_eq!(house.pass().await.new, 1);
}

/// The dashboard has one worker for what is due, and one for what is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_done_leaves_the_claims_of_another_one_of_its_process_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let gate = Gate::new();
    origin.on("/x", [Reply::file("slow").behind(&gate)]);
    origin.on("/y", [Reply::file("content")]);
    let house = House::with_source(folder.path(), &origin).await;
    let asked = Worker::new(Arc::clone(&house.app));
    let (stop, progress) = (Stop::default(), Progress::default());
    let other = async {
        origin.arrived(1).await;
        house.add([origin.url("/y")]).await;
        let these = Selection::These(vec![SourceId(2)]);
        let report = asked.pass(these, &stop, &progress).await;
        gate.open();
        report.summary.new
    };
    let (summary, new) = tokio::join!(house.pass(), other);
    assert_eq!((summary.new, new), (1, 1));
}

/// A worker whose clock jumps with that of all others is seen by the new time before its next claim, and keeps what it holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_clock_takes_no_claim_from_a_worker_that_was_seen_since() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let gate = Gate::new();
    origin.on("/x", [Reply::file("slow").behind(&gate)]);
    origin.on("/y", [Reply::file("one"), Reply::file("two")]);
    let house = House::with_source(folder.path(), &origin).await;
    house.add([origin.url("/y")]).await;
    let another = Worker::new(Arc::clone(&house.app));
    let (stop, progress) = (Stop::default(), Progress::default());
    let jump = async {
        let mut watch = house.progress.watch();
        soon(watch.wait_for(|now| now.summary.attempts == 1))
            .await
            .expect("a pass");
        house.advance(365 * 24 * 60);
        // It is tried again by the worker that was seen just before.
        soon(watch.wait_for(|now| now.summary.attempts == 2))
            .await
            .expect("a pass");
        let report = another.pass(Selection::Due, &stop, &progress).await;
        gate.open();
        report.summary.attempts
    };
    let (summary, others) = tokio::join!(house.pass(), jump);
    assert_eq!((summary.new, others), (3, 0));
}
