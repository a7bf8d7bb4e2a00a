//! What a pass leaves of published files: those that it can bring in line are so at its end, and nobody is blamed who did nothing.

use std::fs;
use std::path::PathBuf;

use crate::loose::damage;
use crate::origin::{Origin, Reply};
use crate::rig::Gannet;

struct Home {
    origin: Origin,
    gannet: Gannet,
}

impl Home {
    fn new(content: &[u8]) -> Self {
        let origin = Origin::start(true);
        origin.on("/a", [Reply::file(content.to_vec())]);
        let gannet = Gannet::trusting(origin.ca_file(), "max_tries = 1\n");
        gannet.ok(&["add", &origin.url("/a"), "1h", "--allow-private"]);
        gannet.ok(&["fetch", "a"]);
        Self { origin, gannet }
    }

    fn file(&self) -> PathBuf {
        let host = self.origin.host().replace(':', "_");
        self.gannet.data().join("published").join(host).join("a")
    }

    fn log(&self) -> String {
        self.gannet.ok(&["log", "--limit", "0"])
    }
}

/// What may have been written by a process that was killed is looked at before it is written once more.
#[test]
fn a_file_that_is_right_is_not_said_to_be_put_back() {
    for (content, put_back) in [("one", 0), ("two", 1)] {
        let home = Home::new(b"one");
        let unsure = "UPDATE source_state SET publish_unsure = 2";
        damage(&home.gannet.data(), unsure);
        fs::write(home.file(), content).expect("written");
        let said = home.gannet.run(&["--worker-only"]);
        assert_eq!(said.code, Some(0), "{said:#?}");
        assert_eq!(said.err.contains("put back"), put_back > 0, "{said:#?}");
        let log = home.log();
        assert_eq!(log.matches("file.republished").count(), put_back, "{log}");
        assert_eq!(fs::read_to_string(home.file()).ok().as_deref(), Some("one"));
        home.gannet.ok(&["--worker-only"]);
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
    let home = Home::new(&noise);
    let objects = home.gannet.data().join("objects");
    for folder in fs::read_dir(objects).expect("objects").flatten() {
        for object in fs::read_dir(folder.path()).expect("a folder").flatten() {
            fs::write(object.path(), "").expect("damaged");
        }
    }
    fs::remove_file(home.file()).expect("removed");
    damage(
        &home.gannet.data(),
        "UPDATE source_state SET next_slot = 0, checked_at = NULL; DELETE FROM chore",
    );
    let said = home.gannet.run(&["--worker-only"]);
    assert!(home.log().contains("archive.healed"), "{said:#?}");
    assert_eq!(
        fs::read(home.file()).ok().map(|bytes| bytes.len()),
        Some(noise.len())
    );
    assert_ne!(said.code, Some(3), "{said:#?}");
    home.gannet.ok(&["--worker-only"]);
}
