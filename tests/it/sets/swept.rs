//! Editions that nobody needs any more: which go at once, which to the trash, and which stay.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags};

use super::readers::{MINUTE, Rig, at, names};
use crate::rig::{Gannet, Origin, Reply, read_through};

const KEY: &str = "0123456789abcdef";
const DAY: u64 = 24 * 60 * MINUTE;

/// Returns the names of the editions in the trash, of all days.
fn thrown(data: &Path) -> BTreeSet<String> {
    let days = fs::read_dir(data.join("trash"))
        .into_iter()
        .flatten()
        .flatten();
    let folders = days.filter_map(|day| fs::read_dir(day.path().join("sets/.editions")).ok());
    folders
        .flat_map(Iterator::flatten)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Makes a folder as an edition's, with a file in it, that was written to at this time.
fn leave(rig: &Rig, name: &str, ms: u64) {
    leave_in(rig.data.path(), name, at(ms));
}

fn leave_in(data: &Path, name: &str, time: SystemTime) -> PathBuf {
    let folder = data.join("sets/.editions").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("data.bin"), name).expect("a file");
    let marked = File::open(&folder).and_then(|folder| folder.set_modified(time));
    marked.expect("marked");
    folder
}

#[test]
fn what_nothing_took_the_place_of_goes_to_the_trash_and_the_rest_goes() {
    let rig = Rig::new();
    rig.publish(5, b"five", at(0)).expect("published");
    rig.publish(6, b"six", at(1)).expect("published");
    let named = |name: &str| format!("{name}-{KEY}");
    for (name, ms) in [
        // Killed as it published, of a set that is gone, of an earlier gannet, of nobody knows what.
        (named("release-7"), 0),
        (named("gone-1"), 0),
        ("release-1".to_owned(), 0),
        ("strange".to_owned(), 0),
        // Somebody may be inside.
        (named("gone-2"), 2 * MINUTE),
        // Killed as it was filled, whenever that was.
        (format!("release-8-{KEY}.new"), 11 * MINUTE),
    ] {
        leave(&rig, &name, ms);
    }
    symlink("nowhere", rig.data.path().join("sets/.gone.new")).expect("a link");
    rig.archive.sets().sweep(at(11 * MINUTE)).expect("swept");
    let unfinished = format!("release-8-{KEY}.new");
    let (killed, gone) = (named("release-7"), named("gone-1"));
    assert_eq!(
        thrown(rig.data.path()),
        names(&[&killed, &gone, "release-1", "strange", &unfinished])
    );
    // The fifth was replaced by the sixth; that one stays however old it is.
    assert_eq!(rig.editions(), names(&["release-6", "gone-2"]));
    assert!(fs::symlink_metadata(rig.data.path().join("sets/.gone.new")).is_err());
    rig.archive.sets().sweep(at(400 * DAY)).expect("swept");
    assert_eq!(rig.editions(), names(&["release-6"]));
    assert_eq!(read_through(&rig.link()).expect("an edition")[0].1, b"six");
}

#[test]
fn the_editions_of_a_set_that_is_withdrawn_stay_in_the_trash_for_seven_days() {
    let rig = Rig::new();
    rig.publish(1, b"one", at(0)).expect("published");
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let inside = rustix::fs::open(rig.link(), flags, Mode::empty()).expect("the folder");
    rig.archive
        .sets()
        .withdraw("release", at(20 * MINUTE))
        .expect("withdrawn");
    rig.archive.sets().sweep(at(29 * MINUTE)).expect("swept");
    assert_eq!(
        rig.editions(),
        names(&["release-1"]),
        "readers may be inside"
    );
    rig.archive.sets().sweep(at(31 * MINUTE)).expect("swept");
    assert!(rig.editions().is_empty());
    assert_eq!(thrown(rig.data.path()).len(), 1);
    // Whoever still is inside reads on.
    let file = rustix::fs::openat(&inside, "data.bin", OFlags::RDONLY, Mode::empty());
    let mut content = String::new();
    File::from(file.expect("a file"))
        .read_to_string(&mut content)
        .expect("text");
    assert_eq!(content, "one");
    for (days, left) in [(1, 1), (400, 1), (2, 1), (3, 1), (4, 1), (6, 0)] {
        let expired = rig.archive.objects().expired(at(days * DAY).into());
        expired.expect("a look").delete();
        assert_eq!(thrown(rig.data.path()).len(), left, "{days}");
    }
}

#[test]
fn folders_of_one_name_lie_beside_each_other_in_the_trash() {
    let rig = Rig::new();
    let name = format!("gone-1-{KEY}");
    for _ in 0..3 {
        leave(&rig, &name, 0);
        rig.publish(1, b"one", at(20 * MINUTE)).expect("published");
    }
    let (second, third) = (format!("{name}.2"), format!("{name}.3"));
    assert_eq!(thrown(rig.data.path()), names(&[&name, &second, &third]));
}

/// Without a set that is configured, and so without a pass that looks at sets, what was left goes too.
#[test]
fn a_pass_without_sets_clears_away_what_they_left() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    for verifiers in [
        "",
        "[[verifier]]\nname = \"text\"\nbuiltin = \"utf8\"\nsources = [\"*\"]\n",
    ] {
        let gannet = Gannet::trusting(origin.ca_file(), verifiers);
        gannet.ok(&["add", &origin.url("/x"), "--allow-private"]);
        let folder = leave_in(
            &gannet.data(),
            &format!("gone-1-{KEY}"),
            SystemTime::UNIX_EPOCH,
        );
        gannet.ok(&["--worker-only"]);
        assert!(!folder.exists(), "{verifiers}");
        assert_eq!(thrown(&gannet.data()).len(), 1, "{verifiers}");
    }
}

#[test]
fn editions_that_cannot_be_cleared_away_keep_no_source_from_being_fetched() {
    let origin = Origin::start(true);
    origin.on("/x", [Reply::file("content")]);
    let in_the_way: fn(&Path) = |data| {
        fs::write(data.join("trash"), "no folder").expect("a file");
    };
    let no_list: fn(&Path) = |data| {
        let trash = data.join("trash");
        symlink(data.join("nowhere/at/all"), trash).expect("a link");
    };
    for spoil in [in_the_way, no_list] {
        let gannet = Gannet::trusting(origin.ca_file(), "");
        gannet.ok(&["add", &origin.url("/x"), "--allow-private"]);
        let folder = leave_in(
            &gannet.data(),
            &format!("gone-1-{KEY}"),
            SystemTime::UNIX_EPOCH,
        );
        spoil(&gannet.data());
        let said = gannet.run(&["--worker-only"]);
        assert_ne!(said.code, Some(0), "{said:#?}");
        assert!(said.err.contains("trash"), "{said:#?}");
        assert!(folder.exists());
        assert!(
            gannet.source("x")["published_path"].is_string(),
            "{said:#?}"
        );
    }
}
