//! A catalogue that is replaced or removed under a worker that stays.

use std::fs;
use std::path::Path;

use crate::rig::{Gate, Home, Reply};

/// What somebody does to the catalogue of a worker that is in the middle of a fetch.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// Moves it away with what lies beside it, and puts an earlier copy there.
    PutBack,
    /// Renames an earlier copy over it, and removes what lay beside it.
    RenamedOver,
    /// Removes it with what lies beside it.
    Removed,
}

/// Removes the catalogue and what SQLite keeps beside it.
fn remove_catalogue(data: &Path) {
    for name in ["gannet.db", "gannet.db-wal", "gannet.db-shm"] {
        let _ = fs::remove_file(data.join(name));
    }
}

fn change(data: &Path, copy: &Path, kind: Change) {
    match kind {
        Change::PutBack => {
            remove_catalogue(data);
            fs::copy(copy, data.join("gannet.db")).expect("copied");
        }
        Change::RenamedOver => {
            fs::rename(copy, data.join("gannet.db")).expect("renamed");
            for name in ["gannet.db-wal", "gannet.db-shm"] {
                let _ = fs::remove_file(data.join(name));
            }
        }
        Change::Removed => remove_catalogue(data),
    }
}

/// What it fetched is recorded nowhere, so nobody is told that it was: neither by its output nor by a published file.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stays_records_nothing_in_a_catalogue_that_is_not_there_any_more() {
    for kind in [Change::PutBack, Change::RenamedOver, Change::Removed] {
        let gannet = Home::new("");
        let origin = &gannet.origin;
        let gate = Gate::new();
        origin.on(
            "/x.txt",
            [Reply::file("one").behind(&gate), Reply::file("two")],
        );
        gannet.ok(&["add", &origin.url("/x.txt"), "--allow-private"]);
        let (data, copy) = (gannet.data(), gannet.path("copy.db"));
        fs::copy(data.join("gannet.db"), &copy).expect("copied");
        let child = gannet.start(&["--worker-only", "--loop"]);
        origin.arrived(1).await;
        change(&data, &copy, kind);
        gate.open();
        gannet.wait_for_log("nothing is recorded: start this process anew");
        // A service manager starts it anew, and it opens what lies there then.
        let output = child.wait_with_output().expect("it ends by itself");
        assert_eq!(output.status.code(), Some(3), "{kind:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("nothing is recorded"), "{kind:?}: {text}");
        assert!(!text.contains("1 new"), "{kind:?}: {text}");
        let published = fs::read_dir(data.join("published")).map_or(0, Iterator::count);
        assert_eq!(published, 0, "{kind:?}");
        if matches!(kind, Change::Removed) {
            assert!(!data.join("gannet.db").exists(), "made anew");
            continue;
        }
        let source = gannet.source("x.txt");
        for never in ["version_id", "last_attempt_at", "published_version_id"] {
            assert!(source[never].is_null(), "{kind:?}: {source}");
        }
        // Such a copy is refused by itself: it is older than the archive.
        gannet.ok(&["config", "adopt-archive"]);
        assert_eq!(gannet.json(&["--worker-only", "--json"])["new"], 1);
        assert_eq!(gannet.ok(&["cat", "x.txt"]), "two");
    }
}
