//! Updates the published folders of sets to what the catalogue demands.

use std::sync::Arc;

use crate::app::publishing::publish::one_more;
use crate::app::{App, Error, ErrorKind, Result};
use crate::archive::{EditionFile, EditionFolder, FileLock};
use crate::domain::{
    Digest, Edition, EditionId, SetPublication, SourceId, Version, files_key, set_file_names,
};
use crate::store::{
    Condition, DueSetPublication, EditionWithId, Fact, FileSet, FileSetNamed, FileSets, SetsQuery,
    VersionsQuery,
};

impl App {
    /// Updates every set's folder: the work of killed passes, and changes since; earlier failures only with `again`.
    /// Returns the number of failures with the first reason.
    pub(crate) async fn settle_sets(&self, again: bool) -> Result<Option<(usize, Error)>> {
        let mut failed: Option<(usize, Error)> = None;
        let sets = self.read(FileSets).await?;
        let mut names = self.set_names();
        names.extend(sets.iter().map(|set| set.name.clone()));
        self.missing_folders_first(&mut names);
        let is_left = |name: &String| {
            sets.iter()
                .any(|one| one.name == *name && one.publish_error.is_some())
        };
        for name in names.iter().filter(|name| again || !is_left(name)) {
            if let Err(error) = self.settle_set(name).await {
                failed = Some(one_more(failed, error));
            }
        }
        // Old editions that cannot be removed do not stop any source from being fetched.
        if let Err(error) = self.sweep_sets().await {
            failed = Some(one_more(failed, error));
        }
        Ok(failed)
    }

    /// Removes the folders of editions that are no longer needed.
    pub(crate) async fn sweep_sets(&self) -> Result<()> {
        if !self.ports.archive.sets().any_published() {
            return Ok(());
        }
        let now = self.now().into();
        let _lock = self.lock_published().await?;
        self.with_archive(move |archive| archive.sets().sweep(now))
            .await
    }

    /// Updates the folders of a source's sets, and of those that still show a file of it: since their publication it
    /// may have left a set, or the set the configuration.
    pub(in crate::app) async fn settle_sets_of(&self, source: SourceId) -> Result<()> {
        if self.set_names().is_empty() && !self.ports.archive.sets().any_published() {
            return Ok(());
        }
        let mut sets = self.read(SetsQuery::Of(vec![source])).await?;
        let showing = SetsQuery::Showing(vec![source]);
        sets.extend(self.read(showing).await?);
        self.missing_folders_first(&mut sets);
        let configured = self.set_names();
        let mut settled = Ok(());
        for set in sets {
            // The folder of a removed set goes once its members are at their own paths.
            if !configured.contains(&set)
                && let Some(id) = self.published_edition(&set).await?
            {
                let edition = self.read(EditionWithId(id)).await?;
                let members = edition.members.iter().map(|member| member.source_id);
                self.settle_own_files(members.collect()).await?;
            }
            settled = settled.and(self.settle_set(&set).await.map(drop));
        }
        settled
    }

    /// Brings names of sets in the order in which their folders are updated. A folder that is missing comes first: it may
    /// be the only place of a file whose other folder or own file goes.
    fn missing_folders_first(&self, names: &mut Vec<String>) {
        names.sort();
        names.dedup();
        names.sort_by_cached_key(|name| self.ports.archive.sets().is_linked(name));
    }

    /// Updates one set's folder and returns the action taken. A failure is recorded.
    pub(in crate::app) async fn settle_set(&self, name: &str) -> Result<SetPublication> {
        let settled = self.bring_set_in_line(name).await;
        let why = match &settled {
            // A member was purged meanwhile: the set has changed.
            Err(error) if error.kind == ErrorKind::NotFound => return settled,
            Err(error) => Some(error.to_string()),
            Ok(_) => None,
        };
        if self
            .file_set(name)
            .await?
            .is_some_and(|set| set.publish_error != why)
        {
            let set = name.to_owned();
            self.record(Fact::SetPublishError { set, why }).await?;
        }
        settled
    }

    /// The same after a change of the set was recorded, which stands whatever happens to the folder: the catalogue
    /// records why it could not be updated, passes retry, and no action is returned.
    pub(in crate::app) async fn settle_recorded_set(
        &self,
        name: &str,
    ) -> Result<Option<SetPublication>> {
        let settled = self.settle_set(name).await;
        let is_kept = |set: FileSet| set.publish_error.is_some();
        match settled {
            Err(error) if self.file_set(name).await?.is_some_and(is_kept) => {
                tracing::warn!("{error}: left to the next pass");
                Ok(None)
            }
            settled => settled.map(Some),
        }
    }

    async fn bring_set_in_line(&self, name: &str) -> Result<SetPublication> {
        if self.wanted_of_set(name).await?.1 == SetPublication::Keep {
            return self
                .forget_if_over(name)
                .await
                .map(|()| SetPublication::Keep);
        }
        let lock = self.lock_published().await?;
        // Read under the lock: the catalogue's demand holds until the update is done.
        let (set, wanted) = self.wanted_of_set(name).await?;
        let is_purged = self.is_purged(name).await?;
        if wanted == SetPublication::Keep {
            return Ok(wanted);
        }
        let published = set.as_ref().and_then(|set| set.published);
        self.change_folder(name, wanted, published, &lock).await?;
        if is_purged && let Err(error) = self.erase_purged_editions(name, &lock).await {
            tracing::warn!("{error}: left to the next pass");
        }
        if set.is_some() {
            let moved = self
                .ports
                .store
                .record_set_publication(name.to_owned(), wanted, self.stamp())
                .await?;
            self.forget_if_over(name).await?;
            drop(lock);
            // Readers find their files in the set's folder.
            self.settle_own_files(moved).await?;
        }
        Ok(wanted)
    }

    /// Publishes or withdraws a set's folder, of which readers see the edition `published`.
    async fn change_folder(
        &self,
        name: &str,
        wanted: SetPublication,
        published: Option<EditionId>,
        lock: &FileLock,
    ) -> Result<()> {
        match wanted {
            SetPublication::Keep => Ok(()),
            SetPublication::Publish(id) => match self.write_out_edition(id).await {
                Err(error) => Err(self
                    .edition_replacement_failed(name, published, error, lock)
                    .await),
                written => written,
            },
            SetPublication::Withdraw => {
                let (name, now) = (name.to_owned(), self.now().into());
                self.with_archive(move |archive| archive.sets().withdraw(&name, now))
                    .await
            }
        }
    }

    /// Updates the files at the own paths of a set's members. A failure concerns that source only, and is left to the
    /// next pass.
    async fn settle_own_files(&self, members: Vec<SourceId>) -> Result<()> {
        if let Some((_, error)) = self.settle_these(members).await? {
            tracing::warn!("{error}: left to the next pass");
        }
        Ok(())
    }

    /// Returns the edition that readers of a set see.
    pub(in crate::app) async fn published_edition(&self, name: &str) -> Result<Option<EditionId>> {
        Ok(self.file_set(name).await?.and_then(|set| set.published))
    }

    async fn file_set(&self, name: &str) -> Result<Option<FileSet>> {
        self.read(FileSetNamed(name.to_owned())).await
    }

    async fn forget_if_over(&self, name: &str) -> Result<()> {
        if self
            .file_set(name)
            .await?
            .is_some_and(|set| !set.configured)
        {
            self.record(Fact::SetGone(name.to_owned())).await?;
        }
        Ok(())
    }

    /// Returns the edition that readers should see, by the present verdicts.
    pub(in crate::app) async fn edition_to_serve(&self, name: &str) -> Result<Option<EditionId>> {
        Ok(match self.wanted_of_set(name).await?.1 {
            SetPublication::Publish(edition) => Some(edition),
            SetPublication::Keep => self.published_edition(name).await?,
            SetPublication::Withdraw => None,
        })
    }

    /// Returns the action due on a set's folder, by the catalogue and the actual link.
    async fn wanted_of_set(&self, name: &str) -> Result<(Option<FileSet>, SetPublication)> {
        let set = self.file_set(name).await?;
        let recorded = set.as_ref().and_then(|set| set.published);
        let is_linked = self.ports.archive.sets().is_linked(name);
        let has_members = Condition::HasMembers(name.to_owned());
        let has_members = self.read(has_members).await?;
        let may_be = set.as_ref().is_some_and(|set| set.configured) && has_members;
        if !may_be && (recorded.is_some() || is_linked) {
            self.refuse_lost_rows(name, set.as_ref(), has_members)
                .await?;
        }
        let wanted = if may_be {
            self.read(DueSetPublication(name.to_owned(), recorded))
                .await?
        } else {
            self.withdrawal_of_set(recorded).await?
        };
        let wanted = self
            .wanted_by_link(name, wanted, recorded, is_linked)
            .await?;
        Ok((set, wanted))
    }

    /// Returns the action due on a set's folder: the one that the catalogue wants, unless the actual link tells
    /// otherwise.
    async fn wanted_by_link(
        &self,
        name: &str,
        wanted: SetPublication,
        recorded: Option<EditionId>,
        is_linked: bool,
    ) -> Result<SetPublication> {
        Ok(match (wanted, recorded) {
            // A killed process removed the link without recording it.
            (SetPublication::Keep | SetPublication::Withdraw, None)
                if !is_linked && self.is_purged(name).await? =>
            {
                SetPublication::Withdraw
            }
            (SetPublication::Withdraw, None) if !is_linked => SetPublication::Keep,
            // Published by a former, lost catalogue: readers keep it until an edition of this one passes.
            (SetPublication::Keep | SetPublication::Withdraw, None)
                if is_linked && self.is_kept_edition(name).await? =>
            {
                SetPublication::Keep
            }
            // The linked edition is not recorded, and no edition may replace it.
            (SetPublication::Keep, None) if is_linked => SetPublication::Withdraw,
            (SetPublication::Keep, Some(id)) if !self.lies_there(id).await? => {
                SetPublication::Publish(id)
            }
            (wanted, _) => wanted,
        })
    }

    /// Reports whether a set's link leads to an edition from before the archive was taken over.
    async fn is_kept_edition(&self, name: &str) -> Result<bool> {
        match self.ports.archive.sets().linked_edition(name) {
            Some(edition) => self.read(Condition::Kept(edition)).await,
            None => Ok(false),
        }
    }

    /// Before the folder goes, checks that policy and sources agree that the set is removed, and that no row is merely
    /// lost.
    async fn refuse_lost_rows(
        &self,
        name: &str,
        set: Option<&FileSet>,
        has_members: bool,
    ) -> Result<()> {
        let is_configured = self.set_names().iter().any(|one| one == name);
        let tagged = Condition::Tagged(name.to_owned());
        let table = if is_configured && set.is_none_or(|set| !set.configured) {
            "file_set"
        } else if is_configured && !has_members && self.read(tagged).await? {
            "set_member"
        } else {
            return Ok(());
        };
        let message = format!(
            "the catalogue's rows of the set {name} in the table `{table}` are missing or damaged: its folder stays"
        );
        Err(Error::new(ErrorKind::Damaged, message).hint("put a backup of the catalogue back"))
    }

    /// Withdraws a removed set, but not before its former members are at their own paths.
    async fn withdrawal_of_set(&self, published: Option<EditionId>) -> Result<SetPublication> {
        let is_held_back = match published {
            Some(id) => self.read(Condition::HasLeavingMember(id)).await?,
            None => false,
        };
        Ok(if is_held_back {
            SetPublication::Keep
        } else {
            SetPublication::Withdraw
        })
    }

    /// Reports whether a set's link leads to an edition whose files are all as published.
    pub(in crate::app) async fn lies_there(&self, id: EditionId) -> Result<bool> {
        let (edition, files) = match self.edition_files(id).await {
            // A member was purged meanwhile.
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(false),
            found => found?,
        };
        let key = key_of(&edition, &files);
        self.with_archive(move |archive| {
            let files: Vec<_> = files.into_iter().map(|(_, file)| file).collect();
            let leads_there = archive.sets().leads_to(&edition.set, id, key);
            Ok(leads_there && archive.sets().holds(&edition.set, &files))
        })
        .await
    }

    /// Returns an edition with its files, each with the version that has its content.
    pub(in crate::app) async fn edition_files(
        &self,
        id: EditionId,
    ) -> Result<(Edition, Vec<(Version, EditionFile)>)> {
        let edition = self.read(EditionWithId(id)).await?;
        let members = VersionsQuery::Members(edition.clone());
        let versions = self.ports.store.versions(members).await?;
        let names = edition.members.iter().map(|member| member.name.as_str());
        let names = set_file_names(names).map_err(|why| {
            Error::invalid(format!("cannot publish the set {}: {why}", edition.set))
        })?;
        let file = |(version, name): (Version, String)| {
            let file = EditionFile {
                name,
                size_bytes: version.size_bytes,
                digest: version.digest,
            };
            (version, file)
        };
        let files = versions.into_iter().zip(names).map(file).collect();
        Ok((edition, files))
    }

    /// Completes an edition's folder and points the link to it; the caller holds the lock.
    async fn write_out_edition(&self, id: EditionId) -> Result<()> {
        let (edition, files) = self.edition_files(id).await?;
        let key = key_of(&edition, &files);
        let folder = self
            .with_archive(move |archive| archive.sets().begin(&edition.set, id, key))
            .await?;
        let folder = Arc::new(folder);
        let published = self.fill_and_publish(&folder, files).await;
        if published.is_err() {
            // A partial folder is useless; the trash is for remains of killed processes only.
            if let Err(error) = self.with_archive(move |_| folder.abandon()).await {
                tracing::warn!("{error}");
            }
        }
        published
    }

    async fn fill_and_publish(
        &self,
        folder: &Arc<EditionFolder>,
        files: Vec<(Version, EditionFile)>,
    ) -> Result<()> {
        for (version, file) in files {
            let (has, of) = (Arc::clone(folder), file.clone());
            if self.with_archive(move |_| Ok(has.has(&of))).await? {
                continue;
            }
            let content = self.content(&version).await?;
            let folder = Arc::clone(folder);
            self.with_archive(move |_| folder.write(&file, &content))
                .await?;
        }
        let (now, folder) = (self.now().into(), Arc::clone(folder));
        self.with_archive(move |_| folder.publish(now).map(drop))
            .await
    }
}

fn key_of(edition: &Edition, files: &[(Version, EditionFile)]) -> Digest {
    let names = edition.members.iter().map(|member| member.name.as_str());
    files_key(names.zip(files.iter().map(|(version, _)| version.digest)))
}
