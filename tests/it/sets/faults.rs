//! A catalogue that is put back, and the sets that are published from it.

use std::fs;

use crate::rig::Release;

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
