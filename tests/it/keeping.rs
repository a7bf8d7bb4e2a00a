//! Nothing is deleted on the word of one catalogue: a missing, empty, older or foreign one beside an archive stops whatever
//! writes, and what seems unneeded goes to the trash first.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use gannet::clock::SystemClock;
use gannet::domain::{SettingsPatch, SourceId, VerdictOutcome};
use gannet::worker::{Progress, Selection, Stop, Worker};
use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{Gannet, Gate, Home, Origin, Reply, TestApp, sqlite, until};

/// Bytes that do not compress, and so lie in a file of their own.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let bytes = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(99);
        state.to_be_bytes()[0]
    });
    bytes.take(3 << 20).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn objects(gannet: &Gannet) -> Vec<PathBuf> {
    files_below(&gannet.data().join("objects"))
}

/// A store with two versions of a large file.
fn store_of_two() -> Home {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/x", [Reply::file(noise(1)), Reply::file(noise(2))]);
    origin.on("/y", [Reply::file("small")]);
    gannet.ok(&["add", &origin.url("/x"), "1h", "--allow-private"]);
    for _ in 0..2 {
        gannet.fetch("x");
    }
    assert_eq!(objects(&gannet).len(), 2);
    gannet
}

/// Moves the catalogue into a folder beside the data folder.
fn put_away(gannet: &Gannet) -> PathBuf {
    put_away_as(gannet, "away");
    gannet.path("away/gannet.db")
}

/// Leaves what a fetch leaves that is killed.
fn kill_a_fetch(gannet: &Gannet, origin: &Origin) {
    let gate = Gate::new();
    origin.on("/slow", [Reply::file("slow").behind(&gate)]);
    gannet.ok(&["add", &origin.url("/slow"), "1h", "--allow-private"]);
    let mut child = gannet.start(&["fetch", "slow"]);
    until("the request", || {
        let requests = origin.requests();
        requests.iter().any(|request| request.path == "/slow")
    });
    let process = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("a process");
    kill_process(process, Signal::KILL).expect("killed");
    child.wait().expect("it ends");
    gate.open();
}

/// Every command that writes is refused with these words; nothing is deleted.
fn refuses_to_write(gannet: &Gannet, origin: &Origin, words: &str) {
    let before = objects(gannet);
    let address = origin.url("/y");
    for arguments in [
        &["add", &address, "1h", "--allow-private"][..],
        &["build_db"],
        &["fetch", "*"],
        &["--worker-only"],
        &["edit", "x", "--interval", "6h"],
        &["remove", "x", "--purge", "--yes"],
        &["verify", "x"],
    ] {
        let said = gannet.run(arguments);
        assert_eq!(said.code, Some(3), "{arguments:?}: {said:#?}");
        assert!(said.err.contains(words), "{arguments:?}: {said:#?}");
        assert!(
            said.err.contains("config adopt-archive") && said.err.contains("backup"),
            "{arguments:?}: {said:#?}"
        );
    }
    assert_eq!(objects(gannet), before);
    assert!(!gannet.data().join("trash").exists());
}

#[test]
fn a_catalogue_that_is_not_the_archives_own_stops_whatever_writes() {
    let gannet = store_of_two();
    let origin = &gannet.origin;
    kill_a_fetch(&gannet, origin);
    let kept = put_away(&gannet);
    refuses_to_write(&gannet, origin, "is missing or empty");
    fs::write(gannet.data().join("gannet.db"), "").expect("an empty file");
    refuses_to_write(&gannet, origin, "is missing or empty");
    // Of another store.
    let other = Gannet::new();
    other.ok(&["build_db"]);
    fs::copy(
        other.data().join("gannet.db"),
        gannet.data().join("gannet.db"),
    )
    .expect("a copy");
    refuses_to_write(&gannet, origin, "belongs to another archive");
    let said = gannet.run(&["list"]);
    assert_eq!(said.code, Some(0), "reading works: {said:#?}");
    assert!(said.err.contains("belongs to another archive"), "{said:#?}");
    put_away_as(&gannet, "foreign");
    // Without the log that the killed process left beside it, it is an older one.
    fs::copy(&kept, gannet.data().join("gannet.db")).expect("put back");
    refuses_to_write(&gannet, origin, "is an older copy");
    put_away_as(&gannet, "older");
    for name in ["gannet.db", "gannet.db-wal", "gannet.db-shm"] {
        let _ = fs::rename(kept.with_file_name(name), gannet.data().join(name));
    }
    gannet.fetch("x");
    assert_eq!(gannet.bytes(&["cat", "x"]), noise(2));
}

#[test]
fn an_older_copy_is_noticed_and_the_right_one_works_again() {
    let gannet = store_of_two();
    let origin = &gannet.origin;
    let catalogue = gannet.data().join("gannet.db");
    let old = gannet.path("old.db");
    fs::copy(&catalogue, &old).expect("a copy");
    gannet.ok(&["--worker-only"]);
    gannet.fetch("x");
    let kept = put_away(&gannet);
    fs::copy(&old, &catalogue).expect("put back");
    refuses_to_write(&gannet, origin, "is an older copy");
    assert!(gannet.run(&["cat", "x"]).err.contains("is an older copy"));
    fs::rename(&kept, &catalogue).expect("put back");
    let said = gannet.run(&["cat", "x"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    gannet.ok(&["edit", "x", "--interval", "6h"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_from_before_each_change_of_a_process_that_stays_is_noticed() {
    let toml = "[[verifier]]\nname = \"person\"\nsources = [\"*\"]\nexternal = true\n";
    let gannet = Home::new(toml);
    let origin = &gannet.origin;
    origin.on("/y", [Reply::file("1"), Reply::file("2")]);
    gannet.ok(&["add", &origin.url("/y"), "1h", "--allow-private"]);
    gannet.fetch("y");
    let config = gannet.path("config.toml");
    let app = TestApp::over(&config, &gannet.data(), SystemClock);
    let stop = Stop::default();
    let worker = Worker::new(Arc::clone(&app));
    let pass = async || {
        let these = Selection::These(vec![SourceId(1)]);
        let report = worker.pass(these, &stop, &Progress::default()).await;
        assert!(report.error.is_none(), "{:?}", report.error);
    };
    let edit = async |interval: &str| {
        let patch = SettingsPatch {
            interval: Some(interval.parse().expect("an interval")),
            ..SettingsPatch::default()
        };
        app.edit(&["y".to_owned()], patch).await.expect("edited");
    };
    let judge = async || {
        let passed = VerdictOutcome::Passed;
        app.verdict("y", "person", passed, None)
            .await
            .expect("a verdict");
    };
    for turn in 0..6 {
        sqlite::copy(&gannet.data(), &gannet.path(&format!("{turn}.db")));
        match turn % 3 {
            0 => edit(["2h", "3h"][turn / 3]).await,
            1 => judge().await,
            _ => pass().await,
        }
    }
    drop((worker, app));
    let kept = put_away(&gannet);
    for turn in 0..6 {
        let copy = gannet.path(&format!("{turn}.db"));
        fs::copy(copy, gannet.data().join("gannet.db")).expect("put back");
        let said = gannet.run(&["--worker-only"]);
        assert!(
            said.code == Some(3) && said.err.contains("is an older copy"),
            "{turn}: {said:?}"
        );
    }
    fs::copy(kept, gannet.data().join("gannet.db")).expect("put back");
    gannet.ok(&["--worker-only"]);
}

#[test]
fn an_adopted_archive_keeps_what_the_catalogue_does_not_know() {
    let gannet = store_of_two();
    let origin = &gannet.origin;
    let kept = put_away(&gannet);
    let before = objects(&gannet);
    let said = gannet.ok(&["config", "adopt-archive"]);
    assert!(
        said.contains("2 objects that it does not know are kept"),
        "{said}"
    );
    gannet.ok(&["add", &origin.url("/y"), "1h", "--allow-private"]);
    kill_a_fetch(&gannet, origin);
    gannet.ok(&["fetch", "y"]);
    gannet.ok(&["--worker-only"]);
    assert_eq!(objects(&gannet), before);
    assert!(gannet.ok(&["log"]).contains("archive.adopted"));
    // The right one comes back after all.
    put_away_as(&gannet, "second");
    fs::copy(&kept, gannet.data().join("gannet.db")).expect("put back");
    assert_eq!(gannet.run(&["--worker-only"]).code, Some(3));
    gannet.ok(&["config", "adopt-archive"]);
    assert_eq!(gannet.bytes(&["cat", "x"]), noise(2));
    assert_eq!(gannet.bytes(&["cat", "x~1"]), noise(1));
}

fn put_away_as(gannet: &Gannet, name: &str) {
    let away = gannet.path(name);
    fs::create_dir_all(&away).expect("a folder");
    for name in ["gannet.db", "gannet.db-wal", "gannet.db-shm"] {
        let _ = fs::rename(gannet.data().join(name), away.join(name));
    }
}

#[test]
fn a_store_of_before_there_were_marks_gets_one() {
    let gannet = store_of_two();
    fs::remove_file(gannet.data().join("archive-id")).expect("a mark");
    sqlite::forget_mark(&gannet.data());
    gannet.ok(&["list"]);
    assert!(
        !gannet.data().join("archive-id").exists(),
        "reading makes none"
    );
    gannet.ok(&["--worker-only"]);
    assert!(gannet.data().join("archive-id").exists());
    // The mark of one of the two alone.
    fs::remove_file(gannet.data().join("archive-id")).expect("a mark");
    gannet.ok(&["--worker-only"]);
    assert!(gannet.data().join("archive-id").exists());
    assert_eq!(objects(&gannet).len(), 2);
}

#[test]
fn what_a_purge_leaves_lies_in_the_trash_for_seven_days() {
    let gannet = store_of_two();
    let said = gannet.run(&["remove", "x", "--purge", "--yes"]);
    assert_eq!(said.code, Some(0));
    assert!(
        said.err
            .contains("trash/ holds 2 stored files of more than 1 MiB for 7 days more"),
        "{said:#?}"
    );
    assert!(objects(&gannet).is_empty());
    let trash = gannet.data().join("trash");
    assert_eq!(files_below(&trash).len(), 2);
    let day = fs::read_dir(&trash).expect("a trash").flatten().next();
    let mut day = day.expect("a day").path();
    // As a look a year ahead finds it, a look by which it was seen for 7 days, one that is too soon, one after a look from the
    // future, and one by which it was seen for 8. A look long ago counts as 4 days, whatever day it is now.
    for (name, is_due, left) in [
        ("2001-01-01", true, 2),
        ("2001-01-01.2001-01-04.3", true, 2),
        ("2001-01-01.2001-01-05.4", false, 2),
        ("2001-01-01.9999-12-31.7", true, 2),
        ("2001-01-01.2001-01-05.4", true, 0),
    ] {
        fs::rename(&day, trash.join(name)).expect("renamed");
        if is_due {
            sqlite::make_tidying_long_due(&gannet.data());
        }
        gannet.ok(&["--worker-only"]);
        assert_eq!(files_below(&trash).len(), left, "{name}");
        if left > 0 {
            let found = fs::read_dir(&trash).expect("a trash").flatten().next();
            day = found.expect("a day").path();
        }
    }
}

#[test]
fn an_object_in_the_trash_is_read_and_comes_back_before_it_would_go() {
    let gannet = store_of_two();
    // A look long ago counts as 4 days: this one finds that its time is over.
    let trash = gannet.data().join("trash/2001-01-01.2001-01-08.7");
    fs::create_dir_all(&trash).expect("a folder");
    fs::rename(gannet.data().join("objects"), trash.join("objects")).expect("moved");
    assert_eq!(gannet.bytes(&["cat", "x"]), noise(2));
    sqlite::make_tidying_due(&gannet.data());
    gannet.ok(&["--worker-only"]);
    assert!(files_below(&gannet.data().join("trash")).is_empty());
    assert_eq!(objects(&gannet).len(), 2);
    assert_eq!(gannet.bytes(&["cat", "x~1"]), noise(1));
}

#[test]
fn half_made_copies_before_migrations_go_to_the_trash() {
    let gannet = store_of_two();
    let names = [
        "gannet.db.before-002",
        "gannet.db.before-002.77",
        "gannet.db.before-003.78",
    ];
    for name in names {
        let file = fs::File::create(gannet.data().join(name)).expect("a file");
        if name.ends_with("77") {
            file.set_modified(std::time::SystemTime::UNIX_EPOCH)
                .expect("a time");
        }
    }
    sqlite::make_tidying_due(&gannet.data());
    gannet.ok(&["--worker-only"]);
    let there = names.map(|name| gannet.data().join(name).exists());
    assert_eq!(there, [true, false, true]);
}

/// Something lies where the trash should be, or its disk is full: what should go there stays, and the work goes on.
#[test]
fn a_trash_that_takes_nothing_keeps_no_source_waiting() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/x", ["1", "2"].map(Reply::file));
    gannet.ok(&["add", &origin.url("/x"), "1h", "--allow-private"]);
    let data = gannet.data();
    fs::write(data.join("trash"), "").expect("a file");
    let half = fs::File::create(data.join("gannet.db.before-002.999999999"));
    let aged = half.and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH));
    aged.expect("half a copy");
    // A worker that was killed: nobody holds a lock there.
    let dead = data.join("tmp/run-dead");
    fs::create_dir(&dead).expect("a folder");
    for content in ["1", "2"] {
        sqlite::make_all_due(&data);
        let said = gannet.run(&["--worker-only"]);
        assert!(said.err.contains("trash"), "{said:#?}");
        assert_eq!(gannet.ok(&["cat", "x:published"]), content, "{said:#?}");
        assert!(!dead.exists(), "{said:#?}");
    }
}
