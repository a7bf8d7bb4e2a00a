//! Verdicts on messages, by a clock that the test turns: who judges when, again after errors, and never twice.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use gannet::app::{NewMessages, Queueing};
use gannet::domain::{
    Action, Actor, Fingerprint, JsonLines, Judgement, Message, MessageId, NewVerdict, Policy,
    Stamp, VerdictOutcome, VersionState,
};
use gannet::store::{JudgedMessage, Store};

use crate::rig::{TestApp, sqlite};

/// A verifier of the queue `orders`: a shell script.
fn of_orders(script: &str) -> String {
    format!(
        "[[verifier]]\nname = \"script\"\nscope = \"message\"\nqueues = [\"orders\"]\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\n"
    )
}

async fn judged_by(script: &str) -> TestApp {
    let test = TestApp::new().toml(&of_orders(script)).open().await;
    // The verifier is put in force.
    test.pass().await;
    test
}

async fn send(test: &TestApp, body: &str) -> MessageId {
    let new = NewMessages {
        queue: "orders".parse().expect("a name"),
        bodies: JsonLines::one(body).expect("JSON"),
        key: None,
    };
    match test.app.queue_messages(new).await.expect("queued") {
        Queueing::Queued(queued) => queued.first,
        other => panic!("{other:?}"),
    }
}

async fn message(test: &TestApp, id: MessageId) -> Message {
    test.app.message_with(id).await.expect("a message")
}

async fn state(test: &TestApp, id: MessageId) -> VersionState {
    message(test, id).await.state.expect("persisted")
}

fn stamp(test: &TestApp) -> Stamp {
    Stamp {
        at: test.app.now(),
        actor: Actor("somebody".to_owned()),
    }
}

#[tokio::test]
async fn what_could_not_be_judged_is_tried_again_a_few_times() {
    let test = judged_by("exit 3").await;
    let id = send(&test, "1").await;
    test.pass().await;
    for (tries, minutes) in [(1, 1_u16), (2, 4), (3, 16), (4, 64), (5, 1000)] {
        assert_eq!(state(&test, id).await, VersionState::Error);
        let verdicts = test.app.message_verdicts(id).await.expect("verdicts");
        assert_eq!(verdicts.len(), tries);
        test.clock
            .advance(TimeDelta::seconds(59) * i32::from(minutes - 1));
        test.pass().await;
        let verdicts = test.app.message_verdicts(id).await.expect("verdicts");
        assert_eq!(verdicts.len(), tries, "too early");
        test.turn(minutes.into());
        test.pass().await;
    }
    let verdicts = test.app.message_verdicts(id).await.expect("verdicts");
    assert_eq!(verdicts.len(), 5);
    let said = test.log(Action::MessageError).await;
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said.iter()
            .any(|one| one.ends_with("exit code 3; tried again later"))
    );
    assert!(
        said.iter()
            .any(|one| one.ends_with("exit code 3; not tried again"))
    );
}

#[tokio::test]
async fn judging_on_request_takes_no_try_away() {
    let test = judged_by("exit 3").await;
    let id = send(&test, "1").await;
    test.pass().await;
    let verified = test.app.verify_message(id).await.expect("verdicts");
    assert_eq!(verified.state, VersionState::Error);
    test.turn(1);
    test.pass().await;
    let verdicts = test.app.message_verdicts(id).await.expect("verdicts");
    assert_eq!(verdicts.len(), 3);
    let said = test.log(Action::MessageError).await;
    let is_last = |one: &&String| one.ends_with("; not tried again");
    assert_eq!(said.iter().filter(is_last).count(), 0, "{said:?}");
}

#[tokio::test]
async fn messages_that_fail_together_are_one_event() {
    let test = judged_by("exit 1").await;
    for body in ["1", "2", "3"] {
        send(&test, body).await;
    }
    let store = test.catalogue();
    store.consume(stamp(&test)).await.expect("persisted");
    let until = test.app.now() + TimeDelta::minutes(1);
    let taken = store.take_messages_to_judge(10, until, stamp(&test));
    let taken = taken.await.expect("messages");
    let failed = NewVerdict {
        verifier: "script".to_owned(),
        fingerprint: Fingerprint::of("{}".to_owned()),
        judgement: Judgement::new(VerdictOutcome::Failed, "bad"),
        started_at: test.app.now(),
        duration: Duration::ZERO,
    };
    let judged = taken.iter().map(|one| JudgedMessage {
        id: one.message.id,
        until: Some(until),
        verdicts: Some(vec![failed.clone()]),
    });
    let policy = test.app.policy_to_show().await.expect("a policy");
    let states = store.record_message_verdicts(judged.collect(), Arc::new(policy), stamp(&test));
    assert_eq!(
        states.await.expect("states"),
        [Some(VersionState::Failed); 3]
    );
    let first = taken[0].message.id;
    assert_eq!(
        test.log(Action::MessageFailed).await,
        [format!(
            "{first} of orders: script: bad (and 2 more of orders)"
        )]
    );
}

#[tokio::test]
async fn a_message_is_one_processs_to_judge_until_its_time_is_over() {
    let test = judged_by("exit 0").await;
    let id = send(&test, "1").await;
    let store = test.catalogue();
    store.consume(stamp(&test)).await.expect("persisted");
    assert_eq!(state(&test, id).await, VersionState::Pending);
    let take = async |store: &Store| {
        let until = test.app.now() + TimeDelta::minutes(1);
        let taken = store.take_messages_to_judge(10, until, stamp(&test));
        taken.await.expect("messages")
    };
    let mine = take(&store).await;
    assert_eq!((mine.len(), mine[0].tries), (1, 1));
    assert!(take(&test.catalogue()).await.is_empty());
    test.pass().await;
    assert_eq!(state(&test, id).await, VersionState::Pending);

    test.turn(2);
    let theirs = take(&test.catalogue()).await;
    assert_eq!((theirs.len(), theirs[0].tries), (1, 2));
    let policy = test.app.policy_to_show().await.expect("a policy");
    let record = async |until, policy: &Policy, begun: bool| {
        let judged = JudgedMessage {
            id,
            until: Some(until),
            verdicts: begun.then(Vec::new),
        };
        let policy = Arc::new(policy.clone());
        let states = store.record_message_verdicts(vec![judged], policy, stamp(&test));
        states.await.expect("states").pop().expect("one")
    };
    // What was taken earlier counts no more, and neither does what another policy says.
    assert_eq!(record(mine[0].until, &policy, true).await, None);
    assert_eq!(
        record(theirs[0].until, &Policy::default(), true).await,
        None
    );
    // The other policy gave it back.
    test.pass().await;
    assert_eq!(state(&test, id).await, VersionState::Passed);
    let verdicts = test.app.message_verdicts(id).await.expect("verdicts");
    assert_eq!(verdicts.len(), 1);
}

#[tokio::test]
async fn what_a_process_leaves_in_order_is_the_next_ones_at_once() {
    let test = judged_by("exit 0").await;
    let id = send(&test, "1").await;
    let store = test.catalogue();
    store.consume(stamp(&test)).await.expect("persisted");
    let until = test.app.now() + TimeDelta::minutes(1);
    let taken = store.take_messages_to_judge(10, until, stamp(&test)).await;
    assert_eq!(taken.expect("messages").len(), 1);
    // One of another time is not its own.
    let other = until + TimeDelta::milliseconds(1);
    for (until, expected) in [
        (other, VersionState::Pending),
        (until, VersionState::Passed),
    ] {
        let left = store.give_messages_back(until, stamp(&test));
        left.await.expect("given back");
        test.pass().await;
        assert_eq!(state(&test, id).await, expected);
    }
}

#[tokio::test]
async fn a_message_with_which_gannet_ends_each_time_is_not_judged_for_ever() {
    let test = judged_by("exit 0").await;
    let id = send(&test, "1").await;
    let store = test.catalogue();
    store.consume(stamp(&test)).await.expect("persisted");
    for _ in 0..5 {
        let until = test.app.now() + TimeDelta::minutes(1);
        let taken = store.take_messages_to_judge(10, until, stamp(&test)).await;
        assert_eq!(taken.expect("messages").len(), 1);
        test.turn(2);
    }
    test.pass().await;
    assert_eq!(state(&test, id).await, VersionState::Error);
    let said = test.log(Action::MessageError).await;
    assert!(
        said[0].contains("gannet ended 5 times while it was judged"),
        "{said:?}"
    );
    let verified = test.app.verify_message(id).await.expect("judged");
    assert_eq!(verified.state, VersionState::Passed);
}

#[tokio::test]
async fn another_definition_judges_no_older_message_but_on_request() {
    let test = judged_by("exit 0").await;
    let old = send(&test, "1").await;
    test.pass().await;
    assert_eq!(state(&test, old).await, VersionState::Passed);
    let test = test.closed().toml(&of_orders("exit 1")).open().await;
    let new = send(&test, "2").await;
    test.pass().await;
    assert_eq!(state(&test, new).await, VersionState::Failed);
    assert_eq!(state(&test, old).await, VersionState::Passed);
    let verified = test.app.verify_message(old).await.expect("judged");
    assert_eq!(verified.state, VersionState::Failed);
    let verdicts = test.app.message_verdicts(old).await.expect("verdicts");
    let [before, after] = &verdicts[..] else {
        panic!("{verdicts:?}");
    };
    assert_ne!(before.verdict.fingerprint, after.verdict.fingerprint);
    assert_eq!(test.log(Action::MessageFailed).await.len(), 2);
}

#[tokio::test]
async fn a_message_whose_verifiers_are_not_known_is_persisted_and_judged_later() {
    let test = judged_by("exit 0").await;
    let id = send(&test, "1").await;
    sqlite::ruin_policies(test.folder());
    test.catalogue()
        .consume(stamp(&test))
        .await
        .expect("persisted");
    assert_eq!(state(&test, id).await, VersionState::Pending);
    test.app.adopt_policy().await.expect("a policy");
    test.pass().await;
    assert_eq!(state(&test, id).await, VersionState::Passed);
}

#[tokio::test]
async fn a_message_that_was_given_up_is_judged_when_it_is_persisted_after_all() {
    let test = judged_by("exit 1").await;
    let id = send(&test, r#"{"n":1}"#).await;
    sqlite::ruin_queued_messages(test.folder());
    test.pass().await;
    assert!(test.app.message_with(id).await.is_err());
    test.app.retry_dead(id).await.expect("on its queue");
    test.pass().await;
    assert_eq!(state(&test, id).await, VersionState::Failed);
}
