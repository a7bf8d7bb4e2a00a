//! An attempt that a worker records once more, since it never heard that it was recorded.

use gannet::domain::{AttemptId, Claim, FailureKind, NewBlob, StoredBody, VersionState};
use gannet::store::{AttemptResult, Recorded, SourceChange, StoreError};

use super::Rig;
use crate::rig::rows::{hours, new, raw, record, stamp, start, worker};

fn failed() -> AttemptResult {
    AttemptResult::Failed {
        kind: FailureKind::Timeout,
        detail: "no answer within 30 s".to_owned(),
    }
}

/// Content whose stored form is this object.
fn object(content: &str, name: &str) -> NewBlob {
    NewBlob {
        body: StoredBody::Object(name.to_owned()),
        ..raw(content)
    }
}

/// What an attempt is called, its result, and whether that is a new version, and one whose content was known.
type Case = (&'static str, fn() -> AttemptResult, bool, bool);

/// Everything that recording an attempt may write.
fn rows(rig: &Rig) -> Vec<String> {
    let sql = rig.engine.sql();
    let tables = [
        "attempt",
        "version",
        "blob",
        "event",
        "source_state",
        "text",
    ];
    let mut rows = Vec::new();
    for table in tables {
        let mut statement = sql
            .prepare(&format!("SELECT * FROM {table}"))
            .expect("a query");
        let width = statement.column_count();
        let read = statement.query_map([], |row| {
            let value = |n| row.get::<_, rusqlite::types::Value>(n);
            let values = (0..width).map(value).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("{table} {values:?}"))
        });
        rows.extend(read.expect("rows").map(|row| row.expect("a row")));
    }
    rows
}

/// Records an attempt of which the worker hears nothing.
async fn lose_the_answer(rig: &Rig, claim: &Claim, result: AttemptResult) {
    let mut call = Box::pin(rig.store.record_attempt(record(claim, hours(1), result)));
    // Handed to the writer, which commits it whoever waits for that.
    let _ = futures_util::poll!(&mut call);
    drop(call);
    rig.store
        .next_archive_mark("m".to_owned())
        .await
        .expect("a commit after it");
}

#[tokio::test]
async fn what_was_recorded_is_answered_again_and_nothing_is_written() {
    let cases: [Case; 6] = [
        ("new", || new(raw("two")), true, false),
        ("known", || new(raw("zero")), true, true),
        ("object", || new(object("two", "ab/two")), true, false),
        (
            "known object",
            || new(object("large", "ab/other")),
            true,
            true,
        ),
        ("unchanged", || AttemptResult::Unchanged, false, false),
        ("failed", failed, false, false),
    ];
    for (what, result, is_new, blob_was_known) in cases {
        let rig = Rig::new();
        let id = rig.add("a").await;
        for content in [raw("zero"), object("large", "ab/large"), raw("one")] {
            rig.attempt(id, start(), new(content)).await;
        }
        let claim = rig.claim(id, hours(1)).await;
        lose_the_answer(&rig, &claim, result()).await;
        let before = rows(&rig);
        let expected = Recorded {
            attempt_id: AttemptId(4),
            version_id: rig
                .source(id)
                .await
                .state
                .version_id
                .filter(|_| what != "failed"),
            first_state: is_new.then_some(VersionState::Unverified),
            blob_was_known,
        };
        for _ in 0..2 {
            let again = rig.store.record_attempt(record(&claim, hours(1), result()));
            assert_eq!(again.await.as_ref(), Ok(&expected), "{what}");
        }
        assert_eq!(rows(&rig), before, "{what}");
        // Another worker's is another attempt, whatever its number.
        let other = Claim {
            worker: worker("other").id,
            ..claim.clone()
        };
        let refused = rig.store.record_attempt(record(&other, hours(1), result()));
        assert_eq!(refused.await, Err(StoreError::StaleClaim(id)), "{what}");
        // It is known until the next one is recorded.
        let next = rig.claim(id, hours(2)).await;
        let again = rig.store.record_attempt(record(&claim, hours(1), result()));
        assert_eq!(again.await, Ok(expected), "{what}");
        let recorded = rig.store.record_attempt(record(&next, hours(2), failed()));
        recorded.await.expect("the next claim holds");
        let late = rig.store.record_attempt(record(&claim, hours(1), result()));
        assert_eq!(late.await, Err(StoreError::StaleClaim(id)), "{what}");
        rig.assert_sound();
    }
}

#[tokio::test]
async fn what_was_never_recorded_is_not_taken_for_recorded() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    rig.attempt(id, start(), new(raw("one"))).await;
    let claim = rig.claim(id, hours(1)).await;
    let released = gannet::store::ClaimsToRelease::Of(claim.worker.clone());
    rig.store.release_claims(released).await.expect("released");
    let result = || record(&claim, hours(1), AttemptResult::Unchanged);
    let refused = rig.store.record_attempt(result()).await;
    assert_eq!(refused, Err(StoreError::StaleClaim(id)));
    let purge = vec![SourceChange::Remove { id, purge: true }];
    let purged = rig.store.change_sources(purge, stamp(hours(1))).await;
    purged.expect("purged");
    let refused = rig.store.record_attempt(result()).await;
    assert_eq!(refused, Err(StoreError::StaleClaim(id)));
}
