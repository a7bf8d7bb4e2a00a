//! Judges versions: runs the verifiers that apply and records their verdicts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::death::killed_too_often;
use super::redact::redacted;
use super::step::{Ask, Step};
use crate::app::{App, Result};
use crate::domain::{
    Content, Judgement, NewVerdict, Scope, Slot, Source, SourceId, SourceKey, SourceSettings,
    Verdict, VerdictId, VerdictOutcome, Version, VersionId, VersionState, Weight,
};
use crate::store::{
    Awaiting, Counted, Ended, NeededRows, NewestAmongUnreadable, NewestVerdict, Seen,
    VerdictsAndDeaths,
};
use crate::verify::{Verifier, VersionFacts};

/// The result of judging a version.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The source of the version.
    pub source: Source,
    /// The version, with its new state.
    pub version: Version,
    /// The verdicts, in the order of the configuration.
    pub verdicts: Vec<NewVerdict>,
    /// The state that follows from all verdicts.
    pub state: VersionState,
    /// Verdicts by hand that these verdicts replaced.
    pub set_aside: Vec<SetAside>,
}

impl Verified {
    pub(super) fn of(source: &Source, version: &Version, counted: Counted) -> Self {
        let state = counted.state;
        Self {
            source: source.clone(),
            version: Version {
                state,
                ..version.clone()
            },
            verdicts: counted.verdicts,
            state,
            set_aside: join(counted.ended.into_iter().map(SetAside::from)),
        }
    }
}

/// A verdict by hand that a verifier's own verdict replaced.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// The person's verdict.
    pub verdict: NewVerdict,
    /// Who gave it.
    pub actor: String,
    /// The ids of the versions or editions on which it counted: the judged one, if among them, then others with the
    /// same contents, oldest first.
    pub on: Vec<i64>,
}

impl From<Ended> for SetAside {
    fn from(ended: Ended) -> Self {
        Self {
            verdict: ended.verdict,
            actor: ended.actor,
            on: vec![ended.on],
        }
    }
}

/// The verdicts on a version before it is judged.
struct EarlierVerdicts {
    /// Oldest first.
    verdicts: Vec<Verdict>,
    /// How often judging it has killed the process.
    deaths: u32,
    /// The newest verdict on it.
    seen: Seen,
}

impl App {
    /// Reports whether a verifier of this weight judges the versions of a source with these settings.
    pub(crate) fn has_verifier(&self, settings: &SourceSettings, weight: Weight) -> bool {
        self.verifiers_for(settings)
            .iter()
            .any(|verifier| verifier.weight() == weight)
    }

    /// Returns the verifiers that judge each version of such a source alone.
    pub(in crate::app) fn verifiers_for(&self, settings: &SourceSettings) -> Vec<Arc<Verifier>> {
        self.configured()
            .verifiers
            .iter()
            .filter(|verifier| *verifier.scope() == Scope::Source && verifier.applies_to(settings))
            .cloned()
            .collect()
    }

    /// Returns the newest verdict's id, which later shows whether a verdict is older than a request.
    pub async fn asked_now(&self) -> Result<VerdictId> {
        self.read(NewestVerdict(None)).await
    }

    /// Runs the applicable verifiers on a kept version and updates the published file. A verdict by hand given after
    /// `asked` stands: many versions may have been judged before this one.
    pub async fn verify(
        &self,
        source: &Source,
        version: &Version,
        asked: VerdictId,
    ) -> Result<Verified> {
        self.require_policy().await?;
        // Always read: a version whose bytes are lost cannot be verified, even without verifiers.
        let content = self.content(version).await?;
        let verified = self
            .judge_as_known(source, version, Some(content), Ask::Again, Some(asked))
            .await?;
        self.settle_checked(source.id).await?;
        Ok(verified)
    }

    /// Reports whether a judged version failed, or a required verifier could not judge it. Waiting for a verdict is no
    /// problem.
    pub fn is_problem(&self, verified: &Verified) -> bool {
        match verified.state {
            VersionState::Failed | VersionState::Error => true,
            VersionState::Passed | VersionState::Unverified => false,
            VersionState::Pending => {
                let configured = self.configured();
                let key = SourceKey::of(&verified.source.settings);
                let weights = configured.policy.for_source(&key);
                let mut said = verified.verdicts.iter();
                said.any(|one| {
                    one.judgement.outcome == VerdictOutcome::Error
                        && weights.requires(&one.verifier)
                })
            }
        }
    }

    /// Asks the verifiers that apply and records their verdicts; uses `content` if given.
    pub(crate) async fn judge(
        &self,
        source: &Source,
        version: &Version,
        content: Option<Content>,
        ask: Ask,
    ) -> Result<Verified> {
        self.judge_as_known(source, version, content, ask, None)
            .await
    }

    /// Judges a version in view of the verdicts known at `asked`, or now without it.
    async fn judge_as_known(
        &self,
        source: &Source,
        version: &Version,
        content: Option<Content>,
        ask: Ask,
        asked: Option<VerdictId>,
    ) -> Result<Verified> {
        let EarlierVerdicts {
            verdicts: earlier,
            deaths,
            seen,
        } = self.earlier_verdicts(version, ask, asked).await?;
        let too_often = killed_too_often(version.id, deaths).filter(|_| ask != Ask::Again);
        let steps = self
            .steps_for(source, version, &earlier, too_often.as_ref(), ask)
            .await?;
        let mut verified = self
            .carry_out_steps(source, version, content, steps, seen, deaths > 0)
            .await?;
        let earlier = earlier.iter().map(|one| (&one.verdict, one.actor.as_str()));
        let others = verified.set_aside;
        verified.set_aside = set_aside(version.id.0, earlier, &verified.verdicts, others);
        let is_undecided = matches!(verified.state, VersionState::Pending | VersionState::Error);
        if verified.verdicts.is_empty() && (is_undecided || ask == Ask::Again) {
            // No verifier is left to ask, but the set of counting verdicts may have changed.
            return self.count_again(source, version).await;
        }
        Ok(verified)
    }

    /// Returns the verdicts on a version before it is judged. When one of them is unreadable, every verifier is asked
    /// or waited for again: its last verdict may be by another definition.
    async fn earlier_verdicts(
        &self,
        version: &Version,
        ask: Ask,
        asked: Option<VerdictId>,
    ) -> Result<EarlierVerdicts> {
        let unreadable = match ask {
            Ask::Again => self.read(NewestAmongUnreadable(version.id.into())).await?,
            _ => None,
        };
        let (mut verdicts, deaths) = match unreadable {
            Some(_) => (Vec::new(), 0),
            None => self.read(VerdictsAndDeaths(version.id)).await?,
        };
        let newest = verdicts.last().map_or(VerdictId(0), |verdict| verdict.id);
        let newest = unreadable.unwrap_or(newest);
        let mut seen = self.seen(asked.map_or(newest, |asked| asked.min(newest)));
        seen.is_anew = unreadable.is_some();
        if !seen.is_anew && version.state == VersionState::Pending && version.ordinal > 0 {
            let refusals = NeededRows::RefusalsOf(version.id);
            self.ports.store.refuse_lost(refusals).await?;
        }
        // A version that nothing has to judge has no verdict that matters.
        if ask == Ask::Undecided(Weight::Required) && version.state == VersionState::Unverified {
            verdicts.clear();
        }
        Ok(EarlierVerdicts {
            verdicts,
            deaths,
            seen,
        })
    }

    /// Carries out the steps decided in view of `seen` and records the verdicts. For a suspect, judging has killed the
    /// process before.
    pub(in crate::app) async fn carry_out_steps(
        &self,
        source: &Source,
        version: &Version,
        content: Option<Content>,
        steps: Vec<(Arc<Verifier>, Step)>,
        seen: Seen,
        is_suspect: bool,
    ) -> Result<Verified> {
        let verdicts = self
            .verdicts_by(source, version, content, steps, is_suspect)
            .await?;
        let counted = if verdicts.is_empty() && !seen.is_anew {
            Counted {
                state: version.state,
                verdicts,
                ended: Vec::new(),
            }
        } else {
            self.ports
                .store
                .record_verdicts(version.id, verdicts, seen, self.stamp())
                .await?
        };
        if is_suspect {
            self.clear_of_deaths(source, version).await?;
        }
        Ok(Verified::of(source, version, counted))
    }

    /// Returns the verdicts that come of these steps. Missing content is read when the first verifier needs it.
    async fn verdicts_by(
        &self,
        source: &Source,
        version: &Version,
        mut content: Option<Content>,
        steps: Vec<(Arc<Verifier>, Step)>,
        is_suspect: bool,
    ) -> Result<Vec<NewVerdict>> {
        let mut verdicts = Vec::new();
        for (verifier, step) in steps {
            let verdict = match step {
                Step::Nothing => continue,
                Step::Decide(judgement) => self.verdict_without_run(&verifier, judgement).await,
                Step::Run => {
                    let content = match &content {
                        Some(content) => content,
                        None => content.insert(self.content(version).await?),
                    };
                    let facts = facts_of(source, version);
                    self.run(&verifier, content, &facts, is_suspect).await
                }
            };
            let redactor = self.redactor_for_verdict(source, &verifier).await?;
            verdicts.push(redacted(verdict, &redactor));
        }
        Ok(verdicts)
    }

    /// Returns what judging is based on at this moment: verdicts up to this one, and this process's verifiers.
    pub(in crate::app) fn seen(&self, verdict: VerdictId) -> Seen {
        Seen {
            verdict,
            policy: Some(Arc::clone(&self.configured().policy)),
            is_anew: false,
        }
    }

    /// Returns a verdict that needs no run.
    pub(in crate::app) async fn verdict_without_run(
        &self,
        verifier: &Arc<Verifier>,
        judgement: Judgement,
    ) -> NewVerdict {
        NewVerdict {
            verifier: verifier.name().to_owned(),
            fingerprint: verifier.identify().await,
            judgement,
            started_at: self.now(),
            duration: Duration::ZERO,
        }
    }

    /// Returns the versions of all sources, or of `only` these, to judge again, grouped by source: pending ones and
    /// errors that could become published; those whose awaited advice may be overdue; and those that failed by an older
    /// list.
    ///
    /// Returns at most what a pass can judge; the order changes every hour, so that each gets its turn.
    pub(crate) async fn undecided(
        &self,
        only: Option<&[SourceId]>,
    ) -> Result<Vec<(SourceId, VersionId)>> {
        const MOST: usize = 4096;
        let mut ids = self.read(Awaiting::Decision).await?;
        ids.extend(self.read(Awaiting::Advice).await?);
        let outlisted = self.outlisted(only).await?.into_iter();
        ids.extend(outlisted.map(|one| (one.source, one.version)));
        if let Some(only) = only {
            let only: HashSet<_> = only.iter().collect();
            ids.retain(|(source, _)| only.contains(source));
        }
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > MOST {
            let hour = usize::try_from(Slot::containing(self.now()).0).unwrap_or_default();
            let first = hour.wrapping_mul(MOST) % ids.len();
            ids.rotate_left(first);
            ids.truncate(MOST);
        }
        Ok(ids)
    }
}

/// Returns the verdicts by hand that counted before the new verdicts and no longer do: on the `judged` subject, then
/// `on_others` with the same contents.
pub(in crate::app) fn set_aside<'a>(
    judged: i64,
    oldest_first: impl IntoIterator<Item = (&'a NewVerdict, &'a str)>,
    new: &[NewVerdict],
    on_others: impl IntoIterator<Item = SetAside>,
) -> Vec<SetAside> {
    let oldest_first = oldest_first.into_iter();
    let last: HashMap<_, _> = oldest_first
        .map(|one| (one.0.verifier.as_str(), one))
        .collect();
    let last = new.iter().filter_map(|new| last.get(new.verifier.as_str()));
    let by_hand = last.filter(|(verdict, _)| verdict.is_by_hand());
    let aside = |&(verdict, actor): &(&NewVerdict, &str)| SetAside {
        verdict: verdict.clone(),
        actor: actor.to_owned(),
        on: vec![judged],
    };
    join(by_hand.map(aside).chain(on_others))
}

/// Merges entries for the same verdict on several versions or editions.
fn join(all: impl IntoIterator<Item = SetAside>) -> Vec<SetAside> {
    let mut joined: Vec<SetAside> = Vec::new();
    for one in all {
        let is_same =
            |known: &&mut SetAside| known.verdict == one.verdict && known.actor == one.actor;
        match joined.iter_mut().find(is_same) {
            Some(known) => known.on.extend(one.on),
            None => joined.push(one),
        }
    }
    joined
}

pub(in crate::app) fn facts_of(source: &Source, version: &Version) -> VersionFacts {
    VersionFacts {
        source_id: source.id,
        source_name: source.settings.name.clone(),
        address: source.settings.address.to_string(),
        version_id: version.id,
        digest: version.digest,
        size_bytes: version.size_bytes,
        name: version.name.clone(),
        media_type: version.media_type.clone(),
        fetched_at: version.fetched_at,
        last_modified: version.last_modified.clone(),
    }
}
