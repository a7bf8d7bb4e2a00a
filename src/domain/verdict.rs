//! A verdict: what one verifier said of one version, with where it comes from.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::words::words;
use super::{Digest, VerdictId, VersionId, VersionState};

words!(
    "a verdict":
    /// What a verifier said.
    pub enum VerdictOutcome {
        /// The content is good.
        Passed = "passed",
        /// The content is bad.
        Failed = "failed",
        /// The verifier could not judge; says nothing of the content.
        Error = "error",
        /// The verifier was asked and will answer later, until its deadline.
        Pending = "pending",
    }
);

/// What a verifier found, before it is a verdict on a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it said.
    pub outcome: VerdictOutcome,
    /// Why, in one line for people.
    pub detail: String,
    /// The exit code of a program.
    pub exit_code: Option<i32>,
    /// What a program wrote to stdout and stderr, head and tail, capped; controls other than newline and tab replaced.
    pub output: String,
}

/// In the line that stands for what a program wrote between the head and the tail that are kept, behind a number.
pub const OMITTED: &str = "bytes omitted …";

/// Begins the detail of a judgement that is none.
const COULD_NOT: &str = "could not judge: ";

impl Judgement {
    /// Returns the judgement of a verifier that could not judge, with why.
    pub fn error(why: &str) -> Self {
        Self {
            outcome: VerdictOutcome::Error,
            detail: format!("{COULD_NOT}{why}"),
            exit_code: None,
            output: String::new(),
        }
    }

    /// Returns why, for a line that says already whether it was judged.
    pub fn reason(&self) -> &str {
        self.detail.strip_prefix(COULD_NOT).unwrap_or(&self.detail)
    }
}

/// Identifies a judge: another definition or another program file is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The SHA-256 digest of `definition`, in hexadecimal.
    pub hex: String,
    /// What the verifier does, as JSON: kind and parameters, `argv` of a command, digests of the program files. Never a
    /// secret.
    pub definition: String,
}

/// The definition that a person's verdict in the place of a verifier carries.
const OVERRULED: &str = r#"{"outside":true}"#;
/// What the definition of an external verifier has in it, and no other: within a text JSON escapes the quotes.
const EXTERNAL: &str = r#""definition":{"external":true}"#;

/// What stands behind the outcome of a verdict that a person gave in the place of a verifier.
pub const BY_HAND: &str = " by hand";

impl Fingerprint {
    /// Returns the fingerprint of a person's verdict in the place of a verifier.
    pub fn overruled() -> Self {
        Self::of(OVERRULED.to_owned())
    }

    /// Tells whether every file that the verifier names could be read for it.
    pub fn names_every_file(&self) -> bool {
        let files = self.definition.rsplit_once(r#""files":{"#);
        files.is_none_or(|(_, files)| !files.contains("\":null"))
    }

    /// Tells whether somebody outside judges: in the place of a verifier, or as an external one.
    pub fn is_outside(&self) -> bool {
        self.definition == OVERRULED || self.definition.contains(EXTERNAL)
    }

    /// Returns the fingerprint of a definition.
    pub fn of(definition: String) -> Self {
        let hex = Digest::of(definition.as_bytes()).to_hex();
        Self { hex, definition }
    }
}

/// A verdict that is about to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVerdict {
    /// The verifier's name in the configuration.
    pub verifier: String,
    /// Which judge it was.
    pub fingerprint: Fingerprint,
    /// What it found.
    pub judgement: Judgement,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration: Duration,
}

impl NewVerdict {
    /// Tells whether a person gave it in the place of a verifier that gannet asks. One of an external verifier, which is always given
    /// from outside, is that verifier's own.
    pub fn is_by_hand(&self) -> bool {
        self.fingerprint.definition == OVERRULED
    }

    /// Returns `failed`, or `failed by hand`.
    pub fn outcome_words(&self) -> String {
        let by_hand = if self.is_by_hand() { BY_HAND } else { "" };
        format!("{}{by_hand}", self.judgement.outcome)
    }

    /// Returns the verifier, as the subject of why something failed: `schema`, or `schema, by hand`.
    pub fn judge_words(&self) -> String {
        if self.is_by_hand() {
            format!("{},{BY_HAND}", self.verifier)
        } else {
            self.verifier.clone()
        }
    }

    /// Returns the judge, to stand behind `failed by`: `schema`, or `hand (schema)`.
    pub fn agent_words(&self) -> String {
        if self.is_by_hand() {
            format!("hand ({})", self.verifier)
        } else {
            self.verifier.clone()
        }
    }

    /// Returns who said it, and why: `schema: line 3`, or `schema, by hand: line 3`.
    pub fn with_reason(&self) -> String {
        self.reason_behind(self.judge_words())
    }

    /// Returns the same to stand behind `failed by`: `hand (schema): line 3`.
    pub fn agent_with_reason(&self) -> String {
        self.reason_behind(self.agent_words())
    }

    fn reason_behind(&self, judge: String) -> String {
        match self.judgement.detail.as_str() {
            "" => judge,
            detail => format!("{judge}: {detail}"),
        }
    }

    /// Tells whether somebody outside found the content bad: that stands for the same bytes wherever they come again, until
    /// somebody outside passes them or the verifier is asked again.
    pub fn is_refusal(&self) -> bool {
        self.judgement.outcome == VerdictOutcome::Failed && self.fingerprint.is_outside()
    }
}

/// Returns the verdict that made a version or an edition `failed` or `error`: of the verifiers whose last verdict says that,
/// the one that spoke last. Nothing for another state.
pub fn deciding_verdict<'a>(
    state: VersionState,
    newest_first: impl Iterator<Item = &'a NewVerdict>,
) -> Option<&'a NewVerdict> {
    let mut seen = HashSet::new();
    let mut last = newest_first.filter(|verdict| seen.insert(verdict.verifier.as_str()));
    last.find(|verdict| state.is_because_of(verdict.judgement.outcome))
}

/// Returns each verifier's last verdict by the verifier's name.
pub fn newest_by_verifier<'a>(
    oldest_first: impl IntoIterator<Item = &'a NewVerdict>,
) -> HashMap<&'a str, &'a NewVerdict> {
    oldest_first
        .into_iter()
        .map(|verdict| (verdict.verifier.as_str(), verdict))
        .collect()
}

/// Returns the last verdict of each verifier, which is the one that counts, in the order in which the verifiers spoke first.
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

/// A verdict as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which verdict.
    pub id: VerdictId,
    /// On which version.
    pub version_id: VersionId,
    /// What was recorded.
    pub verdict: NewVerdict,
    /// Who ran the verifier or gave the verdict.
    pub actor: String,
    /// The version with the same bytes on which it was given; nothing when that is this one.
    pub given_on: Option<VersionId>,
}

/// Returns the detail of a verdict; one that was given on another version or edition with the same contents says on which.
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
    fn the_last_word_of_each_verifier_decides() {
        use VerdictOutcome::{Error, Failed, Passed};
        for (state, newest_first, expected) in [
            (VersionState::Failed, &[("a", Failed)][..], Some("a")),
            (
                VersionState::Failed,
                &[("b", Failed), ("a", Failed)],
                Some("b"),
            ),
            // What `b` said first does not count any more.
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
