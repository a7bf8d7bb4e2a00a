//! What a pass leaves of published files: those that it can bring in line are so at its end, and nobody is blamed who did nothing.

use std::fs;

use crate::rig::{Home, fixture, sqlite};

fixture! {
    /// A source `a` with this content, published.
    struct Scene;
}

impl Scene {
    fn new(content: &[u8]) -> Self {
        Self(
            Home::new("")
                .with_source("a", [content.to_vec()])
                .fetched(&["a"]),
        )
    }

    fn log(&self) -> String {
        self.ok(&["log", "--limit", "0"])
    }
}

/// What may have been written by a process that was killed is looked at before it is written once more.
#[test]
fn a_file_that_is_right_is_not_said_to_be_put_back() {
    for (content, put_back) in [("one", 0), ("two", 1)] {
        let home = Scene::new(b"one");
        sqlite::leave_publications_unsure(&home.data());
        fs::write(home.file("a"), content).expect("written");
        let said = home.run(&["--worker-only"]);
        assert_eq!(said.code, Some(0), "{said:#?}");
        assert_eq!(said.err.contains("put back"), put_back > 0, "{said:#?}");
        let log = home.log();
        assert_eq!(log.matches("file.republished").count(), put_back, "{log}");
        assert_eq!(
            fs::read_to_string(home.file("a")).ok().as_deref(),
            Some("one")
        );
        home.ok(&["--worker-only"]);
        assert_eq!(home.log(), log.clone(), "nothing more happens");
    }
}

/// The version whose stored bytes were damaged is stored anew by the pass, which publishes it, too.
#[test]
fn a_pass_that_heals_a_version_publishes_it() {
    let noise = (0..3_000_000_u32).flat_map(|n| {
        n.wrapping_mul(2_654_435_761)
            .rotate_left(n % 31)
            .to_le_bytes()
    });
    let noise: Vec<u8> = noise.collect();
    let home = Scene::new(&noise);
    let objects = home.data().join("objects");
    for folder in fs::read_dir(objects).expect("objects").flatten() {
        for object in fs::read_dir(folder.path()).expect("a folder").flatten() {
            fs::write(object.path(), "").expect("damaged");
        }
    }
    fs::remove_file(home.file("a")).expect("removed");
    sqlite::make_fetches_due(&home.data());
    sqlite::make_checks_due(&home.data());
    sqlite::make_looks_due(&home.data());
    let said = home.run(&["--worker-only"]);
    assert!(home.log().contains("archive.healed"), "{said:#?}");
    assert_eq!(
        fs::read(home.file("a")).ok().map(|bytes| bytes.len()),
        Some(noise.len())
    );
    assert_ne!(said.code, Some(3), "{said:#?}");
    home.ok(&["--worker-only"]);
}
