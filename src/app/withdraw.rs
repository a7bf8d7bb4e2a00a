//! Removing published files whose source is no more, and telling what could not be brought in line.

use std::path::PathBuf;

use super::{App, Result};
use crate::archive::FileLock;
use crate::domain::{Source, SourceId, set_file_names};
use crate::store::FileSet;

/// A published file or set that is not what it should be, since bringing it in line failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpublished {
    /// Whose file; nothing for a set, or for a file whose source was removed.
    pub source_id: Option<SourceId>,
    /// The source's name, the set's, or the path.
    pub what: String,
    /// Why.
    pub why: String,
}

/// A removed source whose file still lies in the folder of its set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftInSet {
    /// Which source.
    pub source_id: SourceId,
    /// What it was called.
    pub name: String,
    /// Where the file lies.
    pub path: PathBuf,
    /// The configuration without which no pass brings the set up to date; nothing when this process may do that too.
    pub needs: Option<String>,
}

impl App {
    /// Returns which of these sources, as they were before their removal, readers still find in the folders of their sets.
    pub async fn left_in_sets(&self, removed: &[Source]) -> Result<Vec<LeftInSet>> {
        let paths = removed.iter().flat_map(|source| {
            let sets = source.state.set.iter().flat_map(|sets| sets.split(", "));
            sets.filter_map(move |set| Some((source, self.file_in_set(set, source)?)))
        });
        let paths: Vec<_> = paths.collect();
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let needs = self.publishing_needs(&self.policy_standing().await?).await;
        let left = paths.into_iter().map(|(source, path)| LeftInSet {
            source_id: source.id,
            name: source.settings.name.clone(),
            path,
            needs: needs.clone(),
        });
        Ok(left.collect())
    }

    /// Returns where a source's file lies in the folder of a set, if one lies there.
    fn file_in_set(&self, set: &str, source: &Source) -> Option<PathBuf> {
        let names = set_file_names([source.settings.name.as_str()]).ok()?;
        let path = self.archive.set_link(set).join(names.first()?);
        path.exists().then_some(path)
    }

    /// Removes what is still published of sources that are no more, what failed before only with `again`; one that cannot be
    /// removed keeps no other from going. Whoever calls holds the lock.
    pub(super) async fn withdraw_left(&self, again: bool, _lock: &FileLock) -> Result<()> {
        let paths = self.store.withdrawals(again).await?;
        if paths.is_empty() {
            return Ok(());
        }
        let tried = self.with_archive(move |archive| {
            let tried = paths.into_iter().map(|path| {
                let withdrawn = archive.withdraw(&path).map_err(|error| error.to_string());
                (path, withdrawn)
            });
            Ok(tried.collect::<Vec<_>>())
        });
        let tried = tried.await?;
        for (path, why) in tried
            .iter()
            .filter_map(|(path, done)| Some((path, done.as_ref().err()?)))
        {
            tracing::warn!("{path} of a removed source is still published: {why}");
        }
        Ok(self.store.record_withdrawals(tried, self.stamp()).await?)
    }

    /// Does the same for a pass.
    pub(crate) async fn settle_removed(&self, again: bool) -> Result<()> {
        if self.store.withdrawals(again).await?.is_empty() {
            return Ok(());
        }
        let lock = self.lock_published().await?;
        self.withdraw_left(again, &lock).await
    }

    /// Returns the published files and sets that could not be brought in line, as of the last try of each.
    pub async fn unpublished(&self) -> Result<Vec<Unpublished>> {
        let of_sources = self.store.publish_failures().await?;
        let mut all: Vec<_> = of_sources
            .into_iter()
            .map(|(id, what, why)| Unpublished {
                source_id: Some(id),
                what,
                why,
            })
            .collect();
        let of_removed = self.store.withdrawal_failures().await?;
        let of_sets = self
            .store
            .file_sets()
            .await?
            .into_iter()
            .filter_map(failure_of);
        let others = of_removed.into_iter().chain(of_sets);
        all.extend(others.map(|(what, why)| Unpublished {
            source_id: None,
            what,
            why,
        }));
        Ok(all)
    }
}

fn failure_of(set: FileSet) -> Option<(String, String)> {
    Some((format!("set {}", set.name), set.publish_error?))
}
