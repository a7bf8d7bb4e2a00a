//! Edits as patches: beside other people's, under a fetch, and taken back.

use chrono::{DateTime, Utc};
use gannet::domain::{
    Action, Address, Edit, FailureKind, Interval, PublishPolicy, SettingsPatch, Slot, SourceId,
    Validators,
};
use gannet::store::{
    AttemptResult, ClaimsToRelease, Edited, EventFilter, SourceChange, StoreError,
};

use super::rig::Rig;
use crate::rig::rows::{hours, new, raw, record, stamp, start};

fn every(hours: u32) -> SettingsPatch {
    SettingsPatch {
        interval: Interval::from_hours(hours),
        ..SettingsPatch::default()
    }
}

fn tagged(tag: &str) -> SettingsPatch {
    SettingsPatch {
        tags: Some(vec![tag.to_owned()]),
        ..SettingsPatch::default()
    }
}

fn addressed(text: &str) -> SettingsPatch {
    SettingsPatch {
        address: Some(Address::parse(text, true).expect("an address")),
        ..SettingsPatch::default()
    }
}

fn renamed(name: &str) -> SettingsPatch {
    SettingsPatch {
        name: Some(name.to_owned()),
        ..SettingsPatch::default()
    }
}

async fn change(
    rig: &Rig,
    changes: Vec<SourceChange>,
    at: DateTime<Utc>,
) -> Result<Vec<Edited>, StoreError> {
    let done = rig.store.change_sources(changes, stamp(at)).await?;
    Ok(done
        .into_iter()
        .map(|changed| *changed.edited.expect("an edit"))
        .collect())
}

async fn edit(rig: &Rig, id: SourceId, patch: SettingsPatch, at: DateTime<Utc>) -> Edit {
    let edited = change(rig, vec![SourceChange::Edit(id, patch.into())], at).await;
    edited.expect("edited").remove(0).edit
}

async fn take_back(rig: &Rig, id: SourceId, done: &Edit) -> Edited {
    let changes = vec![SourceChange::TakeBack(id, Box::new(done.clone()))];
    change(rig, changes, start())
        .await
        .expect("taken back")
        .remove(0)
}

/// The words of the edits so far, oldest first.
async fn told(rig: &Rig) -> Vec<String> {
    let filter = EventFilter {
        limit: 100,
        ..EventFilter::default()
    };
    let events = rig.store.events(filter).await.expect("events");
    events
        .into_iter()
        .filter(|event| event.event.action == Action::SourceEdited)
        .filter_map(|event| event.event.detail)
        .collect()
}

#[tokio::test]
async fn two_editors_write_only_their_own_settings() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    edit(&rig, id, every(2), start()).await;
    let edited = edit(&rig, id, tagged("urgent"), start()).await;
    assert_eq!(edited.before.interval.hours(), 2);
    let settings = rig.source(id).await.settings;
    assert_eq!(settings.interval.hours(), 2);
    assert_eq!(settings.tags, ["urgent"]);
    // What is so already leaves no event.
    let again = edit(&rig, id, tagged("urgent"), start()).await;
    assert_eq!(again.before, again.after);
    assert_eq!(
        told(&rig).await,
        ["interval 1d -> 2h", "tags prices -> urgent"]
    );
}

#[tokio::test]
async fn taking_back_leaves_alone_what_others_changed_since() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let both = SettingsPatch {
        publish: Some(PublishPolicy::Newest),
        ..every(2)
    };
    let mine = edit(&rig, id, both, start()).await;
    edit(&rig, id, every(3), start()).await;
    edit(&rig, id, tagged("urgent"), start()).await;
    let undone = take_back(&rig, id, &mine).await;
    assert_eq!(undone.left_alone, ["interval"]);
    let settings = rig.source(id).await.settings;
    assert_eq!(settings.interval.hours(), 3);
    assert_eq!(settings.publish, PublishPolicy::Passed);
    assert_eq!(settings.tags, ["urgent"]);
    assert_eq!(
        told(&rig).await.pop().as_deref(),
        Some("undone: publish newest -> passed; left alone: interval")
    );
    // What took it back can itself be taken back.
    take_back(&rig, id, &undone.edit).await;
    let settings = rig.source(id).await.settings;
    assert_eq!(settings.publish, PublishPolicy::Newest);
    // All of it changed by others: nothing is written, and no event says otherwise.
    let mine = edit(&rig, id, every(5), start()).await;
    edit(&rig, id, every(6), start()).await;
    let events = told(&rig).await.len();
    assert_eq!(take_back(&rig, id, &mine).await.left_alone, ["interval"]);
    assert_eq!(told(&rig).await.len(), events);
}

#[tokio::test]
async fn swapped_names_are_taken_back_in_one_call() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    let swap = vec![
        SourceChange::Edit(a, renamed("b").into()),
        SourceChange::Edit(b, renamed("a").into()),
    ];
    let swapped = change(&rig, swap, start()).await.expect("swapped");
    assert_eq!(swapped[0].edit.before.name, "a");
    assert_eq!(told(&rig).await, ["name a -> b", "name b -> a"]);
    let back = swapped
        .iter()
        .map(|done| SourceChange::TakeBack(done.source.id, Box::new(done.edit.clone())));
    change(&rig, back.collect(), start()).await.expect("back");
    assert_eq!(rig.source(a).await.settings.name, "a");
    assert_eq!(rig.source(b).await.settings.name, "b");
    rig.assert_sound();
}

#[tokio::test]
async fn plain_http_is_judged_by_the_row_as_it_is() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let readdress = || {
        vec![SourceChange::Edit(
            id,
            addressed("http://example.org/a").into(),
        )]
    };
    let refused = change(&rig, readdress(), start()).await;
    assert!(
        matches!(refused, Err(StoreError::Settings(_))),
        "{refused:?}"
    );
    let allow = |allow| SettingsPatch {
        allow_http: Some(allow),
        ..SettingsPatch::default()
    };
    edit(&rig, id, allow(true), start()).await;
    change(&rig, readdress(), start()).await.expect("allowed");
    let forbid = vec![SourceChange::Edit(id, allow(false).into())];
    let refused = change(&rig, forbid, start()).await;
    assert!(
        matches!(refused, Err(StoreError::Settings(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_fetch_under_way_of_what_is_asked_otherwise_is_refused() {
    let cases = [
        ("address", addressed("https://example.org/other"), true),
        (
            "headers",
            SettingsPatch {
                headers: Some(vec![("Accept".to_owned(), "text/csv".to_owned())]),
                ..SettingsPatch::default()
            },
            true,
        ),
        (
            "private",
            SettingsPatch {
                allow_private: Some(true),
                ..SettingsPatch::default()
            },
            true,
        ),
        (
            "size",
            SettingsPatch {
                max_size_bytes: Some(Some(10)),
                ..SettingsPatch::default()
            },
            true,
        ),
        ("interval", every(5), false),
        ("tags", tagged("urgent"), false),
        (
            "enabled",
            SettingsPatch {
                enabled: Some(false),
                ..SettingsPatch::default()
            },
            false,
        ),
    ];
    for (what, patch, outdates) in cases {
        let rig = Rig::new();
        let id = rig.add("a").await;
        rig.attempt(id, start(), AttemptResult::Unchanged).await;
        let claim = rig.claim(id, hours(2)).await;
        edit(&rig, id, patch, hours(2)).await;
        let late = record(&claim, hours(2), new(raw("old")));
        let recorded = rig.store.record_attempt(late).await;
        if outdates {
            assert_eq!(recorded, Err(StoreError::StaleClaim(id)), "{what}");
            let slot = rig.source(id).await.state.next_slot;
            assert_eq!(slot, Slot::containing(hours(2)), "{what}");
            // It can be claimed at once, and the end of the old claim does not end the new one.
            let next = rig.claim(id, hours(2)).await;
            let ended = ClaimsToRelease::One {
                source: id,
                fence: claim.fence,
                worker: claim.worker.clone(),
            };
            let released = rig.store.release_claims(ended).await;
            released.expect("released");
            let recorded = record(&next, hours(2), AttemptResult::Unchanged);
            let recorded = rig.store.record_attempt(recorded).await;
            recorded.expect(what);
        } else {
            recorded.expect(what);
        }
    }
}

#[tokio::test]
async fn the_next_slot_follows_the_interval_of_the_moment() {
    let failed = || AttemptResult::Failed {
        kind: FailureKind::Connect,
        detail: "refused".to_owned(),
    };
    let cases = [
        (AttemptResult::Unchanged, every(5), 5),
        (failed(), every(5), 4),
        (failed(), every(2), 2),
    ];
    for (result, patch, after) in cases {
        let rig = Rig::new();
        let id = rig.add("a").await;
        rig.attempt(id, start(), failed()).await;
        rig.attempt(id, start(), failed()).await;
        let claim = rig.claim(id, hours(2)).await;
        edit(&rig, id, patch, hours(2)).await;
        let recorded = rig.store.record_attempt(record(&claim, hours(2), result));
        recorded.await.expect("recorded");
        let slot = rig.source(id).await.state.next_slot;
        assert_eq!(slot.0 - Slot::containing(hours(2)).0, after);
    }
}

#[tokio::test]
async fn what_is_asked_otherwise_forgets_the_validators() {
    let headers = SettingsPatch {
        headers: Some(vec![("Accept-Language".to_owned(), "de".to_owned())]),
        ..SettingsPatch::default()
    };
    let cases = [
        (addressed("https://example.org/other"), true),
        (headers, true),
        (every(5), false),
        (renamed("b"), false),
    ];
    for (patch, forgets) in cases {
        let rig = Rig::new();
        let id = rig.add("a").await;
        let claim = rig.claim(id, start()).await;
        let mut first = record(&claim, start(), new(raw("x")));
        first.validators = Validators {
            last_modified: Some("Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
            ..Validators::default()
        };
        rig.store.record_attempt(first).await.expect("recorded");
        let words = edit(&rig, id, patch, hours(1)).await.differences();
        let claim = rig.claim(id, hours(2)).await;
        assert_eq!(claim.validators.is_empty(), forgets, "{words:?}");
    }
}

#[tokio::test]
async fn only_digits_are_an_id() {
    let rig = Rig::new();
    let (first, second) = (rig.add("one").await, rig.add("+1").await);
    let found = |text: &'static str| {
        let store = &rig.store;
        async move {
            store
                .find_source(text)
                .await
                .expect("a read")
                .map(|source| source.id)
        }
    };
    assert_eq!(found("+1").await, Some(second));
    assert_eq!(found("1").await, Some(first));
    for text in ["+2", "-1", " 1", "1 ", "1.0"] {
        assert_eq!(found(text).await, None, "{text:?}");
    }
}
