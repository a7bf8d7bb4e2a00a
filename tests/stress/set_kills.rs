//! Killed at any moment, readers of a set see the old edition or the new one.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::knife::Knife;
use crate::rig::{Release, plain_files, read_through};

#[test]
fn killed_again_and_again_readers_see_whole_editions() {
    const ROUNDS: u64 = 40;
    let release = Release::new();
    let begun = Instant::now();
    release.fetch();
    let mut knife = Knife::of(begun.elapsed());
    let done = AtomicBool::new(false);
    let link = release.link();
    let rounds = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut rounds = 0_u64;
            while !done.load(Ordering::Relaxed) {
                read_through(&link).expect("there is always a set");
                rounds += 1;
            }
            rounds
        });
        for round in 0..ROUNDS {
            release.serve(&format!("data of round {round}\n"));
            let mut child = release.gannet.start(&["fetch", "tag:release"]);
            knife.falls_on(&mut child);
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader saw whole editions only")
    });
    assert!(rounds > ROUNDS, "{rounds}");
    let published = release
        .events()
        .iter()
        .filter(|event| event.starts_with("set.published"))
        .count();
    assert!(
        (3..=40).contains(&published),
        "{published}: the knife always fell at the same place"
    );
    // What the last one left undone is done now.
    release.fetch();
    release.gannet.ok(&["--worker-only"]);
    let newest = format!("data of round {}\n", ROUNDS - 1);
    assert_eq!(release.data(), Some(newest));
    let shown = release.show();
    assert_eq!(
        shown["published_edition_id"], shown["edition_id"],
        "{shown}"
    );
    let editions = fs::read_dir(release.gannet.data().join("sets/.editions")).expect("editions");
    let unfinished = editions
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".new"));
    assert_eq!(unfinished.count(), 0);
    assert_eq!(plain_files(&release.gannet), Vec::<PathBuf>::new());
}
