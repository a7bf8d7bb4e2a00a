//! The published folders of sets by the archive itself, with readers that look all the while.

use std::collections::BTreeSet;
use std::fs::{self};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use gannet::archive::{Archive, ArchiveError, EditionFile};
use gannet::domain::{Content, Digest, EditionId};
use tempfile::TempDir;

use crate::rig::{folder, read_through, until};

pub(super) struct Rig {
    pub(super) data: TempDir,
    pub(super) archive: Archive,
}

pub(super) fn at(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + Duration::from_millis(ms)
}

fn file(name: &str, content: &[u8]) -> EditionFile {
    EditionFile {
        name: name.to_owned(),
        size_bytes: content.len() as u64,
        digest: Digest::of(content),
    }
}

pub(super) const MINUTE: u64 = 60_000;

impl Rig {
    pub(super) fn new() -> Self {
        let data = folder();
        let archive = Archive::open(data.path()).expect("an archive");
        Self { data, archive }
    }

    /// Publishes an edition of a data file, a file that stays the same, and their checksums.
    pub(super) fn publish(
        &self,
        id: i64,
        data: &[u8],
        now: SystemTime,
    ) -> Result<(), ArchiveError> {
        self.publish_as(id, Digest::of(data), data, now)
    }

    fn publish_as(
        &self,
        id: i64,
        key: Digest,
        data: &[u8],
        now: SystemTime,
    ) -> Result<(), ArchiveError> {
        const SAME: &[u8] = b"the same in every edition";
        let sums = format!(
            "{}  data.bin\n{}  LICENSE\n",
            Digest::of(data).to_hex(),
            Digest::of(SAME).to_hex()
        );
        let _lock = self.archive.machine().lock_published()?;
        let folder = self.archive.sets().begin("release", EditionId(id), key)?;
        for (name, bytes) in [
            ("data.bin", data),
            ("LICENSE", SAME),
            ("SHA256SUMS", sums.as_bytes()),
        ] {
            let file = file(name, bytes);
            if !folder.has(&file) {
                folder.write(&file, &Content::Memory(Bytes::copy_from_slice(bytes)))?;
            }
        }
        folder.publish(now)?;
        Ok(())
    }

    fn folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.data.path().join("sets/.editions")).expect("editions");
        entries.flatten().map(|entry| entry.path()).collect()
    }

    /// Returns the names of the folders, without what stands for their files.
    pub(super) fn editions(&self) -> BTreeSet<String> {
        let names = self.folders().into_iter().map(|folder| {
            let name = folder.file_name().expect("a name").to_string_lossy();
            let parts = name.rsplit_once('-').expect("a key");
            parts.0.to_owned()
        });
        names.collect()
    }

    pub(super) fn folder(&self, edition: &str) -> PathBuf {
        let beginning = format!("/{edition}-");
        let mut folders = self.folders().into_iter();
        folders
            .find(|folder| folder.display().to_string().contains(&beginning))
            .expect("a folder")
    }

    fn inode(&self, edition: &str, file: &str) -> u64 {
        let file = self.folder(edition).join(file);
        file.metadata().expect("a file").ino()
    }

    fn leads_to(&self, id: i64, data: &[u8]) -> bool {
        let (id, key) = (EditionId(id), Digest::of(data));
        self.archive.sets().leads_to("release", id, key)
    }

    pub(super) fn link(&self) -> PathBuf {
        self.archive.sets().link("release")
    }
}

pub(super) fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_thousand_replacements_are_never_a_mixture() {
    const ROUNDS: u64 = 1000;
    let rig = Rig::new();
    let content = |round: u64| {
        format!("{round}\n").repeat(200 + usize::try_from(round % 300).expect("small"))
    };
    rig.publish(1, content(0).as_bytes(), at(0))
        .expect("published");
    let (done, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    let link = rig.link();
    let seen = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                let files = read_through(&link).expect("there is always a set");
                seen.insert(Digest::of(&files[0].1).to_hex());
                rounds.fetch_add(1, Ordering::Relaxed);
            }
            seen
        });
        for round in 1..=ROUNDS {
            let id = i64::try_from(round + 1).expect("small");
            rig.publish(id, content(round).as_bytes(), at(round))
                .expect("published");
            // However busy the machine is, the reader comes to read among the replacements.
            let before = rounds.load(Ordering::Relaxed);
            until("the reader goes on", || {
                round % 8 > 0 || reader.is_finished() || rounds.load(Ordering::Relaxed) > before
            });
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader saw whole editions only")
    });
    let rounds = rounds.into_inner();
    assert!(
        rounds > 100 && seen.len() > 10,
        "{rounds} rounds, {} editions",
        seen.len()
    );
    // What was replaced less than ten minutes ago stays for whoever is inside, then it goes.
    assert_eq!(rig.editions().len(), 1001);
    rig.publish(5000, b"the last", at(11 * MINUTE))
        .expect("published");
    assert_eq!(rig.editions(), names(&["release-1001", "release-5000"]));
}

#[test]
fn files_that_stay_the_same_are_shared_unless_someone_wrote_to_them() {
    let rig = Rig::new();
    rig.publish(1, b"one", at(0)).expect("published");
    rig.publish(2, b"two", at(1)).expect("published");
    let inode = |edition: &str, file: &str| rig.inode(edition, file);
    assert_eq!(inode("release-1", "LICENSE"), inode("release-2", "LICENSE"));
    assert_ne!(
        inode("release-1", "data.bin"),
        inode("release-2", "data.bin")
    );
    let shared = rig.folder("release-2").join("LICENSE");
    assert_eq!(
        shared.metadata().expect("a file").permissions().mode() & 0o777,
        0o444
    );
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o644)).expect("a mode");
    fs::write(&shared, "meddled with").expect("written");
    rig.publish(3, b"three", at(2)).expect("published");
    assert_ne!(inode("release-2", "LICENSE"), inode("release-3", "LICENSE"));
    read_through(&rig.link()).expect("a whole edition");
}

/// Whoever changes a published file is seen by readers; that it is put back is not, but by its content.
#[test]
fn while_files_are_put_back_readers_find_all_of_them() {
    const ROUNDS: u64 = 200;
    let rig = Rig::new();
    rig.publish(1, b"good", at(0)).expect("published");
    let (folder, aside) = (rig.folder("release-1"), rig.data.path().join("aside"));
    let done = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut rounds = 0_u64;
            while !done.load(Ordering::Relaxed) {
                let data = fs::read(rig.link().join("data.bin")).expect("it is always there");
                assert!(data == b"good" || data == b"evil", "{data:?}");
                rounds += 1;
            }
            rounds
        });
        for round in 1..=ROUNDS {
            fs::write(&aside, "evil").expect("written");
            fs::rename(&aside, folder.join("data.bin")).expect("moved in");
            assert!(
                !rig.archive
                    .sets()
                    .holds("release", &[file("data.bin", b"good")])
            );
            rig.publish(1, b"good", at(round)).expect("put back");
            assert!(
                rig.archive
                    .sets()
                    .holds("release", &[file("data.bin", b"good")])
            );
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("the reader found the file")
    });
    assert!(rounds > 0);
    assert_eq!(rig.folders(), [folder], "nothing else is left");
}

#[test]
fn an_edition_that_was_replaced_goes_ten_minutes_after_that() {
    let rig = Rig::new();
    rig.publish(1, b"one", at(0)).expect("published");
    rig.publish(2, b"two", at(60 * MINUTE)).expect("published");
    assert_eq!(
        rig.editions(),
        names(&["release-1", "release-2"]),
        "it was read a moment ago"
    );
    rig.archive.sets().sweep(at(70 * MINUTE)).expect("swept");
    assert_eq!(rig.editions().len(), 2);
    // Back to the older one, which lies there whole.
    let key = Digest::of(b"one");
    let before = rig.inode("release-1", "data.bin");
    rig.publish_as(1, key, b"one", at(70 * MINUTE))
        .expect("published");
    assert_eq!(
        rig.inode("release-1", "data.bin"),
        before,
        "not written again"
    );
    assert_eq!(read_through(&rig.link()).expect("an edition")[0].1, b"one");
    assert!(rig.leads_to(1, b"one"));
    rig.archive
        .sets()
        .withdraw("release", at(100 * MINUTE))
        .expect("withdrawn");
    rig.archive
        .sets()
        .withdraw("release", at(100 * MINUTE))
        .expect("gone already");
    assert_eq!(
        (
            rig.archive.sets().is_linked("release"),
            read_through(&rig.link())
        ),
        (false, None)
    );
    rig.archive.sets().sweep(at(105 * MINUTE)).expect("swept");
    assert_eq!(rig.editions(), names(&["release-1"]));
    rig.archive.sets().sweep(at(111 * MINUTE)).expect("swept");
    assert!(rig.editions().is_empty());
}

#[test]
fn a_folder_is_known_by_its_number_and_its_files() {
    let rig = Rig::new();
    rig.publish(1, b"one", at(0)).expect("published");
    rig.publish(2, b"two", at(1)).expect("published");
    // An older catalogue was put back: the same number is another edition now, whether it is the one that lies there or not.
    for (id, data) in [(2, b"too"), (1, b"won")] {
        assert!(!rig.leads_to(id, data));
        rig.publish(id, data, at(2)).expect("published");
        assert!(rig.leads_to(id, data));
        let found = &read_through(&rig.link()).expect("an edition")[0].1;
        assert_eq!(found, data);
    }
    // Those of before go like others, and so does one that an earlier gannet named by its number alone.
    let earlier = rig.data.path().join("sets/.editions/release-1");
    fs::rename(rig.folder("release-2"), &earlier).expect("renamed");
    fs::remove_file(rig.link()).expect("removed");
    std::os::unix::fs::symlink(".editions/release-1", rig.link()).expect("a link");
    rig.archive.sets().sweep(at(60 * MINUTE)).expect("swept");
    assert_eq!(rig.folders(), [earlier.as_path()], "it is published");
    rig.publish(2, b"two", at(60 * MINUTE)).expect("published");
    assert_eq!(rig.folders().len(), 2, "somebody may be inside");
    rig.archive.sets().sweep(at(71 * MINUTE)).expect("swept");
    assert_eq!(rig.folders(), [rig.folder("release-2")]);
}

#[test]
fn what_a_killed_process_left_is_begun_anew() {
    let rig = Rig::new();
    rig.publish(1, b"one", at(0)).expect("published");
    let key = &Digest::of(b"two").to_hex()[..16];
    let half = format!("sets/.editions/release-2-{key}.new");
    let half = rig.data.path().join(half);
    fs::create_dir(&half).expect("a folder");
    fs::write(half.join("data.bin"), "half of").expect("a file");
    std::os::unix::fs::symlink("nowhere", rig.data.path().join("sets/.release.new"))
        .expect("a link");
    rig.publish(2, b"two", at(1)).expect("published");
    assert_eq!(read_through(&rig.link()).expect("an edition")[0].1, b"two");
    fs::create_dir(rig.data.path().join("sets/.editions/release-3.new")).expect("a folder");
    rig.archive.sets().sweep(at(2)).expect("swept");
    assert_eq!(rig.editions(), names(&["release-1", "release-2"]));
}

#[test]
fn nothing_else_is_taken_for_a_set() {
    let rig = Rig::new();
    for name in ["", "..", ".editions", "a/b"] {
        let begun = rig
            .archive
            .sets()
            .begin(name, EditionId(1), Digest::of(b""));
        assert!(matches!(begun, Err(ArchiveError::BadPath(_))), "{name}");
    }
    fs::create_dir_all(rig.link()).expect("a folder of someone else's");
    let refused = rig.publish(1, b"one", at(0));
    assert!(
        matches!(refused, Err(ArchiveError::Blocked { .. })),
        "{refused:?}"
    );
    assert!(rig.archive.sets().withdraw("release", at(0)).is_err());
    fs::remove_dir(rig.link()).expect("removed");
    rig.publish(1, b"one", at(0)).expect("published");
    let folder = rig
        .archive
        .sets()
        .begin("release", EditionId(2), Digest::of(b""))
        .expect("begun");
    let bad = folder.write(&file("../x", b""), &Content::Memory(Bytes::new()));
    assert!(matches!(bad, Err(ArchiveError::BadPath(_))), "{bad:?}");
}
