//! Bytes that rot while a server says that nothing changed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gannet::app::{App, NewSource};
use gannet::clock::ManualClock;
use gannet::config::FetchConfig;
use gannet::worker::{Progress, Selection, Stop, Worker};

use crate::net_rig::at;
use crate::origin::{Origin, Reply};
use crate::rig::{bare_config, open_app};

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
        let new = NewSource {
            address,
            name: Some("x".to_owned()),
            interval: Some("1h".parse().expect("an interval")),
            allow_private: true,
            ..NewSource::default()
        };
        self.app.add(vec![new]).await.expect("added");
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
    FlippedObject,
    RemovedObject,
    FlippedBase,
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
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_unchanged_is_believed_of_good_bytes_only() {
    let small = |edit: &str| format!("{}{edit}", String::from_utf8_lossy(&noise(1, 6000)));
    let large = noise(2, 2 << 20);
    for (kind, versions) in [
        (
            Harm::FlippedInline,
            vec![b"content, small and good".to_vec()],
        ),
        (Harm::FlippedObject, vec![large.clone()]),
        (Harm::RemovedObject, vec![large]),
        (
            Harm::FlippedBase,
            vec![small("one").into_bytes(), small("two").into_bytes()],
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = Origin::start(true);
        let tagged = |body: Vec<u8>| Reply::file(body).header("etag", "\"v\"");
        origin.on("/x", versions.iter().cloned().map(tagged));
        let house = House::open(folder.path(), &origin);
        house.add(origin.url("/x")).await;
        for _ in &versions {
            house.pass().await;
            // The next version has to be asked for whole.
            let sql = rusqlite::Connection::open(folder.path().join("gannet.db"));
            let sql = sql.expect("the catalogue");
            sql.execute("UPDATE source_state SET whole_at = NULL", [])
                .expect("whole");
        }
        house.pass().await;
        harm(folder.path(), kind);
        let before = origin.requests().len();
        // A day of "unchanged", and an hour.
        for _ in 0..26 {
            house.pass().await;
        }
        let whole = origin.requests()[before..]
            .iter()
            .filter(|request| request.header("if-none-match").is_none())
            .count();
        assert!(whole >= 1, "{kind:?}: never asked for whole");
        let (_, version) = house.app.version("x").await.expect("a version");
        house
            .app
            .content(&version)
            .await
            .unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
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
