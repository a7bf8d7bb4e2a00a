//! What to do about each verifier of a version or an edition, given its last verdict. Never runs one.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::{App, Result};
use crate::config::VerifierKind;
use crate::domain::{
    CLOCK_TOLERANCE, Judgement, NewVerdict, Source, SourceId, Verdict, VerdictOutcome, Version,
    VersionId, VersionState, Weight, duration_words, newest_by_verifier,
};
use crate::store::PromisedBy;
use crate::verify::Verifier;

/// Which verifiers to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// All that can be asked, whatever their last verdicts.
    Again,
    /// All that can be asked, except where a verdict by hand counts.
    Stale,
    /// Undecided ones of this weight; one that promised a verdict has until its deadline.
    Undecided(Weight),
}

/// What to do about one verifier.
pub(in crate::app) enum Step {
    /// The verifier has a verdict, or time left.
    Nothing,
    /// Run the verifier.
    Run,
    /// Record this judgement without a run: a verdict is awaited from now on, or overdue, or the verifier may not run.
    Decide(Judgement),
}

impl Step {
    fn promise() -> Self {
        let detail = "waits for a verdict from outside";
        Self::Decide(Judgement::new(VerdictOutcome::Pending, detail))
    }

    fn too_late(deadline: Duration) -> Self {
        let why = format!("no verdict within {}", duration_words(deadline));
        Self::Decide(Judgement::error(&why))
    }
}

impl App {
    /// Returns the step for each verifier that applies; after `too_often`, none is run on this machine.
    pub(super) async fn steps_for(
        &self,
        source: &Source,
        version: &Version,
        earlier: &[Verdict],
        too_often: Option<&Judgement>,
        ask: Ask,
    ) -> Result<Vec<(Arc<Verifier>, Step)>> {
        let newest = newest_by_verifier(earlier.iter().map(|one| &one.verdict));
        let outlisted = self.outlisted_verifiers(source, version, &newest).await?;
        let with_step = |verifier: Arc<Verifier>| {
            // A verdict by an older list does not count as a verdict by the present one.
            let counts = |_: &&NewVerdict| !outlisted.iter().any(|one| one == verifier.name());
            let last = newest.get(verifier.name()).copied().filter(counts);
            let step = match (self.next_step(&verifier, last, ask), too_often) {
                (Step::Run, Some(why)) if verifier.is_run() => match last {
                    Some(last) if last.judgement == *why => Step::Nothing,
                    _ => Step::Decide(why.clone()),
                },
                (step, _) => step,
            };
            (verifier, step)
        };
        let verifiers = self.verifiers_for(&source.settings).into_iter();
        Ok(verifiers.map(with_step).collect())
    }

    /// Returns the step for a verifier, given its last verdict.
    pub(in crate::app) fn next_step(
        &self,
        verifier: &Verifier,
        last: Option<&NewVerdict>,
        ask: Ask,
    ) -> Step {
        let outcome = last.map(|verdict| verdict.judgement.outcome);
        let ask = match ask {
            Ask::Stale if last.is_some_and(NewVerdict::is_by_hand) => return Step::Nothing,
            Ask::Stale => Ask::Again,
            ask => ask,
        };
        if let Ask::Undecided(weight) = ask {
            use VerdictOutcome::{Failed, Passed};
            if verifier.weight() != weight || matches!(outcome, Some(Passed | Failed)) {
                return Step::Nothing;
            }
        }
        let deadline = match verifier.kind() {
            VerifierKind::Command { .. } | VerifierKind::Builtin(_) => return Step::Run,
            VerifierKind::Http { .. } if ask == Ask::Again => return Step::Run,
            VerifierKind::Http { deadline, .. } | VerifierKind::External { deadline } => *deadline,
        };
        let is_external = matches!(verifier.kind(), VerifierKind::External { .. });
        match (last, outcome) {
            (Some(promise), Some(VerdictOutcome::Pending))
                if !is_from_the_future(promise, self.now()) =>
            {
                let waited = self.now() - promise.started_at;
                if waited.to_std().is_ok_and(|waited| waited >= deadline) {
                    Step::too_late(deadline)
                } else {
                    Step::Nothing
                }
            }
            (Some(_), Some(VerdictOutcome::Pending)) | (None, _) if is_external => Step::promise(),
            (Some(_), _) if is_external => Step::Nothing,
            _ => Step::Run,
        }
    }

    /// Returns those of these sources whose newest version waits for a verdict that is overdue. Passes record an
    /// overdue verdict as an error, where they may judge.
    pub async fn overdue(&self, sources: &[Source]) -> Result<HashSet<SourceId>> {
        let pending = sources
            .iter()
            .filter(|source| source.state.version_state == Some(VersionState::Pending));
        let pending = pending.filter_map(|source| Some((source, source.state.version_id?)));
        let mut pending = pending.collect::<Vec<_>>();
        let versions = pending.iter().map(|(_, version)| *version).collect();
        let Some(promised_by) = self.earliest_deadline().and_then(|deadline| {
            let deadline = TimeDelta::from_std(deadline).ok()?;
            self.now().checked_sub_signed(deadline)
        }) else {
            return Ok(HashSet::new());
        };
        let promised = self.read(PromisedBy(versions, promised_by)).await?;
        pending.retain(|(_, version)| promised.contains(version));
        let verdicts = self.verdicts_on_all(promised.into_iter().collect()).await?;
        let is_overdue = |(source, version): &(&Source, VersionId)| {
            let verdicts = verdicts.get(version).map_or(&[][..], Vec::as_slice);
            let last = newest_by_verifier(verdicts.iter().map(|one| &one.verdict));
            let ask = Ask::Undecided(Weight::Required);
            self.verifiers_for(&source.settings).iter().any(|verifier| {
                let last = last.get(verifier.name()).copied();
                let step = self.next_step(verifier, last, ask);
                matches!(step, Step::Decide(late) if late.outcome == VerdictOutcome::Error)
            })
        };
        let overdue = pending.into_iter().filter(is_overdue);
        Ok(overdue.map(|(source, _)| source.id).collect())
    }

    /// Returns the shortest time that any verifier has for a verdict that it promised.
    fn earliest_deadline(&self) -> Option<Duration> {
        let configured = self.configured();
        let deadlines = configured
            .verifiers
            .iter()
            .filter_map(|one| match one.kind() {
                VerifierKind::Http { deadline, .. } | VerifierKind::External { deadline } => {
                    Some(*deadline)
                }
                VerifierKind::Command { .. } | VerifierKind::Builtin(_) => None,
            });
        deadlines.min()
    }
}

/// Returns whether a promise was recorded with a clock that ran ahead, which would delay its deadline.
fn is_from_the_future(promise: &NewVerdict, now: DateTime<Utc>) -> bool {
    promise.started_at > now + CLOCK_TOLERANCE
}
