//! Bringing the published folders of sets to what the catalogue says they should be.

use std::sync::Arc;

use super::publish::one_more;
use super::{App, Error, ErrorKind, Result};
use crate::archive::EditionFolder;
use crate::domain::{
    Digest, Edition, EditionId, SetPublication, SourceId, Version, files_key, set_file_names,
};
use crate::store::{FileSet, StoreError};

impl App {
    /// Brings every set's folder to what it should be: what a killed pass left undone, and what changed since; what failed
    /// before only with `again`. Returns how many could not be, with the first reason.
    pub(crate) async fn settle_sets(&self, again: bool) -> Result<Option<(usize, Error)>> {
        let mut failed: Option<(usize, Error)> = None;
        for set in self.store.file_sets().await? {
            if set.publish_error.is_some() && !again {
                continue;
            }
            if let Err(error) = self.settle_set(&set.name).await {
                failed = Some(one_more(failed, error));
            }
        }
        if self.archive.has_sets() {
            let now = self.now().into();
            let _lock = self.lock_published().await?;
            self.with_archive(move |archive| archive.sweep_sets(now))
                .await?;
        }
        Ok(failed)
    }

    /// Brings the folders of the sets that a source is in to what they should be.
    pub(super) async fn settle_sets_of(&self, source: SourceId) -> Result<()> {
        if self.set_names().is_empty() {
            return Ok(());
        }
        for set in self.store.sets_of(source).await? {
            self.settle_set(&set).await?;
        }
        Ok(())
    }

    /// Brings one set's folder to what it should be, and returns what that took. Why it cannot be is kept for everybody to see.
    pub(super) async fn settle_set(&self, name: &str) -> Result<SetPublication> {
        let settled = self.bring_set_in_line(name).await;
        let why = match &settled {
            // A member was removed with its history meanwhile: the set is another one.
            Err(error) if error.kind == ErrorKind::NotFound => return settled,
            Err(error) => Some(error.to_string()),
            Ok(_) => None,
        };
        if self
            .file_set(name)
            .await?
            .is_some_and(|set| set.publish_error != why)
        {
            self.store
                .note_set_publish_error(name.to_owned(), why, self.stamp())
                .await?;
        }
        settled
    }

    async fn bring_set_in_line(&self, name: &str) -> Result<SetPublication> {
        if self.wanted_of_set(name).await?.1 == SetPublication::Keep {
            return self
                .forget_if_over(name)
                .await
                .map(|()| SetPublication::Keep);
        }
        let _lock = self.lock_published().await?;
        // Only now does what the catalogue says hold until it is done.
        let (set, wanted) = self.wanted_of_set(name).await?;
        match wanted {
            SetPublication::Keep => return Ok(wanted),
            SetPublication::Publish(id) => self.write_out_edition(id).await?,
            SetPublication::Withdraw => {
                let (name, now) = (name.to_owned(), self.now().into());
                self.with_archive(move |archive| archive.withdraw_set(&name, now))
                    .await?;
            }
        }
        if set.is_some() {
            self.store
                .record_set_publication(name.to_owned(), wanted, self.stamp())
                .await?;
            self.forget_if_over(name).await?;
        }
        Ok(wanted)
    }

    async fn file_set(&self, name: &str) -> Result<Option<FileSet>> {
        let sets = self.store.file_sets().await?;
        Ok(sets.into_iter().find(|set| set.name == name))
    }

    async fn forget_if_over(&self, name: &str) -> Result<()> {
        if self
            .file_set(name)
            .await?
            .is_some_and(|set| !set.configured)
        {
            self.store.forget_set(name.to_owned()).await?;
        }
        Ok(())
    }

    /// Returns what has to happen to a set's folder, by what the catalogue says and what really lies there.
    async fn wanted_of_set(&self, name: &str) -> Result<(Option<FileSet>, SetPublication)> {
        let set = self.file_set(name).await?;
        let recorded = set.as_ref().and_then(|set| set.published);
        let published = match recorded {
            Some(id) if self.lies_there(name, id).await? => Some(id),
            _ => None,
        };
        let may_be = set.as_ref().is_some_and(|set| set.configured)
            && self.store.set_has_members(name.to_owned()).await?;
        let wanted = if may_be {
            self.store
                .set_publication(name.to_owned(), published)
                .await?
        } else {
            SetPublication::Withdraw
        };
        let is_published = recorded.is_some() || self.archive.is_set_linked(name);
        let wanted = match wanted {
            SetPublication::Withdraw if !is_published => SetPublication::Keep,
            // What lies there is not what is recorded, and no edition may take its place.
            SetPublication::Keep if published.is_none() && is_published => SetPublication::Withdraw,
            wanted => wanted,
        };
        Ok((set, wanted))
    }

    /// Tells whether the link of a set leads to the files of an edition.
    async fn lies_there(&self, name: &str, id: EditionId) -> Result<bool> {
        let key = async {
            let edition = self.store.edition(id).await?;
            let versions = self.store.edition_versions(edition.clone()).await?;
            Ok(key_of(&edition, &versions))
        };
        match key.await {
            // A member was removed with its history meanwhile.
            Err(StoreError::Missing { .. }) => Ok(false),
            key => Ok(self.archive.set_leads_to(name, id, key?)),
        }
    }

    /// Writes an edition's folder and lets the link lead to it; whoever calls holds the lock.
    async fn write_out_edition(&self, id: EditionId) -> Result<()> {
        let edition = self.store.edition(id).await?;
        let versions = self.store.edition_versions(edition.clone()).await?;
        let (set, key) = (edition.set.clone(), key_of(&edition, &versions));
        let folder = self
            .with_archive(move |archive| archive.begin_edition(&set, id, key))
            .await?;
        let folder = Arc::new(folder);
        if !folder.is_complete() {
            self.fill(&folder, &edition, versions).await?;
        }
        let now = self.now().into();
        self.with_archive(move |_| folder.publish(now)).await?;
        Ok(())
    }

    async fn fill(
        &self,
        folder: &Arc<EditionFolder>,
        edition: &Edition,
        versions: Vec<Version>,
    ) -> Result<()> {
        let names = edition.members.iter().map(|member| member.name.as_str());
        let names = set_file_names(names).map_err(|why| {
            Error::invalid(format!("cannot publish the set {}: {why}", edition.set))
        })?;
        for (version, name) in versions.into_iter().zip(names) {
            let (file, shared, digest) = (name.clone(), Arc::clone(folder), version.digest);
            if self
                .with_archive(move |_| shared.share(&file, digest))
                .await?
            {
                continue;
            }
            let content = self.content(&version).await?;
            let folder = Arc::clone(folder);
            self.with_archive(move |_| folder.write(&name, &content))
                .await?;
        }
        Ok(())
    }
}

fn key_of(edition: &Edition, versions: &[Version]) -> Digest {
    let names = edition.members.iter().map(|member| member.name.as_str());
    files_key(names.zip(versions.iter().map(|version| version.digest)))
}
