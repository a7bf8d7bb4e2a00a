//! Versions that failed by a list of digests of which a newer version is in force: they are judged again.
//!
//! A passed version stays passed: a newer list may precede the next file. Never judges.

use std::collections::HashMap;
use std::sync::Arc;

use super::judge::facts_of;
use crate::app::{App, ErrorKind, Result};
use crate::config::Builtin;
use crate::domain::{
    NewVerdict, Scope, Source, SourceId, SourceSettings, VerdictOutcome, Version, VersionId,
    VersionState, newest_by_verifier,
};
use crate::store::{SourceFilter, VersionQuery};
use crate::verify::{Companion, Verifier, VersionFacts};

/// How many of a source's versions are examined, newest first.
const MOST_VERSIONS: u64 = 8;

/// A version that failed by older lists than those in force.
pub(in crate::app) struct Outlisted {
    pub(in crate::app) source: SourceId,
    pub(in crate::app) version: VersionId,
    /// The verifiers that used the older lists.
    pub(in crate::app) verifiers: Vec<String>,
}

impl App {
    /// Returns the versions of all sources, or of `only` these, that failed by an older list than the one in force: of
    /// each source, the newest ones back to the first that readers see or that passed.
    pub(in crate::app) async fn outlisted(
        &self,
        only: Option<&[SourceId]>,
    ) -> Result<Vec<Outlisted>> {
        let configured = self.configured();
        let mut all = configured.verifiers.iter();
        if !all.any(|one| companion_of(one).is_some()) {
            return Ok(Vec::new());
        }
        let filter = SourceFilter {
            ids: only.map(<[_]>::to_vec),
            ..SourceFilter::with_days()
        };
        let mut found = Vec::new();
        for source in self.ports.store.sources(filter).await? {
            let is_good = matches!(
                source.state.version_state,
                None | Some(VersionState::Passed | VersionState::Unverified)
            );
            if is_good || self.judges_by_list(&source.settings).is_empty() {
                continue;
            }
            match self.outlisted_of(&source).await {
                // Readers of the source's history report the damage.
                Err(error) if error.kind == ErrorKind::Damaged => tracing::warn!("{error}"),
                of_source => found.extend(of_source?),
            }
        }
        Ok(found)
    }

    async fn outlisted_of(&self, source: &Source) -> Result<Vec<Outlisted>> {
        let mut found = Vec::new();
        for steps in 0..MOST_VERSIONS {
            let back = VersionQuery::Back {
                source: source.id,
                steps,
            };
            let Some(version) = self.ports.store.find_version(back).await? else {
                break;
            };
            if source.state.served() == Some(version.id) || version.state == VersionState::Passed {
                break;
            }
            let verdicts = self.ports.store.verdicts(version.id).await?;
            let last = newest_by_verifier(verdicts.iter().map(|one| &one.verdict));
            let verifiers = self.outlisted_verifiers(source, &version, &last).await?;
            if !verifiers.is_empty() {
                found.push(Outlisted {
                    source: source.id,
                    version: version.id,
                    verifiers,
                });
            }
        }
        Ok(found)
    }

    /// Returns the verifiers whose last verdicts failed a version by an older list than the one in force.
    pub(in crate::app) async fn outlisted_verifiers(
        &self,
        source: &Source,
        version: &Version,
        last: &HashMap<&str, &NewVerdict>,
    ) -> Result<Vec<String>> {
        let mut outlisted = Vec::new();
        if version.state != VersionState::Failed {
            return Ok(outlisted);
        }
        for verifier in self.judges_by_list(&source.settings) {
            let failed = last
                .get(verifier.name())
                .filter(|one| one.judgement.outcome == VerdictOutcome::Failed && !one.is_by_hand());
            let Some((failed, companion)) = failed.zip(companion_of(&verifier)) else {
                continue;
            };
            let facts = facts_of(source, version);
            let now = self.list_in_force(companion, &facts).await?;
            // An older gannet did not record which list was used.
            if now.is_some() && now != Companion::noted_in(&failed.judgement.output) {
                outlisted.push(verifier.name().to_owned());
            }
        }
        Ok(outlisted)
    }

    /// Returns the version of the list by which a version would be judged now; `None` when no good one exists.
    async fn list_in_force(&self, name: &str, facts: &VersionFacts) -> Result<Option<VersionId>> {
        let found = self.ports.store.find_source(name).await?;
        let list = found.filter(|one| one.removed_at.is_none() && one.id != facts.source_id);
        let Some(list) = list else {
            return Ok(None);
        };
        let versions = self.versions_in_force(list.id, facts).await?;
        let good = versions.iter().find(|one| is_usable_list(one));
        Ok(good.map(|version| version.id))
    }

    /// Returns the source's verifiers that compare each version with another source's list.
    fn judges_by_list(&self, settings: &SourceSettings) -> Vec<Arc<Verifier>> {
        let mut verifiers = self.verifiers_for(settings);
        verifiers.retain(|verifier| companion_of(verifier).is_some());
        verifiers
    }
}

fn companion_of(verifier: &Verifier) -> Option<&str> {
    let of_source = *verifier.scope() == Scope::Source;
    verifier
        .rule()
        .and_then(Builtin::companion)
        .filter(|_| of_source)
}

/// Reports whether a version of a list counts: an unverified list proves nothing about other files.
pub(in crate::app) fn is_usable_list(version: &Version) -> bool {
    matches!(
        version.state,
        VersionState::Passed | VersionState::Unverified
    )
}
