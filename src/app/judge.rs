//! Judging versions: running the verifiers that apply, recording what they said, and what outside verifiers said.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{App, Error, Result};
use crate::domain::{
    Content, Judgement, NewVerdict, Source, SourceId, Verdict, VerdictOutcome, Version, VersionId,
    VersionState, state_from,
};
use crate::verify::{Facts, Verifier};

/// The fingerprint of a verdict that no configured verifier gave.
const OUTSIDE: &str = "outside";

/// What judging a version gave.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Whose version.
    pub source: Source,
    /// The version, with its new state.
    pub version: Version,
    /// The verdicts, in the order of the configuration.
    pub verdicts: Vec<NewVerdict>,
    /// What follows from all verdicts.
    pub state: VersionState,
}

impl App {
    /// Returns the state in which a new version of this source begins.
    pub(crate) fn first_state(&self, source: &Source) -> VersionState {
        if self
            .verifiers
            .iter()
            .any(|verifier| verifier.applies_to(&source.settings))
        {
            VersionState::Pending
        } else {
            VersionState::Unverified
        }
    }

    /// Runs the verifiers that apply over a kept version and brings the published file in line with the outcome.
    pub async fn verify(&self, source: &Source, version: &Version) -> Result<Verified> {
        let content = self.content(version).await?;
        let verified = self.judge(source, version, &content).await?;
        self.settle(source.id).await?;
        Ok(verified)
    }

    /// Runs the verifiers that apply over content that is at hand, and records what they said.
    pub(crate) async fn judge(
        &self,
        source: &Source,
        version: &Version,
        content: &Content,
    ) -> Result<Verified> {
        let facts = facts_of(source, version);
        let mut verdicts = Vec::new();
        for verifier in self
            .verifiers
            .iter()
            .filter(|verifier| verifier.applies_to(&source.settings))
        {
            verdicts.push(self.run(verifier, content, &facts).await);
        }
        let earlier = self.store.verdicts(version.id).await?;
        let state = self.state_of(source, &earlier, &verdicts);
        self.store
            .record_verdicts(version.id, verdicts.clone(), state, self.stamp())
            .await?;
        let version = Version {
            state,
            ..version.clone()
        };
        Ok(Verified {
            source: source.clone(),
            version,
            verdicts,
            state,
        })
    }

    async fn run(&self, verifier: &Arc<Verifier>, content: &Content, facts: &Facts) -> NewVerdict {
        let _permit = self.judging_permit().await;
        let started_at = self.now();
        let clock = std::time::Instant::now();
        let judgement = verifier
            .judge(content, facts, self.archive.temp_dir())
            .await;
        NewVerdict {
            verifier: verifier.name().to_owned(),
            fingerprint: verifier.fingerprint(),
            judgement,
            started_at,
            duration: clock.elapsed(),
        }
    }

    /// Records a verdict that was reached outside of gannet, and brings the published file in line with it.
    ///
    /// It stands beside those of the configured verifiers; under the name of one of them it stands in for its newest.
    pub async fn verdict(
        &self,
        reference: &str,
        verifier: &str,
        outcome: VerdictOutcome,
        detail: Option<String>,
    ) -> Result<(Source, Version, VersionState)> {
        if verifier.is_empty() || verifier.len() > 100 || verifier.chars().any(char::is_control) {
            return Err(Error::invalid(format!(
                "`{}` cannot be a verifier's name",
                verifier.escape_debug()
            )));
        }
        let (source, version) = self.version(reference).await?;
        let judgement = Judgement {
            outcome,
            detail: detail.unwrap_or_default(),
            exit_code: None,
            output: String::new(),
        };
        let verdict = NewVerdict {
            verifier: verifier.to_owned(),
            fingerprint: OUTSIDE.to_owned(),
            judgement,
            started_at: self.now(),
            duration: std::time::Duration::ZERO,
        };
        let earlier = self.store.verdicts(version.id).await?;
        let state = self.state_of(&source, &earlier, std::slice::from_ref(&verdict));
        self.store
            .record_verdicts(version.id, vec![verdict], state, self.stamp())
            .await?;
        self.settle(source.id).await?;
        Ok((source, Version { state, ..version }, state))
    }

    /// Derives the state from the newest verdict of each verifier that counts: the configured ones that apply, and
    /// those that gave theirs from outside.
    fn state_of(&self, source: &Source, earlier: &[Verdict], new: &[NewVerdict]) -> VersionState {
        let applying = self
            .verifiers
            .iter()
            .filter(|verifier| verifier.applies_to(&source.settings));
        let mut outcomes: BTreeMap<&str, Option<VerdictOutcome>> =
            applying.map(|verifier| (verifier.name(), None)).collect();
        for verdict in earlier.iter().map(|verdict| &verdict.verdict).chain(new) {
            let counts =
                verdict.fingerprint == OUTSIDE || outcomes.contains_key(verdict.verifier.as_str());
            if counts {
                outcomes.insert(&verdict.verifier, Some(verdict.judgement.outcome));
            }
        }
        state_from(outcomes.into_values())
    }

    /// Returns the versions that are still undecided, pending or in error, and could become the published ones.
    pub(crate) async fn undecided(&self) -> Result<Vec<(SourceId, VersionId)>> {
        const PAGE: usize = 256;
        const MOST: usize = 16 * PAGE;
        let mut ids: Vec<(SourceId, VersionId)> = Vec::new();
        while ids.len() < MOST {
            let after = ids.last().map_or(VersionId(0), |(_, version)| *version);
            let page = self.store.unjudged(after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            ids.extend(
                page.into_iter()
                    .map(|(source, version)| (source.id, version.id)),
            );
        }
        Ok(ids)
    }
}

fn facts_of(source: &Source, version: &Version) -> Facts {
    Facts {
        source_id: source.id,
        source_name: source.settings.name.clone(),
        address: source.settings.address.to_string(),
        version_id: version.id,
        digest: version.digest,
        size_bytes: version.size_bytes,
        name: version.name.clone(),
        media_type: version.media_type.clone(),
        fetched_at: version.fetched_at,
        last_modified: version.last_modified,
    }
}
