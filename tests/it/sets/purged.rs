//! The bytes of what was purged: they lie nowhere in the data folder when the command has ended, whoever may be reading them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gannet::domain::{Actor, SourceId, Stamp};
use gannet::store::{SourceChange, Store};

use super::removed::elsewhere;
use crate::rig::{Release, Reply, SUMS_VERIFIER, Said, in_mount_namespace, sqlite};

/// Part of every version of the file that is purged.
const BYTES: &str = "bytes that nobody may keep";

/// What is done before, and the purge.
type Case = (&'static str, fn(&Release), fn(&Release) -> Said);

/// Returns the files below a folder that hold the bytes, and what else is there, by name.
fn holding(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // A worker beside may have removed one since the folder was read.
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if metadata.is_dir() {
            found.extend(holding(&path));
        } else if metadata.is_file() {
            let bytes = fs::read(&path).unwrap_or_default();
            let holds = |bytes: &[u8]| bytes == BYTES.as_bytes();
            if bytes.windows(BYTES.len()).any(holds) {
                found.push(path);
            }
        }
    }
    found
}

/// Three members, of which `notes.txt` has several versions, and with them the set several editions.
fn with_editions() -> Release {
    let release = Release::of_three();
    for turn in 1..4 {
        let notes = format!("{BYTES}, and {turn}\n");
        release.origin.on("/notes.txt", [Reply::file(notes)]);
        release.fetch();
    }
    assert!(holding(&release.gannet.data()).len() > 3);
    release
}

fn purge(release: &Release) -> Said {
    release
        .gannet
        .run(&["remove", "--purge", "--yes", "notes.txt"])
}

/// Lets the folders of editions look as if they had been replaced long ago.
fn age_editions(release: &Release) {
    let editions = release.gannet.data().join("sets/.editions");
    for edition in fs::read_dir(editions).expect("editions").flatten() {
        let folder = File::open(edition.path()).expect("a folder");
        folder.set_modified(SystemTime::UNIX_EPOCH).expect("a time");
    }
}

#[test]
fn the_bytes_of_what_was_purged_lie_nowhere() {
    let cases: [Case; 7] = [
        ("published with its set", |_| {}, purge),
        (
            "removed before",
            |release| drop(release.gannet.ok(&["remove", "notes.txt"])),
            |release| {
                let id = release.gannet.json(&["show", "notes.txt", "--json"])["id"].to_string();
                release.gannet.run(&["remove", "--purge", "--yes", &id])
            },
        ),
        (
            "with all members",
            |_| {},
            |release| {
                release
                    .gannet
                    .run(&["remove", "--purge", "--yes", "tag:release"])
            },
        ),
        (
            "published singly, and in the folder of the set",
            |release| drop(release.gannet.ok(&["edit", "notes.txt", "--no-tags"])),
            purge,
        ),
        (
            "in editions that are in the trash",
            |release| {
                release.gannet.ok(&["edit", "tag:release", "--no-tags"]);
                age_editions(release);
                release.gannet.run(&["--worker-only"]);
                let trash = release.gannet.data().join("trash");
                assert!(!holding(&trash).is_empty(), "editions are in the trash");
            },
            purge,
        ),
        (
            "printed by a verifier",
            |release| {
                let cat = "[[verifier]]\nname = \"cat\"\nsources = [\"notes.txt\"]\ncommand = [\"sh\", \"-c\", \"echo no; cat $0; false\", \"{path}\"]\n";
                release.configured(&(SUMS_VERIFIER.to_owned() + cat));
                release.gannet.run(&["verify", "--stale"]);
            },
            purge,
        ),
        (
            "by another configuration, and published by a pass with the right one",
            |_| {},
            |release| {
                let said = elsewhere(release, &["remove", "--purge", "--yes", "notes.txt"]);
                let path = release.link().join("notes.txt").display().to_string();
                let left = holding(&release.gannet.data());
                assert_eq!(left.len(), 1, "one that is said: {left:?}");
                assert!(said.err.contains(&path), "{said:#?}");
                let folder = format!("still at {}", release.link().display());
                let said_of = |words: &str| said.out.contains(words) || said.err.contains(words);
                assert!(said_of(&folder), "{said:#?}");
                assert!(!said_of("no longer published"), "{said:#?}");
                release.gannet.run(&["--worker-only"]);
                said
            },
        ),
    ];
    let release = with_editions();
    let saved = release.save();
    for (case, before, purge) in cases {
        release.put_back(&saved);
        before(&release);
        let said = purge(&release);
        assert_eq!(said.code, Some(0), "{case}: {said:#?}");
        let left = holding(&release.gannet.data());
        assert_eq!(left, Vec::<PathBuf>::new(), "{case}: {said:#?}");
        assert!(!said.err.contains("may still hold"), "{case}: {said:#?}");
    }
}

#[test]
fn beside_a_process_that_reads_nothing_of_it_stays_in_the_log() {
    let release = with_editions();
    let mut reader = release.gannet.start(&["--worker-only", "--loop"]);
    let log = release.gannet.data().join("gannet.db-wal");
    crate::rig::until("the worker has the catalogue open", || log.exists());
    // A program that holds its edition open, as readers do, is no reason to keep it.
    let inside = File::open(release.link()).expect("the folder of the edition");
    let said = purge(&release);
    let left = holding(&release.gannet.data());
    reader.kill().and_then(|()| reader.wait()).expect("ended");
    drop(inside);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_eq!(left, Vec::<PathBuf>::new(), "{said:#?}");
    assert!(!said.err.contains("may still hold"), "{said:#?}");
}

#[test]
fn where_the_bytes_may_still_be_is_said() {
    let release = with_editions();
    let copy = release.gannet.data().join("gannet.db.before-015");
    fs::copy(release.gannet.data().join("gannet.db"), &copy).expect("a copy");
    let reader = sqlite::read(&release.gannet.data());
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM version")
        .expect("a reader");
    let said = purge(&release);
    assert_eq!(said.code, Some(0), "{said:#?}");
    for left in holding(&release.gannet.data()) {
        let line = format!("{} may still hold what was purged: ", left.display());
        assert!(said.err.contains(&line), "{line}: {said:#?}");
    }
    let of_log =
        "gannet.db-wal may still hold what was purged: another process reads the catalogue";
    assert!(said.err.contains(of_log), "{said:#?}");
    let of_copy = format!("{} may still hold what was purged: a copy", copy.display());
    assert!(said.err.contains(&of_copy), "{said:#?}");
}

#[test]
fn a_folder_that_cannot_follow_is_a_problem() {
    let release = with_editions();
    let sets = release.gannet.data().join("sets");
    fs::rename(&sets, release.gannet.path("sets aside")).expect("moved");
    fs::write(&sets, "in the way").expect("a file");
    let said = purge(&release);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(
        said.err.contains("set release: not published: "),
        "{said:#?}"
    );
}

/// Readers find a folder as long as one lies there, whatever the catalogue says.
#[test]
fn that_readers_still_find_a_folder_is_said() {
    const SHOWN: &str =
        "nothing, but a folder lies there still: the next pass that may publish removes it";
    let release = with_editions();
    let saved = release.save();
    let script =
        "mount --bind \"$data/sets\" \"$data/sets\"; mount -o remount,ro,bind \"$data/sets\"
        \"$gannet\" remove --purge --yes notes.txt || true; \"$gannet\" show set:release";
    if let Some(said) = in_mount_namespace(&release.gannet, script) {
        let still = "readers of the set release still find what was purged: its folder could not be taken away";
        assert!(said.err.contains(still), "{said:#?}");
        assert!(!said.err.contains("find nothing"), "{said:#?}");
        assert!(said.out.contains(SHOWN), "{said:#?}");
    }
    release.put_back(&saved);
    let said = elsewhere(&release, &["remove", "--purge", "--yes", "notes.txt"]);
    assert!(!said.err.contains("find nothing"), "{said:#?}");
    let shown = release.gannet.ok(&["show", "set:release"]);
    assert_eq!(shown.contains(SHOWN), release.files().len() > 2, "{shown}");
}

/// Records a purge as a process does that is killed right after it.
fn killed_in_purge(release: &Release) {
    let id = release.gannet.json(&["show", "notes.txt", "--json"])["id"]
        .as_i64()
        .expect("an id");
    let store = Store::open(&release.gannet.data().join("gannet.db")).expect("a catalogue");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let change = SourceChange::Remove {
        id: SourceId(id),
        purge: true,
    };
    let stamp = Stamp {
        at: "2030-01-01T10:00:00Z".parse().expect("a time"),
        actor: Actor("tester".to_owned()),
    };
    runtime
        .block_on(store.change_sources(vec![change], stamp))
        .expect("purged");
}

#[test]
fn what_a_killed_purge_left_goes_with_whatever_is_done_next() {
    let sets = |release: &Release| release.gannet.data().join("sets");
    let as_it_was: fn(&Release) = |_| {};
    let without_link: fn(&Release) = |release| fs::remove_file(release.link()).expect("removed");
    let release = with_editions();
    killed_in_purge(&release);
    let saved = release.save();
    for (when, left) in [("recorded", as_it_was), ("withdrawn", without_link)] {
        for next in [
            &["--worker-only"][..],
            &["fetch", "data.csv"],
            &["interval", "data.csv", "6h"],
            &["verify", "data.csv"],
            &["remove", "--purge", "--yes", "notes.txt"],
        ] {
            release.put_back(&saved);
            left(&release);
            assert!(!holding(&sets(&release)).is_empty(), "{when} {next:?}");
            let said = release.gannet.run(next);
            let left = holding(&sets(&release));
            assert_eq!(left, Vec::<PathBuf>::new(), "{when} {next:?}: {said:#?}");
            if next[0] == "remove" {
                assert_eq!(said.code, Some(0), "{when}: {said:#?}");
                assert!(
                    said.out
                        .starts_with("purged already, 2030-01-01 10:00 UTC: notes.txt"),
                    "{when}: {said:#?}"
                );
                let words = "what it left in the folders of these sets is gone now: release";
                assert!(said.err.contains(words), "{when}: {said:#?}");
            }
        }
    }
}

/// An edition without the purged file is published, and the process is killed before it records that.
#[test]
fn what_follows_a_killed_purge_keeps_the_edition_that_readers_see_by_then() {
    let release = with_editions();
    purge(&release);
    release.gannet.run(&["--worker-only"]);
    let seen = fs::read_link(release.link()).expect("a link");
    sqlite::forget_edition_after_purge(&release.gannet.data(), "notes.txt");
    let inode = |path: &Path| {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(path).expect("the folder").ino()
    };
    let before = inode(&release.link());
    release.gannet.run(&["--worker-only"]);
    assert_eq!(fs::read_link(release.link()).expect("a link"), seen);
    assert_eq!(inode(&release.link()), before);
    assert!(release.link().join("data.csv").exists());
}

/// A process that is killed at any moment of a purge leaves no folder that nothing knows of.
#[test]
fn editions_that_nobody_sees_go_before_a_purge_is_recorded() {
    let release = with_editions();
    release.gannet.ok(&["edit", "notes.txt", "--no-tags"]);
    release.gannet.run(&["--worker-only"]);
    let editions = release.gannet.data().join("sets/.editions");
    assert!(!holding(&editions).is_empty());
    // The purge ends where it would be recorded.
    sqlite::halt_purges(&release.gannet.data());
    let said = purge(&release);
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert_eq!(holding(&editions), Vec::<PathBuf>::new(), "{said:#?}");
}
