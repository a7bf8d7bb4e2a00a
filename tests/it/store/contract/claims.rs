//! Claims: one holder at a time, whoever asks.

use chrono::TimeDelta;
use gannet::domain::{AttemptOutcome, FailureKind, FileSeal, Publication, Slot, SourceId};
use gannet::store::{
    AttemptResult, ClaimRequest, ClaimsToRelease, Fact, OutlookAt, SourceChange, StoreError,
};

use super::rig::Rig;
use crate::rig::rows::{hours, new, raw, record, request, settings, stamp, start, these, worker};

#[tokio::test]
async fn two_stores_never_claim_one_source_both() {
    let rig = Rig::new();
    let sources: Vec<_> = (0..300)
        .map(|n| SourceChange::Add(settings(&format!("s{n}"), &format!("https://h/{n}"))))
        .collect();
    let added = rig.store.change_sources(sources, stamp(start())).await;
    assert_eq!(added.expect("sources").len(), 300);
    let other = rig.another();
    let claim = |owner: &'static str| {
        let store = if owner == "a" {
            rig.store.clone()
        } else {
            other.clone()
        };
        async move {
            let mut ids: Vec<SourceId> = Vec::new();
            loop {
                let request = ClaimRequest {
                    limit: 7,
                    ..request(owner, start())
                };
                let claims = store.claim(request).await.expect("claims");
                if claims.is_empty() {
                    return ids;
                }
                ids.extend(claims.iter().map(|claim| claim.source.id));
            }
        }
    };
    let (a, b) = tokio::join!(claim("a"), claim("b"));
    let mut all = [a, b].concat();
    assert_eq!(all.len(), 300);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 300);
}

#[tokio::test]
async fn a_claim_carries_what_a_fetch_needs() {
    let rig = Rig::new();
    let id = rig.add("prices").await;
    let first = rig.claim(id, start()).await;
    assert_eq!((first.fence, first.requests), (1, 0));
    assert!(first.validators.is_empty() && first.newest.is_none());
    let result = new(raw("one"));
    let recorded = rig
        .store
        .record_attempt(record(&first, start(), result))
        .await;
    let version = recorded.expect("recorded").version_id.expect("a version");
    let second = rig.claim(id, hours(1)).await;
    assert_eq!((second.fence, second.requests), (2, 1));
    assert_eq!(second.validators.etag.as_deref(), Some("W/\"1\""));
    let newest = second.newest.expect("a version");
    assert_eq!(newest.id, version);
    assert_eq!((newest.ordinal, newest.size_bytes), (0, 3));
    assert_eq!((newest.size_bytes, newest.objects), (3, Vec::new()));
    assert_eq!(newest.digest, raw("one").digest);
    assert_eq!(second.source, rig.source(id).await);
    assert_eq!(second.published_seal, None);
    let seal = Some(FileSeal {
        size_bytes: 3,
        modified_ns: -1,
        inode: u64::MAX,
    });
    for (publication, expected) in [
        (Publication::Publish(version), seal),
        (Publication::Withdraw, None),
    ] {
        let published =
            rig.store
                .record_publication(id, publication, expected, Vec::new(), stamp(start()));
        published.await.expect("recorded");
        let released = ClaimsToRelease::Of(worker("rig").id);
        rig.store.release_claims(released).await.expect("released");
        assert_eq!(rig.claim(id, hours(2)).await.published_seal, expected);
    }
}

#[tokio::test]
async fn a_lapsed_claim_goes_to_another_and_the_late_result_is_refused() {
    let rig = Rig::new();
    let id = rig.add("prices").await;
    let late = rig.claim(id, start()).await;
    let live = start() + TimeDelta::minutes(4);
    let refused = rig.store.claim(request("b", live)).await;
    assert!(refused.expect("claims").is_empty(), "the lease is live");
    let lapsed = start() + TimeDelta::minutes(5);
    let taken = rig.store.claim(request("b", lapsed)).await;
    let taken = taken.expect("claims").pop().expect("a claim");
    let result = || new(raw("one"));
    let error = rig
        .store
        .record_attempt(record(&late, start(), result()))
        .await;
    assert_eq!(error, Err(StoreError::StaleClaim(id)));
    let once = rig
        .store
        .record_attempt(record(&taken, lapsed, result()))
        .await;
    once.clone().expect("the holder's result");
    let twice = rig
        .store
        .record_attempt(record(&taken, lapsed, result()))
        .await;
    assert_eq!(twice, once);
    let error = rig
        .store
        .record_attempt(record(&late, start(), result()))
        .await;
    assert_eq!(error, Err(StoreError::StaleClaim(id)));
    assert_eq!(rig.count("attempt"), 1);
    rig.assert_sound();
}

#[tokio::test]
async fn a_lapsed_claim_that_nobody_took_still_holds() {
    let rig = Rig::new();
    let id = rig.add("prices").await;
    let claim = rig.claim(id, start()).await;
    let recorded = rig
        .store
        .record_attempt(record(&claim, hours(2), AttemptResult::Unchanged))
        .await;
    assert_eq!(recorded.expect("recorded").version_id, None);
}

#[tokio::test]
async fn claims_are_renewed_and_released_by_owner() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    let claim = |id, owner| rig.store.claim(these(vec![id], request(owner, start())));
    let held = claim(a, "one").await.expect("claims").remove(0);
    claim(b, "two").await.expect("claims");
    let seen = Fact::WorkerSeen(worker("one"));
    let renewed = rig.store.record(seen, stamp(hours(2))).await;
    renewed.expect("renewed");
    let due = rig.store.claim(request("three", hours(2))).await;
    let due: Vec<_> = due.expect("claims").iter().map(|c| c.source.id).collect();
    assert_eq!(due, [b]);
    rig.store
        .release_claims(ClaimsToRelease::Of(held.worker.clone()))
        .await
        .expect("released");
    let refused = rig
        .store
        .record_attempt(record(&held, start(), AttemptResult::Unchanged))
        .await;
    assert_eq!(refused, Err(StoreError::StaleClaim(a)));
    let due = rig.store.claim(request("three", hours(2))).await;
    let due: Vec<_> = due.expect("claims").iter().map(|c| c.source.id).collect();
    assert_eq!(due, [a]);
}

#[tokio::test]
async fn only_what_is_due_enabled_and_not_excluded_is_claimed() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let disabled = gannet::domain::SourceSettings {
        enabled: false,
        ..settings("b", "https://example.org/b")
    };
    let disabled = rig.add_with(disabled).await;
    let other = rig
        .add_with(settings("c", "https://other.org:8443/c"))
        .await;
    let due = |at, excluded: &[&str], limit| {
        let request = ClaimRequest {
            excluded_hosts: excluded.iter().map(|&host| host.to_owned()).collect(),
            limit,
            ..request("a", at)
        };
        rig.store.claim(request)
    };
    let claims = due(start(), &["example.org"], 9).await.expect("claims");
    let ids: Vec<_> = claims.iter().map(|claim| claim.source.id).collect();
    assert_eq!(ids, [other]);
    let claims = due(start(), &["other.org:8443"], 9).await.expect("claims");
    let ids: Vec<_> = claims.iter().map(|claim| claim.source.id).collect();
    assert_eq!(ids, [id]);
    // An operator may ask for any of them that is not removed.
    let chosen = vec![disabled, SourceId(77), disabled];
    let claims = rig.store.claim(these(chosen, request("b", start()))).await;
    assert_eq!(claims.expect("claims").len(), 1);
}

#[tokio::test]
async fn attempts_move_the_schedule_and_count_failures() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let slot = Slot::containing(start());
    assert_eq!(
        rig.store
            .read(OutlookAt(start()))
            .await
            .map(|now| (now.due, now.next)),
        Ok((1, None))
    );
    let failed = || AttemptResult::Failed {
        kind: FailureKind::Timeout,
        detail: "no answer within 30 s".to_owned(),
    };
    for failures in 1..=2 {
        rig.attempt(id, start(), failed()).await;
        let state = rig.source(id).await.state;
        assert_eq!(state.failures, failures);
        assert_eq!(state.last_outcome, Some(AttemptOutcome::Failed));
    }
    rig.attempt(id, start(), AttemptResult::Unchanged).await;
    let state = rig.source(id).await.state;
    assert_eq!(state.failures, 0);
    assert_eq!(state.last_attempt_at, Some(start()));
    assert_eq!(state.next_slot, Slot(slot.0 + 24));
    let next = Some(Slot(slot.0 + 24));
    assert_eq!(
        rig.store
            .read(OutlookAt(start()))
            .await
            .map(|now| (now.due, now.next)),
        Ok((0, next))
    );
    assert_eq!(
        rig.store
            .read(OutlookAt(hours(24)))
            .await
            .map(|now| (now.due, now.next)),
        Ok((1, None))
    );
    let attempts = rig.store.attempts(id, Some(2)).await.expect("attempts");
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].outcome, AttemptOutcome::Unchanged);
    assert_eq!(attempts[1].error_kind, Some(FailureKind::Timeout));
    assert_eq!(attempts[1].error.as_deref(), Some("no answer within 30 s"));
}

#[tokio::test]
async fn forgotten_validators_are_gone() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    rig.attempt(id, start(), AttemptResult::Unchanged).await;
    let forget = Fact::ForgetValidators(id);
    let forgotten = rig.store.record(forget, stamp(start())).await;
    forgotten.expect("forgotten");
    assert!(rig.claim(id, hours(1)).await.validators.is_empty());
}

#[tokio::test]
async fn what_another_worker_brings_under_the_same_fencing_number_is_refused() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let claim = rig.claim(id, start()).await;
    let other = gannet::domain::Claim {
        worker: worker("other").id,
        ..claim.clone()
    };
    let late = record(&other, start(), new(raw("one")));
    let refused = rig.store.record_attempt(late).await;
    assert_eq!(refused, Err(StoreError::StaleClaim(id)));
    let due = Fact::DueBy {
        source: id,
        fence: other.fence,
        worker: other.worker.clone(),
        slot: Slot(1),
    };
    let noted = rig.store.record(due, stamp(start())).await;
    noted.expect("nothing");
    assert_ne!(rig.source(id).await.state.next_slot, Slot(1));
    let ended = ClaimsToRelease::One {
        source: id,
        fence: other.fence,
        worker: other.worker,
    };
    let released = rig.store.release_claims(ended).await;
    released.expect("nothing");
    let result = record(&claim, start(), new(raw("one")));
    let recorded = rig.store.record_attempt(result).await;
    recorded.expect("the holder's result");
    assert_eq!(rig.count("attempt"), 1);
}

/// By a clock that jumps in between, for the worker as well as for who asks.
#[tokio::test]
async fn a_claim_holds_while_its_worker_is_seen_whatever_the_clock_does() {
    const YEAR: i64 = 365 * 24;
    for jump in [-80 * YEAR, -YEAR, -3, -1, 1, 3, YEAR, 80 * YEAR] {
        for (is_seen, is_taken) in [(true, false), (false, jump != -1)] {
            let rig = Rig::new();
            let id = rig.add("a").await;
            rig.claim(id, start()).await;
            if is_seen {
                let seen = Fact::WorkerSeen(worker("rig"));
                let noted = rig.store.record(seen, stamp(hours(jump))).await;
                noted.expect("seen");
            }
            let claims = rig.store.claim(these(vec![id], request("b", hours(jump))));
            let taken = claims.await.expect("claims").len();
            assert_eq!(taken, usize::from(is_taken), "{jump} h, seen: {is_seen}");
            // And for ever it holds in no case.
            let later = hours(jump.max(0)) + TimeDelta::minutes(5);
            let claims = rig.store.claim(these(vec![id], request("c", later))).await;
            assert_eq!(claims.expect("claims").len(), 1, "{jump} h");
        }
    }
}
