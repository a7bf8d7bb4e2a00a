//! The verifiers that apply to a version, their weights, and the state that their verdicts give it.

use std::collections::BTreeMap;

use super::{NewVerdict, VerdictOutcome, VersionState};

/// Whether a verifier's verdict decides about a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The version passes only if this verifier passes it.
    Required,
    /// The verdict is shown, and blocks nothing.
    Advisory,
}

impl Weight {
    /// Returns how a verdict of this weight keeps a version from passing: `failed verification by schema: line 3`.
    pub fn failure_words(self, verdict: &NewVerdict) -> Option<String> {
        let word = match verdict.judgement.outcome {
            VerdictOutcome::Passed | VerdictOutcome::Pending => return None,
            VerdictOutcome::Failed => "failed verification",
            VerdictOutcome::Error => "could not be verified",
        };
        let advisory = match self {
            Self::Required => "",
            Self::Advisory => " (advisory)",
        };
        let (by, detail) = (verdict.agent_words(), verdict.judgement.reason());
        Some(format!("{word} by {by}{advisory}: {detail}"))
    }
}

/// The weight of each verifier that applies to a version, by the verifier's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights(BTreeMap<String, Weight>);

impl FromIterator<(String, Weight)> for Weights {
    fn from_iter<T: IntoIterator<Item = (String, Weight)>>(verifiers: T) -> Self {
        Self(verifiers.into_iter().collect())
    }
}

impl Weights {
    /// Returns the state of a version, given the `newest` verdict of each verifier. Other verifiers' verdicts are
    /// ignored.
    pub fn state(&self, newest: &BTreeMap<String, VerdictOutcome>) -> VersionState {
        state_from(
            self.0
                .iter()
                .map(|(name, weight)| (*weight, newest.get(name).copied())),
        )
    }

    /// Returns whether the verifier is required.
    pub fn requires(&self, verifier: &str) -> bool {
        self.0.get(verifier) == Some(&Weight::Required)
    }

    /// Returns the names of the required verifiers.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        let required = |(_, weight): &(&String, &Weight)| **weight == Weight::Required;
        self.0
            .iter()
            .filter(required)
            .map(|(name, _)| name.as_str())
    }

    /// Returns the state of a new version, before any verdict.
    pub fn first_state(&self) -> VersionState {
        self.state(&BTreeMap::new())
    }
}

/// Derives a version's state from the newest verdict of each verifier that applies, `None` for one without a verdict.
///
/// Advisory verifiers are ignored. Of the required ones, a failure decides at once; else a missing answer keeps the
/// version pending; else an error makes it `error`; `passed` needs all of them.
pub fn state_from(
    verdicts: impl IntoIterator<Item = (Weight, Option<VerdictOutcome>)>,
) -> VersionState {
    let mut state = VersionState::Unverified;
    for (weight, outcome) in verdicts {
        if weight == Weight::Advisory {
            continue;
        }
        let this = match outcome {
            Some(VerdictOutcome::Failed) => VersionState::Failed,
            Some(VerdictOutcome::Pending) | None => VersionState::Pending,
            Some(VerdictOutcome::Error) => VersionState::Error,
            Some(VerdictOutcome::Passed) => VersionState::Passed,
        };
        state = decisive(state, this);
    }
    state
}

/// Returns the state that decides when verifiers disagree.
fn decisive(one: VersionState, other: VersionState) -> VersionState {
    let gravity = |state| match state {
        VersionState::Unverified => 0,
        VersionState::Passed => 1,
        VersionState::Error => 2,
        VersionState::Pending => 3,
        VersionState::Failed => 4,
    };
    if gravity(other) > gravity(one) {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use VerdictOutcome::{Error, Failed, Passed, Pending};

    const ANSWERS: [Option<VerdictOutcome>; 5] =
        [None, Some(Passed), Some(Failed), Some(Error), Some(Pending)];
    const WEIGHTS: [Weight; 2] = [Weight::Required, Weight::Advisory];

    fn letter(answer: Option<VerdictOutcome>) -> char {
        match answer {
            None => '-',
            Some(Passed) => 'p',
            Some(Failed) => 'f',
            Some(Error) => 'e',
            Some(Pending) => '?',
        }
    }

    /// Every pair of required verifiers: rows and columns in the order of `ANSWERS`.
    #[test]
    fn every_pair_of_required_verdicts_has_its_state() {
        let table = [
            "pending pending failed pending pending",
            "pending passed  failed error   pending",
            "failed  failed  failed failed  failed",
            "pending error   failed error   pending",
            "pending pending failed pending pending",
        ];
        for (first, row) in ANSWERS.into_iter().zip(table) {
            for (second, expected) in ANSWERS.into_iter().zip(row.split_whitespace()) {
                let state = state_from([(Weight::Required, first), (Weight::Required, second)]);
                let pair = [letter(first), letter(second)];
                assert_eq!(state.as_str(), expected, "{pair:?}");
            }
        }
    }

    #[test]
    fn one_verifier_gives_its_state() {
        let expected = ["pending", "passed", "failed", "error", "pending"];
        for (answer, expected) in ANSWERS.into_iter().zip(expected) {
            assert_eq!(state_from([(Weight::Required, answer)]).as_str(), expected);
            let advisory = state_from([(Weight::Advisory, answer)]);
            assert_eq!(advisory, VersionState::Unverified, "{answer:?}");
        }
        assert_eq!(state_from([]), VersionState::Unverified);
    }

    /// Every combination of three verifiers, required or advisory, in every answer, in every order.
    #[test]
    fn advisory_verdicts_and_the_order_change_nothing() {
        let kinds: Vec<_> = WEIGHTS
            .into_iter()
            .flat_map(|weight| ANSWERS.map(|answer| (weight, answer)))
            .collect();
        for one in &kinds {
            for two in &kinds {
                for three in &kinds {
                    let all = [*one, *two, *three];
                    let state = state_from(all);
                    let required = all
                        .into_iter()
                        .filter(|(weight, _)| *weight == Weight::Required);
                    assert_eq!(state_from(required), state, "{all:?}");
                    for [a, b, c] in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                        assert_eq!(state_from([all[a], all[b], all[c]]), state, "{all:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn verdicts_of_others_have_no_say() {
        let weights: Weights = [
            ("schema".to_owned(), Weight::Required),
            ("size".to_owned(), Weight::Advisory),
        ]
        .into_iter()
        .collect();
        let newest = |pairs: &[(&str, VerdictOutcome)]| {
            pairs
                .iter()
                .map(|(name, outcome)| ((*name).to_owned(), *outcome))
                .collect()
        };
        assert_eq!(weights.first_state(), VersionState::Pending);
        assert_eq!(Weights::default().first_state(), VersionState::Unverified);
        let verdicts = newest(&[("schema", Passed), ("size", Failed), ("gone", Failed)]);
        assert_eq!(weights.state(&verdicts), VersionState::Passed);
        assert_eq!(
            weights.state(&newest(&[("size", Passed)])),
            VersionState::Pending
        );
    }
}
