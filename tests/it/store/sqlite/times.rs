//! Times that cannot be: what is due later than any rule could have put it is due now.

use chrono::TimeDelta;
use gannet::domain::{Action, EventId, FailureKind, SourceId};
use gannet::store::{AttemptResult, EventFilter, Fact, NoticeLookOf, NoticeRecord, OutlookAt};

use super::Rig;
use crate::rig::rows::{hours, record, request, stamp, start};

/// Tries a source by a clock that shows `hours(at)`; it is due again `pause` hours later.
async fn tried(rig: &Rig, name: &str, at: i64, pause: i64, fails: bool) -> SourceId {
    let id = rig.add(name).await;
    let claim = rig.claim(id, hours(at)).await;
    let result = if fails {
        AttemptResult::Failed {
            kind: FailureKind::Status,
            detail: "503".to_owned(),
        }
    } else {
        AttemptResult::Unchanged
    };
    let attempt = record(&claim, hours(at), result);
    rig.store.record_attempt(attempt).await.expect("recorded");
    // The store itself puts only what its rules give.
    let slot = gannet::domain::Slot::containing(hours(at + pause)).0;
    rig.engine
        .sql()
        .execute(
            "UPDATE source_state SET next_slot = ?1 WHERE source_id = ?2",
            [slot, id.0],
        )
        .expect("another slot");
    id
}

async fn due(rig: &Rig) -> u64 {
    rig.store
        .read(OutlookAt(start()))
        .await
        .expect("a count")
        .due
}

/// The interval of a source of the rig is a day.
#[tokio::test]
async fn a_source_is_due_when_its_time_cannot_be() {
    for (at, pause, fails, is_mended) in [
        // By the right clock.
        (0, 24, false, false),
        (0, 1, true, false),
        (0, 24, true, false),
        // A clock that was set back by less than an hour.
        (1, 24, false, false),
        // By one that ran ahead.
        (2, 24, false, true),
        (2, 1, true, true),
        (20, 24, false, true),
        (365 * 24, 24, false, true),
        (365 * 24, 1, true, true),
        (80 * 365 * 24, 24, false, true),
        // A time that no rule gives, whoever stored it.
        (0, 26, false, true),
        (0, 10_000, true, true),
    ] {
        let case = format!("at {at} for {pause}, fails: {fails}");
        let rig = Rig::new();
        tried(&rig, "a", at, pause, fails).await;
        let mended = rig.store.mend_times(stamp(start())).await.expect("mended");
        assert_eq!(mended.is_some(), is_mended, "{case}");
        assert_eq!(due(&rig).await, u64::from(is_mended), "{case}");
        // Once: the same is not said again.
        let again = rig.store.mend_times(stamp(start())).await.expect("nothing");
        assert_eq!(again, None, "{case}");
        let filter = EventFilter {
            limit: 100,
            ..EventFilter::default()
        };
        let mut events = rig.store.events(filter).await.expect("events");
        events.retain(|event| event.event.action == Action::TimesMended);
        assert_eq!(events.len(), usize::from(is_mended), "{case}");
        if let Some(event) = events.first() {
            let detail = event.event.detail.as_deref().unwrap_or_default();
            assert!(detail.starts_with("the clock ran ahead"), "{detail}");
            assert!(detail.contains("1 source due as late as"), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_claim_and_a_pause_end_when_they_hold_for_longer_than_they_can() {
    for (minutes, is_mended) in [
        (5, false),
        (60, false),
        (3 * 60, true),
        (60 * 24 * 365, true),
    ] {
        let rig = Rig::new();
        let id = rig.add("a").await;
        let ahead = start() + TimeDelta::minutes(minutes);
        rig.claim(id, ahead).await;
        let retry = NoticeRecord {
            notifier: "ops".to_owned(),
            begins: false,
            looked: EventId(0),
            told: Vec::new(),
            told_sets: Vec::new(),
            told_events: Vec::new(),
            quiet_since: None,
            failures: 3,
            retry_at: Some(ahead + TimeDelta::minutes(30)),
            event: None,
            announced_to: None,
        };
        let kept = rig
            .store
            .record(Fact::Notice(Box::new(retry)), stamp(ahead));
        kept.await.expect("recorded");
        rig.store.mend_times(stamp(start())).await.expect("mended");
        let claims = rig.store.claim(request("other", start())).await;
        assert_eq!(claims.expect("claims").len(), usize::from(is_mended));
        let look = rig.store.read(NoticeLookOf("ops".to_owned(), start()));
        assert_eq!(look.await.expect("a look").is_some(), is_mended);
    }
}
