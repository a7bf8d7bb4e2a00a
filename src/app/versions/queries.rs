//! Queries of the faces: histories, versions, verdicts, events.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::app::sources::suggest::no_such_name;
use crate::app::{App, Error, EventFilter, NamedVersion, Newest, Result, SourceResult};
use crate::domain::{
    Attempt, AttemptId, Digest, Event, Policy, Slot, Source, SourceId, SourceKey, SourceSettings,
    StateWord, Verdict, Version, VersionId, VersionState,
};
use crate::store::{
    AttemptFacts, AttemptsAfter, AttemptsBefore, AttemptsByHour, ChangeToken, DigestsOf,
    ExistingSources, HourOfAttempts, ListedSources, NamedVersions, NewestAttempt, NewestOf,
    NewestTimes, OutlookAt, PlaceAmongSources, ShownSource, SoundVersions, SourceFilter,
    StateCounts, VerdictFilter, VerdictOn, VerdictQuery, VersionQuery, VersionsBefore,
    VersionsQuery,
};

/// A source with its history.
#[derive(Clone, Debug)]
pub struct History {
    /// The source.
    pub source: Source,
    /// The attempts, newest first.
    pub attempts: Vec<Attempt>,
    /// The versions, newest first, each with its verdicts, oldest first, without output ([`App::verdicts`]).
    pub versions: Vec<(Version, Vec<Verdict>)>,
    /// The version that consumers see.
    pub served: Option<VersionId>,
    /// Why the source's set fails, if it does.
    pub set_failure: Option<String>,
}

/// A source with what the faces show of it.
#[derive(Clone, Debug)]
pub struct SourceToShow {
    /// The source.
    pub source: Source,
    /// Facts of its newest version and of its last attempt.
    pub newest: Newest,
    /// The names of the verifiers in force that judge it.
    pub verifiers: Vec<String>,
    /// Why its set fails, if it does.
    pub set_failure: Option<String>,
}

impl History {
    /// Returns the source's newest version with its verdicts; `None` when its row is damaged.
    pub(crate) fn newest(&self) -> Option<&(Version, Vec<Verdict>)> {
        let newest = self.source.state.version_id;
        let first = self.versions.first();
        first.filter(|(version, _)| Some(version.id) == newest)
    }
}

impl App {
    /// Returns the newest `limit` attempts and versions of a source (all without a limit). A damaged version row is an
    /// error.
    pub async fn history(&self, selector: &str, limit: Option<usize>) -> Result<History> {
        match self.sound_history(selector, limit).await? {
            (history, None) => Ok(history),
            (_, Some(damage)) => Err(damage),
        }
    }

    /// Returns the same without versions whose rows are damaged, and that damage.
    pub async fn sound_history(
        &self,
        selector: &str,
        limit: Option<usize>,
    ) -> Result<(History, Option<Error>)> {
        let source = self.source(selector).await?;
        let history = self.sound_history_of(source.id, limit).await?;
        history.ok_or_else(|| purged_meanwhile(&source))
    }

    /// Returns the same for the source with this id; `None` when it does not exist any more.
    pub async fn sound_history_of(
        &self,
        source: SourceId,
        limit: Option<usize>,
    ) -> Result<Option<(History, Option<Error>)>> {
        let attempts = self.ports.store.attempts(source, limit).await?;
        let (versions, damage) = self.sound_versions(source, limit).await?;
        let of_source = VerdictQuery::OfSource { source, limit };
        let mut verdicts = HashMap::<VersionId, Vec<Verdict>>::new();
        for verdict in self.ports.store.verdicts(of_source).await? {
            verdicts
                .entry(verdict.version_id)
                .or_default()
                .push(verdict);
        }
        let versions = versions
            .into_iter()
            .map(|version| {
                let verdicts = verdicts.remove(&version.id).unwrap_or_default();
                (version, verdicts)
            })
            .collect();
        let served = self.served(source).await?;
        // Read last: a source that exists now existed all the time, so its history is complete.
        let Some(source) = self.source_by_id(source).await? else {
            return Ok(None);
        };
        let set_failure = self.set_failure(&source).await?;
        let history = History {
            source,
            attempts,
            versions,
            served,
            set_failure,
        };
        Ok(Some((history, damage)))
    }

    /// Returns the newest attempts of a source before one of them (or of all), so many at most, newest first.
    pub async fn attempts_before(
        &self,
        source: SourceId,
        before: Option<AttemptId>,
        limit: usize,
    ) -> Result<Vec<Attempt>> {
        self.read(AttemptsBefore(source, before, limit)).await
    }

    /// Returns the newest attempt; 0 while there is none.
    pub async fn newest_attempt(&self) -> Result<AttemptId> {
        self.read(NewestAttempt).await
    }

    /// Returns how the attempts after this one ended, the oldest first, so many at most.
    pub async fn attempts_after(
        &self,
        after: AttemptId,
        limit: usize,
    ) -> Result<Vec<AttemptFacts>> {
        self.read(AttemptsAfter(after, limit)).await
    }

    /// Returns the newest sound versions of a source before one of them (or of all), so many at most, newest first.
    pub async fn versions_before(
        &self,
        source: SourceId,
        before: Option<VersionId>,
        limit: usize,
    ) -> Result<Vec<Version>> {
        self.read(VersionsBefore(source, before, limit)).await
    }

    /// Returns the source with this id, removed or not; `None` when it was purged.
    pub async fn source_by_id(&self, id: SourceId) -> Result<Option<Source>> {
        Ok(self.ports.store.find_source(id).await?)
    }

    /// Returns which of these sources were purged.
    pub async fn purged(&self, ids: &[SourceId]) -> Result<Vec<SourceId>> {
        let there = self.read(ExistingSources(ids.to_vec())).await?;
        let gone = ids.iter().filter(|id| !there.contains(id));
        Ok(gone.copied().collect())
    }

    /// Returns all versions of a source, newest first; none when it was purged.
    pub async fn versions(&self, source: SourceId) -> Result<Vec<Version>> {
        let limit = None;
        let all = VersionsQuery::Of { source, limit };
        Ok(self.ports.store.versions(all).await?)
    }

    /// Returns the sound ones among a source's newest `limit` versions (all without a limit), newest first, and the
    /// damage of the others.
    pub async fn sound_versions(
        &self,
        source: SourceId,
        limit: Option<usize>,
    ) -> Result<(Vec<Version>, Option<Error>)> {
        let (versions, damage) = self.read(SoundVersions(source, limit)).await?;
        Ok((versions, damage.map(Error::from)))
    }

    /// Returns the version before this one in its source's history.
    pub async fn version_before(&self, version: VersionId) -> Result<Option<Version>> {
        let before = VersionQuery::Before(version);
        Ok(self.ports.store.find_version(before).await?)
    }

    /// Returns facts of the newest version and of the last attempt of these sources.
    pub async fn newest(&self, sources: &[Source]) -> Result<HashMap<SourceId, Newest>> {
        let ids = sources.iter().map(|source| source.id).collect();
        self.read(NewestOf(ids)).await
    }

    /// Returns when the newest versions of these sources were fetched; sources without one are missing.
    pub async fn newest_times(
        &self,
        sources: &[Source],
    ) -> Result<HashMap<SourceId, DateTime<Utc>>> {
        let ids = sources.iter().map(|source| source.id).collect();
        self.read(NewestTimes(ids)).await
    }

    /// Returns all verdicts on a version, oldest first.
    pub async fn verdicts(&self, version: VersionId) -> Result<Vec<Verdict>> {
        Ok(self.ports.store.verdicts(version).await?)
    }

    /// Returns all verdicts on each of these versions, oldest first. A version without any is missing.
    pub async fn verdicts_on_all(
        &self,
        versions: Vec<VersionId>,
    ) -> Result<HashMap<VersionId, Vec<Verdict>>> {
        let mut by_version: HashMap<_, Vec<_>> = HashMap::new();
        for verdict in self
            .ports
            .store
            .verdicts(VerdictQuery::OnAll(versions))
            .await?
        {
            by_version
                .entry(verdict.version_id)
                .or_default()
                .push(verdict);
        }
        Ok(by_version)
    }

    /// Returns the matching verdicts, newest first. A verifier or a set that never existed is an error.
    pub async fn verdicts_that(&self, filter: VerdictFilter) -> Result<Vec<VerdictOn>> {
        let found = self.read(filter.clone()).await?;
        if found.is_empty() {
            self.refuse_unknown_names(filter).await?;
        }
        Ok(found)
    }

    /// Refuses a filter with names under which no verdict was ever given.
    async fn refuse_unknown_names(&self, filter: VerdictFilter) -> Result<()> {
        let VerdictFilter { verifier, set, .. } = filter;
        if let Some(set) = set {
            let any = VerdictFilter {
                set: Some(set.clone()),
                limit: Some(1),
                ..VerdictFilter::default()
            };
            if self.read(any).await?.is_empty() {
                self.known_set(&set).await?;
            }
        }
        let Some(verifier) = verifier else {
            return Ok(());
        };
        let policy = self.policy_to_show().await?;
        let config = self.config();
        let in_force = policy.verifiers.iter().map(|one| one.name.as_str());
        let configured = config.verifiers.iter().map(|one| one.name.as_str());
        let names: Vec<_> = in_force.chain(configured).collect();
        let any = VerdictFilter {
            verifier: Some(verifier.clone()),
            limit: Some(1),
            ..VerdictFilter::default()
        };
        if names.contains(&verifier.as_str()) || !self.read(any).await?.is_empty() {
            return Ok(());
        }
        let otherwise = "`gannet config show --policy` lists the verifiers in force";
        Err(no_such_name("verifier", &verifier, names, otherwise))
    }

    /// Returns the attempts that began at this time or later, by hour, oldest first; hours without any are left out.
    pub async fn attempts_by_hour(&self, since: DateTime<Utc>) -> Result<Vec<HourOfAttempts>> {
        self.read(AttemptsByHour(since)).await
    }

    /// Returns how many sources are watched, how many of them are due, and when the next other one is due.
    pub async fn outlook(&self) -> Result<(u64, u64, Option<DateTime<Utc>>)> {
        let outlook = self.read(OutlookAt(self.now())).await?;
        Ok((outlook.watched, outlook.due, outlook.next.map(Slot::start)))
    }

    /// Returns the number of present sources by state.
    pub async fn state_counts(&self) -> Result<Vec<(StateWord, u64)>> {
        self.read(StateCounts).await
    }

    /// Returns the digests of these versions; unreadable ones are missing.
    pub async fn digests(&self, versions: Vec<VersionId>) -> Result<HashMap<VersionId, Digest>> {
        self.read(DigestsOf(versions)).await
    }

    /// Returns the sources with these ids that are not removed, by name.
    pub async fn sources_by_id(&self, ids: Vec<SourceId>) -> Result<Vec<Source>> {
        let filter = SourceFilter {
            ids: Some(ids),
            ..SourceFilter::default()
        };
        Ok(self.ports.store.sources(filter).await?)
    }

    /// Returns names and newest versions of those of these sources that are not removed.
    pub async fn named_versions(&self, ids: Vec<SourceId>) -> Result<Vec<NamedVersion>> {
        self.read(NamedVersions(ids)).await
    }

    /// Reports whether a version in these results is its source's newest and failed or could not be judged, in this
    /// pass or before.
    pub async fn any_bad(&self, results: &[SourceResult]) -> Result<bool> {
        let found: HashMap<_, _> = results
            .iter()
            .filter_map(|result| Some((result.id, result.version_id?)))
            .collect();
        let newest = self.named_versions(found.keys().copied().collect()).await?;
        Ok(newest.iter().any(|one| {
            let is_found = one.version_id.as_ref() == found.get(&one.id);
            let is_bad = matches!(
                one.version_state,
                Some(VersionState::Failed | VersionState::Error)
            );
            is_found && is_bad
        }))
    }

    /// Returns the first `limit` present sources behind a name and an id, by name; the first ones of all without.
    pub async fn sources_after(
        &self,
        after: Option<(String, SourceId)>,
        limit: usize,
    ) -> Result<Vec<Source>> {
        Ok(self.ports.store.sources(behind(after, limit)).await?)
    }

    /// Returns the same with facts of their newest versions and last attempts.
    pub async fn sources_to_list(
        &self,
        after: Option<(String, SourceId)>,
        limit: usize,
    ) -> Result<Vec<(Source, Newest)>> {
        self.read(ListedSources(behind(after, limit))).await
    }

    /// Returns how many sources there are, and how many of them come by name up to this place and at it.
    pub async fn place_among_sources(
        &self,
        place: Option<(String, SourceId)>,
    ) -> Result<(u64, u64)> {
        self.read(PlaceAmongSources(place)).await
    }

    /// Returns one of `shares` equal shares of the present sources, by name.
    ///
    /// Shares read at the same time may show different states of the catalogue: for callers that follow changes.
    pub async fn share_of_sources(&self, share: u32, shares: u32) -> Result<Vec<Source>> {
        let filter = SourceFilter {
            share: (share, shares),
            ..SourceFilter::default()
        };
        Ok(self.ports.store.sources(filter).await?)
    }

    /// Returns a token that differs after any commit, by whichever process.
    pub async fn changes(&self) -> Result<ChangeToken> {
        Ok(self.ports.store.changes().await?)
    }

    /// Returns the matching events, oldest first.
    pub async fn events(&self, filter: EventFilter) -> Result<Vec<Event>> {
        Ok(self.ports.store.events(filter).await?)
    }

    /// Returns the names of the verifiers in force that judge a source.
    pub async fn verifiers_of(&self, settings: &SourceSettings) -> Result<Vec<String>> {
        Ok(judging(&self.policy_to_show().await?, settings))
    }

    /// Returns the one source that the text names, as [`App::source`] does, with what else the faces show of it.
    pub async fn source_to_show(&self, selector: &str) -> Result<SourceToShow> {
        let mut found = self.read(ShownSource(selector.to_owned())).await?;
        if found.is_none() {
            let id = self.source(selector).await?.id;
            found = self.read(ShownSource(id.to_string())).await?;
        }
        let Some((source, newest, policy)) = found else {
            return Err(Error::not_found(format!(
                "source {selector} was purged just now"
            )));
        };
        Ok(SourceToShow {
            verifiers: judging(&self.policy_or_own(policy), &source.settings),
            set_failure: self.set_failure(&source).await?,
            source,
            newest,
        })
    }
}

/// Returns the filter for the first `limit` present sources behind a name and an id.
fn behind(after: Option<(String, SourceId)>, limit: usize) -> SourceFilter {
    SourceFilter {
        after,
        limit: Some(limit),
        ..SourceFilter::default()
    }
}

/// Returns the names of a policy's verifiers that judge a source.
fn judging(policy: &Policy, settings: &SourceSettings) -> Vec<String> {
    let key = SourceKey::of(settings);
    let judging = policy.judging(&key);
    judging.map(|verifier| verifier.name.clone()).collect()
}

fn purged_meanwhile(source: &Source) -> Error {
    let (id, name) = (source.id, &source.settings.name);
    Error::not_found(format!("source {id} ({name}) was purged just now"))
}
