//! Removing published files whose source is no more, and telling what could not be brought in line.

use super::{App, Result};
use crate::archive::FileLock;
use crate::domain::SourceId;
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

impl App {
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
