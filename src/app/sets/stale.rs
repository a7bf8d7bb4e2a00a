//! Judges sets that lack present verdicts: new combinations, and editions whose verifiers have changed.

use std::collections::HashMap;

use crate::app::judging::stale::{JudgedAgain, StaleProgress, is_another, why_it_stands};
use crate::app::{App, Ask, ErrorKind, Result, VerifiedSet};
use crate::domain::{
    Edition, Fingerprint, NewVerdict, SetBlocked, VersionState, Weight, combination_key,
    newest_by_verifier, ready_to_judge,
};
use crate::store::{EditionWithId, NewestEdition, SetMembers, VerdictsOnEdition};

/// A judged edition, and its state before; `None` for a new one.
type Judged = (Option<VersionState>, VerifiedSet);

impl App {
    /// Judges each set's ready combination if it is new, else its newest edition, and the edition that readers see,
    /// when the verdicts are not by the present verifiers. Published folders follow.
    pub(in crate::app) async fn judge_stale_sets(
        &self,
        progress: &mut StaleProgress,
        tell: &mut impl FnMut(StaleProgress, Option<JudgedAgain<'_>>),
    ) -> Result<()> {
        let fingerprints = self.judges_now().await;
        let problems = self.set_problems().await?;
        let names = self.set_names().into_iter();
        for set in names.filter(|name| !problems.contains_key(name)) {
            let judged = match self.judge_stale_set(&set, &fingerprints, progress).await {
                // A member was purged meanwhile: the next pass judges the set without it.
                Err(error) if error.kind == ErrorKind::NotFound => continue,
                judged => judged?,
            };
            let any = |state| judged.iter().any(|(_, one)| one.edition.state == state);
            let states = [
                VersionState::Failed,
                VersionState::Error,
                VersionState::Pending,
            ];
            let is_bad = any(VersionState::Failed) || any(VersionState::Error);
            progress.sets_pending += u64::from(any(VersionState::Pending) && !is_bad);
            progress.sets += u64::from(!judged.is_empty());
            progress.sets_failed += u64::from(states.into_iter().any(any));
            progress.sets_unverified += u64::from(any(VersionState::Unverified));
            let is_said = |(before, one): &&Judged| {
                let state = one.edition.state;
                *before != Some(state) || states.contains(&state)
            };
            for (_, one) in judged.iter().filter(is_said) {
                let standing = self.why_edition_counted(one).await?;
                tell(*progress, Some(JudgedAgain::Set(one, &standing)));
            }
        }
        Ok(())
    }

    /// Returns the verdicts behind an edition's state when no verifier was asked.
    async fn why_edition_counted(&self, judged: &VerifiedSet) -> Result<Vec<NewVerdict>> {
        let edition = &judged.edition;
        if !judged.verdicts.is_empty() {
            return Ok(Vec::new());
        }
        let said = self.read(VerdictsOnEdition(edition.id)).await?.into_iter();
        Ok(why_it_stands(edition.state, said.map(|one| one.verdict)))
    }

    async fn judge_stale_set(
        &self,
        name: &str,
        fingerprints: &HashMap<String, String>,
        progress: &mut StaleProgress,
    ) -> Result<Vec<Judged>> {
        let _lock = self.lock_sets().await?;
        let members = self.read(SetMembers(name.to_owned(), self.now())).await?;
        let newest = self.read(NewestEdition(name.to_owned())).await?;
        let mut judged = Vec::new();
        let mut advice_is_due = false;
        match (ready_to_judge(&members), newest) {
            (Ok(combination), newest)
                if newest.as_ref().map(|one| one.key) != Some(combination_key(&combination)) =>
            {
                let ask = Ask::Undecided(Weight::Required);
                let edition = self.judge_combination(name, combination, ask).await?;
                judged.push((None, edition));
                advice_is_due = true;
            }
            (_, Some(newest)) => judged.extend(self.judge_if_stale(newest, fingerprints).await?),
            (Err(SetBlocked::Empty) | Ok(_), None) => {}
            (Err(_), None) => progress.sets_waiting += 1,
        }
        self.judge_what_is_served(name, fingerprints, &mut judged)
            .await?;
        progress.by_hand += self.count_by_hand_on_set(name).await?;
        if advice_is_due && let Some((_, newest)) = judged.first_mut() {
            let ask = Ask::Undecided(Weight::Advisory);
            *newest = self.judge_edition(newest.edition.clone(), ask).await?;
        }
        Ok(judged)
    }

    /// Judges the edition that readers should see until it is not stale, then updates the folder: readers see no
    /// edition on the way that is found bad a moment later.
    async fn judge_what_is_served(
        &self,
        name: &str,
        fingerprints: &HashMap<String, String>,
        judged: &mut Vec<Judged>,
    ) -> Result<()> {
        // A failure here is reported by the update at the end.
        while let Ok(Some(id)) = self.edition_to_serve(name).await {
            if judged.iter().any(|(_, one)| one.edition.id == id) {
                break;
            }
            let edition = self.read(EditionWithId(id)).await?;
            match self.judge_if_stale(edition, fingerprints).await? {
                Some(one) => judged.push(one),
                None => break,
            }
        }
        self.settle_recorded_set(name).await.map(drop)
    }

    async fn judge_if_stale(
        &self,
        edition: Edition,
        fingerprints: &HashMap<String, String>,
    ) -> Result<Option<Judged>> {
        if !self.is_edition_stale(&edition, fingerprints).await? {
            return Ok(None);
        }
        let before = Some(edition.state);
        let judged = self.judge_edition(edition, Ask::Stale).await?;
        Ok(Some((before, judged)))
    }

    /// Counts the verifiers whose last verdict on the set's newest or published edition is by hand.
    async fn count_by_hand_on_set(&self, name: &str) -> Result<u64> {
        let newest = self.read(NewestEdition(name.to_owned())).await?;
        let mut editions: Vec<_> = newest.into_iter().map(|edition| edition.id).collect();
        let served = self.published_edition(name).await?;
        editions.extend(served.filter(|id| !editions.contains(id)));
        let mut by_hand = 0;
        for edition in editions {
            let verdicts = self.read(VerdictsOnEdition(edition)).await?;
            let last = newest_by_verifier(verdicts.iter().map(|one| &one.verdict));
            let verifiers = self.verifiers_of_set(name).into_iter();
            by_hand += verifiers
                .filter(|one| last.get(one.name()).is_some_and(|last| last.is_by_hand()))
                .count() as u64;
        }
        Ok(by_hand)
    }

    /// Reports whether a present verifier has no verdict on the edition, or its verdicts count differently now.
    async fn is_edition_stale(
        &self,
        edition: &Edition,
        fingerprints: &HashMap<String, String>,
    ) -> Result<bool> {
        let verdicts = self.read(VerdictsOnEdition(edition.id)).await?;
        let last = newest_by_verifier(verdicts.iter().map(|one| &one.verdict));
        let overruled = Fingerprint::overruled().hex;
        let is_stale = self.verifiers_of_set(&edition.set).iter().any(|verifier| {
            let last = last.get(verifier.name()).map(|one| &one.fingerprint.hex);
            is_another(last, fingerprints.get(verifier.name()), &overruled)
        });
        let outcomes = last
            .iter()
            .map(|(name, one)| ((*name).to_owned(), one.judgement.outcome));
        let weights = self.configured().policy.for_set(&edition.set);
        Ok(is_stale || weights.state(&outcomes.collect()) != edition.state)
    }
}
