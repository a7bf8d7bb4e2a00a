//! Looks for strays: files of gannet at paths where nothing is to be published. They are withdrawn.
//!
//! A stray came back with a file system that was absent during the withdrawal, say, or its publication is no longer
//! recorded, or its withdrawal. Never removes other people's files: a stray has the bytes of a version of its source, or
//! the recorded look of a purged source's file.

use crate::app::{App, Result};
use crate::store::{BarePath, BarePaths, Condition, Fact, FilesToLookAt};

impl App {
    /// Marks strays for withdrawal: at all paths, or at the given ones whose publication is no longer recorded.
    pub(in crate::app) async fn find_strays(&self, which: FilesToLookAt) -> Result<()> {
        if self.strays(which.clone()).await?.is_empty() {
            return Ok(());
        }
        let lock = self.lock_published().await?;
        let (mut left, mut looks) = (Vec::new(), Vec::new());
        // Another process may have published meanwhile.
        for stray in self.strays(which).await? {
            match stray.source_id.filter(|_| !stray.is_removed) {
                Some(source) => looks.push((source, None)),
                None => left.push(stray.path),
            }
        }
        self.record(Fact::Looks(looks)).await?;
        if left.is_empty() {
            return Ok(());
        }
        self.record(Fact::Strays(left)).await?;
        self.withdraw_left(true, &lock).await
    }

    async fn strays(&self, which: FilesToLookAt) -> Result<Vec<BarePath>> {
        let bare = self.read(BarePaths(which)).await?;
        let found = self
            .with_archive(move |archive| {
                let mut looks = archive.published().looks();
                let found = bare
                    .into_iter()
                    .filter_map(|one| match looks.content(&one.path) {
                        // A lost withdrawal is made anew: it ends the record of a file that is gone.
                        Ok(None) if !one.is_recorded => None,
                        Ok(content) => Some((one, content)),
                        Err(error) => {
                            tracing::warn!("{error}: whether it may be there cannot be told");
                            None
                        }
                    });
                Ok(found.collect::<Vec<_>>())
            })
            .await?;
        let mut strays = Vec::new();
        for (one, content) in found {
            let is_own = match (content, one.source_id) {
                (None, _) => true,
                (Some((digest, _)), Some(source)) => {
                    self.read(Condition::HasContent(source, digest)).await?
                }
                (Some((_, seal)), None) => one.seal == Some(seal),
            };
            if is_own {
                strays.push(one);
            }
        }
        Ok(strays)
    }
}
