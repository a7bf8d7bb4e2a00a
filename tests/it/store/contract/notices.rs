//! What notifiers know: read with what may have changed, kept with what they were told.

use gannet::domain::{
    Action, ChangeKind, EventId, FailureKind, NotifierState, SourceId, VerdictId, VerdictOutcome,
    VersionState,
};
use gannet::store::{AttemptResult, Fact, NoticeLook, NoticeLookOf, NoticeRecord, StoriesOf};

use super::rig::Rig;
use crate::rig::rows::{hours, stamp, start, verdict};

async fn look(rig: &Rig, hour: i64) -> Option<NoticeLook> {
    let look = rig.store.read(NoticeLookOf("ops".to_owned(), hours(hour)));
    look.await.expect("a look")
}

fn record(looked: EventId, told: Vec<(SourceId, NotifierState)>) -> NoticeRecord {
    NoticeRecord {
        told,
        ..NoticeRecord::without_message("ops".to_owned(), looked)
    }
}

async fn keep(rig: &Rig, record: NoticeRecord) {
    let kept = rig
        .store
        .record(Fact::Notice(Box::new(record)), stamp(start()));
    kept.await.expect("recorded");
}

fn failed() -> AttemptResult {
    AttemptResult::Failed {
        kind: FailureKind::Status,
        detail: "404 Not Found".to_owned(),
    }
}

fn failing(waits: bool) -> NotifierState {
    NotifierState {
        failing: true,
        failed_version: None,
        at: Some(start()),
        worse_at: Some(start()),
        waits,
    }
}

fn ids(look: &NoticeLook) -> Vec<i64> {
    let ids = look.candidates.iter();
    ids.map(|candidate| candidate.source.id.0).collect()
}

#[tokio::test]
async fn a_look_finds_turns_since_and_what_waits() {
    let rig = Rig::new();
    let [a, b, c] = [rig.add("a").await, rig.add("b").await, rig.add("c").await];
    rig.attempt(a, start(), failed()).await;
    let version = rig.version(b, start(), "one", VersionState::Pending).await;
    let new = look(&rig, 0).await.expect("a look");
    assert_eq!((new.looked, ids(&new)), (None, vec![a.0]));
    keep(&rig, record(new.newest, vec![(a, failing(false))])).await;
    assert_eq!(ids(&look(&rig, 0).await.expect("a look")), [0; 0]);
    // A second failure is no turn; a version that fails is one.
    rig.attempt(a, hours(1), failed()).await;
    let verdicts = vec![verdict(VerdictOutcome::Failed, hours(1))];
    let judged = rig
        .store
        .record_verdicts(version, verdicts, VerdictId(0), stamp(hours(1)));
    judged.await.expect("recorded");
    let turned = look(&rig, 1).await.expect("a look");
    assert_eq!(ids(&turned), [b.0]);
    assert_eq!(turned.candidates[0].failed_since, [version]);
    keep(
        &rig,
        record(turned.newest, vec![(c, failing(true)), (a, failing(false))]),
    )
    .await;
    let waiting = look(&rig, 1).await.expect("a look");
    assert_eq!(ids(&waiting), [c.0]);
    assert_eq!(waiting.candidates[0].told, failing(true));
    let stories = rig.store.read(StoriesOf::Sources(vec![
        (b, None, ChangeKind::VersionFailed),
        (a, None, ChangeKind::Failing),
        (c, None, ChangeKind::Recovered),
    ]));
    let stories = stories.await.expect("stories");
    let stories: Vec<_> = stories
        .iter()
        .map(|story| (story.since, story.detail.as_deref()))
        .collect();
    let expected = [
        (Some(hours(1)), Some("schema: row 3 is short")),
        (Some(start()), Some("404 Not Found")),
        (None, None),
    ];
    assert_eq!(stories, expected);
}

#[tokio::test]
async fn what_failed_is_not_tried_before_its_time() {
    let rig = Rig::new();
    let a = rig.add("a").await;
    let retry = NoticeRecord {
        failures: 3,
        retry_at: Some(hours(2)),
        event: Some((Action::NoticeFailed, "ops: 1 change: refused".to_owned())),
        ..record(EventId(0), vec![(a, failing(true))])
    };
    keep(&rig, retry).await;
    assert_eq!(look(&rig, 1).await, None);
    let due = look(&rig, 2).await.expect("a look");
    assert_eq!((due.failures, ids(&due)), (3, vec![a.0]));
    // Somebody who begins at the same time does not undo that.
    let begins = NoticeRecord {
        begins: true,
        ..record(EventId(9), Vec::new())
    };
    keep(&rig, begins).await;
    assert_eq!(look(&rig, 2).await, Some(due));
}

#[tokio::test]
async fn what_is_known_goes_with_a_purged_source() {
    let rig = Rig::new();
    let a = rig.add("a").await;
    keep(&rig, record(EventId(0), vec![(a, failing(true))])).await;
    rig.purge(a).await.expect("purged");
    assert_eq!(rig.count("told"), 0);
    // It was sent while the source went.
    keep(&rig, record(EventId(0), vec![(a, failing(true))])).await;
    assert_eq!(rig.count("told"), 0);
    rig.assert_sound();
}
