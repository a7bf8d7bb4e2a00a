//! Processes that are killed while files go between their own paths and a set's folder: consumers find each file in one place or the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::entering::FILES;
use crate::rig::{Numbers, Release, SUMS_VERIFIER, plain_files, sqlite};

/// Reads the file where consumers find it: at its own path, or with its set.
fn read_somewhere(own: &Path, in_set: &Path) -> Option<String> {
    // It may go from one place to the other between two looks, and again when another process had the core meanwhile. What a kill left
    // nowhere is nowhere until the next program runs, which takes longer than so many looks.
    let mut places = [own, in_set].into_iter().cycle().take(64);
    places.find_map(|path| fs::read_to_string(path).ok())
}

#[test]
fn killed_at_any_moment_a_file_is_at_its_own_path_or_in_its_set() {
    const ROUNDS: u64 = 24;
    let release = Release::published_singly(&[], SUMS_VERIFIER);
    let (own, in_set) = (
        release.own_path("data.csv"),
        release.link().join("data.csv"),
    );
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut places = [0_u64; 2];
            while !done.load(Ordering::Relaxed) {
                let seen = read_somewhere(&own, &in_set).expect("the file is always somewhere");
                assert_eq!(seen, "one");
                places[usize::from(!own.exists())] += 1;
            }
            places
        });
        let mut numbers = Numbers(1);
        for round in 0..ROUNDS {
            let tags: &[&str] = if round % 2 == 0 {
                &["--tag", "release"]
            } else {
                &["--no-tags"]
            };
            let edit = [&["edit"], &FILES[..], tags].concat();
            for command in [&edit[..], &["fetch", FILES[0], FILES[1]]] {
                let mut child = release.gannet.start(command);
                let share = numbers.below(100) as u64;
                // Not a wait for anything: the moment at which the knife falls.
                std::thread::sleep(Duration::from_millis(share));
                child.kill().expect("killed, or ended by itself");
                child.wait().expect("it ended");
            }
            if round % 3 == 0 {
                release.fetch_both();
            }
        }
        done.store(true, Ordering::Relaxed);
        let places = reader.join().expect("the reader always found the file");
        assert!(places[0] > 0, "{places:?}");
    });
    release.tag(&FILES, &["release"]);
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("one"));
    assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new());
}

/// A process that is killed between the removal of a file and the record of it leaves a catalogue that takes the file for published.
#[test]
fn a_file_that_is_recorded_and_does_not_lie_there_keeps_its_set() {
    let release = Release::new();
    release.fetch();
    assert_eq!(release.own("data.csv"), None);
    let saved = release.save();
    for is_due in [false, true] {
        release.put_back(&saved);
        sqlite::record_files_as_published(&release.gannet.data(), is_due);
        release.tag(&FILES, &[]);
        let somewhere = || release.own("data.csv").or_else(|| release.data());
        assert_eq!(somewhere().as_deref(), Some("one"), "{is_due}");
        release.gannet.run(&["--worker-only"]);
        assert_eq!(release.own("data.csv").as_deref(), Some("one"), "{is_due}");
        release.gannet.run(&["--worker-only"]);
        assert!(!release.link().exists(), "{is_due}");
    }
}

/// A process that is killed between the removal of a set's link and the record of it leaves a catalogue that takes the edition for published.
#[test]
fn a_set_that_is_recorded_and_not_linked_takes_no_file_away() {
    let release = Release::new();
    release.fetch();
    release.tag(&FILES, &[]);
    release.gannet.run(&["--worker-only"]);
    assert!(!release.link().exists());
    sqlite::record_edition_as_published(&release.gannet.data());
    // The link cannot come back.
    fs::create_dir(release.link()).expect("a folder in its place");
    release
        .gannet
        .run(&[&["edit"], &FILES[..], &["--tag", "release"]].concat());
    let commands: [&[&str]; 3] = [
        &["--worker-only"],
        &["fetch", "tag:release"],
        &["verify", "set:release"],
    ];
    for command in commands {
        assert_eq!(release.own("data.csv").as_deref(), Some("one"));
        let said = release.gannet.run(command);
        assert!(said.err.contains("set release"), "{said:#?}");
    }
    assert_eq!(release.own("data.csv").as_deref(), Some("one"));
    fs::remove_dir(release.link()).expect("removed");
    release.gannet.run(&["--worker-only"]);
    assert_eq!(release.data().as_deref(), Some("one"));
    assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new());
}
