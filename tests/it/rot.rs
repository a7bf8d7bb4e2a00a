//! Bytes that rot while a server says that nothing changed. SQLite only: the damage is done to its file.

use std::fs;
use std::path::Path;

use gannet::app::ErrorKind;

use crate::rig::{Home, Origin, Reply, TestApp, noise, sqlite};

/// A pass, and an hour.
async fn pass(app: &TestApp) {
    app.pass().await;
    app.turn(60);
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
    match kind {
        Harm::FlippedInline => sqlite::flip_bit(folder, true),
        Harm::FlippedBase => sqlite::flip_bit(folder, false),
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
async fn fetched(versions: &[Vec<u8>]) -> TestApp {
    let tagged = |body: &Vec<u8>| Reply::file(body.clone()).header("etag", "\"v\"");
    let app = TestApp::new().source("/x", versions.iter().map(tagged));
    let app = app.open().await;
    for _ in versions {
        // The next version has to be asked for whole.
        sqlite::make_whole_due(app.folder());
        Box::pin(pass(&app)).await;
    }
    app
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
        let app = fetched(versions).await;
        pass(&app).await;
        assert_eq!(
            whole_and_not(&app.origin, versions.len()),
            (0, 1),
            "{kind:?}"
        );
        harm(app.folder(), kind);
        let before = app.origin.requests().len();
        let mut hours = 0;
        loop {
            pass(&app).await;
            if whole_and_not(&app.origin, before).0 > 0 {
                break;
            }
            hours += 1;
            assert!(hours <= most_hours, "{kind:?}: {hours} h of \"unchanged\"");
        }
        let (_, version) = app.version("x").await.expect("a version");
        let content = app.content(&version).await;
        content.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        // Healed: the server is believed again.
        let before = app.origin.requests().len();
        pass(&app).await;
        assert_eq!(whole_and_not(&app.origin, before), (0, 1), "{kind:?}");
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
            let content = noise(3, 2 << 20);
            let app = fetched(std::slice::from_ref(&content)).await;
            if is_sent_whole {
                app.origin
                    .on("/x", [Reply::file(content.clone()).header("etag", "\"w\"")]);
            }
            if is_due_whole {
                sqlite::make_whole_due(app.folder());
            }
            let object = objects(app.folder());
            let before = app.origin.requests().len();
            let take_away = obstacle.put(app.folder());
            for _ in 0..2 {
                let report = app.try_pass().await;
                app.turn(60);
                let error = report.error.expect("an error of now");
                assert_eq!(error.kind, ErrorKind::Blocked, "{error}");
                assert!(error.message.starts_with("x: cannot read "), "{error}");
                assert!(report.failures.is_empty(), "{:?}", report.failures);
            }
            let (_, version) = app.version("x").await.expect("a version");
            let error = app.content(&version).await.expect_err("no bytes");
            assert!(!error.message.contains("damaged"), "{error}");
            assert_eq!(whole_and_not(&app.origin, before), asked, "{obstacle:?}");
            let sql = sqlite::read(app.folder());
            let told: i64 = sql
                .query_row(
                    "SELECT count(*) FROM event e JOIN text t ON t.id = e.action_id WHERE t.value LIKE 'archive.%'",
                    [],
                    |row| row.get(0),
                )
                .expect("a count");
            assert_eq!(told, 0, "{obstacle:?}");
            take_away();
            pass(&app).await;
            assert_eq!(objects(app.folder()), object, "{obstacle:?}");
            let read = app.content(&version).await.expect("the bytes");
            assert_eq!(read.size_bytes(), content.len() as u64);
        }
    }
}

/// However long ago, never, or at a time that cannot be: only a day by the clock of now counts.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_were_not_seen_to_be_good_within_the_day_are_read_before_a_server_is_believed() {
    for (moved_by_hours, is_believed) in [
        (None, false),
        (Some(-24), false),
        (Some(-24 * 365), false),
        (Some(3), false),
        (Some(24 * 365), false),
        (Some(-22), true),
    ] {
        let app = fetched(&[b"good".to_vec()]).await;
        match moved_by_hours {
            None => sqlite::make_checks_due(app.folder()),
            Some(hours) => sqlite::move_checks(app.folder(), hours),
        }
        harm(app.folder(), Harm::FlippedInline);
        let before = app.origin.requests().len();
        pass(&app).await;
        let expected = if is_believed { (0, 1) } else { (1, 0) };
        assert_eq!(
            whole_and_not(&app.origin, before),
            expected,
            "{moved_by_hours:?}"
        );
    }
}

/// Longer than all that a pass reads back: whether it is the first or the last, it keeps no other from being read.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_too_long_to_be_read_back_is_asked_for_whole_once_a_day_and_starves_no_other() {
    for position in [0, 2, 4] {
        let app = (0..5).fold(TestApp::new(), |app, number| {
            let body = format!("content {number}");
            let reply = Reply::file(body).header("etag", "\"v\"");
            app.source(&format!("/n{number}"), [reply])
        });
        let app = app.open().await;
        pass(&app).await;
        // As an upgrade leaves it.
        sqlite::make_checks_due(app.folder());
        sqlite::lengthen_newest(app.folder(), &format!("n{position}"));
        let mut whole = Vec::new();
        for _ in 0..24 {
            let before = app.origin.requests().len();
            pass(&app).await;
            let asked = app.origin.requests().split_off(before);
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
    let app = fetched(&[b"good".to_vec()]).await;
    harm(app.folder(), Harm::FlippedInline);
    sqlite::make_checks_due(app.folder());
    app.origin.on(
        "/x",
        [
            Reply::status(404),
            Reply::status(404),
            Reply::file("good").header("etag", "\"v\""),
        ],
    );
    let before = app.origin.requests().len();
    // Two failures, each waits an hour or two.
    for _ in 0..5 {
        pass(&app).await;
    }
    let (whole, not) = whole_and_not(&app.origin, before);
    assert!(whole == 3 && not >= 1, "{whole} whole, {not} not");
    let sql = sqlite::read(app.folder());
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
    for verifier in [
        "",
        "[[verifier]]\nname = \"json\"\nsources = [\"*\"]\nbuiltin = \"json\"\n",
    ] {
        let gannet = Home::new(verifier).with_source("a.json", ["[1]", "[2]"]);
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
    }
}
