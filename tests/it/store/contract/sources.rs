//! Changes of the catalogue by operators.

use gannet::domain::{
    Action, FailureKind, Interval, Publication, PublishPolicy, SettingsPatch, Slot, SourceId,
    SourceSettings, StateWord, VersionState,
};
use gannet::store::{
    AttemptResult, Changed, EventFilter, OutlookAt, SourceChange, SourceFilter, StateCounts,
    StoreError, Withdrawals,
};

use super::rig::Rig;
use crate::rig::rows::{hours, record, request, settings, stamp, start, these};

fn renamed(id: SourceId, name: &str) -> SourceChange {
    let patch = SettingsPatch {
        name: Some(name.to_owned()),
        ..SettingsPatch::default()
    };
    SourceChange::Edit(id, patch.into())
}

#[tokio::test]
async fn changes_are_made_all_or_not_at_all() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let changes = vec![
        SourceChange::Add(settings("b", "https://example.org/b")),
        SourceChange::Remove { id, purge: false },
        SourceChange::Add(settings("c", "https://example.org/b")),
    ];
    let error = rig.store.change_sources(changes, stamp(start())).await;
    let error = error.expect_err("the address twice");
    assert!(
        matches!(&error, StoreError::Taken { what: "address", name, .. } if name == "b"),
        "{error}"
    );
    let sources = rig.store.sources(SourceFilter::default()).await;
    let names: Vec<_> = sources
        .expect("sources")
        .into_iter()
        .map(|s| s.settings.name)
        .collect();
    assert_eq!(names, ["a"]);
    assert_eq!(rig.count("event"), 1);
    // Texts that were rolled back with it are not remembered: this would fail otherwise.
    let other = gannet::domain::Stamp {
        at: start(),
        actor: gannet::domain::Actor("new@host".to_owned()),
    };
    let twice = vec![
        SourceChange::Add(settings("d", "https://example.org/d")),
        SourceChange::Add(settings("d", "https://example.org/e")),
    ];
    let refused = rig.store.change_sources(twice, other.clone()).await;
    refused.expect_err("the name twice");
    let add = vec![SourceChange::Add(settings("d", "https://example.org/d"))];
    rig.store
        .change_sources(add, other)
        .await
        .expect("a source");
    rig.assert_sound();
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_with_its_holder() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    let edit = vec![renamed(b, "a")];
    let error = rig.store.change_sources(edit, stamp(start())).await;
    let expected = StoreError::Taken {
        what: "name",
        value: "a".to_owned(),
        id: a,
        name: "a".to_owned(),
    };
    assert_eq!(error, Err(expected));
    // A source is not in its own way, and one that was removed is in nobody's.
    rig.edit(b, settings("b", "https://example.org/b"), start())
        .await;
    let remove = vec![SourceChange::Remove {
        id: a,
        purge: false,
    }];
    rig.store
        .change_sources(remove, stamp(start()))
        .await
        .expect("removed");
    rig.edit(b, settings("a", "https://example.org/a"), start())
        .await;
}

#[tokio::test]
async fn published_paths_never_collide() {
    let rig = Rig::new();
    let mut paths = Vec::new();
    for (name, address) in [
        ("1", "https://example.org/a"),
        ("2", "https://example.org/a/b"),
        ("3", "https://example.org/A"),
        ("4", "https://example.org/a/B/c"),
        ("5", "https://example.org/a.csv"),
        ("6", "https://example.org/x/y"),
        ("7", "https://example.org/x"),
    ] {
        let id = rig.add_with(settings(name, address)).await;
        paths.push(rig.source(id).await.published_path);
    }
    for (index, one) in paths.iter().enumerate() {
        for other in &paths[index + 1..] {
            assert!(!gannet::domain::conflicts(one, other), "{one} {other}");
        }
    }
    assert_eq!(paths[0], "example.org/a");
    assert_eq!(paths[1], "example.org~2/a/b");
    assert_eq!(paths[4], "example.org/a.csv");
    assert_eq!(paths[6], "example.org~2/x");
}

#[tokio::test]
async fn an_edit_moves_the_schedule() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let slot = Slot::containing(start());
    let every = |hours: u32| SourceSettings {
        interval: Interval::from_hours(hours).expect("an interval"),
        ..settings("a", "https://example.org/a")
    };
    rig.edit(id, every(7), hours(5)).await;
    assert_eq!(rig.source(id).await.state.next_slot, Slot(slot.0 + 5));
    rig.attempt(id, hours(6), AttemptResult::Unchanged).await;
    rig.edit(id, every(2), hours(7)).await;
    assert_eq!(rig.source(id).await.state.next_slot, Slot(slot.0 + 8));
    let paused = SourceSettings {
        enabled: false,
        ..every(2)
    };
    rig.edit(id, paused, hours(7)).await;
    assert_eq!(
        rig.store
            .read(OutlookAt(hours(99)))
            .await
            .map(|now| (now.due, now.next)),
        Ok((0, None))
    );
    rig.edit(id, every(2), hours(30)).await;
    assert_eq!(rig.source(id).await.state.next_slot, Slot(slot.0 + 8));
}

#[tokio::test]
async fn another_address_forgets_the_validators_and_keeps_the_path() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    rig.attempt(id, start(), AttemptResult::Unchanged).await;
    let path = rig.source(id).await.published_path;
    let moved = settings("a", "https://elsewhere.org/b");
    rig.edit(id, moved.clone(), hours(1)).await;
    let source = rig.source(id).await;
    assert_eq!((&source.settings, source.published_path), (&moved, path));
    assert_eq!(source.state.next_slot, Slot::containing(hours(1)));
    let request = gannet::store::ClaimRequest {
        excluded_hosts: vec!["example.org".to_owned()],
        ..request("a", hours(1))
    };
    let claims = rig.store.claim(request).await.expect("claims");
    assert!(claims[0].validators.is_empty());
}

#[tokio::test]
async fn a_removed_source_keeps_its_history_and_gives_up_its_claim() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let version = rig
        .version(id, start(), "one", VersionState::Unverified)
        .await;
    rig.store
        .record_publication(
            id,
            Publication::Publish(version),
            None,
            Vec::new(),
            stamp(start()),
        )
        .await
        .expect("published");
    let claim = rig.claim(id, start()).await;
    let remove = || vec![SourceChange::Remove { id, purge: false }];
    let changed = rig.store.change_sources(remove(), stamp(hours(1))).await;
    let expected = Changed {
        source_id: id,
        objects: Vec::new(),
        edited: None,
    };
    assert_eq!(changed, Ok(vec![expected]));
    let left = rig.store.read(Withdrawals(true)).await;
    let left = left.map(|left| left.into_iter().map(|one| one.path).collect::<Vec<_>>());
    assert_eq!(left, Ok(vec!["example.org/a".to_owned()]));
    let late = record(&claim, start(), AttemptResult::Unchanged);
    let late = rig.store.record_attempt(late).await;
    assert_eq!(late, Err(StoreError::StaleClaim(id)));
    assert_eq!(rig.source(id).await.removed_at, Some(hours(1)));
    assert_eq!(rig.versions(id).await.len(), 1);
    assert_eq!(rig.store.find_source("a").await, Ok(None));
    let by_id = rig
        .store
        .find_source(id.to_string().as_str())
        .await
        .expect("a read");
    assert_eq!(by_id.map(|source| source.id), Some(id));
    let listed = rig.store.sources(SourceFilter::default()).await;
    assert_eq!(listed, Ok(vec![]));
    let again = rig.store.change_sources(remove(), stamp(hours(1))).await;
    let missing = StoreError::Missing {
        what: "source",
        id: id.0,
    };
    assert_eq!(again, Err(missing));
    let claims = rig.store.claim(these(vec![id], request("a", hours(2))));
    assert!(claims.await.expect("claims").is_empty());
}

#[tokio::test]
async fn a_purged_source_leaves_only_the_event_that_says_so() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    rig.version(id, start(), "one", VersionState::Pending).await;
    let claim = rig.claim(id, start()).await;
    rig.purge(id).await.expect("purged");
    let late = record(&claim, start(), AttemptResult::Unchanged);
    let late = rig.store.record_attempt(late).await;
    assert_eq!(late, Err(StoreError::StaleClaim(id)));
    let filter = EventFilter {
        limit: 9,
        ..EventFilter::default()
    };
    let events = rig.store.events(filter).await.expect("events");
    let [policy, purged] = &events[..] else {
        panic!("two events: {events:?}");
    };
    assert_eq!(policy.event.action, Action::PolicyAdopted);
    assert_eq!(purged.event.action, Action::SourcePurged);
    assert_eq!(purged.event.source_id, None);
    assert_eq!(purged.event.detail.as_deref(), Some("a"));
    assert!(rig.add("a").await > id, "an id is never used again");
    rig.assert_sound();
}

#[tokio::test]
async fn settings_come_back_as_they_went_in() {
    let rig = Rig::new();
    let odd = SourceSettings {
        tags: vec!["ä \"x\"".to_owned(), "b".to_owned()],
        headers: vec![
            ("A".to_owned(), "1".to_owned()),
            ("A".to_owned(), "2".to_owned()),
        ],
        allow_private: true,
        allow_empty: true,
        publish: PublishPolicy::Newest,
        max_size_bytes: None,
        ..settings("odd name", "https://example.org/?q=${KEY}")
    };
    let id = rig.add_with(odd.clone()).await;
    assert_eq!(rig.source(id).await.settings, odd);
    let found = rig.store.find_source("https://example.org/?q=${KEY}").await;
    assert_eq!(found.expect("a read").map(|source| source.id), Some(id));
    assert_eq!(rig.store.find_source("77").await, Ok(None));
    let none = SourceFilter {
        ids: Some(vec![SourceId(77)]),
        ..SourceFilter::default()
    };
    assert_eq!(rig.store.sources(none).await, Ok(vec![]));
}

#[tokio::test]
async fn names_are_swapped_in_one_call() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    let changes = vec![
        SourceChange::Add(settings("old", "https://example.org/c")),
        renamed(a, "b"),
        renamed(b, "a"),
    ];
    let swapped = rig.store.change_sources(changes, stamp(start())).await;
    swapped.expect("changed");
    assert_eq!(rig.source(a).await.settings.name, "b");
    assert_eq!(rig.source(b).await.settings.name, "a");
    // One that fails leaves every name as it was.
    let changes = vec![renamed(a, "c"), renamed(b, "old")];
    let refused = rig.store.change_sources(changes, stamp(start())).await;
    assert!(
        matches!(refused, Err(StoreError::Taken { what: "name", .. })),
        "{refused:?}"
    );
    assert_eq!(rig.source(a).await.settings.name, "b");
    rig.assert_sound();
}

#[tokio::test]
async fn states_are_counted_as_the_sources_themselves_say() {
    let rig = Rig::new();
    let states = [
        VersionState::Unverified,
        VersionState::Pending,
        VersionState::Passed,
        VersionState::Failed,
        VersionState::Error,
    ];
    for (number, state) in states.into_iter().enumerate() {
        let id = rig.add(&format!("s{number}")).await;
        rig.version(id, start(), &format!("{number}"), state).await;
    }
    rig.add("never").await;
    for name in ["off", "down", "unchanged", "removed"] {
        let id = rig.add(name).await;
        rig.version(id, start(), name, VersionState::Unverified)
            .await;
        match name {
            "off" => {
                let off = SourceSettings {
                    enabled: false,
                    ..rig.source(id).await.settings
                };
                rig.edit(id, off, hours(1)).await;
            }
            "down" => {
                let failed = AttemptResult::Failed {
                    kind: FailureKind::Status,
                    detail: "503".to_owned(),
                };
                rig.attempt(id, hours(1), failed).await;
            }
            "removed" => {
                let removal = vec![SourceChange::Remove { id, purge: false }];
                let removed = rig.store.change_sources(removal, stamp(start())).await;
                removed.expect("a removal");
            }
            _ => {
                rig.attempt(id, hours(1), AttemptResult::Unchanged).await;
            }
        }
    }
    let filter = SourceFilter {
        removed: true,
        ..SourceFilter::default()
    };
    let sources = rig.store.sources(filter).await.expect("sources");
    let words: Vec<_> = sources.iter().map(StateWord::of).collect();
    let count = |state| words.iter().filter(|word| **word == state).count() as u64;
    let expected = StateWord::ALL.map(|(state, ..)| (state, count(state)));
    let counts = rig.store.read(StateCounts).await.expect("counts");
    assert_eq!(counts, expected);
    let missing = counts.iter().filter(|(_, count)| *count == 0).count();
    assert!(missing <= 4, "{counts:?}");
}

async fn rig_of_five() -> Rig {
    let rig = Rig::new();
    for name in ["c", "a", "e", "b", "d"] {
        rig.add(name).await;
    }
    rig
}

#[tokio::test]
async fn the_first_sources_are_those_by_name() {
    let rig = rig_of_five().await;
    let all = rig.store.sources(SourceFilter::default()).await;
    for limit in [0, 1, 2, 5, 6] {
        let filter = SourceFilter {
            limit: Some(limit),
            ..SourceFilter::default()
        };
        let first = rig.store.sources(filter).await.expect("sources");
        let all = all.as_ref().expect("sources");
        assert_eq!(first, all[..limit.min(all.len())]);
    }
}

#[tokio::test]
async fn shares_are_all_sources_each_once() {
    let rig = rig_of_five().await;
    let all = rig.store.sources(SourceFilter::default()).await;
    let mut shared = Vec::new();
    for share in 0..2 {
        let filter = SourceFilter {
            share: (share, 2),
            ..SourceFilter::default()
        };
        let sources = rig.store.sources(filter).await.expect("sources");
        assert!(sources.is_sorted_by_key(|source| source.settings.name.clone()));
        assert!((2..=3).contains(&sources.len()));
        shared.extend(sources);
    }
    shared.sort_by(|a, b| a.settings.name.cmp(&b.settings.name));
    assert_eq!(all, Ok(shared));
}
