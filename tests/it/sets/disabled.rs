//! Members that are disabled, and sources that are fetched one by one while their set stands failed.

use crate::rig::{Release, plain_files};

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

#[test]
fn fetching_a_member_says_that_its_set_stands_failed() {
    let release = Release::new();
    release.serve_sums("other");
    release.gannet.run(&["--worker-only"]);
    release.add("alone.txt", "other");
    let alone = crate::rig::Reply::file("alone");
    release.origin.on("/alone.txt", [alone]);
    for (asked, code) in [("data.csv", 1), ("SHA256SUMS", 1), ("alone.txt", 0)] {
        let said = release.gannet.run(&["fetch", asked]);
        let tells = said.err.contains("set release: failed by sums");
        assert_eq!(
            (said.code, tells),
            (Some(code), code == 1),
            "{asked}: {}",
            said.err
        );
    }
}
