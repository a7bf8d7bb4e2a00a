//! Checks published files, and marks those that somebody changed or removed: publishing puts them back.
//!
//! Each pass checks the files of the sources that it claims. The check costs one `stat` per file. Only a file whose seal
//! differs from its record is read; one that readers could not open gets its mode back. Never writes a file's content.

use chrono::{DateTime, TimeDelta};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::mpsc;

use crate::app::{App, Error, Result};
use crate::domain::{Action, Claim, EventId, NewEvent, SourceId, Stamp};
use crate::store::{
    Condition, Fact, FilesToLookAt, HappenedAfter, NewestEvent, PublishedFile, StoreError,
    UnsureFiles,
};
use std::collections::HashSet;

/// How often all files are checked; each pass checks those of the sources that it claims.
const CHECK_ALL_EVERY: TimeDelta = TimeDelta::days(1);
const CHORE: &str = "published-files";
/// Concurrent checks: enough to hide the round trips of a slow file system.
const CHECKERS: usize = 4;
/// Files read before other processes may publish in between.
const BATCH: usize = 64;

impl App {
    /// Marks the published files that differ from what was published as due: those that a killed process may have
    /// replaced, and once a day all.
    pub(crate) async fn check_files(&self) -> Result<()> {
        self.check_unsure_files().await?;
        self.record(Fact::FilesUnsure).await?;
        let now = self.now();
        let is_due = Condition::ChoreDue {
            name: CHORE,
            now,
            every: CHECK_ALL_EVERY,
        };
        if self.read(is_due).await? {
            self.mark_changed(FilesToLookAt::All).await?;
            self.find_strays(FilesToLookAt::All).await?;
            self.record(Fact::Chore(CHORE)).await?;
        }
        Ok(())
    }

    /// Checks the published files of claimed sources, and puts back those that somebody changed or removed. Returns the
    /// number of files that could not be put back, with the first reason.
    pub(crate) async fn check_claimed(&self, claims: &[Claim]) -> Result<Option<(usize, Error)>> {
        let (mut files, mut lost) = (Vec::new(), Vec::new());
        // The pass has tried to bring the others up to date before.
        for claim in claims
            .iter()
            .filter(|claim| !claim.source.state.publish_due)
        {
            let source = &claim.source;
            match source.state.published_version_id {
                Some(version_id) => files.push(PublishedFile {
                    source_id: source.id,
                    path: source.published_path.clone(),
                    version_id,
                    seal: claim.published_seal,
                }),
                None => lost.extend(claim.published_seal.map(|_| source.id)),
            }
        }
        let suspects = self.inspect(files).await?;
        let mut sources: Vec<_> = suspects.iter().map(|file| file.source_id).collect();
        self.mark(&suspects).await?;
        if !lost.is_empty() {
            sources.extend(&lost);
            self.find_strays(FilesToLookAt::These(lost)).await?;
        }
        self.settle_these(sources).await
    }

    /// Checks the files that a killed process may have replaced; a right one is recorded without an event.
    async fn check_unsure_files(&self) -> Result<()> {
        if self.read(UnsureFiles).await?.is_empty() {
            return Ok(());
        }
        let _lock = self.lock_published().await?;
        for file in self.read(UnsureFiles).await? {
            self.check_content(file).await?;
        }
        Ok(())
    }

    /// Has the next pass check all files.
    pub(in crate::app) async fn check_all_soon(&self) -> Result<()> {
        let never = Stamp {
            at: DateTime::UNIX_EPOCH,
            ..self.stamp()
        };
        Ok(self.ports.store.record(Fact::Chore(CHORE), never).await?)
    }

    /// Marks those of these published files that differ from what was published.
    async fn mark_changed(&self, which: FilesToLookAt) -> Result<()> {
        let suspects = self.suspects(which).await?;
        self.mark(&suspects).await
    }

    async fn mark(&self, suspects: &[PublishedFile]) -> Result<()> {
        for batch in suspects.chunks(BATCH) {
            let ids = batch.iter().map(|file| file.source_id).collect();
            let _lock = self.lock_published().await?;
            // Another process may have published meanwhile.
            for file in self.suspects(FilesToLookAt::These(ids)).await? {
                self.check_content(file).await?;
            }
        }
        Ok(())
    }

    /// Checks a source's published file and updates it after a change was recorded: a command reports the file that
    /// consumers find, so they must find it.
    pub(in crate::app) async fn settle_checked(&self, source: SourceId) -> Result<()> {
        if self.policy_standing().await?.is_in_force() {
            let this = FilesToLookAt::These(vec![source]);
            let checked = self.mark_changed(this.clone()).await;
            if let Err(error) = checked.and(self.find_strays(this).await) {
                tracing::warn!(
                    "source {source}: its published file could not be looked at: {error}"
                );
            }
        }
        self.settle_recorded(source).await
    }

    /// Returns the newest event; 0 while there is none.
    pub async fn newest_event(&self) -> Result<EventId> {
        self.read(NewestEvent).await
    }

    /// Returns the unreadable verdicts that were set aside after an event, in words.
    pub async fn set_aside_after(&self, event: EventId) -> Result<Vec<String>> {
        let aside = self
            .ports
            .store
            .read(HappenedAfter(event, Action::VerdictSetAside));
        let details = aside.await?.into_iter().filter_map(|(_, detail)| detail);
        Ok(details.collect())
    }

    /// Returns the sets whose folders were put back after an event.
    pub async fn sets_put_back_after(&self, event: EventId) -> Result<Vec<String>> {
        let put_back = self
            .ports
            .store
            .read(HappenedAfter(event, Action::SetRepublished));
        let details = put_back.await?.into_iter().filter_map(|(_, detail)| detail);
        // A set's name is a tag, which has no colon.
        let names = details.filter_map(|detail| Some(detail.split(':').next()?.to_owned()));
        Ok(names.collect())
    }

    /// Returns the sources whose published files were put back after an event: somebody had changed or removed them.
    pub async fn put_back_after(&self, event: EventId) -> Result<Vec<SourceId>> {
        let put_back = self
            .ports
            .store
            .read(HappenedAfter(event, Action::Republished));
        let sources = put_back.await?.into_iter().filter_map(|(source, _)| source);
        let mut known = HashSet::new();
        Ok(sources.filter(|source| known.insert(*source)).collect())
    }

    async fn suspects(&self, which: FilesToLookAt) -> Result<Vec<PublishedFile>> {
        let (sender, shares) = mpsc::channel(1);
        let shares = stream::unfold(shares, async |mut shares| {
            shares.recv().await.map(|share| (share, shares))
        });
        let looks = shares
            .map(|share| self.inspect(share))
            .buffer_unordered(CHECKERS)
            .try_collect::<Vec<_>>();
        let (sent, suspects) = tokio::join!(self.ports.store.published_files(which, sender), looks);
        sent?;
        Ok(suspects?.concat())
    }

    /// Returns those of these files whose seal differs from their record. Files that readers could not open are made
    /// readable, with an event each.
    async fn inspect(&self, mut files: Vec<PublishedFile>) -> Result<Vec<PublishedFile>> {
        if files.is_empty() {
            return Ok(files);
        }
        let inspected = self.with_archive(move |archive| {
            let mut reopened = Vec::new();
            let mut looks = archive.published().looks();
            files.retain(|file| {
                let (seal, closed) = looks.inspect(&file.path);
                reopened.extend(closed.map(|mode| (file.source_id, file.version_id, mode)));
                file.seal.is_none() || seal != file.seal
            });
            // Otherwise the memory of a whole share stays until its last file is done.
            files.shrink_to_fit();
            Ok((files, reopened))
        });
        let (suspects, reopened) = inspected.await?;
        for (source, version, mode) in reopened {
            let event = NewEvent::of(Action::Republished).source(source);
            let why = format!("its mode had been changed to {mode:04o}");
            let event = event.version(version).detail(why);
            self.record(Fact::Event(event)).await?;
        }
        Ok(suspects)
    }

    async fn check_content(&self, file: PublishedFile) -> Result<()> {
        let wanted = match self.ports.store.find_version(file.version_id).await {
            // The file's right content is unknown. It is marked like a wrong one: putting it back then reports the
            // reason, and no other file waits.
            Err(StoreError::Damaged { .. }) => None,
            version => match version? {
                Some(version) => Some(version.digest),
                None => return Ok(()),
            },
        };
        let (source, path) = (file.source_id, file.path.clone());
        let found = self
            .with_archive(move |archive| Ok(archive.published().looks().content(&file.path)))
            .await?;
        let holds = match found {
            Ok(found) => {
                let holds = found.filter(|(digest, _)| Some(*digest) == wanted);
                if holds.is_none() {
                    tracing::warn!("{path} is not what was published: it is put back");
                }
                holds
            }
            Err(error) => {
                tracing::warn!("{error}: it is put back");
                None
            }
        };
        let looks = vec![(source, holds.map(|(_, seal)| seal))];
        self.record(Fact::Looks(looks)).await
    }
}
