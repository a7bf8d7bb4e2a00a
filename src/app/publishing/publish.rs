//! Updates published files to what the catalogue demands.

use bytes::Bytes;

use crate::app::{App, Error, ErrorKind, Result};
use crate::archive::{FileLock, PublishItem};
use crate::domain::{
    Action, Address, Content, DayRates, NewEvent, Provider, Publication, Source, SourceId,
    VersionId,
};
use crate::store::{Fact, Publications, PublishQuery, PublishTask, SetsQuery};

/// A version to publish as its source's file, with its content.
pub struct PublishRequest {
    /// The source of the file.
    pub source_id: SourceId,
    /// Relative to the published folder.
    pub path: String,
    /// The version.
    pub version_id: VersionId,
    /// Its bytes, checked.
    pub content: Content,
    /// Whose currency rates it gives, and the address from which it came.
    pub rates: Option<(Provider, Address)>,
}

impl PublishRequest {
    /// Returns the request to publish this version of a source, with its content.
    pub fn of(source: &Source, version_id: VersionId, content: Content) -> Self {
        let settings = &source.settings;
        Self {
            source_id: source.id,
            path: source.published_path.clone(),
            version_id,
            content,
            rates: settings.rates.map(|one| (one, settings.address.clone())),
        }
    }

    /// Reads the rates that the version gives: none when it is refused as rates, which its verdict says. Blocks.
    fn rates(&self) -> Result<Vec<DayRates>> {
        let Some((provider, address)) = &self.rates else {
            return Ok(Vec::new());
        };
        let read;
        let bytes = match &self.content {
            Content::Memory(bytes) => bytes,
            Content::File { path, .. } => {
                read = std::fs::read(path.as_ref())
                    .map(Bytes::from)
                    .map_err(|error| {
                        let why = format!("cannot read the rates of v{}: {error}", self.version_id);
                        Error::new(ErrorKind::Unavailable, why)
                    })?;
                &read
            }
        };
        Ok(provider.read(address.as_str(), bytes).unwrap_or_default())
    }
}

impl App {
    /// Waits for the lock on published files, which one process holds at a time: files and their records change
    /// together.
    pub(in crate::app) async fn lock_published(&self) -> Result<FileLock> {
        self.join_archive_once().await?;
        self.with_archive(|archive| archive.machine().lock_published())
            .await
    }

    /// Publishes many versions at the cost of one sync, and records each. Results are in the order of the requests.
    ///
    /// A version that may no longer be published, after a verdict or a removal, is skipped without an error: the author
    /// of that change updates the file.
    pub async fn publish(&self, requests: Vec<PublishRequest>) -> Vec<Result<()>> {
        let sources: Vec<_> = requests.iter().map(|request| request.source_id).collect();
        let decided = async {
            let lock = self.lock_published().await?;
            // Read under the lock: the catalogue's demand holds until the files are written.
            Ok::<_, Error>((lock, self.read(Publications(sources.clone())).await?))
        };
        let (lock, wanted) = match decided.await {
            Ok(decided) => decided,
            Err(error) => {
                let results: Vec<_> = sources.iter().map(|_| Err(again(&error))).collect();
                self.record_failures(&sources, &results).await;
                return results;
            }
        };
        let mut results: Vec<_> = sources.iter().map(|_| Ok(())).collect();
        let (places, requests): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .enumerate()
            .zip(wanted)
            .filter(|((_, request), wanted)| *wanted == Publication::Publish(request.version_id))
            .map(|(placed, _)| placed)
            .unzip();
        let paths: Vec<_> = requests.iter().map(|r| r.path.clone()).collect();
        let written = self.write_out(requests).await;
        for ((place, path), result) in places.into_iter().zip(paths).zip(written) {
            results[place] = match result {
                Err(error) => Err(self
                    .replacement_failed(sources[place], path, error, &lock)
                    .await),
                done => done,
            };
        }
        drop(lock);
        self.record_failures(&sources, &results).await;
        results
    }

    /// Records why files could not be published, until they are.
    async fn record_failures(&self, sources: &[SourceId], results: &[Result<()>]) {
        let failures: Vec<_> = sources
            .iter()
            .zip(results)
            .filter_map(|(source, result)| Some((*source, result.as_ref().err()?)))
            .filter(|(_, error)| error.kind != ErrorKind::NotFound)
            .map(|(source, error)| (source, error.to_string()))
            .collect();
        if failures.is_empty() {
            return;
        }
        if let Err(error) = self.record(Fact::PublishFailures(failures)).await {
            tracing::error!("{error}");
        }
    }

    /// Writes and records the files; the caller holds the lock.
    async fn write_out(&self, requests: Vec<PublishRequest>) -> Vec<Result<()>> {
        if requests.is_empty() {
            return Vec::new();
        }
        let targets = requests.iter().map(|r| (r.source_id, r.version_id));
        let targets: Vec<_> = targets.collect();
        let count = targets.len();
        let written = match self
            .with_archive(move |archive| {
                let rates: Vec<_> = requests.iter().map(PublishRequest::rates).collect();
                let items = requests.into_iter().map(|r| PublishItem {
                    path: r.path,
                    content: r.content,
                });
                let written = archive.published().publish(items.collect());
                Ok(written.into_iter().zip(rates).collect::<Vec<_>>())
            })
            .await
        {
            Ok(written) => written,
            Err(error) => return (0..count).map(|_| Err(again(&error))).collect(),
        };
        let recorded = targets.into_iter().zip(written).map(
            |((source, version), (written, rates))| async move {
                let (seal, rates) = (Some(written?), rates?);
                let publication = Publication::Publish(version);
                self.ports
                    .store
                    .record_publication(source, publication, seal, rates, self.stamp())
                    .await?;
                Ok(())
            },
        );
        futures_util::future::join_all(recorded).await
    }

    /// Updates one source's published file, and the folder of its set, to what the catalogue demands. A process that
    /// may not publish leaves this to the next pass of one that may.
    pub(crate) async fn settle(&self, source: SourceId) -> Result<()> {
        if !self.policy_standing().await?.is_in_force() {
            return Ok(());
        }
        let file = match self.ports.store.publish_tasks(source).await?.pop() {
            Some(task) => self.carry_out(task).await,
            None => Ok(()),
        };
        file.and(self.settle_sets_of(source).await)
    }

    /// The same after a change was recorded, which stands whatever happens to the files: the catalogue records why one
    /// could not be updated ([`App::unpublished_of`]), and passes retry.
    pub(in crate::app) async fn settle_recorded(&self, source: SourceId) -> Result<()> {
        match self.settle(source).await {
            Err(error) if !self.unpublished_of(&[source]).await?.is_empty() => {
                tracing::warn!("{error}: left to the next pass");
                Ok(())
            }
            settled => settled,
        }
    }

    /// Updates every published file: the work of killed passes, and changes by verdicts; earlier failures only with
    /// `again`. Returns the number of failures with the first reason.
    pub(crate) async fn settle_all(&self, again: bool) -> Result<Option<(usize, Error)>> {
        const PAGE: usize = 256;
        let mut after = SourceId(0);
        let mut failed: Option<(usize, Error)> = None;
        loop {
            let due = PublishQuery::Due {
                after,
                again,
                limit: PAGE,
            };
            let tasks = self.ports.store.publish_tasks(due).await?;
            let Some(last) = tasks.last() else {
                return Ok(failed);
            };
            after = last.source.id;
            for task in tasks {
                if let Err(error) = self.carry_out(task).await {
                    failed = Some(one_more(failed, error));
                }
            }
        }
    }

    /// Updates the published files of these sources. Returns the number of failures with the first reason.
    pub(in crate::app) async fn settle_these(
        &self,
        sources: Vec<SourceId>,
    ) -> Result<Option<(usize, Error)>> {
        let mut failed = None;
        for source in sources {
            if let Some(task) = self.ports.store.publish_tasks(source).await?.pop()
                && let Err(error) = self.carry_out(task).await
            {
                failed = Some(one_more(failed, error));
            }
        }
        Ok(failed)
    }

    pub(in crate::app) async fn carry_out(&self, task: PublishTask) -> Result<()> {
        let source = task.source.id;
        let done = self.bring_in_line(task).await;
        let results = [done];
        self.record_failures(&[source], &results).await;
        let [done] = results;
        done
    }

    async fn bring_in_line(&self, task: PublishTask) -> Result<()> {
        match task.publication {
            Publication::Keep => Ok(()),
            Publication::Publish(id) => self.publish_kept(task.source, id).await,
            Publication::Withdraw => self.withdraw(task.source).await,
        }
    }

    /// Publishes a version with its content from the archive.
    async fn publish_kept(&self, source: Source, id: VersionId) -> Result<()> {
        let version = self.version_of_source(source.id, id).await?;
        let version = version.ok_or_else(|| Error::not_found(format!("no version {id}")))?;
        let content = match self.content(&version).await {
            Ok(content) => content,
            Err(error) => {
                let lock = self.lock_published().await?;
                let path = source.published_path;
                return Err(self.replacement_failed(source.id, path, error, &lock).await);
            }
        };
        let request = PublishRequest::of(&source, id, content);
        self.publish(vec![request]).await.pop().unwrap_or(Ok(()))
    }

    /// Withdraws a source's published file, if the catalogue still demands it.
    async fn withdraw(&self, source: Source) -> Result<()> {
        let _lock = self.lock_published().await?;
        if self.read(Publications(vec![source.id])).await? != [Publication::Withdraw]
            || self.waits_for_its_set(&source).await?
        {
            return Ok(());
        }
        let path = source.published_path;
        let is_expected = source.state.published_version_id.is_some();
        let was_there = match self.take_away(&path, is_expected).await {
            Ok(was_there) => was_there,
            Err(error) => return Err(self.still_served(&path, error)),
        };
        self.ports
            .store
            .record_withdrawal(source.id, self.stamp())
            .await?;
        self.tidy(path.clone()).await;
        if was_there && !is_expected {
            tracing::warn!("{path} was there, where nothing is published: it is withdrawn");
            let why = "it was there, where nothing is published".to_owned();
            let event = NewEvent::of(Action::Withdrawn);
            let event = event.source(source.id).detail(why);
            self.record(Fact::Event(event)).await?;
        }
        Ok(())
    }

    /// Reports whether the folder of the set that has a source's file is missing: a killed process removed the set's link
    /// without recording it. The file at the own path stays until the folder is back, which withdraws the file.
    async fn waits_for_its_set(&self, source: &Source) -> Result<bool> {
        let mut sets = self.read(SetsQuery::Showing(vec![source.id])).await?;
        sets.retain(|set| source.state.sets().any(|one| one == set));
        let sets_on_disk = self.ports.archive.sets();
        Ok(sets.iter().any(|set| !sets_on_disk.is_linked(set)))
    }

    /// Returns the absolute path of a source's published file.
    pub fn published_file(&self, path: &str) -> std::path::PathBuf {
        self.ports.archive.published().folder().join(path)
    }
}

/// Adds the failures of two updates: their number, with the reason that [`one_more`] keeps.
pub(crate) fn all_failed(
    one: Option<(usize, Error)>,
    other: Option<(usize, Error)>,
) -> Option<(usize, Error)> {
    match (one, other) {
        (Some(one), Some((others, error))) => {
            let (count, reason) = one_more(Some(one), error);
            Some((count - 1 + others, reason))
        }
        (one, other) => one.or(other),
    }
}

/// Counts a failure. One that affects more than one file replaces an obstacle of a single file.
pub(in crate::app) fn one_more(failed: Option<(usize, Error)>, error: Error) -> (usize, Error) {
    match failed {
        None => (1, error),
        Some((count, first)) if first.kind == ErrorKind::Blocked => (count + 1, error),
        Some((count, first)) => (count + 1, first),
    }
}

/// Copies a failure for each request of a batch.
fn again(error: &Error) -> Error {
    Error {
        kind: error.kind,
        message: error.message.clone(),
        hint: error.hint.clone(),
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_add_up_and_keep_the_reason_that_affects_more_than_one_file() {
        let failed = |count, kind| Some((count, Error::new(kind, format!("{kind:?}"))));
        let (blocked, unavailable) = (ErrorKind::Blocked, ErrorKind::Unavailable);
        for (one, other, expected) in [
            (None, None, None),
            (failed(2, blocked), None, Some((2, blocked))),
            (None, failed(1, unavailable), Some((1, unavailable))),
            (
                failed(2, blocked),
                failed(3, unavailable),
                Some((5, unavailable)),
            ),
            (
                failed(2, unavailable),
                failed(3, blocked),
                Some((5, unavailable)),
            ),
        ] {
            let both = all_failed(one, other).map(|(count, error)| (count, error.kind));
            assert_eq!(both, expected);
        }
    }
}
