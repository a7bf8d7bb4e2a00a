//! Judges again whatever an earlier definition or program of a verifier judged.
//!
//! Every new verdict has the new fingerprint, so an interrupted run continues where it stopped.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;

use super::death::killed_too_often;
use super::step::Step;
use crate::app::{App, Error, Result, Verified, VerifiedSet};
use crate::config::VerifierKind;
use crate::domain::{
    Fingerprint, NewVerdict, Source, SourceId, SourceKey, VerdictId, Version, VersionId,
    VersionState, last_of_each,
};
use crate::store::{JudgedBy, JudgedOrder, JudgedRequest, SourceFilter, VersionForJudging};
use crate::verify::Verifier;

/// Versions read at once.
const PAGE: usize = 1024;
/// Versions judged at once: enough for many to share one commit.
const AT_ONCE: usize = 64;
/// Memory for contents being judged, in units of 1 KiB; a larger content is judged alone.
const CONTENT_KIB: u32 = 256 << 10;

/// Which versions to judge again.
#[derive(Clone, Debug, Default)]
pub struct StaleRequest {
    /// Only versions of the selected sources; of all sources without selectors.
    pub selectors: Vec<String>,
    /// Start with the newest version instead of the oldest.
    pub newest_first: bool,
}

/// The progress of judging again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StaleProgress {
    /// Versions with a missing or an earlier verdict, or whose verdicts count differently now.
    pub total: u64,
    /// Of those, the number done so far.
    pub done: u64,
    /// Versions whose state changed.
    pub changed: u64,
    /// Done versions that passed.
    pub passed: u64,
    /// Done versions that no required verifier judges any more.
    pub unverified: u64,
    /// Done versions that failed.
    pub failed: u64,
    /// Done versions in error or pending.
    pub undecided: u64,
    /// Pending ones among the undecided, which are no failures.
    pub waiting: u64,
    /// Sets with an edition judged, again or for the first time.
    pub sets: u64,
    /// Of those sets, the ones that did not pass.
    pub sets_failed: u64,
    /// Of the sets that did not pass, the ones that wait for a verdict, which are no failures.
    pub sets_pending: u64,
    /// Sets that no required verifier judges.
    pub sets_unverified: u64,
    /// Sets that were never judged, and wait for a member.
    pub sets_waiting: u64,
    /// Verdicts by hand that count in a verifier's place, and are kept.
    pub by_hand: u64,
}

/// A result to report while judging again.
#[derive(Clone, Copy, Debug)]
pub enum JudgedAgain<'a> {
    /// A version whose state changed; with its last verdicts when no verifier was asked and only their weight changed.
    Version(&'a Verified, &'a [NewVerdict]),
    /// A version that failed or could not be judged, as before.
    AsBefore(&'a Verified),
    /// An edition of a set that did not pass, or whose state changed; likewise with its last verdicts.
    Set(&'a VerifiedSet, &'a [NewVerdict]),
}

/// A version to judge again by these verifiers; by none when only its verdicts count differently.
struct Stale {
    version: VersionId,
    source: Arc<Source>,
    verifiers: Vec<Arc<Verifier>>,
}

impl StaleProgress {
    /// Returns whether anything failed or could not be judged. A pending verdict is no failure.
    pub fn has_problems(&self) -> bool {
        let undecided = self.undecided - self.waiting;
        self.failed + undecided + (self.sets_failed - self.sets_pending) > 0
    }

    /// Counts a version by its new state.
    fn count(&mut self, state: VersionState, is_problem: bool) {
        self.waiting += u64::from(state == VersionState::Pending && !is_problem);
        match state {
            VersionState::Passed => self.passed += 1,
            VersionState::Unverified => self.unverified += 1,
            VersionState::Failed => self.failed += 1,
            VersionState::Error | VersionState::Pending => self.undecided += 1,
        }
    }
}

/// Returns how many versions may be judged at once: one when a rule compares each with the last good version.
fn at_once(stale: &[Stale]) -> usize {
    let compares_with_previous = |stale: &Stale| {
        stale
            .verifiers
            .iter()
            .any(|one| one.compares_with_previous())
    };
    if stale.iter().any(compares_with_previous) {
        1
    } else {
        AT_ONCE
    }
}

impl App {
    /// Judges again every version for which an applicable verifier has no verdict, or one with another fingerprint, by
    /// those verifiers only. Without selectors, also judges the ready combination of each set. Published files follow.
    /// Calls `tell` with the progress after each version, and with each version or edition that did not pass, or whose
    /// state changed.
    ///
    /// Damage of a content is returned after the other versions are done. Verdicts from outside are kept.
    pub async fn verify_stale(
        &self,
        request: &StaleRequest,
        mut tell: impl FnMut(StaleProgress, Option<JudgedAgain<'_>>),
    ) -> Result<StaleProgress> {
        self.require_policy().await?;
        let (stale, by_hand) = self.find_stale(request).await?;
        let mut progress = StaleProgress {
            total: stale.len() as u64,
            by_hand,
            ..StaleProgress::default()
        };
        tell(progress, None);
        let mut first_error = self
            .judge_all_stale(stale, &mut progress, &mut tell)
            .await?;
        if request.selectors.is_empty()
            && let Err(error) = self.judge_stale_sets(&mut progress, &mut tell).await
        {
            first_error.get_or_insert(error);
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(progress),
        }
    }

    /// Judges these versions again, several at once. Returns the first error that concerns one version only.
    async fn judge_all_stale(
        &self,
        stale: Vec<Stale>,
        progress: &mut StaleProgress,
        tell: &mut impl FnMut(StaleProgress, Option<JudgedAgain<'_>>),
    ) -> Result<Option<Error>> {
        let memory = Semaphore::new(CONTENT_KIB as usize);
        let at_once = at_once(&stale);
        let mut judged = stream::iter(stale)
            .map(|stale| self.judge_stale(stale, &memory))
            .buffer_unordered(at_once);
        let mut first_error: Option<Error> = None;
        while let Some(result) = judged.next().await {
            progress.done += 1;
            let told = match result {
                Ok(Some((before, verified))) => self.count(before, verified, progress),
                // The version was purged meanwhile.
                Ok(None) => None,
                Err(error) if error.concerns_all() => return Err(error),
                Err(error) => {
                    first_error.get_or_insert(error);
                    None
                }
            };
            let changed = told.as_ref().filter(|(_, is_changed)| *is_changed);
            let standing = self.why_counted(changed.map(|(one, _)| one)).await?;
            let told = told
                .as_ref()
                .map(|(verified, is_changed)| match is_changed {
                    true => JudgedAgain::Version(verified, &standing),
                    false => JudgedAgain::AsBefore(verified),
                });
            tell(*progress, told);
        }
        Ok(first_error)
    }

    /// Counts a version that was judged again. Returns one that is not good or whose state changed, and whether it
    /// changed.
    fn count(
        &self,
        before: VersionState,
        verified: Verified,
        progress: &mut StaleProgress,
    ) -> Option<(Verified, bool)> {
        let is_problem = self.is_problem(&verified);
        progress.count(verified.state, is_problem);
        let is_changed = before != verified.state;
        progress.changed += u64::from(is_changed);
        (is_changed || is_problem).then_some((verified, is_changed))
    }

    /// Returns the verdicts behind a version's state when no verifier was asked: only their weight changed.
    async fn why_counted(&self, changed: Option<&Verified>) -> Result<Vec<NewVerdict>> {
        let Some(one) = changed.filter(|one| one.verdicts.is_empty()) else {
            return Ok(Vec::new());
        };
        let said = self.ports.store.verdicts(one.version.id).await?.into_iter();
        Ok(why_it_stands(one.state, said.map(|one| one.verdict)))
    }

    /// Returns the versions to judge again, and the number of verdicts by hand that are kept.
    async fn find_stale(&self, request: &StaleRequest) -> Result<(Vec<Stale>, u64)> {
        let sources = self.stale_sources(&request.selectors).await?;
        let judges = self.judges_now().await;
        let only: Option<Vec<_>> =
            (!request.selectors.is_empty()).then(|| sources.keys().copied().collect());
        let order = if request.newest_first {
            JudgedOrder::NewestFirst
        } else {
            JudgedOrder::OldestFirst
        };
        let outlisted: HashMap<_, _> = self
            .outlisted(only.as_deref())
            .await?
            .into_iter()
            .map(|one| (one.version, one.verifiers))
            .collect();
        let (mut stale, mut by_hand) = (Vec::new(), 0);
        self.each_judged(only, order, |version| {
            // A source added since was judged by the present verifiers.
            let Some(source) = sources.get(&version.source_id) else {
                return;
            };
            by_hand += self.count_by_hand(&version, source);
            let outlisted = outlisted.get(&version.version_id).map(Vec::as_slice);
            stale.extend(self.stale_of(&version, source, &judges, outlisted.unwrap_or_default()));
        })
        .await?;
        Ok((stale, by_hand))
    }

    /// Visits every version of these sources, or of all, with its last verdicts.
    pub(in crate::app) async fn each_judged(
        &self,
        sources: Option<Vec<SourceId>>,
        order: JudgedOrder,
        mut look: impl FnMut(JudgedBy),
    ) -> Result<()> {
        let mut page = JudgedRequest {
            sources,
            order,
            after: None,
            limit: PAGE,
        };
        loop {
            let versions = self.read(page.clone()).await?;
            let Some(last) = versions.last() else {
                return Ok(());
            };
            page.after = Some(last.version_id);
            versions.into_iter().for_each(&mut look);
        }
    }

    pub(in crate::app) async fn stale_sources(
        &self,
        selectors: &[String],
    ) -> Result<HashMap<SourceId, Arc<Source>>> {
        let sources = if selectors.is_empty() {
            self.ports.store.sources(SourceFilter::with_days()).await?
        } else {
            let sources = self.kept_sources(selectors).await?;
            self.days_in_place(sources).await?
        };
        let by_id = |source: Source| (source.id, Arc::new(source));
        Ok(sources.into_iter().map(by_id).collect())
    }

    /// Returns the present fingerprints of the verifiers that gannet runs itself, by name.
    pub(in crate::app) async fn judges_now(&self) -> HashMap<String, String> {
        let mut judges = HashMap::new();
        for verifier in &self.configured().verifiers {
            if !matches!(verifier.kind(), VerifierKind::External { .. }) {
                let fingerprint = verifier.identify().await;
                judges.insert(verifier.name().to_owned(), fingerprint.hex);
            }
        }
        judges
    }

    /// Counts a version's verifiers whose last verdict is by hand.
    fn count_by_hand(&self, version: &JudgedBy, source: &Source) -> u64 {
        let overruled = Fingerprint::overruled().hex;
        let mut last = version.last.iter();
        if !last.any(|(_, last)| last.fingerprint == overruled) {
            return 0;
        }
        let verifiers = self.verifiers_for(&source.settings);
        let is_by_hand = |verifier: &&Arc<Verifier>| {
            let last = version.last.get(verifier.name());
            last.is_some_and(|last| last.fingerprint == overruled)
        };
        verifiers.iter().filter(is_by_hand).count() as u64
    }

    fn stale_of(
        &self,
        version: &JudgedBy,
        source: &Arc<Source>,
        judges_now: &HashMap<String, String>,
        outlisted: &[String],
    ) -> Option<Stale> {
        let overruled = Fingerprint::overruled().hex;
        let verifiers: Vec<_> = self
            .verifiers_for(&source.settings)
            .into_iter()
            .filter(|verifier| {
                let last = version.last.get(verifier.name());
                let last = last.map(|last| &last.fingerprint);
                is_another(last, judges_now.get(verifier.name()), &overruled)
                    || outlisted.iter().any(|one| one == verifier.name())
            })
            .collect();
        let outcomes = version.last.iter();
        let outcomes = outcomes.map(|(name, last)| (name.clone(), last.outcome));
        // The weight of verdicts may have changed: a verifier is advisory now, or gone.
        let key = SourceKey::of(&source.settings);
        let weights = self.configured().policy.for_source(&key);
        let counts_otherwise = weights.state(&outcomes.collect()) != version.state;
        (!verifiers.is_empty() || counts_otherwise).then(|| Stale {
            version: version.version_id,
            source: Arc::clone(source),
            verifiers,
        })
    }

    /// Derives a version's state again from its verdicts.
    pub(in crate::app) async fn count_again(
        &self,
        source: &Source,
        version: &Version,
    ) -> Result<Verified> {
        let counted = self
            .ports
            .store
            .record_verdicts(version.id, Vec::new(), VerdictId(0), self.stamp())
            .await?;
        Ok(Verified::of(source, version, counted))
    }

    /// Returns the state before and the result; `None` for a version that is gone.
    async fn judge_stale(
        &self,
        stale: Stale,
        memory: &Semaphore,
    ) -> Result<Option<(VersionState, Verified)>> {
        let Some(found) = self.read(VersionForJudging(stale.version)).await? else {
            return Ok(None);
        };
        let (version, deaths) = (found.version, found.deaths);
        let kib = u32::try_from(version.size_bytes >> 10)
            .map_or(CONTENT_KIB, |kib| kib.min(CONTENT_KIB - 1) + 1);
        let _room = memory
            .acquire_many(kib)
            .await
            .expect("the semaphore is never closed");
        let verified = if stale.verifiers.is_empty() {
            self.count_again(&stale.source, &version).await?
        } else {
            let verifiers = stale.verifiers.into_iter();
            let too_often = killed_too_often(version.id, deaths);
            let steps = verifiers.map(|verifier| {
                let refused = too_often.clone().filter(|_| verifier.is_run());
                (verifier, refused.map_or(Step::Run, Step::Decide))
            });
            let seen = self.seen(found.newest_verdict);
            let (steps, is_suspect) = (steps.collect(), deaths > 0);
            self.carry_out_steps(&stale.source, &version, None, steps, seen, is_suspect)
                .await?
        };
        if verified.state != version.state {
            self.settle_recorded(stale.source.id).await?;
        }
        Ok(Some((version.state, verified)))
    }
}

/// Reports whether the last verdict is not by the present judge. A verdict by hand stands until that verifier judges.
pub(in crate::app) fn is_another(
    last: Option<&String>,
    now: Option<&String>,
    overruled: &String,
) -> bool {
    now.is_some() && last != now && last != Some(overruled)
}

/// Returns those of these last verdicts that make the state a bad one.
pub(in crate::app) fn why_it_stands(
    state: VersionState,
    oldest_first: impl Iterator<Item = NewVerdict>,
) -> Vec<NewVerdict> {
    let all: Vec<_> = oldest_first.collect();
    let last = last_of_each(&all, |one| one);
    let last = last
        .into_iter()
        .filter(|one| state.follows_from(one.judgement.outcome));
    last.cloned().collect()
}
