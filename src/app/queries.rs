//! What faces show: histories, versions, verdicts, events.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{App, EventFilter, Newest, Result};
use crate::domain::{
    Attempt, Event, Slot, Source, SourceId, SourceSettings, Verdict, Version, VersionId,
};
use crate::store::{SourceFilter, VerdictFilter, VerdictOn};

/// A source with what happened to it.
#[derive(Clone, Debug)]
pub struct History {
    /// The source.
    pub source: Source,
    /// Newest first.
    pub attempts: Vec<Attempt>,
    /// Newest first, each with its verdicts, oldest first.
    pub versions: Vec<(Version, Vec<Verdict>)>,
    /// The version that consumers see.
    pub served: Option<VersionId>,
}

impl App {
    /// Returns the newest `limit` attempts and versions of a source, all without a limit.
    pub async fn history(&self, selector: &str, limit: Option<usize>) -> Result<History> {
        let source = self.source(selector).await?;
        let attempts = self.store.attempts(source.id, limit).await?;
        let versions = self.store.versions(source.id, limit).await?;
        let mut verdicts = HashMap::<VersionId, Vec<Verdict>>::new();
        for verdict in self.store.verdicts_of_source(source.id, limit).await? {
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
        Ok(History {
            served: self.store.served(source.id).await?,
            source,
            attempts,
            versions,
        })
    }

    /// Returns what is known of the newest version and of the last attempt of these sources.
    pub async fn newest(&self, sources: &[Source]) -> Result<HashMap<SourceId, Newest>> {
        let ids = sources.iter().map(|source| source.id).collect();
        Ok(self.store.newest(ids).await?)
    }

    /// Returns all verdicts on a version, oldest first.
    pub async fn verdicts(&self, version: VersionId) -> Result<Vec<Verdict>> {
        Ok(self.store.verdicts(version).await?)
    }

    /// Returns the verdicts that match, newest first.
    pub async fn verdicts_that(&self, filter: VerdictFilter) -> Result<Vec<VerdictOn>> {
        Ok(self.store.verdicts_that(filter).await?)
    }

    /// Returns how many sources are watched, how many of them are due, and when the next of the others is.
    pub async fn outlook(&self) -> Result<(u64, u64, Option<DateTime<Utc>>)> {
        let (due, next) = self.store.due(self.now()).await?;
        Ok((self.store.watched().await?, due, next.map(Slot::start)))
    }

    /// Returns the sources with these ids that are not removed, by name.
    pub async fn sources_by_id(&self, ids: Vec<SourceId>) -> Result<Vec<Source>> {
        let filter = SourceFilter {
            ids: Some(ids),
            ..SourceFilter::default()
        };
        Ok(self.store.sources(filter).await?)
    }

    /// Returns the first `limit` of the sources that are not removed, by name.
    pub async fn first_sources(&self, limit: usize) -> Result<Vec<Source>> {
        let filter = SourceFilter {
            limit: Some(limit),
            ..SourceFilter::default()
        };
        Ok(self.store.sources(filter).await?)
    }

    /// Returns one of so many equal shares of the sources that are not removed, by name.
    ///
    /// Shares that are read at the same time can be of different states of the catalogue: for those who are told of
    /// what changed meanwhile.
    pub async fn share_of_sources(&self, share: u32, shares: u32) -> Result<Vec<Source>> {
        let filter = SourceFilter {
            share: (share, shares),
            ..SourceFilter::default()
        };
        Ok(self.store.sources(filter).await?)
    }

    /// Returns a number that changes with every change of the catalogue, by whichever process.
    pub async fn data_version(&self) -> Result<i64> {
        Ok(self.store.data_version().await?)
    }

    /// Returns the events that match, oldest first.
    pub async fn events(&self, filter: EventFilter) -> Result<Vec<Event>> {
        Ok(self.store.events(filter).await?)
    }

    /// Returns the names of the verifiers that apply to a source.
    pub fn verifiers_of(&self, settings: &SourceSettings) -> Vec<String> {
        self.verifiers_for(settings)
            .iter()
            .map(|v| v.name().to_owned())
            .collect()
    }
}
