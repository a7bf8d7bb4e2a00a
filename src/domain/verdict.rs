//! A verdict: the outcome of one verifier for one version, and its origin.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::words::words;
use super::{Digest, VerdictId, VersionId, VersionState};

words!(
    "a verdict":
    /// The outcome of a verifier.
    pub enum VerdictOutcome {
        /// The content is good.
        Passed = "passed",
        /// The content is bad.
        Failed = "failed",
        /// The verifier could not judge: the content may be good or bad.
        Error = "error",
        /// The verifier was asked and will answer later, until its deadline.
        Pending = "pending",
    }
);

/// What a verifier found, before it is recorded as a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The outcome.
    pub outcome: VerdictOutcome,
    /// The reason, in one line for people.
    pub detail: String,
    /// The exit code of a program.
    pub exit_code: Option<i32>,
    /// The program's stdout and stderr, head and tail, capped; controls other than newline and tab are replaced.
    pub output: String,
}

/// Follows a number, in the line between head and tail of a program's capped output.
pub const OMITTED: &str = "bytes omitted …";

/// Begins the detail of an `error` judgement.
const COULD_NOT: &str = "could not judge: ";

impl Judgement {
    /// Returns the judgement of a verifier that could not judge, with the reason.
    pub fn error(why: &str) -> Self {
        Self::new(VerdictOutcome::Error, format!("{COULD_NOT}{why}"))
    }

    /// Returns a judgement without an exit code and without output.
    pub fn new(outcome: VerdictOutcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            detail: detail.into(),
            exit_code: None,
            output: String::new(),
        }
    }

    /// Returns the reason, for a line that states already that the verifier could not judge.
    pub fn reason(&self) -> &str {
        self.detail.strip_prefix(COULD_NOT).unwrap_or(&self.detail)
    }
}

/// Identifies a verifier's form: a changed definition or program file gives another fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The SHA-256 digest of `definition`, in hexadecimal.
    pub hex: String,
    /// The definition, as JSON: kind and parameters, `argv` of a command, digests of the program files. Never a secret.
    pub definition: String,
}

/// The definition of a verdict by which a person overrules a verifier.
const OVERRULED: &str = r#"{"outside":true}"#;
/// Text that only the definition of an external verifier contains: in a string, JSON would escape the quotes.
const EXTERNAL: &str = r#""definition":{"external":true}"#;

/// Follows the outcome of a verdict by which a person overruled a verifier.
pub const BY_HAND: &str = " by hand";

impl Fingerprint {
    /// Returns the fingerprint of a verdict by which a person overrules a verifier.
    pub fn overruled() -> Self {
        Self::of(OVERRULED.to_owned())
    }

    /// Returns whether every file in the definition could be read for its digest.
    pub fn names_every_file(&self) -> bool {
        let files = self.definition.rsplit_once(r#""files":{"#);
        files.is_none_or(|(_, files)| !files.contains("\":null"))
    }

    /// Returns whether the verdict is from outside: a person overrules a verifier, or the verifier is external.
    pub fn is_outside(&self) -> bool {
        self.definition == OVERRULED || self.definition.contains(EXTERNAL)
    }

    /// Returns the fingerprint of a definition.
    pub fn of(definition: String) -> Self {
        let hex = Digest::of(definition.as_bytes()).to_hex();
        Self { hex, definition }
    }
}

/// A verdict that is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVerdict {
    /// The verifier's name in the configuration.
    pub verifier: String,
    /// The fingerprint of the verifier that judged.
    pub fingerprint: Fingerprint,
    /// The outcome, with its reason.
    pub judgement: Judgement,
    /// When the verifier began.
    pub started_at: DateTime<Utc>,
    /// How long the verifier took.
    pub duration: Duration,
}

impl NewVerdict {
    /// Returns whether a person overruled a verifier that gannet runs. The verdict of an external verifier is its own,
    /// although it comes from outside.
    pub fn is_by_hand(&self) -> bool {
        self.fingerprint.definition == OVERRULED
    }

    /// Returns `failed`, or `failed by hand`.
    pub fn outcome_words(&self) -> String {
        let by_hand = if self.is_by_hand() { BY_HAND } else { "" };
        format!("{}{by_hand}", self.judgement.outcome)
    }

    /// Returns the verifier as a subject: `schema`, or `schema, by hand`.
    pub fn judge_words(&self) -> String {
        if self.is_by_hand() {
            format!("{},{BY_HAND}", self.verifier)
        } else {
            self.verifier.clone()
        }
    }

    /// Returns the verifier as an agent, behind `failed by`: `schema`, or `hand (schema)`.
    pub(super) fn agent_words(&self) -> String {
        if self.is_by_hand() {
            format!("hand ({})", self.verifier)
        } else {
            self.verifier.clone()
        }
    }

    /// Returns the verifier and the reason: `schema: line 3`, or `schema, by hand: line 3`.
    pub fn with_reason(&self) -> String {
        self.reason_behind(self.judge_words())
    }

    /// Returns the verifier and the reason, behind `failed by`: `hand (schema): line 3`.
    pub fn agent_with_reason(&self) -> String {
        self.reason_behind(self.agent_words())
    }

    fn reason_behind(&self, judge: String) -> String {
        match self.judgement.detail.as_str() {
            "" => judge,
            detail => format!("{judge}: {detail}"),
        }
    }

    /// Returns whether the verdict is a refusal, *failed* from outside. A refusal holds for the same bytes wherever
    /// they come again, until a verdict from outside passes them or the verifier is asked again.
    pub fn is_refusal(&self) -> bool {
        self.judgement.outcome == VerdictOutcome::Failed && self.fingerprint.is_outside()
    }
}

/// Returns the verdict that made a version or an edition `failed` or `error`: the latest among the last verdicts of
/// each verifier with that outcome. `None` for any other state.
pub fn deciding_verdict<'a>(
    state: VersionState,
    newest_first: impl Iterator<Item = &'a NewVerdict>,
) -> Option<&'a NewVerdict> {
    deciding_verdicts(state, newest_first).next()
}

/// Returns every verdict that made a version or an edition `failed` or `error`, the latest first: the last of each verifier
/// with that outcome.
pub fn deciding_verdicts<'a>(
    state: VersionState,
    newest_first: impl Iterator<Item = &'a NewVerdict>,
) -> impl Iterator<Item = &'a NewVerdict> {
    let mut seen = HashSet::new();
    let last = newest_first.filter(move |verdict| seen.insert(verdict.verifier.as_str()));
    last.filter(move |verdict| state.follows_from(verdict.judgement.outcome))
}

/// Returns each verifier's last verdict, keyed by the verifier's name.
pub fn newest_by_verifier<'a>(
    oldest_first: impl IntoIterator<Item = &'a NewVerdict>,
) -> HashMap<&'a str, &'a NewVerdict> {
    oldest_first
        .into_iter()
        .map(|verdict| (verdict.verifier.as_str(), verdict))
        .collect()
}

/// Returns the last verdict of each verifier, the one that counts, ordered by the verifiers' first verdicts.
pub fn last_of_each<T>(oldest_first: &[T], verdict: impl Fn(&T) -> &NewVerdict) -> Vec<&T> {
    let mut last: Vec<&T> = Vec::new();
    for one in oldest_first {
        let verifier = &verdict(one).verifier;
        match last
            .iter_mut()
            .find(|known| verdict(known).verifier == *verifier)
        {
            Some(known) => *known = one,
            None => last.push(one),
        }
    }
    last
}

/// Returns the verifiers among these that owe a verdict: those that promised one, and those without any on a version or
/// an edition that waits.
pub fn owing<'a>(
    verifiers: &'a [String],
    state: VersionState,
    oldest_first: impl IntoIterator<Item = &'a NewVerdict>,
) -> Vec<&'a str> {
    let last = newest_by_verifier(oldest_first);
    let owes = |name: &&str| match last.get(name) {
        Some(own) => own.judgement.outcome == VerdictOutcome::Pending,
        None => state == VersionState::Pending,
    };
    verifiers.iter().map(String::as_str).filter(owes).collect()
}

/// A verdict as the store records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The verdict's id.
    pub id: VerdictId,
    /// The version that was judged.
    pub version_id: VersionId,
    /// What was recorded.
    pub verdict: NewVerdict,
    /// Who ran the verifier or gave the verdict.
    pub actor: String,
    /// The version with the same bytes for which the verdict was given first; `None` when that is this version.
    pub given_on: Option<VersionId>,
}

/// Returns the detail of a verdict, with the version or edition of the same contents for which it was given first.
pub fn with_origin(detail: &str, given_on: Option<String>) -> String {
    match given_on {
        None => detail.to_owned(),
        Some(other) if detail.is_empty() => format!("of the same contents as {other}"),
        Some(other) => format!("{detail}; of the same contents as {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(verifier: &str, outcome: VerdictOutcome) -> NewVerdict {
        let mut judgement = Judgement::error("");
        judgement.outcome = outcome;
        NewVerdict {
            verifier: verifier.to_owned(),
            fingerprint: Fingerprint::of(String::new()),
            judgement,
            started_at: DateTime::UNIX_EPOCH,
            duration: Duration::ZERO,
        }
    }

    #[test]
    fn a_verdict_is_owed_by_who_promised_it_and_by_who_is_waited_for() {
        use VerdictOutcome::{Error, Failed, Passed, Pending};
        let verifiers = ["a", "b"].map(str::to_owned);
        for (state, oldest_first, expected) in [
            (
                VersionState::Pending,
                &[("a", Pending)][..],
                &["a", "b"][..],
            ),
            (
                VersionState::Pending,
                &[("a", Pending), ("b", Passed)],
                &["a"],
            ),
            (
                VersionState::Pending,
                &[("a", Pending), ("a", Passed), ("b", Pending)],
                &["b"],
            ),
            (
                VersionState::Passed,
                &[("a", Pending), ("b", Passed)],
                &["a"],
            ),
            (VersionState::Error, &[("a", Error)], &[]),
            (VersionState::Failed, &[("a", Failed), ("c", Pending)], &[]),
            (VersionState::Unverified, &[], &[]),
        ] {
            let verdicts = oldest_first.iter();
            let verdicts: Vec<_> = verdicts.map(|(name, one)| said(name, *one)).collect();
            let found = owing(&verifiers, state, &verdicts);
            assert_eq!(found, expected, "{state} {oldest_first:?}");
        }
    }

    #[test]
    fn the_last_word_of_each_verifier_decides() {
        use VerdictOutcome::{Error, Failed, Passed};
        for (state, newest_first, expected) in [
            (VersionState::Failed, &[("a", Failed)][..], Some("a")),
            (
                VersionState::Failed,
                &[("b", Failed), ("a", Failed)],
                Some("b"),
            ),
            // The first verdict of `b` no longer counts.
            (
                VersionState::Failed,
                &[("b", Passed), ("b", Failed), ("a", Failed)],
                Some("a"),
            ),
            (
                VersionState::Failed,
                &[("b", Error), ("a", Failed)],
                Some("a"),
            ),
            (
                VersionState::Error,
                &[("b", Passed), ("a", Error)],
                Some("a"),
            ),
            (VersionState::Passed, &[("b", Passed), ("a", Failed)], None),
            (VersionState::Error, &[], None),
        ] {
            let verdicts: Vec<_> = newest_first
                .iter()
                .map(|(name, outcome)| said(name, *outcome))
                .collect();
            let found = deciding_verdict(state, verdicts.iter()).map(|one| one.verifier.as_str());
            assert_eq!(found, expected, "{state} {newest_first:?}");
        }
    }
}
