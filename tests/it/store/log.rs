//! Events: what each operation leaves in the log, and how it is read.

use gannet::domain::{
    Action, EventId, FailureKind, NewEvent, Publication, VerdictId, VerdictOutcome, VersionState,
};
use gannet::store::{AttemptResult, EventFilter};

use super::rig::{Rig, hours, stamp, start, verdict};

#[tokio::test]
async fn every_action_is_an_event() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let version = rig.version(id, start(), "one", VersionState::Pending).await;
    for outcome in [VerdictOutcome::Failed, VerdictOutcome::Passed] {
        let verdicts = vec![verdict(outcome, start())];
        let recorded = rig
            .store
            .record_verdicts(version, verdicts, VerdictId(0), stamp(start()));
        recorded.await.expect("recorded");
    }
    for publication in [Publication::Publish(version), Publication::Withdraw] {
        let recorded = rig
            .store
            .record_publication(id, publication, None, stamp(start()));
        recorded.await.expect("recorded");
    }
    rig.attempt(id, start(), AttemptResult::Unchanged).await;
    let failed = AttemptResult::Failed {
        kind: FailureKind::Status,
        detail: "404 Not Found".to_owned(),
    };
    rig.attempt(id, start(), failed.clone()).await;
    rig.attempt(id, start(), failed).await;
    rig.attempt(id, start(), AttemptResult::Unchanged).await;
    let filter = EventFilter {
        limit: 99,
        ..EventFilter::default()
    };
    let events = rig.store.events(filter).await.expect("events");
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.event.action, event.event.detail.as_deref()))
        .collect();
    let expected = [
        (Action::SourceAdded, Some("https://example.org/a")),
        (
            Action::PolicyAdopted,
            Some("revision 1 from no file: added schema"),
        ),
        (Action::FetchNew, None),
        (Action::VerdictFailed, Some("schema: row 3 is short")),
        (Action::VersionFailed, Some("schema: row 3 is short")),
        (Action::VerdictPassed, Some("schema")),
        (Action::VersionRecovered, None),
        (Action::Published, None),
        (Action::Withdrawn, Some("no version of it is good any more")),
        (Action::FetchUnchanged, None),
        (Action::FetchFailed, Some("status: 404 Not Found")),
        (Action::SourceFailing, None),
        (Action::FetchFailed, Some("status: 404 Not Found")),
        (Action::FetchUnchanged, None),
        (Action::SourceRecovered, Some("after 2 failed attempts")),
    ];
    assert_eq!(told, expected);
    for event in &events {
        let about = (event.event.action != Action::PolicyAdopted).then_some("a");
        assert_eq!(event.source_name.as_deref(), about);
        assert_eq!(event.stamp, stamp(start()));
    }
    for event in &events[2..10] {
        assert_eq!(event.event.version_id, Some(version));
    }
}

#[tokio::test]
async fn events_are_read_from_either_end() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    for hour in 1..=5 {
        let event = NewEvent {
            action: Action::PassStarted,
            source_id: None,
            version_id: None,
            detail: Some(hour.to_string()),
        };
        let recorded = rig.store.record_event(event, stamp(hours(hour))).await;
        recorded.expect("recorded");
    }
    let read = |filter: EventFilter| {
        let events = rig.store.events(filter);
        async {
            let events = events.await.expect("events");
            events.iter().map(|event| event.id.0).collect::<Vec<_>>()
        }
    };
    let newest = |limit| EventFilter {
        limit,
        ..EventFilter::default()
    };
    assert_eq!(read(newest(2)).await, [5, 6]);
    let after = EventFilter {
        after: Some(EventId(2)),
        ..newest(2)
    };
    assert_eq!(read(after).await, [3, 4]);
    let since = EventFilter {
        since: Some(hours(4)),
        ..newest(9)
    };
    assert_eq!(read(since).await, [5, 6]);
    let of_source = EventFilter {
        source_id: Some(id),
        ..newest(9)
    };
    assert_eq!(read(of_source.clone()).await, [1]);
    let all = EventFilter {
        since: Some(hours(1)),
        after: Some(EventId(0)),
        ..of_source
    };
    assert_eq!(read(all).await, [0_i64; 0]);
}
