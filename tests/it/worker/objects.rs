//! What becomes of objects that no blob names, with workers that were killed, that live elsewhere, and with another catalogue.

use std::path::Path;

use gannet::app::OtherContents;
use gannet::domain::{SourceId, WorkerInfo};
use gannet::store::{Fact, LooseObjects, SourceChange};

use super::*;
use crate::rig::noise;

/// Returns the names of the objects below a folder.
fn objects_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for shelf in fs::read_dir(folder).into_iter().flatten().flatten() {
        for object in fs::read_dir(shelf.path()).expect("a folder").flatten() {
            let (shelf, object) = (shelf.file_name(), object.file_name());
            found.push(format!("{}/{}", shelf.display(), object.display()));
        }
    }
    found.sort();
    found
}

fn trashed(data_dir: &Path) -> Vec<String> {
    let days = fs::read_dir(data_dir.join("trash")).into_iter().flatten();
    let days = days.flatten().map(|day| day.path().join("objects"));
    days.flat_map(|day| objects_below(&day)).collect()
}

async fn note(app: &TestApp, fact: Fact) {
    let noted = app.catalogue().record(fact, app.stamp()).await;
    noted.expect("noted");
}

/// Puts an object there that a worker of another machine is about to record.
async fn write_object(app: &TestApp) -> String {
    let (name, worker) = (format!("ab/{}-left-12345678", "c".repeat(62)), worker());
    note(app, Fact::WorkerSeen(worker.clone())).await;
    let pending = Fact::ObjectPending {
        name: name.clone(),
        worker: worker.id,
    };
    note(app, pending).await;
    fs::create_dir_all(app.folder().join("objects/ab")).expect("a folder");
    fs::write(app.folder().join("objects").join(&name), "form").expect("an object");
    name
}

fn worker() -> WorkerInfo {
    rows::worker("of another machine")
}

fn objects(app: &TestApp) -> Vec<String> {
    objects_below(&app.folder().join("objects"))
}

/// How many objects are announced, by a time at which no worker lives any more.
async fn pending(app: &TestApp) -> usize {
    let far = app.clock.now() + chrono::TimeDelta::days(3650);
    let loose = app.catalogue().read(LooseObjects(far)).await;
    loose.expect("names").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_is_killed_after_its_commit_leaves_its_objects_to_a_pass() {
    let app = TestApp::new()
        .source("/x", [noise(7, 1_200_000)])
        .open()
        .await;
    assert_eq!(app.pass().await.summary.new, 1);
    let kept = objects(&app);
    assert_eq!((kept.len(), pending(&app).await), (1, 0));
    let purge = SourceChange::Remove {
        id: SourceId(1),
        purge: true,
    };
    let store = app.catalogue();
    let purged = store.change_sources(vec![purge], app.stamp()).await;
    assert_eq!(purged.expect("purged")[0].objects, kept);
    // Here it is killed.
    assert_eq!(pending(&app).await, 1);
    app.turn(24 * 60);
    app.pass().await;
    assert_eq!(objects(&app), [""; 0]);
    assert_eq!(trashed(app.folder()), kept);
    assert_eq!(pending(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_of_another_machine_is_about_to_record_stays_while_it_is_seen() {
    let app = TestApp::new().open().await;
    let object = write_object(&app).await;
    app.pass().await;
    for _ in 0..2 {
        app.turn(24 * 60);
        note(&app, Fact::WorkerSeen(worker())).await;
        app.pass().await;
        assert_eq!(objects(&app), [&*object]);
    }
    app.turn(24 * 60);
    app.pass().await;
    assert_eq!(objects(&app), [""; 0]);
    assert_eq!(trashed(app.folder()), [object]);
    assert_eq!(pending(&app).await, 0);
}

/// The catalogue is a copy from when a worker was about to record an object: the one that was lost may have named it since.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_copy_of_the_catalogue_was_about_to_name_is_kept_when_it_takes_the_archive_over() {
    let app = TestApp::new().open().await;
    let object = write_object(&app).await;
    app.turn(6);
    let adopted = app.adopt_archive(&OtherContents::default()).await;
    assert_eq!(adopted.expect("adopted").unknown_objects, 1);
    for _ in 0..2 {
        app.turn(24 * 60);
        app.pass().await;
    }
    assert_eq!(objects(&app), [object]);
}
