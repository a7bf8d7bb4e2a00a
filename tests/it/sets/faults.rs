//! Killed at any moment, readers of a set see the old edition or the new one.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::Release;
use super::readers::read_through;

/// Steps through numbers that look random and are the same in every run.
pub(super) fn scatter(seed: u64) -> u64 {
    (seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407))
        >> 33
}

#[test]
fn killed_again_and_again_readers_see_whole_editions() {
    const ROUNDS: u64 = 40;
    let release = Release::new();
    let begun = Instant::now();
    release.fetch();
    // So that the knife falls all over a pass, however slow the machine is, and becomes meanwhile.
    let mut span = begun.elapsed();
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
            // Not a wait for anything: the moment at which the knife falls.
            let share = u32::try_from(scatter(round) % 1000).expect("small");
            std::thread::sleep(span * share / 1000);
            let ended = child.try_wait().expect("a child").is_some();
            span = if ended { span * 4 / 5 } else { span * 5 / 4 };
            child.kill().expect("killed, or ended by itself");
            child.wait().expect("it ended");
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
    assert_eq!(
        super::plain_files(&release.gannet),
        Vec::<std::path::PathBuf>::new()
    );
}

#[test]
fn an_older_catalogue_that_is_put_back_publishes_no_folder_of_another_edition() {
    let release = Release::new();
    release.fetch();
    let catalogue = release.gannet.data().join("gannet.db");
    let old = release.gannet.path("old.db");
    fs::copy(&catalogue, &old).expect("a copy");
    release.serve("two");
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("two"));
    for name in ["gannet.db-wal", "gannet.db-shm"] {
        let _ = fs::remove_file(release.gannet.data().join(name));
    }
    fs::copy(&old, &catalogue).expect("put back");
    release.gannet.ok(&["config", "adopt-archive", "--yes"]);
    // The numbers of the second edition and of its versions are given again.
    release.serve("three");
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("three"));
}

#[test]
fn damaged_rows_of_an_edition_publish_no_other_version() {
    for (what, version) in [
        ("an earlier version", "version_id - 2"),
        (
            "another member's",
            "(SELECT version_id FROM edition_member WHERE edition_id = 2 AND name = 'SHA256SUMS')",
        ),
    ] {
        let release = Release::new();
        release.fetch();
        release.serve("two");
        release.fetch();
        assert_eq!(release.data().as_deref(), Some("two"));
        let sql = rusqlite::Connection::open(release.gannet.data().join("gannet.db"));
        let damage = format!(
            "UPDATE edition_member SET version_id = {version} WHERE edition_id = 2 AND name = 'data.csv'"
        );
        let damaged = sql.and_then(|sql| sql.execute(&damage, []));
        assert_eq!(damaged.expect("damaged"), 1, "{what}");
        let said = release.gannet.run(&["--worker-only"]);
        assert_ne!(said.code, Some(0), "{what}: {said:#?}");
        assert!(
            said.err
                .contains("the catalogue's row 2 of the table `edition` is damaged"),
            "{what}: {said:#?}"
        );
        assert_eq!(release.data().as_deref(), Some("two"), "{what}");
        release.serve("three");
        release.gannet.run(&["fetch", "tag:release"]);
        assert_eq!(release.data().as_deref(), Some("three"), "{what}");
    }
}
