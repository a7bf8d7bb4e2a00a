//! Withdraws published files of removed sources, and lists files that could not be updated.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::app::{App, Result};
use crate::archive::{ArchiveError, FileLock};
use crate::domain::{Source, SourceId, set_file_names};
use crate::store::{
    Fact, FileSet, FileSets, PublishFailure, PublishFailures, SetsQuery, Withdrawals,
};

/// A published file or set that could not be updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpublished {
    /// The source; `None` for a set, or for a removed source's file.
    pub source_id: Option<SourceId>,
    /// The set, if it is a set's folder.
    pub set: Option<String>,
    /// The source's name, `set NAME`, or the path.
    pub what: String,
    /// The reason.
    pub why: String,
}

/// The faults at the end of a pass, found by that pass or by one before.
#[derive(Clone, Debug, Default)]
pub struct StandingFaults {
    /// Published files and sets that could not be updated.
    pub unpublished: Vec<Unpublished>,
    /// Sets whose newest edition failed or could not be judged, each with the reason.
    pub failing_sets: Vec<(String, String)>,
}

/// A source that was removed or left its set, but still has a file in the set's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftInSet {
    /// The source.
    pub source_id: SourceId,
    /// Its former name.
    pub name: String,
    /// The file's path.
    pub path: PathBuf,
    /// Whether the source was removed.
    pub is_removed: bool,
    /// The configuration that a pass needs to update the set; `None` when this process may do so.
    pub needs: Option<String>,
}

/// Removed sources whose files readers still find at their own paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftAtPaths {
    /// The sources.
    pub sources: HashSet<SourceId>,
    /// The configuration that a pass needs to withdraw them; `None` when this process may do so.
    pub needs: Option<String>,
}

impl App {
    /// Returns which of these sources, as they were before their removal, still have files at their own paths.
    pub async fn left_at_paths(&self, before: &[Source]) -> Result<LeftAtPaths> {
        let is_left = |one: &&Source| {
            one.state.published_version_id.is_some()
                && self.published_file(&one.published_path).exists()
        };
        let sources: HashSet<_> = before.iter().filter(is_left).map(|one| one.id).collect();
        if sources.is_empty() {
            return Ok(LeftAtPaths::default());
        }
        let needs = self.publishing_needs(&self.policy_standing().await?).await;
        Ok(LeftAtPaths { sources, needs })
    }

    /// Returns which of these sources, as they were before, still have files in folders of sets that they have left.
    pub async fn left_in_sets(&self, before: &[Source]) -> Result<Vec<LeftInSet>> {
        let paths = before.iter().flat_map(|source| {
            let found = source.state.sets().filter_map(|set| {
                let path = self.file_in_set(set, source)?;
                Some((source, set, path))
            });
            found.collect::<Vec<_>>()
        });
        let paths: Vec<_> = paths.collect();
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let ids = paths.iter().map(|(source, ..)| source.id).collect();
        let now = self.sources_by_id(ids).await?;
        let needs = self.publishing_needs(&self.policy_standing().await?).await;
        let left = paths.into_iter().filter_map(|(source, set, path)| {
            let kept = now.iter().find(|kept| kept.id == source.id);
            let is_member = kept.is_some_and(|kept| kept.state.sets().any(|one| one == set));
            (!is_member).then(|| LeftInSet {
                source_id: source.id,
                name: source.settings.name.clone(),
                path,
                is_removed: kept.is_none(),
                needs: needs.clone(),
            })
        });
        Ok(left.collect())
    }

    /// Returns the path of a source's file in a set's folder, if there is one.
    fn file_in_set(&self, set: &str, source: &Source) -> Option<PathBuf> {
        let names = set_file_names([source.settings.name.as_str()]).ok()?;
        let path = self.ports.archive.sets().link(set).join(names.first()?);
        path.exists().then_some(path)
    }

    /// Withdraws the files of removed sources, earlier failures only with `again`; one failure does not stop the
    /// others. The caller holds the lock.
    pub(in crate::app) async fn withdraw_left(&self, again: bool, _lock: &FileLock) -> Result<()> {
        let left = self.read(Withdrawals(again)).await?;
        if left.is_empty() {
            return Ok(());
        }
        let mut tried = Vec::new();
        for one in left {
            let withdrawn = self.take_away(&one.path, one.was_published).await;
            if let Err(error) = &withdrawn {
                let path = &one.path;
                tracing::warn!("{path} of a removed source is still published: {error}");
            }
            tried.push((one.path, withdrawn.map_err(|error| error.to_string())));
        }
        let done = tried.iter().filter(|(_, done)| done.is_ok());
        let done: Vec<_> = done.map(|(path, _)| path.clone()).collect();
        self.record(Fact::Withdrawals(tried)).await?;
        for path in done {
            self.tidy(path).await;
        }
        Ok(())
    }

    /// Removes the file at a path below `published/`; returns whether there was one. With `is_expected`, a missing
    /// folder is an error: the file may come back with the folder. The next pass looks for such files.
    pub(in crate::app) async fn take_away(&self, path: &str, is_expected: bool) -> Result<bool> {
        let path = path.to_owned();
        let taken = self
            .with_archive(move |archive| match archive.published().withdraw(&path) {
                Err(ArchiveError::Missing { .. }) if !is_expected => Ok(false),
                taken => taken,
            })
            .await;
        if is_expected && !matches!(taken, Ok(true)) {
            self.check_all_soon().await?;
        }
        taken
    }

    /// Removes folders that a withdrawn file leaves empty, once the withdrawal is recorded.
    pub(in crate::app) async fn tidy(&self, path: String) {
        let tidied = self.with_archive(move |archive| {
            archive.published().tidy(&path);
            Ok(())
        });
        if let Err(error) = tidied.await {
            tracing::debug!("{error}");
        }
    }

    /// The same for a pass.
    pub(crate) async fn settle_removed(&self, again: bool) -> Result<()> {
        if self.read(Withdrawals(again)).await?.is_empty() {
            return Ok(());
        }
        let lock = self.lock_published().await?;
        self.withdraw_left(again, &lock).await
    }

    /// Returns the published files and sets whose last update failed.
    pub async fn unpublished(&self) -> Result<Vec<Unpublished>> {
        let files = self.read(PublishFailures).await?.into_iter();
        let unpublished = |failure: PublishFailure| Unpublished {
            source_id: failure.source_id,
            set: None,
            what: failure.what,
            why: failure.why,
        };
        let mut all: Vec<_> = files.map(unpublished).collect();
        let sets = self.read(FileSets).await?;
        all.extend(sets.into_iter().filter_map(failure_of));
        Ok(all)
    }

    /// Returns the removed sources' published files that could not be removed, by path.
    pub async fn left_of(&self, removed: &[Source]) -> Result<Vec<Unpublished>> {
        let paths: HashSet<_> = removed.iter().map(|one| &one.published_path).collect();
        let mut all = self.unpublished().await?;
        all.retain(|one| paths.contains(&one.what));
        Ok(all)
    }

    /// Returns those of [`App::unpublished`] that concern these sources: their files, and sets that have or show one.
    pub async fn unpublished_of(&self, sources: &[SourceId]) -> Result<Vec<Unpublished>> {
        let mut all = self.unpublished().await?;
        let mut sets = HashSet::new();
        if all.iter().any(|one| one.set.is_some()) {
            let showing = SetsQuery::Showing(sources.to_vec());
            sets.extend(self.read(showing).await?);
            let of_sources = SetsQuery::Of(sources.to_vec());
            sets.extend(self.read(of_sources).await?);
        }
        let sources: HashSet<_> = sources.iter().collect();
        all.retain(|one| {
            one.source_id.is_some_and(|id| sources.contains(&id))
                || one.set.as_ref().is_some_and(|set| sets.contains(set))
        });
        Ok(all)
    }
}

fn failure_of(set: FileSet) -> Option<Unpublished> {
    Some(Unpublished {
        source_id: None,
        what: format!("set {}", set.name),
        why: set.publish_error?,
        set: Some(set.name),
    })
}
