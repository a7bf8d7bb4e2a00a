//! Removes sources, with or without their history, and reports the sets that they were in.
//!
//! A damaged source is purged by its id alone. Never removes an unnamed source.

use std::collections::HashSet;
use std::path::PathBuf;

use super::change::{Discarded, some};
use super::purge::{Remains, make_room_first};
use super::select::each_once;
use crate::app::{App, Error, Result};
use crate::archive::release_reserve;
use crate::domain::{Digest, EditionId, Source, SourceId, parse_id};
use crate::store::{ContentsOf, SetsQuery, SourceChange, SourceQuery, VersionCount};

/// Sources that were removed.
#[derive(Clone, Debug)]
pub struct Removal {
    /// The sources as they were.
    pub sources: Vec<Source>,
    /// The unneeded stored files of their history.
    pub discarded: Discarded,
    /// The sets whose folders were withdrawn with purged members, by name.
    pub sets: Vec<PurgedSet>,
    /// Where content of purged histories remains, besides the trash.
    pub remains: Vec<Remains>,
    /// Published files with content of purged sources whose rows no longer name a path.
    pub stray: Vec<PathBuf>,
}

/// A set whose published folder had a purged source's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgedSet {
    /// Its name.
    pub name: String,
    /// The edition that replaced it; `None` without one.
    pub published: Option<EditionId>,
    /// Whether readers find a folder: without a published edition, the one with the purged file, which could not be
    /// removed.
    pub is_linked: bool,
    /// Why there is no newer edition, if known.
    pub why: Option<String>,
}

impl App {
    /// Returns what [`Self::remove`] would remove.
    pub async fn removable(&self, selectors: &[String], purge: bool) -> Result<Vec<Source>> {
        if purge {
            return self.purgeable(some(selectors)?).await;
        }
        let mut sources = self.sources(some(selectors)?).await?;
        sources.retain(|source| source.removed_at.is_none());
        if sources.is_empty() {
            return Err(
                Error::invalid("removed already; its history stays until it is purged")
                    .hint("`gannet remove --purge ID` removes the history too"),
            );
        }
        Ok(sources)
    }

    /// Returns the selected sources, and the readable parts of damaged or lost ones named by id.
    async fn purgeable(&self, selectors: &[String]) -> Result<Vec<Source>> {
        let (mut found, mut others) = (Vec::new(), Vec::new());
        for selector in selectors {
            let parts = match parse_id(selector) {
                Some(id) => self.parts_if_damaged(SourceId(id)).await?,
                None => None,
            };
            match parts {
                Some(source) => found.push(source),
                None => others.push(selector.clone()),
            }
        }
        if !others.is_empty() {
            found.extend(self.sources(&others).await?);
        }
        Ok(each_once(found))
    }

    /// Returns the readable parts of a damaged or lost source; `None` for one that is sound or does not exist.
    pub(in crate::app) async fn parts_if_damaged(&self, id: SourceId) -> Result<Option<Source>> {
        match self.ports.store.find_source(id).await {
            Ok(Some(_)) => Ok(None),
            Err(error) if !error.is_damage() => Err(error.into()),
            _ => Ok(self.ports.store.find_source(SourceQuery::Parts(id)).await?),
        }
    }

    /// Returns the sets whose published folders are withdrawn when these sources are purged, by name.
    pub async fn sets_showing(&self, sources: &[Source]) -> Result<Vec<String>> {
        let ids = sources.iter().map(|source| source.id).collect();
        self.read(SetsQuery::Showing(ids)).await
    }

    /// Removes the selected sources, all or none. Their published files are withdrawn, by the next pass if this process
    /// may not publish. With `purge`, their history is deleted and their files are withdrawn at once; on a full disk
    /// this uses the reserve. Sets that showed a purged source's file are judged without it at once, where allowed.
    pub async fn remove(&self, selectors: &[String], purge: bool) -> Result<Removal> {
        let sources = self.removable(selectors, purge).await?;
        self.remove_sources(sources, Vec::new(), purge).await
    }

    /// Removes one source likewise, unless its settings are no longer those that were seen.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Changed`] then.
    ///
    /// [`ErrorKind::Changed`]: crate::app::ErrorKind::Changed
    pub async fn remove_seen(&self, seen: &Source, purge: bool) -> Result<Removal> {
        let sources = self.removable(&[seen.id.to_string()], purge).await?;
        let condition = SourceChange::Seen(seen.id, Box::new(seen.settings.clone()));
        self.remove_sources(sources, vec![condition], purge).await
    }

    /// Removes sources together with earlier changes, all or none.
    async fn remove_sources(
        &self,
        sources: Vec<Source>,
        mut changes: Vec<SourceChange>,
        purge: bool,
    ) -> Result<Removal> {
        if purge {
            release_reserve(&self.config().data_dir);
        }
        changes.extend(sources.iter().map(|source| SourceChange::Remove {
            id: source.id,
            purge,
        }));
        let showing = if purge {
            self.sets_showing(&sources).await?
        } else {
            Vec::new()
        };
        let placeless = self.placeless_contents(&sources).await?;
        let recorded = self.record_and_discard(changes).await;
        let recorded = if purge {
            recorded.map_err(make_room_first)?
        } else {
            recorded?
        };
        Ok(Removal {
            sources,
            discarded: recorded.discarded,
            sets: self.purged_sets(showing).await?,
            remains: recorded.remains,
            stray: self.stray_files(placeless).await?,
        })
    }

    /// Returns the contents of those of these sources whose published path is unknown.
    async fn placeless_contents(&self, sources: &[Source]) -> Result<HashSet<(u64, Digest)>> {
        let placeless = sources.iter().filter(|one| one.published_path.is_empty());
        let ids: Vec<_> = placeless.map(|source| source.id).collect();
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        self.read(ContentsOf(ids)).await
    }

    /// Returns the results for sets that showed a purged source's file; none when this process may not publish.
    async fn purged_sets(&self, names: Vec<String>) -> Result<Vec<PurgedSet>> {
        let mut sets = Vec::new();
        if names.is_empty() || !self.policy_standing().await?.is_in_force() {
            return Ok(sets);
        }
        for one in self.sets().await? {
            if names.contains(&one.set.name) {
                let waits = one.waits.map(|waits| waits.to_string());
                sets.push(PurgedSet {
                    name: one.set.name,
                    published: one.set.published,
                    is_linked: one.is_linked,
                    why: one.failure.or(waits),
                });
            }
        }
        Ok(sets)
    }

    /// Returns how many versions these sources have.
    pub async fn count_versions(&self, sources: &[Source]) -> Result<u64> {
        let ids = sources.iter().map(|source| source.id).collect();
        self.read(VersionCount(ids)).await
    }
}
