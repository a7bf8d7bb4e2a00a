//! A catalogue that is put back, or damaged, and the sets that are published from it.

use std::fs;

use crate::rig::{Release, sqlite};

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
        let damage = format!(
            "UPDATE edition_member SET version_id = {version} WHERE edition_id = 2 AND name = 'data.csv'"
        );
        let damaged = sqlite::open(&release.gannet.data()).execute(&damage, []);
        assert_eq!(damaged, Ok(1), "{what}");
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
