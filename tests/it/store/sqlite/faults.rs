//! Many callers at once, and callers that go away.

use gannet::store::{AttemptResult, SourceFilter, Store, StoreError};

use super::Rig;
use crate::rig::rows::{delta, new, raw, record, settings, stamp, start};

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_does_not_spoil_the_others() {
    let rig = Rig::new();
    let mut tasks = tokio::task::JoinSet::new();
    let mut sources = Vec::new();
    for n in 0..60 {
        sources.push(rig.add(&format!("s{n}")).await);
    }
    let mut claims = Vec::new();
    for id in &sources {
        claims.push(rig.claim(*id, start()).await);
    }
    for (n, mut claim) in claims.into_iter().enumerate() {
        // Every third has a wrong number, every other third a delta without a base: it fails after it wrote.
        let result = match n % 3 {
            0 => AttemptResult::Unchanged,
            1 => new(delta("x", gannet::domain::BlobId(999), 1)),
            _ => new(raw(&n.to_string())),
        };
        claim.fence -= i64::from(n % 3 == 0);
        let store = rig.store.clone();
        tasks.spawn(async move {
            let outcome = store.record_attempt(record(&claim, start(), result)).await;
            (n, outcome)
        });
    }
    while let Some(task) = tasks.join_next().await {
        match task.expect("no panic") {
            (n, Err(StoreError::StaleClaim(_))) => assert_eq!(n % 3, 0),
            (n, Err(StoreError::Failed { .. })) => assert_eq!(n % 3, 1),
            (n, outcome) => assert!(outcome.is_ok() && n % 3 == 2, "{n}: {outcome:?}"),
        }
    }
    assert_eq!(rig.count("attempt"), 20);
    rig.assert_sound();
}

#[test]
fn what_was_queued_is_written_before_the_store_is_gone() {
    let rig = Rig::new();
    let path = rig.engine.path();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // Another process writes: nothing that is queued is done before it ends.
    let other = rig.engine.sql();
    other.execute_batch("BEGIN IMMEDIATE").expect("a writer");
    runtime.block_on(async {
        for n in 0..20 {
            let name = format!("s{n}");
            let mut add = Box::pin(rig.add(&name));
            // Polled once, it is in the queue; then its caller goes away.
            let polled = futures_util::poll!(&mut add);
            assert!(polled.is_pending());
        }
    });
    other.execute_batch("COMMIT").expect("the end");
    let (store, _folder) = (rig.store, rig.engine);
    drop(store);
    let store = Store::open(&path).expect("a store");
    let sources = runtime.block_on(store.sources(SourceFilter::default()));
    assert_eq!(sources.expect("sources").len(), 20);
}

/// What can happen to a catalogue under a process that stays.
#[derive(Clone, Copy, Debug)]
enum Change {
    RenamedOver,
    /// By a copy of itself.
    Copied,
    Removed,
    /// With the folder that it lies in.
    Moved,
}

fn change(path: &std::path::Path, other: &std::path::Path, kind: Change) {
    use std::fs;
    match kind {
        Change::RenamedOver => fs::rename(other, path).expect("renamed"),
        Change::Copied => {
            fs::copy(path, other).expect("copied");
            fs::rename(other, path).expect("renamed");
        }
        Change::Removed => fs::remove_file(path).expect("removed"),
        Change::Moved => {
            let folder = path.parent().expect("a folder");
            fs::rename(folder, other.with_extension("aside")).expect("moved");
        }
    }
}

/// A catalogue that is replaced, or removed, under a process that stays is noticed at its next operation, whatever it is.
#[tokio::test]
async fn a_catalogue_that_was_replaced_is_noticed() {
    for kind in [
        Change::RenamedOver,
        Change::Copied,
        Change::Removed,
        Change::Moved,
    ] {
        let rig = Rig::new();
        rig.add("a").await;
        let count = rig.store.sources(SourceFilter::default()).await;
        assert_eq!(count.expect("sources").len(), 1);
        rig.store.changes().await.expect("a token");
        let other = Rig::new();
        change(&rig.engine.path(), &other.engine.path(), kind);
        let settings = settings("b", "https://example.org/b");
        let changes = vec![gannet::store::SourceChange::Add(settings)];
        let written = rig.store.change_sources(changes, stamp(start()));
        let error = written.await.expect_err("refused").to_string();
        assert!(error.contains("since this process opened it"), "{error}");
        let read = rig.store.sources(SourceFilter::default()).await;
        assert!(read.is_err(), "{kind:?}");
        let token = rig.store.changes().await;
        assert!(token.is_err(), "{kind:?}");
    }
}

/// Who only reads goes on with what lies there now, also when a writer has it open as one had the other.
#[tokio::test]
async fn who_only_reads_follows_a_catalogue_that_was_replaced() {
    let (rig, other) = (Rig::new(), Rig::new());
    rig.add("a").await;
    other.add("b").await;
    other.add("c").await;
    let reader = Store::open_for_reading(&rig.engine.path()).expect("a store");
    let names = || async {
        let sources = reader.sources(SourceFilter::default()).await;
        let sources = sources.expect("sources").into_iter();
        sources.map(|one| one.settings.name).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["a"]);
    let token = reader.changes().await.expect("a token");
    let (path, other_path) = (rig.engine.path(), other.engine.path());
    let folder = path.parent().expect("a folder");
    let aside = folder.with_extension("aside");
    std::fs::rename(folder, &aside).expect("moved");
    std::fs::rename(other_path.parent().expect("a folder"), folder).expect("moved");
    assert_eq!(names().await, ["b", "c"]);
    assert_ne!(reader.changes().await.expect("a token"), token);
    std::fs::remove_dir_all(aside).expect("removed");
}
