//! Bytes that rot while a server says that nothing changed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gannet::app::{App, ErrorKind};
use gannet::clock::ManualClock;
use gannet::config::FetchConfig;
use gannet::worker::{Progress, Selection, Stop, Worker};

use crate::net_rig::at;
use crate::origin::{Origin, Reply};
use crate::rig::{bare_config, hourly, open_app};

struct House {
    clock: ManualClock,
    app: Arc<App>,
    worker: Worker,
}

impl House {
    fn open(folder: &Path, origin: &Origin) -> Self {
        let config = gannet::config::Config {
            fetch: FetchConfig {
                ca_files: vec![origin.ca_file().to_owned()],
                ..FetchConfig::default()
            },
            ..bare_config(folder)
        };
        let clock = ManualClock::new(at("2026-01-31T12:00:00Z"));
        let app = open_app(config, clock.clone());
        Self {
            clock,
            worker: Worker::new(Arc::clone(&app)),
            app,
        }
    }

    async fn add(&self, address: String) {
        self.add_named("x", address).await;
    }

    async fn add_named(&self, name: &str, address: String) {
        self.app
            .add(vec![hourly(name, address)])
            .await
            .expect("added");
    }

    /// A pass an hour later.
    async fn pass(&self) {
        let (stop, progress) = (Stop::default(), Progress::default());
        let report = self.worker.pass(Selection::Due, &stop, &progress).await;
        assert!(report.error.is_none(), "{:?}", report.error);
        self.clock.advance(chrono::Duration::hours(1));
    }
}

/// What can happen to the bytes of the newest version, or of what it is a delta against.
#[derive(Clone, Copy, Debug)]
enum Harm {
    FlippedInline,
    FlippedBase,
    /// Of the newest version, or of its base, whichever has one.
    FlippedObject,
    RemovedObject,
    CutObject,
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

fn objects(folder: &Path) -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir(folder.join("objects"))
        .expect("objects")
        .flatten();
    folders
        .flat_map(|folder| fs::read_dir(folder.path()).expect("a folder").flatten())
        .map(|file| file.path())
        .collect()
}

fn harm(folder: &Path, kind: Harm) {
    let flip = |id: &str| {
        let sql = rusqlite::Connection::open(folder.join("gannet.db")).expect("the catalogue");
        let body: Vec<u8> = sql
            .query_row(
                &format!("SELECT body FROM blob WHERE id = {id}"),
                [],
                |row| row.get(0),
            )
            .expect("a body");
        let mut bent = body;
        let middle = bent.len() / 2;
        bent[middle] ^= 1;
        let set = format!("UPDATE blob SET body = ?1 WHERE id = {id}");
        assert_eq!(sql.execute(&set, [bent]), Ok(1));
    };
    match kind {
        Harm::FlippedInline => flip("(SELECT max(id) FROM blob)"),
        Harm::FlippedBase => flip("(SELECT min(id) FROM blob)"),
        Harm::FlippedObject => {
            let path = objects(folder).pop().expect("an object");
            let mut bytes = fs::read(&path).expect("an object");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).expect("written");
        }
        Harm::RemovedObject => {
            fs::remove_file(objects(folder).pop().expect("an object")).expect("removed");
        }
        Harm::CutObject => {
            let path = objects(folder).pop().expect("an object");
            let file = fs::File::options().write(true).open(path);
            let file = file.expect("an object");
            file.set_len(1 << 20).expect("cut");
        }
    }
}

fn edit_catalogue(folder: &Path, statement: &str) {
    let sql = rusqlite::Connection::open(folder.join("gannet.db")).expect("the catalogue");
    sql.execute(statement, []).expect("edited");
}

/// Returns how many requests after the first `before` asked for a whole file, and how many did not.
fn whole_and_not(origin: &Origin, before: usize) -> (usize, usize) {
    let requests = origin.requests();
    let asked = requests[before..].iter();
    let whole = asked
        .clone()
        .filter(|request| request.header("if-none-match").is_none());
    let whole = whole.count();
    (whole, asked.count() - whole)
}

/// Fetches these versions of one source, all under one entity tag: from the last on the server says that nothing changed.
async fn fetched(folder: &Path, origin: &Origin, versions: &[Vec<u8>]) -> House {
    let tagged = |body: &Vec<u8>| Reply::file(body.clone()).header("etag", "\"v\"");
    origin.on("/x", versions.iter().map(tagged));
    let house = House::open(folder, origin);
    house.add(origin.url("/x")).await;
    for _ in versions {
        // The next version has to be asked for whole.
        edit_catalogue(folder, "UPDATE source_state SET whole_at = NULL");
        house.pass().await;
    }
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_unchanged_is_believed_of_good_bytes_only() {
    let small = |edit: &str| [noise(1, 6000), edit.as_bytes().to_vec()].concat();
    let large = |edit: &str| [noise(2, 2 << 20), edit.as_bytes().to_vec()].concat();
    let (one_small, one_large) = (vec![small("one")], vec![large("one")]);
    let (two_small, two_large) = (
        vec![small("one"), small("two")],
        vec![large("one"), large("two")],
    );
    // What lies in its place as long as it was is read once a day; what does not is noticed at once.
    for (kind, versions, most_hours) in [
        (Harm::FlippedInline, &one_small, 24),
        (Harm::FlippedBase, &two_small, 24),
        (Harm::FlippedObject, &one_large, 24),
        (Harm::FlippedObject, &two_large, 24),
        (Harm::RemovedObject, &one_large, 0),
        (Harm::RemovedObject, &two_large, 0),
        (Harm::CutObject, &one_large, 0),
        (Harm::CutObject, &two_large, 0),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = Origin::start(true);
        let house = fetched(folder.path(), &origin, versions).await;
        house.pass().await;
        assert_eq!(whole_and_not(&origin, versions.len()), (0, 1), "{kind:?}");
        harm(folder.path(), kind);
        let before = origin.requests().len();
        let mut hours = 0;
        loop {
            house.pass().await;
            if whole_and_not(&origin, before).0 > 0 {
                break;
            }
            hours += 1;
            assert!(hours <= most_hours, "{kind:?}: {hours} h of \"unchanged\"");
        }
        let (_, version) = house.app.version("x").await.expect("a version");
        let content = house.app.content(&version).await;
        content.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        // Healed: the server is believed again.
        let before = origin.requests().len();
        house.pass().await;
        assert_eq!(whole_and_not(&origin, before), (0, 1), "{kind:?}");
    }
}

/// What keeps an object from being read for a while.
#[derive(Clone, Copy, Debug)]
enum Obstacle {
    Folder,
    LinkToItself,
    StoreMissing,
}

impl Obstacle {
    /// Puts it in the way of the only object. Returns what takes it away again.
    fn put(self, folder: &Path) -> impl FnOnce() {
        let object = objects(folder).pop().expect("an object");
        let (from, aside) = match self {
            Self::StoreMissing => (folder.join("objects"), folder.join("aside")),
            Self::Folder | Self::LinkToItself => (object.clone(), object.with_extension("aside")),
        };
        fs::rename(&from, &aside).expect("moved aside");
        match self {
            Self::Folder => fs::create_dir(&object).expect("a folder"),
            Self::LinkToItself => std::os::unix::fs::symlink(&object, &object).expect("a link"),
            Self::StoreMissing => {}
        }
        move || {
            match self {
                Self::Folder => fs::remove_dir(&from).expect("removed"),
                Self::LinkToItself => fs::remove_file(&from).expect("removed"),
                Self::StoreMissing => {}
            }
            fs::rename(aside, from).expect("moved back");
        }
    }
}

/// Bytes that cannot be read now are an error of now: not called damaged, not fetched again, and nothing is deleted for it.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_cannot_be_read_now_are_told_and_nothing_else_follows() {
    for obstacle in [
        Obstacle::Folder,
        Obstacle::LinkToItself,
        Obstacle::StoreMissing,
    ] {
        // The server says that nothing changed, or sends the file in any case, or is asked for the whole of it since that is due.
        for (is_sent_whole, is_due_whole, asked) in [
            (false, false, (0, 2)),
            (true, false, (0, 2)),
            (false, true, (1, 1)),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let origin = Origin::start(true);
            let content = noise(3, 2 << 20);
            let house = fetched(folder.path(), &origin, std::slice::from_ref(&content)).await;
            if is_sent_whole {
                origin.on("/x", [Reply::file(content.clone()).header("etag", "\"w\"")]);
            }
            if is_due_whole {
                edit_catalogue(folder.path(), "UPDATE source_state SET whole_at = NULL");
            }
            let object = objects(folder.path());
            let before = origin.requests().len();
            let take_away = obstacle.put(folder.path());
            for _ in 0..2 {
                let (stop, progress) = (Stop::default(), Progress::default());
                let report = house.worker.pass(Selection::Due, &stop, &progress).await;
                house.clock.advance(chrono::Duration::hours(1));
                let error = report.error.expect("an error of now");
                assert_eq!(error.kind, ErrorKind::Blocked, "{error}");
                assert!(error.message.starts_with("x: cannot read "), "{error}");
                assert!(report.failures.is_empty(), "{:?}", report.failures);
            }
            let (_, version) = house.app.version("x").await.expect("a version");
            let error = house.app.content(&version).await.expect_err("no bytes");
            assert!(!error.message.contains("damaged"), "{error}");
            assert_eq!(whole_and_not(&origin, before), asked, "{obstacle:?}");
            let sql = rusqlite::Connection::open(folder.path().join("gannet.db"));
            let told: i64 = sql
                .expect("the catalogue")
                .query_row(
                    "SELECT count(*) FROM event e JOIN text t ON t.id = e.action_id WHERE t.value LIKE 'archive.%'",
                    [],
                    |row| row.get(0),
                )
                .expect("a count");
            assert_eq!(told, 0, "{obstacle:?}");
            take_away();
            house.pass().await;
            assert_eq!(objects(folder.path()), object, "{obstacle:?}");
            let read = house.app.content(&version).await.expect("the bytes");
            assert_eq!(read.size_bytes(), content.len() as u64);
        }
    }
}

/// However long ago, never, or at a time that cannot be: only a day by the clock of now counts.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_were_not_seen_to_be_good_within_the_day_are_read_before_a_server_is_believed() {
    let hour = 3_600_000_i64;
    for (checked_at, is_believed) in [
        ("NULL".to_owned(), false),
        (format!("checked_at - {}", 24 * hour), false),
        (format!("checked_at - {}", 24 * 365 * hour), false),
        (format!("checked_at + {}", 3 * hour), false),
        (format!("checked_at + {}", 24 * 365 * hour), false),
        (format!("checked_at - {}", 22 * hour), true),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = Origin::start(true);
        let house = fetched(folder.path(), &origin, &[b"good".to_vec()]).await;
        edit_catalogue(
            folder.path(),
            &format!("UPDATE source_state SET checked_at = {checked_at}"),
        );
        harm(folder.path(), Harm::FlippedInline);
        let before = origin.requests().len();
        house.pass().await;
        let expected = if is_believed { (0, 1) } else { (1, 0) };
        assert_eq!(whole_and_not(&origin, before), expected, "{checked_at}");
    }
}

/// Longer than all that a pass reads back: whether it is the first or the last, it keeps no other from being read.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_too_long_to_be_read_back_is_asked_for_whole_once_a_day_and_starves_no_other() {
    for position in [0, 2, 4] {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = Origin::start(true);
        let house = House::open(folder.path(), &origin);
        for number in 0..5 {
            let path = format!("/n{number}");
            let body = format!("content {number}");
            origin.on(&path, [Reply::file(body).header("etag", "\"v\"")]);
            house.add_named(&path[1..], origin.url(&path)).await;
        }
        house.pass().await;
        // As an upgrade leaves it.
        edit_catalogue(folder.path(), "UPDATE source_state SET checked_at = NULL");
        let long = format!(
            "UPDATE blob SET size_bytes = 20 << 30 WHERE id = (SELECT v.blob_id FROM version v JOIN source s ON s.id = v.source_id
                 WHERE s.name = 'n{position}')"
        );
        edit_catalogue(folder.path(), &long);
        let mut whole = Vec::new();
        for _ in 0..24 {
            let before = origin.requests().len();
            house.pass().await;
            let asked = origin.requests().split_off(before);
            assert_eq!(asked.len(), 5);
            whole.push(
                asked
                    .into_iter()
                    .filter(|request| request.header("if-none-match").is_none())
                    .map(|request| request.path)
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(whole.remove(0), [format!("/n{position}")]);
        assert!(whole.iter().all(Vec::is_empty), "{whole:?}");
    }
}

/// A server that fails just when the file is needed is asked for the whole of it until it gives it.
#[tokio::test(flavor = "multi_thread")]
async fn damage_is_not_told_again_by_each_failure_and_healed_when_the_server_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Origin::start(true);
    let house = fetched(folder.path(), &origin, &[b"good".to_vec()]).await;
    harm(folder.path(), Harm::FlippedInline);
    edit_catalogue(folder.path(), "UPDATE source_state SET checked_at = NULL");
    origin.on(
        "/x",
        [
            Reply::status(404),
            Reply::status(404),
            Reply::file("good").header("etag", "\"v\""),
        ],
    );
    let before = origin.requests().len();
    // Two failures, each waits an hour or two.
    for _ in 0..5 {
        house.pass().await;
    }
    let (whole, not) = whole_and_not(&origin, before);
    assert!(whole == 3 && not >= 1, "{whole} whole, {not} not");
    let sql = rusqlite::Connection::open(folder.path().join("gannet.db")).expect("the catalogue");
    let count = |action: &str| -> i64 {
        sql.query_row(
            "SELECT count(*) FROM event e JOIN text t ON t.id = e.action_id WHERE t.value = ?1",
            [action],
            |row| row.get(0),
        )
        .expect("a count")
    };
    // When it was found, and when the good bytes came.
    assert_eq!((count("archive.damaged"), count("archive.healed")), (2, 1));
}

/// Damage names the version and its source, whichever command meets it, and is no success.
#[test]
fn damage_is_named_with_its_version_and_source() {
    let origin = Origin::start(true);
    origin.on("/a.json", ["[1]", "[2]"].map(Reply::file));
    for verifier in [
        "",
        "[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n",
    ] {
        let gannet = crate::rig::Gannet::trusting(origin.ca_file(), verifier);
        gannet.ok(&["add", &origin.url("/a.json"), "--allow-private"]);
        for _ in 0..2 {
            gannet.fetch("a.json");
        }
        harm(&gannet.data(), Harm::FlippedBase);
        for arguments in [
            &["verify", "a.json"][..],
            &["verify", "v1"],
            &["cat", "v1"],
            &["cat", "a.json~1"],
            &["diff", "v1", "v2"],
        ] {
            let said = gannet.run(arguments);
            assert_eq!(said.code, Some(3), "{arguments:?}: {said:#?}");
            assert!(said.err.contains("v1 of a.json is damaged"), "{said:#?}");
        }
        origin.on("/a.json", ["[1]", "[2]"].map(Reply::file));
    }
}
