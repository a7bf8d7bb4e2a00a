//! What is opened, what is refused, and what is left as it was.

use std::time::Duration;

use gannet::store::{SourceFilter, Store, StoreError, StoreOptions};

use super::Rig;
use crate::rig::rows::{settings, stamp, start};

use crate::rig::folder;

#[test]
fn dropping_the_last_clone_leaves_one_file() {
    let rig = Rig::new();
    let path = rig.engine.path();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        rig.add("prices").await;
        rig.store
            .sources(SourceFilter::default())
            .await
            .expect("a read");
    });
    drop(rig.store.clone());
    assert!(path.with_file_name("gannet.db-wal").exists(), "still open");
    let (store, folder) = (rig.store, rig.engine);
    drop(store);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.folder()).expect("a listing") {
        files.push(entry.expect("an entry").file_name());
    }
    assert_eq!(files, ["gannet.db"]);
}

#[test]
fn a_newer_catalogue_is_refused() {
    let rig = Rig::new();
    rig.engine
        .sql()
        .pragma_update(None, "user_version", 99)
        .expect("another number");
    let error = Store::open(&rig.engine.path()).err().expect("a refusal");
    let path = rig.engine.path();
    let expected = StoreError::Newer {
        place: path.display().to_string(),
        found: 99,
        known: 42,
    };
    assert_eq!(error, expected);
    assert!(error.to_string().starts_with(&path.display().to_string()));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("gannet.db");
    let text = "name,price\n".repeat(1000);
    std::fs::write(&path, &text).expect("a file");
    let error = Store::open(&path).err().expect("a refusal").to_string();
    assert!(error.contains("not a gannet catalogue"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), text);
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("gannet.db");
    let other = rusqlite::Connection::open(&path).expect("a database");
    other
        .execute_batch("CREATE TABLE bookmarks (url TEXT)")
        .expect("a table");
    drop(other);
    let before = std::fs::read(&path).expect("the file");
    let error = Store::open(&path).err().expect("a refusal").to_string();
    assert!(error.contains("another program's"), "{error}");
    assert_eq!(std::fs::read(&path).expect("the file"), before);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = folder();
    let path = folder.path().join("no/such/gannet.db");
    let error = Store::open(&path).err().expect("a refusal").to_string();
    assert!(error.contains("no/such/gannet.db"), "{error}");
}

#[tokio::test]
async fn a_catalogue_that_another_holds_is_waited_for_and_then_named() {
    let rig = Rig::new();
    rig.add("prices").await;
    let other = rig.engine.sql();
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let options = StoreOptions {
        busy_timeout: Duration::from_millis(200),
        ..StoreOptions::default()
    };
    let store = Store::open_with(&rig.engine.path(), options).expect("a store");
    let add = || {
        let settings = settings("rates", "https://example.org/rates");
        store.change_sources(
            vec![gannet::store::SourceChange::Add(settings)],
            stamp(start()),
        )
    };
    let error = add().await.expect_err("locked");
    let expected = StoreError::Locked {
        place: rig.engine.path().display().to_string(),
        process: Some(std::process::id()),
        waited: Duration::from_millis(200),
    };
    assert_eq!(error, expected);
    // Reading goes on meanwhile, and writing does afterwards.
    let filter = SourceFilter::default();
    assert_eq!(store.sources(filter).await.expect("a read").len(), 1);
    other
        .execute_batch("ROLLBACK")
        .expect("the end of the lock");
    add().await.expect("free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_create_it_at_once() {
    let folder = folder();
    let path = folder.path().join("gannet.db");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || Store::open(&path))
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic").expect("a store");
    }
}
