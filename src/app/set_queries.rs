//! What faces show of sets.

use std::path::PathBuf;

use super::{App, Result};
use crate::domain::{
    Edition, EditionVerdict, MemberNow, NotReady, VerdictOutcome, VersionState, ready_to_judge,
};
use crate::store::FileSet;

/// A set and where it stands.
#[derive(Clone, Debug)]
pub struct SetOverview {
    /// Its name, and what of it is published.
    pub set: FileSet,
    /// Its enabled members, by name.
    pub members: Vec<MemberNow>,
    /// What keeps it from being judged.
    pub waits: Option<NotReady>,
    /// Its newest edition.
    pub newest: Option<Edition>,
    /// The edition that readers see.
    pub published: Option<Edition>,
    /// The link through which they enter.
    pub path: PathBuf,
}

impl App {
    /// Returns every set, by name.
    pub async fn sets(&self) -> Result<Vec<SetOverview>> {
        let mut sets = Vec::new();
        for set in self.sets_known().await? {
            sets.push(self.overview(set).await?);
        }
        Ok(sets)
    }

    /// Returns a set, and the verdicts on its newest edition, oldest first.
    pub async fn set(&self, name: &str) -> Result<(SetOverview, Vec<EditionVerdict>)> {
        let set = self.known_set(name).await?;
        let overview = self.overview(set).await?;
        let verdicts = match &overview.newest {
            Some(edition) => self.store.edition_verdicts(edition.id).await?,
            None => Vec::new(),
        };
        Ok((overview, verdicts))
    }

    async fn overview(&self, set: FileSet) -> Result<SetOverview> {
        let members = self.store.members_now(set.name.clone(), self.now()).await?;
        let published = match set.published {
            Some(id) => Some(self.store.edition(id).await?),
            None => None,
        };
        let is_seen = self
            .store
            .file_sets()
            .await?
            .iter()
            .any(|one| one.name == set.name);
        let waits = if is_seen {
            ready_to_judge(&members).err()
        } else {
            Some(NotReady::Unseen)
        };
        Ok(SetOverview {
            waits,
            newest: self.store.newest_edition(set.name.clone()).await?,
            published,
            path: self.archive.set_link(&set.name),
            members,
            set,
        })
    }

    /// Returns the sets whose newest files failed or could not be judged, each with the reason.
    pub async fn failing_sets(&self) -> Result<Vec<(String, String)>> {
        let mut failing = Vec::new();
        if self.set_names().is_empty() {
            return Ok(failing);
        }
        let sets = self.store.file_sets().await?;
        for set in sets.into_iter().filter(|set| set.configured) {
            if let Some(problem) = set.problem {
                failing.push((set.name, problem));
                continue;
            }
            let newest = self.store.newest_edition(set.name.clone()).await?;
            if let Some(edition) = newest
                && self.store.set_has_members(set.name.clone()).await?
                && matches!(edition.state, VersionState::Failed | VersionState::Error)
            {
                failing.push((set.name, self.why_edition_failed(&edition).await?));
            }
        }
        Ok(failing)
    }

    async fn why_edition_failed(&self, edition: &Edition) -> Result<String> {
        let (outcome, word) = match edition.state {
            VersionState::Failed => (VerdictOutcome::Failed, "failed"),
            _ => (VerdictOutcome::Error, "could not be judged"),
        };
        let verdicts = self.store.edition_verdicts(edition.id).await?;
        let last = verdicts
            .into_iter()
            .rev()
            .find(|one| one.verdict.judgement.outcome == outcome);
        Ok(last.map_or_else(
            || word.to_owned(),
            |one| {
                let verdict = one.verdict;
                format!(
                    "{word} by {}: {}",
                    verdict.verifier,
                    verdict.judgement.reason()
                )
            },
        ))
    }

    /// Returns the names of the verifiers in force that judge a set.
    pub async fn verifier_names_of_set(&self, name: &str) -> Result<Vec<String>> {
        let policy = self.policy_to_show().await?;
        let judging = policy.judging_set(name);
        Ok(judging.map(|verifier| verifier.name.clone()).collect())
    }

    /// Returns the sets that are recorded, and those that the configuration names since, if it is the one that counts.
    pub(super) async fn sets_known(&self) -> Result<Vec<FileSet>> {
        let mut sets = self.store.file_sets().await?;
        let is_own = self.policy_file_elsewhere().await?.is_none();
        for name in self.set_names().into_iter().filter(|_| is_own) {
            if !sets.iter().any(|set| set.name == name) {
                sets.push(FileSet {
                    name,
                    configured: true,
                    problem: None,
                    publish_error: None,
                    published: None,
                    published_at: None,
                });
            }
        }
        sets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(sets)
    }
}
