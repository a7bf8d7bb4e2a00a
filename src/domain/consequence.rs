//! Derives the event that follows from a record: of an attempt, a verdict, a changed state, or a published file.
//!
//! Never derives a second event for a change that another action's event reports already.

use super::{Action, NewVerdict, VerdictOutcome, VersionId, VersionState, Weights};

/// Returns the event of an attempt after which a source starts or stops failing. `failures_before` counts the failed
/// attempts in a row before this one.
pub fn event_of_health(failures_before: u32, has_failed: bool) -> Option<(Action, Option<String>)> {
    match (failures_before, has_failed) {
        (0, true) => Some((Action::SourceFailing, None)),
        (0, false) | (_, true) => None,
        (count, false) => {
            let plural = if count == 1 { "" } else { "s" };
            let detail = format!("after {count} failed attempt{plural}");
            Some((Action::SourceRecovered, Some(detail)))
        }
    }
}

/// Returns the event of a verdict on a version.
pub fn event_of_verdict(verdict: &NewVerdict) -> (Action, String) {
    match verdict.judgement.outcome {
        VerdictOutcome::Passed => (Action::VerdictPassed, verdict.judge_words()),
        VerdictOutcome::Failed => (Action::VerdictFailed, verdict.with_reason()),
        VerdictOutcome::Error => (Action::VerdictError, verdict.with_reason()),
        VerdictOutcome::Pending => (Action::VerdictPending, verdict.with_reason()),
    }
}

/// Returns the event of a version's changed state: it passed, it failed (with the reason), or earlier verdicts count
/// differently under the policy. `new_verdicts` holds the verdicts recorded in the same transaction; it is empty when
/// their own events give the reason.
pub fn event_of_state(
    before: VersionState,
    state: VersionState,
    new_verdicts: &[NewVerdict],
    weights: &Weights,
) -> Option<(Action, Option<String>)> {
    if state == before {
        return None;
    }
    if state == VersionState::Failed {
        let reasons = reasons(new_verdicts, VerdictOutcome::Failed, weights);
        return Some((Action::VersionFailed, reasons));
    }
    let recounted = new_verdicts
        .is_empty()
        .then(|| format!("{before} -> {state}"));
    if state == VersionState::Passed {
        return Some((Action::VersionPassed, recounted));
    }
    recounted.map(|words| (Action::VersionRecounted, Some(words)))
}

/// Returns the event of an edition's state, given the verdicts on it; `None` where none is required.
pub fn event_of_set(
    set: &str,
    state: VersionState,
    verdicts: &[NewVerdict],
    weights: &Weights,
) -> Option<(Action, String)> {
    let action = match state {
        VersionState::Passed => Action::SetPassed,
        VersionState::Failed => Action::SetFailed,
        VersionState::Error => Action::SetError,
        VersionState::Pending => Action::SetPending,
        VersionState::Unverified => return None,
    };
    let reasons = match state {
        // A pass decided by hand is worth a mention.
        VersionState::Passed => {
            let passed = deciding(verdicts, VerdictOutcome::Passed, weights);
            joined(passed.filter(|verdict| verdict.is_by_hand()))
        }
        VersionState::Failed => reasons(verdicts, VerdictOutcome::Failed, weights),
        VersionState::Pending => reasons(verdicts, VerdictOutcome::Pending, weights),
        _ => reasons(verdicts, VerdictOutcome::Error, weights),
    };
    let detail = match reasons {
        Some(reasons) => format!("{set}: {reasons}"),
        None => set.to_owned(),
    };
    Some((action, detail))
}

/// Returns whether a person, overruling a verifier, gave one of the verdicts that decided this edition.
pub fn is_decided_by_hand(state: VersionState, verdicts: &[NewVerdict], weights: &Weights) -> bool {
    let outcome = match state {
        VersionState::Passed => VerdictOutcome::Passed,
        VersionState::Failed => VerdictOutcome::Failed,
        VersionState::Error => VerdictOutcome::Error,
        VersionState::Pending | VersionState::Unverified => return false,
    };
    deciding(verdicts, outcome, weights).any(NewVerdict::is_by_hand)
}

/// Returns the event of a published file, given its recorded version `before`, and the version that it holds `now`.
pub fn event_of_file(before: Option<VersionId>, now: Option<VersionId>) -> Option<Action> {
    match (before, now) {
        // A file that a killed process left, without a record, has been removed.
        (None, None) => None,
        (Some(_), None) => Some(Action::Withdrawn),
        (before, now) if before == now => Some(Action::Republished),
        _ => Some(Action::Published),
    }
}

/// Returns the reasons of the required verifiers with this outcome; `None` without any such verifier.
fn reasons(verdicts: &[NewVerdict], outcome: VerdictOutcome, weights: &Weights) -> Option<String> {
    joined(deciding(verdicts, outcome, weights))
}

fn deciding<'a>(
    verdicts: &'a [NewVerdict],
    outcome: VerdictOutcome,
    weights: &'a Weights,
) -> impl Iterator<Item = &'a NewVerdict> {
    let of_outcome = verdicts.iter();
    let of_outcome = of_outcome.filter(move |verdict| verdict.judgement.outcome == outcome);
    of_outcome.filter(|verdict| weights.requires(&verdict.verifier))
}

fn joined<'a>(verdicts: impl Iterator<Item = &'a NewVerdict>) -> Option<String> {
    let reasons: Vec<_> = verdicts.map(NewVerdict::with_reason).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::*;
    use crate::domain::{Fingerprint, Judgement, Weight};
    use VersionState::{Error, Failed, Passed, Pending, Unverified};

    fn verdict_by(verifier: &str, outcome: VerdictOutcome, detail: &str) -> NewVerdict {
        NewVerdict {
            verifier: verifier.to_owned(),
            fingerprint: Fingerprint::of("{}".to_owned()),
            judgement: Judgement {
                outcome,
                detail: detail.to_owned(),
                ..Judgement::error("")
            },
            started_at: DateTime::UNIX_EPOCH,
            duration: Duration::ZERO,
        }
    }

    fn weights() -> Weights {
        let schema = ("schema".to_owned(), Weight::Required);
        let style = ("style".to_owned(), Weight::Advisory);
        [schema, style].into_iter().collect()
    }

    #[test]
    fn the_first_failure_and_the_end_of_failures_are_told() {
        let recovered = |detail: &str| Some((Action::SourceRecovered, Some(detail.to_owned())));
        for (before, has_failed, expected) in [
            (0, false, None),
            (0, true, Some((Action::SourceFailing, None))),
            (1, true, None),
            (1, false, recovered("after 1 failed attempt")),
            (2, false, recovered("after 2 failed attempts")),
            (u32::MAX, true, None),
        ] {
            assert_eq!(event_of_health(before, has_failed), expected, "{before}");
        }
    }

    #[test]
    fn a_verdict_is_told_with_its_reason() {
        use VerdictOutcome::{Error, Failed, Passed, Pending};
        for (outcome, detail, expected) in [
            (Passed, "fine", (Action::VerdictPassed, "schema")),
            (Failed, "row 3", (Action::VerdictFailed, "schema: row 3")),
            (Failed, "", (Action::VerdictFailed, "schema")),
            (Error, "late", (Action::VerdictError, "schema: late")),
            (Pending, "", (Action::VerdictPending, "schema")),
        ] {
            let (action, words) = expected;
            let told = event_of_verdict(&verdict_by("schema", outcome, detail));
            assert_eq!(told, (action, words.to_owned()));
        }
    }

    #[test]
    fn a_changed_state_is_told_where_no_verdict_tells_it() {
        let failed = [
            verdict_by("schema", VerdictOutcome::Failed, "row 3"),
            verdict_by("style", VerdictOutcome::Failed, "tabs"),
            verdict_by("other", VerdictOutcome::Failed, "not asked"),
        ];
        let passed = [verdict_by("schema", VerdictOutcome::Passed, "")];
        let of_failure = |words: Option<&str>| {
            let detail = words.map(str::to_owned);
            Some((Action::VersionFailed, detail))
        };
        let of_passing = |words: Option<&str>| {
            let detail = words.map(str::to_owned);
            Some((Action::VersionPassed, detail))
        };
        let recounted = |words: &str| Some((Action::VersionRecounted, Some(words.to_owned())));
        let cases: [(_, _, &[NewVerdict], _); 10] = [
            (Failed, Failed, &failed, None),
            (Pending, Failed, &failed, of_failure(Some("schema: row 3"))),
            // An earlier verdict counts again.
            (Passed, Failed, &[], of_failure(None)),
            (Pending, Failed, &failed[1..], of_failure(None)),
            (Passed, Passed, &passed, None),
            (Pending, Passed, &passed, of_passing(None)),
            (Failed, Passed, &[], of_passing(Some("failed -> passed"))),
            (Failed, Pending, &[], recounted("failed -> pending")),
            (Error, Pending, &passed, None),
            (Passed, Unverified, &[], recounted("passed -> unverified")),
        ];
        for (before, state, new_verdicts, expected) in cases {
            let told = event_of_state(before, state, new_verdicts, &weights());
            assert_eq!(told, expected, "{before} {state}");
        }
    }

    #[test]
    fn a_decided_edition_is_told_with_the_reasons() {
        let verdicts = [
            verdict_by("schema", VerdictOutcome::Failed, "row 3"),
            verdict_by("style", VerdictOutcome::Error, "no style"),
        ];
        for (state, expected) in [
            (Passed, Some((Action::SetPassed, "eu"))),
            (Failed, Some((Action::SetFailed, "eu: schema: row 3"))),
            // An advisory verdict is no reason.
            (Error, Some((Action::SetError, "eu"))),
            (Pending, Some((Action::SetPending, "eu"))),
            (Unverified, None),
        ] {
            let told = event_of_set("eu", state, &verdicts, &weights());
            let expected = expected.map(|(action, words)| (action, words.to_owned()));
            assert_eq!(told, expected, "{state}");
        }
    }

    #[test]
    fn a_person_s_verdict_is_told_as_such() {
        let by_hand = |outcome, detail| NewVerdict {
            fingerprint: Fingerprint::overruled(),
            ..verdict_by("schema", outcome, detail)
        };
        let own = [verdict_by("schema", VerdictOutcome::Passed, "fine")];
        let passed = [by_hand(VerdictOutcome::Passed, "")];
        let failed = [by_hand(VerdictOutcome::Failed, "row 3")];
        for (state, verdicts, words, is_by_hand) in [
            (Passed, &own, "eu", false),
            (Passed, &passed, "eu: schema, by hand", true),
            (Failed, &failed, "eu: schema, by hand: row 3", true),
        ] {
            let told = event_of_set("eu", state, verdicts, &weights());
            assert_eq!(told.map(|(_, words)| words).as_deref(), Some(words));
            assert_eq!(is_decided_by_hand(state, verdicts, &weights()), is_by_hand);
        }
        assert_eq!(event_of_verdict(&passed[0]).1, "schema, by hand");
        assert_eq!(failed[0].agent_with_reason(), "hand (schema): row 3");
    }

    #[test]
    fn a_file_is_told_by_what_it_held_before() {
        let (one, two) = (Some(VersionId(1)), Some(VersionId(2)));
        for (before, now, expected) in [
            (None, None, None),
            (None, one, Some(Action::Published)),
            (one, two, Some(Action::Published)),
            (two, one, Some(Action::Published)),
            (one, one, Some(Action::Republished)),
            (one, None, Some(Action::Withdrawn)),
        ] {
            assert_eq!(event_of_file(before, now), expected, "{before:?} {now:?}");
        }
    }
}
