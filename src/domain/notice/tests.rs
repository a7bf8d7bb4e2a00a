//! Tests of what notifiers report, and of what the quiet period delays.

use super::*;
use ChangeKind::{Failing, GoodAgain, Recovered, SetFailed, VersionFailed};
use proptest::prelude::*;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_769_860_800 + 60 * minute, 0).expect("a time")
}

fn rules(on: &[ChangeKind], after: u32) -> NoticeRules {
    NoticeRules {
        on: on.to_vec(),
        after,
        quiet: TimeDelta::hours(1),
    }
}

fn health(failures: u32, version: Option<i64>) -> SourceHealth {
    SourceHealth {
        failures,
        failed_version: version.map(VersionId),
        undecided: false,
    }
}

fn told(failing: bool, version: Option<i64>, minute: Option<i64>) -> NotifierState {
    NotifierState {
        failing,
        failed_version: version.map(VersionId),
        at: minute.map(at),
        worse_at: minute.map(at),
        waits: false,
    }
}

/// Checks the changes reported at minute 60, and whether the source stays to be polled.
fn check(rules: &NoticeRules, table: &[(&str, SourceHealth, NotifierState, &[ChangeKind], bool)]) {
    for (case, present, told, changes, waits) in table {
        let decision = next_notification(rules, *present, *told, at(60));
        assert_eq!(decision.changes, *changes, "{case}");
        assert_eq!(decision.then.waits, *waits, "{case}");
        let again = next_notification(rules, *present, decision.then, at(60));
        assert_eq!(again.changes, [], "{case}: told once");
    }
}

#[test]
fn a_difference_is_told_when_it_is_not_quiet() {
    let (fails, well) = (health(2, None), health(0, None));
    let new = NotifierState::default();
    let known = |minute| told(true, None, Some(minute));
    let turns: [(_, _, _, &[_], _); 6] = [
        ("well", well, new, &[], false),
        ("fails", fails, new, &[Failing], false),
        ("fails still", fails, known(0), &[], false),
        ("well again", well, known(0), &[Recovered], false),
        ("too soon", well, known(1), &[], true),
        ("clock went back", well, known(61), &[Recovered], false),
    ];
    check(&rules(&ChangeKind::ALL, 1), &turns);
    let bad = |id| health(0, Some(id));
    let both = health(1, Some(5));
    let known = told(false, Some(5), Some(0));
    let waiting = SourceHealth {
        undecided: true,
        ..well
    };
    let lately = told(false, Some(5), Some(1));
    let versions: [(_, _, _, &[_], _); 10] = [
        ("bad", bad(5), new, &[VersionFailed], false),
        ("the same", bad(5), known, &[], false),
        ("another", bad(6), known, &[VersionFailed], false),
        ("good", well, known, &[GoodAgain], false),
        ("not judged yet", waiting, known, &[], true),
        ("good as ever", well, new, &[], false),
        ("good too soon", well, lately, &[], true),
        ("another too soon", bad(6), lately, &[], true),
        ("the same after all", bad(5), lately, &[], false),
        ("both", both, new, &[Failing, VersionFailed], false),
    ];
    check(&rules(&ChangeKind::ALL, 1), &versions);
    let often: [(_, _, _, &[_], _); 2] = [
        ("not often enough", fails, new, &[], true),
        ("often enough", health(3, None), new, &[Failing], false),
    ];
    check(&rules(&ChangeKind::ALL, 3), &often);
    let failing = told(true, None, None);
    let alone: [(_, _, _, &[_], _); 2] = [
        ("unasked for", both, new, &[], false),
        ("asked for", well, failing, &[Recovered], false),
    ];
    check(&rules(&[Recovered], 1), &alone);
    let uncounted: [(_, _, _, &[_], _); 1] = [("nobody counts", fails, new, &[], false)];
    check(&rules(&[VersionFailed], 3), &uncounted);
}

/// Good news was reported at minute 59, and bad news at the minutes in the table.
#[test]
fn what_is_better_holds_back_nothing_worse() {
    let (well, fails) = (health(0, None), health(1, None));
    let (bad, both) = (health(0, Some(5)), health(1, Some(5)));
    let lately = |failing, version, worse: Option<i64>| NotifierState {
        worse_at: worse.map(at),
        ..told(failing, version, Some(59))
    };
    let never = lately(false, None, None);
    let [known_0, known_1] = [0, 1].map(|minute| lately(false, None, Some(minute)));
    let [failing_0, failing_1] = [0, 1].map(|minute| lately(true, None, Some(minute)));
    let both_failed = lately(true, Some(5), None);
    let table: [(_, _, _, &[_], _); 8] = [
        ("bad", bad, never, &[VersionFailed], false),
        ("fails", fails, known_0, &[Failing], false),
        ("worse lately", fails, known_1, &[], true),
        ("both", both, known_0, &[Failing, VersionFailed], false),
        ("mixed", bad, failing_0, &[Recovered, VersionFailed], false),
        ("worse lately, with better", bad, failing_1, &[], true),
        ("better", well, failing_0, &[], true),
        ("better, and none was worse", well, both_failed, &[], true),
    ];
    check(&rules(&ChangeKind::ALL, 1), &table);
    let never_quiet = NoticeRules {
        quiet: TimeDelta::zero(),
        ..rules(&ChangeKind::ALL, 1)
    };
    let [well_now, fails_now] = [false, true].map(|failing| told(failing, None, Some(60)));
    let at_once: [(_, _, _, &[_], _); 2] = [
        ("worse", fails, well_now, &[Failing], false),
        ("better", well, fails_now, &[Recovered], false),
    ];
    check(&never_quiet, &at_once);
}

#[test]
fn what_is_not_asked_for_is_known_at_once() {
    let rules = rules(&[Failing], 1);
    let flapping = next_notification(&rules, health(0, None), told(true, None, Some(0)), at(1));
    assert_eq!((flapping.changes.len(), flapping.then.waits), (0, false));
    let again = next_notification(&rules, health(1, None), flapping.then, at(2));
    assert_eq!((again.changes.len(), again.then.waits), (0, true));
    let after = next_notification(&rules, health(2, None), again.then, at(60));
    assert_eq!(after.changes, [Failing]);
}

#[test]
fn a_version_that_fails_anew_is_news() {
    let rules = rules(&ChangeKind::ALL, 1);
    let known = told(false, Some(5), Some(0));
    for (since, changes) in [(&[][..], 0), (&[VersionId(4)], 0), (&[VersionId(5)], 1)] {
        let present = health(0, Some(5));
        for (minute, changes) in [(60, changes), (59, 0)] {
            let known = known.reset_failed(since, &rules, present, at(minute));
            let decision = next_notification(&rules, present, known, at(minute));
            assert_eq!(decision.changes.len(), changes, "{since:?}");
            assert!(!decision.then.waits, "{since:?}");
        }
        // When the version is good by now, only that is reported.
        let known = known.reset_failed(since, &rules, health(0, None), at(60));
        let decision = next_notification(&rules, health(0, None), known, at(60));
        assert_eq!(decision.changes, [GoodAgain]);
    }
}

/// A set at minute 60, last reported at minute 0 or 1.
#[test]
fn a_set_is_told_of_as_a_source_is() {
    use VersionState::{Error, Failed, Passed, Pending, Unverified};
    let known = |edition: Option<i64>, minute: Option<i64>| SetNotifierState {
        failed_edition: edition.map(EditionId),
        at: minute.map(at),
        worse_at: minute.map(at),
    };
    let rules = rules(&ChangeKind::ALL, 1);
    let (failed, good) = (Some(ChangeKind::SetFailed), Some(GoodAgain));
    let (new, good_now) = (known(None, None), known(None, Some(60)));
    let [failed_0, failed_1] = [0, 1].map(|minute| known(Some(5), Some(minute)));
    let [five_now, six_now] = [5, 6].map(|edition| known(Some(edition), Some(60)));
    for (edition, state, told, change, then) in [
        (5, Failed, new, failed, five_now),
        (5, Failed, failed_0, None, failed_0),
        (6, Failed, failed_0, failed, six_now),
        (6, Failed, failed_1, None, failed_1),
        (6, Pending, failed_0, None, failed_0),
        (6, Error, failed_0, None, failed_0),
        (6, Passed, failed_0, good, good_now),
        (6, Unverified, failed_0, good, good_now),
        (6, Passed, failed_1, None, failed_1),
        (6, Passed, new, None, new),
    ] {
        let worse_at = match change {
            Some(SetFailed) => Some(at(60)),
            _ => told.worse_at,
        };
        let then = SetNotifierState { worse_at, ..then };
        let newest = Some((EditionId(edition), state));
        let decided = next_set_notification(&rules, newest, told, at(60));
        assert_eq!(decided, (change, then), "{edition} {state} {told:?}");
    }
    // Good news was reported a minute ago.
    for (worse_at, is_told) in [(None, true), (Some(at(0)), true), (Some(at(1)), false)] {
        let told = SetNotifierState {
            failed_edition: None,
            at: Some(at(59)),
            worse_at,
        };
        let (change, _) = next_set_notification(&rules, Some((EditionId(6), Failed)), told, at(60));
        assert_eq!(change, failed.filter(|_| is_told), "{worse_at:?}");
    }
    // A kind that the notifier does not report counts as reported at once.
    let rules = super::tests::rules(&[GoodAgain], 1);
    let newest = Some((EditionId(5), Failed));
    let decided = next_set_notification(&rules, newest, known(None, None), at(60));
    assert_eq!(decided, (None, known(Some(5), None)));
}

#[test]
fn single_events_keep_quiet_too() {
    let rules = rules(&ChangeKind::ALL, 1);
    for kind in ChangeKind::OF_EVENTS {
        let is_held = kind != ChangeKind::ConfigRejected;
        assert_eq!(rules.delays(kind, at(1), at(60)), is_held, "{kind}");
        assert!(!rules.delays(kind, at(0), at(60)), "{kind}");
        assert!(!rules.delays(kind, at(61), at(60)), "the clock went back");
    }
}

#[test]
fn the_present_is_no_news_to_one_who_knows_it_and_news_to_one_who_begins() {
    for after in 1..4 {
        let rules = rules(&ChangeKind::ALL, after);
        let present = health(2, Some(5));
        let known = NotifierState::baseline(&rules, present);
        let decision = next_notification(&rules, present, known, at(0));
        assert_eq!(decision.changes, []);
        let begins = NotifierState::default().mark_undelivered();
        let decision = next_notification(&rules, present, begins, at(0));
        let mut expected = vec![ChangeKind::Failing, ChangeKind::VersionFailed];
        if after > 2 {
            expected.remove(0);
        }
        assert_eq!(decision.changes, expected, "after {after}");
        let decision = next_notification(&rules, health(0, None), begins, at(0));
        assert_eq!(decision.changes, []);
    }
}

#[test]
fn words_come_back() {
    for kind in ChangeKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    let error = "broken".parse::<ChangeKind>().expect_err("no such word");
    assert!(error.contains("version-failed"), "{error}");
}

/// One decision: minutes since the last, the source's health, and whether the notice is delivered.
fn look() -> impl Strategy<Value = (i64, SourceHealth, bool)> {
    let version = proptest::option::of(0..3_i64);
    let present = (0..4_u32, version).prop_map(|(failures, id)| health(failures, id));
    (0..90_i64, present, proptest::bool::weighted(0.8))
}

fn some_rules() -> impl Strategy<Value = NoticeRules> {
    let on = proptest::sample::subsequence(ChangeKind::OF_HEALTH.to_vec(), 1..=4);
    (on, 1..4_u32).prop_map(|(on, after)| rules(&on, after))
}

proptest! {
    #[test]
    fn never_twice_worse_in_a_quiet_period_and_the_end_is_always_told(
        rules in some_rules(),
        looks in proptest::collection::vec(look(), 1..40),
    ) {
        let (mut told, mut now) = (NotifierState::default(), 0);
        let (mut last, mut last_worse) = (None, None);
        let mut heard = NotifierState::default();
        let end = looks.last().expect("one or more").1;
        // At the end every notice is delivered, and the source is polled only as demanded, or when it has changed.
        let rest = [(0, end, true), (60, end, true), (60, end, true)];
        for (pause, present, arrives) in looks.into_iter().chain(rest) {
            now += pause;
            let decision = next_notification(&rules, present, told, at(now));
            if decision.changes.is_empty() {
                told = decision.then;
                continue;
            }
            if !arrives {
                told = told.mark_undelivered();
                continue;
            }
            let is_worse = decision.changes.iter().any(|kind| kind.is_worse());
            let before: Option<i64> = if is_worse { last_worse } else { last };
            prop_assert!(before.is_none_or(|before| now - before >= 60), "{before:?} and {now}");
            last = Some(now);
            last_worse = if is_worse { last } else { last_worse };
            told = decision.then;
            for change in decision.changes {
                prop_assert!(rules.on.contains(&change));
                match change {
                    Failing => heard.failing = true,
                    Recovered => heard.failing = false,
                    VersionFailed => heard.failed_version = present.failed_version,
                    GoodAgain => heard.failed_version = None,
                    other => prop_assert!(false, "{other} follows from an event"),
                }
            }
        }
        prop_assert_eq!(told.waits, rules.is_counting_up(end));
        if rules.wants(Failing) && rules.wants(Recovered) {
            prop_assert_eq!(heard.failing, rules.is_failing(end));
        }
        let is_told = end.failed_version.is_some() || rules.wants(GoodAgain);
        if rules.wants(VersionFailed) && is_told {
            prop_assert_eq!(heard.failed_version, end.failed_version);
        }
    }
}
