//! Verdicts, the states they give, and which published files follow from them.

use gannet::domain::{
    Publication, PublishPolicy, SourceId, SourceSettings, VerdictId, VerdictOutcome, VersionId,
    VersionState,
};
use gannet::store::{
    Awaiting, NewestVerdict, Publications, PublishQuery, SourceChange, StoreError, VerdictQuery,
};

use super::rig::Rig;
use crate::rig::rows::{hours, settings, stamp, start, verdict};

async fn judge(rig: &Rig, version: VersionId, outcome: VerdictOutcome, state: VersionState) {
    let verdicts = vec![verdict(outcome, start())];
    let recorded = rig
        .store
        .record_verdicts(version, verdicts, VerdictId(0), stamp(start()))
        .await
        .expect("recorded");
    assert_eq!(recorded.state, state);
}

async fn due(rig: &Rig, id: SourceId) -> Option<Publication> {
    let one = rig.store.publish_tasks(id).await.expect("a read").pop();
    let all = rig.due_tasks().await;
    assert_eq!(all.first(), one.as_ref(), "the mark and the rule agree");
    one.map(|task| task.publication)
}

async fn published(rig: &Rig, id: SourceId, publication: Publication) {
    rig.store
        .record_publication(id, publication, None, Vec::new(), stamp(start()))
        .await
        .expect("recorded");
}

#[tokio::test]
async fn a_file_changes_only_when_the_checks_pass() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let first = rig.version(id, start(), "one", VersionState::Pending).await;
    assert_eq!(due(&rig, id).await, None);
    judge(&rig, first, VerdictOutcome::Passed, VersionState::Passed).await;
    assert_eq!(due(&rig, id).await, Some(Publication::Publish(first)));
    published(&rig, id, Publication::Publish(first)).await;
    assert_eq!(due(&rig, id).await, None);
    let second = rig
        .version(id, hours(1), "two", VersionState::Pending)
        .await;
    judge(&rig, second, VerdictOutcome::Failed, VersionState::Failed).await;
    assert_eq!(due(&rig, id).await, None, "the last good one stays");
    judge(&rig, first, VerdictOutcome::Failed, VersionState::Failed).await;
    assert_eq!(due(&rig, id).await, Some(Publication::Withdraw));
    published(&rig, id, Publication::Withdraw).await;
    assert_eq!(due(&rig, id).await, None);
    assert_eq!(rig.source(id).await.state.published_version_id, None);
    rig.assert_sound();
}

#[tokio::test]
async fn another_policy_publishes_at_once() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let version = rig.version(id, start(), "one", VersionState::Failed).await;
    assert_eq!(due(&rig, id).await, None);
    let newest = SourceSettings {
        publish: PublishPolicy::Newest,
        ..settings("a", "https://example.org/a")
    };
    rig.edit(id, newest, start()).await;
    assert_eq!(due(&rig, id).await, Some(Publication::Publish(version)));
    let back = settings("a", "https://example.org/a");
    rig.edit(id, back, start()).await;
    assert_eq!(due(&rig, id).await, None);
}

#[tokio::test]
async fn tasks_are_read_on_from_a_source() {
    let rig = Rig::new();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let id = rig.add(name).await;
        rig.version(id, start(), name, VersionState::Unverified)
            .await;
        ids.push(id);
    }
    let tasks = rig
        .store
        .publish_tasks(PublishQuery::Due {
            after: ids[0],
            again: true,
            limit: 1,
        })
        .await
        .expect("tasks");
    let sources: Vec<_> = tasks.iter().map(|task| task.source.id).collect();
    assert_eq!(sources, [ids[1]]);
}

#[tokio::test]
async fn verdicts_come_back_with_their_provenance() {
    let rig = Rig::new();
    let id = rig.add("a").await;
    let version = rig.version(id, start(), "one", VersionState::Pending).await;
    judge(&rig, version, VerdictOutcome::Error, VersionState::Error).await;
    judge(&rig, version, VerdictOutcome::Passed, VersionState::Passed).await;
    let verdicts = rig.store.verdicts(version).await.expect("verdicts");
    assert_eq!(verdicts.len(), 2);
    assert_eq!(verdicts[0].verdict, verdict(VerdictOutcome::Error, start()));
    assert_eq!(
        verdicts[1].verdict.judgement.outcome,
        VerdictOutcome::Passed
    );
    assert_eq!(verdicts[1].actor, "joe@host by cli");
    let mut listed = verdicts.clone();
    for verdict in &mut listed {
        verdict.verdict.judgement.output.clear();
    }
    assert_eq!(
        rig.store
            .verdicts(VerdictQuery::OfSource {
                source: id,
                limit: None
            })
            .await,
        Ok(listed)
    );
    let later = rig
        .version(id, hours(1), "two", VersionState::Pending)
        .await;
    judge(&rig, later, VerdictOutcome::Passed, VersionState::Passed).await;
    let limited = rig
        .store
        .verdicts(VerdictQuery::OfSource {
            source: id,
            limit: Some(1),
        })
        .await;
    let versions: Vec<_> = limited
        .expect("verdicts")
        .iter()
        .map(|verdict| verdict.version_id)
        .collect();
    assert_eq!(
        versions,
        [later],
        "only those of the versions that are listed"
    );

    let source = rig.source(id).await;
    assert_eq!(source.state.version_state, Some(VersionState::Passed));
    let gone = rig
        .store
        .record_verdicts(VersionId(99), vec![], VerdictId(0), stamp(start()))
        .await;
    let missing = StoreError::Missing {
        what: "version",
        id: 99,
    };
    assert_eq!(gone, Err(missing));
}

#[tokio::test]
async fn versions_that_may_still_be_published_wait_for_a_verdict() {
    use VersionState::{Error, Failed, Passed, Pending};
    let rig = Rig::new();
    let (a, b, c) = (rig.add("a").await, rig.add("b").await, rig.add("c").await);
    let old = rig.version(a, start(), "old", Pending).await;
    let older = rig.version(a, hours(1), "older", Error).await;
    rig.version(a, hours(2), "bad", Failed).await;
    rig.version(b, start(), "before", Pending).await;
    let good = rig.version(b, hours(1), "fine", Passed).await;
    let paused = rig.version(c, start(), "paused", Pending).await;
    published(&rig, b, Publication::Publish(good)).await;
    let unjudged = async || rig.store.read(Awaiting::Decision).await.expect("a read");
    let all = [(a, old), (a, older), (c, paused)];
    assert_eq!(unjudged().await, all);
    published(&rig, a, Publication::Publish(older)).await;
    let disabled = SourceSettings {
        enabled: false,
        ..settings("c", "https://example.org/c")
    };
    rig.edit(c, disabled, start()).await;
    assert_eq!(unjudged().await, all[1..], "the published one too");
    let removal = vec![SourceChange::Remove {
        id: c,
        purge: false,
    }];
    let removed = rig.store.change_sources(removal, stamp(start())).await;
    removed.expect("removed");
    assert_eq!(unjudged().await, [(a, older)]);
}

#[tokio::test]
async fn many_publications_are_read_at_once() {
    let rig = Rig::new();
    let (a, b, c) = (rig.add("a").await, rig.add("b").await, rig.add("c").await);
    let version = rig
        .version(a, start(), "one", VersionState::Unverified)
        .await;
    rig.version(b, start(), "two", VersionState::Failed).await;
    rig.version(c, start(), "three", VersionState::Passed).await;
    let removal = vec![SourceChange::Remove {
        id: c,
        purge: false,
    }];
    let removed = rig.store.change_sources(removal, stamp(start())).await;
    removed.expect("removed");
    assert_eq!(
        rig.store
            .read(Publications(vec![c, SourceId(99), b, a]))
            .await,
        Ok(vec![
            Publication::Keep,
            Publication::Keep,
            Publication::Keep,
            Publication::Publish(version)
        ])
    );
}

/// A promise to answer later that is recorded after the answer has no say; one that is made anew has.
#[tokio::test]
async fn a_promise_that_comes_after_its_answer_is_left_out() {
    use VersionState::{Passed, Pending};
    let rig = Rig::new();
    let id = rig.add("a").await;
    let version = rig.version(id, start(), "one", Pending).await;
    let record = async |outcome, seen| {
        let verdicts = vec![verdict(outcome, start())];
        let recorded = rig
            .store
            .record_verdicts(version, verdicts, seen, stamp(start()));
        recorded.await.expect("recorded").state
    };
    let newest = async || {
        rig.store
            .read(NewestVerdict(Some(version)))
            .await
            .expect("an id")
    };
    let seen = newest().await;
    assert_eq!(record(VerdictOutcome::Passed, seen).await, Passed);
    assert_eq!(record(VerdictOutcome::Pending, seen).await, Passed);
    assert_eq!(
        record(VerdictOutcome::Pending, newest().await).await,
        Pending
    );
    assert_eq!(rig.count("verdict"), 2);
}

/// However long nobody answers, each source has few versions that are looked at again.
#[tokio::test]
async fn of_a_long_undecided_history_the_newest_are_looked_at_again() {
    let rig = Rig::new();
    let (a, b) = (rig.add("a").await, rig.add("b").await);
    for hour in 0..40 {
        let content = format!("version {hour}");
        rig.version(a, hours(hour), &content, VersionState::Pending)
            .await;
    }
    let other = rig.version(b, start(), "b", VersionState::Error).await;
    let unjudged = rig.store.read(Awaiting::Decision).await.expect("a read");
    assert_eq!(unjudged.iter().filter(|(id, _)| *id == a).count(), 8);
    assert!(unjudged.contains(&(b, other)));
}
