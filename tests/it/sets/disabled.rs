//! Members that are disabled.

use super::{Release, plain_files};

const BOTH: [&str; 2] = ["SHA256SUMS", "data.csv"];

#[test]
fn a_disabled_member_stays_with_the_version_that_it_has() {
    for disabled in [&["data.csv"][..], &["SHA256SUMS"], &BOTH] {
        let release = Release::new();
        release.fetch();
        release.gannet.ok(&[&["disable"], disabled].concat());
        release.gannet.ok(&["--worker-only"]);
        assert_eq!(release.files(), BOTH, "{disabled:?}");
        assert!(plain_files(&release.gannet).is_empty(), "{disabled:?}");
        release.gannet.ok(&[&["enable"], disabled].concat());
        release.serve("two");
        assert_eq!(release.fetch()["sets_published"], 1, "{disabled:?}");
        assert_eq!(release.data().as_deref(), Some("two"), "{disabled:?}");
    }
}

#[test]
fn a_disabled_member_without_a_version_keeps_no_set_waiting() {
    let release = Release::new();
    release.add("notes.txt", "release");
    release.gannet.ok(&["disable", "notes.txt"]);
    release.gannet.ok(&["--worker-only"]);
    assert_eq!(release.files(), BOTH);
}
