//! Events: what each operation leaves in the log, and how it is read.

use std::sync::{Arc, Mutex};

use gannet::domain::{
    About, Action, EventId, FailureKind, NewEvent, Publication, VerdictId, VerdictOutcome,
    VersionState,
};
use gannet::store::{AttemptResult, EventFilter, Fact, OnCommit, SourceChange, StoreOptions};

use super::rig::Rig;
use super::{Catalogue as _, Engine};
use crate::rig::rows::{hours, settings, stamp, start, verdict};

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
        let recorded =
            rig.store
                .record_publication(id, publication, None, Vec::new(), stamp(start()));
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
        (Action::VersionPassed, None),
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
    for event in &events[2..11] {
        assert_eq!(event.event.version_id, Some(version));
    }
    let mut attempts = rig.store.attempts(id, None).await.expect("attempts");
    attempts.reverse();
    let verdicts = rig.store.verdicts(version).await.expect("verdicts");
    let attempt = |at: usize| Some(About::Attempt(attempts[at].id));
    let verdict = |at: usize| Some(About::Verdict(verdicts[at].id));
    let about: Vec<_> = events.iter().map(|event| event.event.about).collect();
    let expected = [
        &[None, None, attempt(0), verdict(0), None, verdict(1)][..],
        &[None; 4],
        &[
            attempt(1),
            attempt(2),
            attempt(2),
            attempt(3),
            attempt(4),
            attempt(4),
        ],
    ];
    assert_eq!(about, expected.concat());
}

#[tokio::test]
async fn events_are_read_from_either_end() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    for hour in 1..=5 {
        let event = NewEvent::of(Action::PassStarted).detail(hour.to_string());
        let recorded = rig
            .store
            .record(Fact::Event(event), stamp(hours(hour)))
            .await;
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

/// What a subscriber heard.
type Heard = Arc<Mutex<Vec<(EventId, NewEvent)>>>;

/// Operations that share a transaction with some that are refused, or that the engine undoes, are told of all the same.
#[tokio::test]
async fn every_subscriber_hears_of_each_committed_event_once_and_in_order() {
    let heard: [Heard; 2] = Default::default();
    let subscribers = heard.iter().map(|heard| {
        let heard = Arc::clone(heard);
        let hear: OnCommit = Arc::new(move |events| {
            let events = events.iter().map(|event| (event.id, event.event.clone()));
            heard.lock().expect("a list").extend(events);
        });
        hear
    });
    let engine = Engine::new();
    let options = StoreOptions {
        on_commit: subscribers.collect(),
        ..StoreOptions::default()
    };
    let store = engine.open_with(options);
    let mut adding = tokio::task::JoinSet::new();
    for number in 0..60 {
        let store = store.clone();
        adding.spawn(async move {
            // Every name is taken by then but for the first of each three, after the other was added.
            let add = |name: String| {
                let address = format!("https://example.org/{name}");
                SourceChange::Add(settings(&name, &address))
            };
            let changes = vec![add(format!("own-{number}")), add(format!("{}", number / 3))];
            store.change_sources(changes, stamp(start())).await.is_ok()
        });
    }
    let added = adding.join_all().await;
    assert_eq!(added.iter().filter(|is_added| **is_added).count(), 20);
    let filter = EventFilter {
        limit: 999,
        ..EventFilter::default()
    };
    let events = store.events(filter).await.expect("events");
    // Whoever asked is answered before the subscribers hear of it.
    drop(store);
    let events: Vec<_> = events
        .into_iter()
        .map(|event| (event.id, event.event))
        .collect();
    assert_eq!(events.len(), 40);
    for heard in heard {
        assert_eq!(*heard.lock().expect("a list"), events);
    }
}
