//! A set whose catalogue was lost: its folder stays until the new catalogue has an edition to put in its place.

use std::fs;

use crate::rig::{Release, Reply, SUMS_VERIFIER};

/// A published set whose catalogue was lost, and whose archive belongs to an empty one now.
fn adopted() -> Release {
    let release = Release::new();
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("one"));
    for name in ["gannet.db", "gannet.db-wal", "gannet.db-shm"] {
        let _ = fs::remove_file(release.gannet.data().join(name));
    }
    let said = release.gannet.ok(&["config", "adopt-archive"]);
    assert!(
        said.contains("objects and 1 published set that it does not know are kept"),
        "{said}"
    );
    release
}

impl Release {
    fn add_both_again(&self) {
        self.add("data.csv", "release");
        self.add("SHA256SUMS", "release");
    }
}

/// What happens after the loss, and what readers see of the set then.
type Case = (&'static str, fn(&Release), Option<&'static str>);

#[test]
fn readers_keep_a_set_until_the_new_catalogue_has_an_edition() {
    let cases: [Case; 6] = [
        ("without its sources", |_| {}, Some("one")),
        (
            "not configured",
            |release| drop(release.judge_by("")),
            Some("one"),
        ),
        (
            "with sources that can be fetched",
            Release::add_both_again,
            Some("one"),
        ),
        (
            "with a source that is gone",
            |release| {
                release.add_both_again();
                release.origin.on("/SHA256SUMS", [Reply::status(404)]);
            },
            Some("one"),
        ),
        (
            "with files that fail",
            |release| {
                release.add_both_again();
                release.serve_data("two");
            },
            Some("one"),
        ),
        (
            "with new files that pass",
            |release| {
                release.add_both_again();
                release.serve("two");
            },
            Some("two"),
        ),
    ];
    let release = adopted();
    let saved = release.save();
    for (name, change, expected) in cases {
        release.put_back(&saved);
        change(&release);
        for _ in 0..2 {
            release.gannet.run(&["--worker-only"]);
            assert_eq!(release.data().as_deref(), expected, "{name}");
        }
    }
}

#[test]
fn what_the_new_catalogue_published_is_kept_by_it_alone() {
    let release = adopted();
    release.add_both_again();
    release.serve("two");
    release.fetch();
    assert_eq!(release.data().as_deref(), Some("two"));
    release
        .gannet
        .run(&["verdict", "set:release", "sums", "failed"]);
    assert_eq!(release.data(), None);
    release.judge_by(SUMS_VERIFIER);
    release.gannet.run(&["--worker-only"]);
    assert_eq!(release.data(), None);
}
