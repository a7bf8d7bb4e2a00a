//! One claim from fetch to publication. [`recording`](super::recording) records the attempt, and
//! [`verify_step`](super::verify_step) judges its version.
//!
//! Never decides which sources are claimed.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use super::publish_batcher::{Publisher, Reserved};
use super::read_back::{Bytes, ReadBudget};
use super::report::MAX_FAILURES;
use super::stopped::Stopped;
use super::unkept::Unkept;
use crate::app::{App, Error, ErrorKind, PublishRequest, Result, SourceOutcome, SourceResult};
use crate::domain::{
    AttemptOutcome, CLOCK_TOLERANCE, Claim, Content, Source, Validators, Version, VersionId,
};
use crate::net::{Admission, FetchOutcome, FetchReport, FetchRequest, Fetcher, Limiter};
use crate::store::StoreError;

/// One of this many requests of a source is unconditional, so that a server with a stuck validator cannot hide a change
/// for ever. It also checks the archived bytes.
const UNCONDITIONAL_EVERY: u64 = 30;
/// For the same reason, a request is unconditional when the last whole file was received this long ago.
const WHOLE_EVERY: TimeDelta = TimeDelta::days(30);
/// Attempts with no more content than this do not count as backlog while they wait to be recorded: the more of them
/// wait, the more share one commit. The 1024 tasks of a pass hold 8 MiB of such content at most.
const LIGHT_BYTES: u64 = 8 << 10;

/// The parts that all attempts of a pass share.
pub(super) struct Pipeline {
    pub(super) app: Arc<App>,
    pub(super) fetcher: Arc<Fetcher>,
    pub(super) limiter: Arc<Limiter>,
    pub(super) publisher: Publisher,
    pub(super) progress: Progress,
    /// Cancelled when no further attempt may begin.
    pub(super) closing: CancellationToken,
    /// The first [`MAX_FAILURES`] failures, one line each.
    pub(super) failures: Mutex<Vec<String>>,
    /// The first version whose bytes cannot be read at the moment; further ones are among the failures.
    pub(super) unreadable: Mutex<Option<Error>>,
    /// The sources whose content this machine could not keep.
    pub(super) unkept: Mutex<Unkept>,
    /// The result of each source that was tried; `None` when results are not kept.
    pub(super) results: Option<Mutex<Vec<SourceResult>>>,
    /// Whether versions are judged and published; otherwise they wait for a process that may do so.
    pub(super) judges: bool,
    /// The budget for reading stored bytes back.
    pub(super) read_budget: ReadBudget,
    /// The sources that are not asked any more in this pass.
    pub(super) stopped: Stopped,
}

/// The work that is left when an attempt is recorded.
pub(super) enum Next {
    Done,
    /// Publish the version, with the memory that the publisher has reserved for its content.
    Publish(Source, VersionId, Content, Option<Reserved>),
    /// Judge the version, with the attempt's place in the backlog, which bounds the contents in memory.
    Judge(Source, VersionId, Content, Option<OwnedSemaphorePermit>),
}

/// An attempt before it is recorded.
pub(super) struct Attempt {
    pub(super) started_at: DateTime<Utc>,
    pub(super) clock: Instant,
    pub(super) report: FetchReport,
    /// What was known of the newest version's stored bytes; `None` when the whole file was due anyway.
    pub(super) bytes: Option<Bytes>,
}

/// Returns whether the whole file is due, changed or not.
fn is_due_whole(claim: &Claim, now: DateTime<Utc>) -> bool {
    let by_count = claim.requests % UNCONDITIONAL_EVERY == UNCONDITIONAL_EVERY - 1;
    let by_time = claim.whole_at.is_none_or(|whole_at| {
        let since = now - whole_at;
        since >= WHOLE_EVERY || since < -CLOCK_TOLERANCE
    });
    by_count || by_time
}

impl Attempt {
    fn is_light(&self) -> bool {
        match &self.report.outcome {
            FetchOutcome::Fetched(download) => download.content.size_bytes() <= LIGHT_BYTES,
            FetchOutcome::NotModified { .. } | FetchOutcome::Failed { .. } => true,
        }
    }
}

impl Pipeline {
    /// Returns a pipeline that neither judges nor publishes, and keeps no results.
    pub(super) fn new(
        app: &Arc<App>,
        fetcher: Arc<Fetcher>,
        publisher: Publisher,
        progress: &Progress,
    ) -> Self {
        let fetch = &app.config().fetch;
        Self {
            app: Arc::clone(app),
            fetcher,
            limiter: Limiter::new(fetch.per_host, fetch.total),
            publisher,
            progress: progress.clone(),
            closing: CancellationToken::new(),
            failures: Mutex::default(),
            unreadable: Mutex::default(),
            unkept: Mutex::default(),
            results: None,
            judges: false,
            read_budget: ReadBudget::default(),
            stopped: Stopped::default(),
        }
    }

    /// Waits for the turn of a claim at its host, makes the attempt and records it. An `Err` means that this machine
    /// cannot go on: the store or the disk failed.
    pub(super) async fn attempt(&self, claim: Claim, host: &str) -> Result<Next> {
        let mut admission = tokio::select! {
            biased;
            () = self.closing.cancelled() => return Ok(Next::Done),
            admission = self.limiter.admit(host) => admission,
        };
        if self.stopped.has(&claim.source) {
            return Ok(Next::Done);
        }
        // Boxed, as `record` is: the futures of hundreds of claims that wait for their turn stay small.
        let attempt = Box::pin(self.fetch(&claim, &mut admission)).await;
        // Before another attempt at this host is admitted.
        let refusal = self.refusal(&claim.source, &attempt.report);
        let backlog = admission.finish().filter(|_| !attempt.is_light());
        let next = self.record_and_reserve(&claim, attempt, backlog).await?;
        if let Some(refusal) = refusal {
            self.stop(&claim.source, refusal).await?;
        }
        Ok(next)
    }

    /// Records an attempt, and reserves the memory of its content. The result of a late attempt is dropped.
    async fn record_and_reserve(
        &self,
        claim: &Claim,
        attempt: Attempt,
        backlog: Option<OwnedSemaphorePermit>,
    ) -> Result<Next> {
        match Box::pin(self.record(claim, attempt)).await {
            Ok(Next::Judge(source, version, content, _)) => {
                Ok(Next::Judge(source, version, content, backlog))
            }
            Ok(Next::Publish(source, version, content, None)) => {
                // The publisher bounds the memory of waiting contents, so that small ones do not keep fetches waiting.
                let room = self.publisher.reserve(&content).await?;
                Ok(Next::Publish(source, version, content, Some(room)))
            }
            Ok(next) => Ok(next),
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::NotFound) => {
                tracing::warn!("{error}: the result of a late attempt was dropped");
                Box::pin(self.drop_result(&claim.source)).await?;
                Ok(Next::Done)
            }
            Err(error) => Err(error),
        }
    }

    /// Adds the result of a late attempt, with the reason why it is not recorded: the source was removed or edited
    /// during the attempt, or the claim lapsed and another worker's result stands.
    async fn drop_result(&self, claimed: &Source) -> Result<()> {
        let now = self.app.source_by_id(claimed.id).await?;
        let why = match now.filter(|source| source.removed_at.is_none()) {
            None => "it was removed while it was fetched: the answer was not recorded",
            Some(source) if source.settings != claimed.settings => {
                "it was edited while it was fetched: the answer was not recorded; it is due again"
            }
            Some(_) => {
                "its claim ended meanwhile, since another worker took it over, or it was removed and restored: this answer was not recorded"
            }
        };
        self.add_result(SourceResult::dropped(claimed.id, why));
        Ok(())
    }

    /// Judges and publishes a new version.
    pub(super) async fn follow_up(&self, next: Next) -> Result<()> {
        match next {
            Next::Done => Ok(()),
            Next::Publish(source, version, content, room) => {
                unless_gone(self.publish(source, version, content, room).await)
            }
            Next::Judge(source, version, content, _backlog) => {
                Box::pin(self.judge(&source, version, Some(content))).await
            }
        }
    }

    async fn fetch(&self, claim: &Claim, admission: &mut Admission) -> Attempt {
        let started_at = self.app.now();
        let clock = Instant::now();
        let may_ask = !is_due_whole(claim, started_at) && !claim.validators.is_empty();
        let bytes = if may_ask {
            Some(self.newest_bytes(claim, started_at).await)
        } else {
            None
        };
        let conditional = bytes.is_some_and(Bytes::are_good);
        let none = Validators::default();
        let request = FetchRequest {
            settings: &claim.source.settings,
            validators: if conditional {
                &claim.validators
            } else {
                &none
            },
            last_size_bytes: claim.newest.as_ref().map(|newest| newest.size_bytes),
        };
        let report = self.fetcher.fetch_within(request, Some(admission)).await;
        Attempt {
            started_at,
            clock,
            report,
            bytes,
        }
    }

    pub(super) async fn publish(
        &self,
        source: Source,
        version_id: VersionId,
        content: Content,
        room: Option<Reserved>,
    ) -> Result<()> {
        let room = match room {
            Some(room) => room,
            None => self.publisher.reserve(&content).await?,
        };
        let request = PublishRequest::of(&source, version_id, content);
        match self.publisher.publish(request, room).await {
            // The catalogue keeps the reason, and the end of the pass reports it.
            Err(error) if error.is_of_file() => {
                tracing::error!("{error}");
                Ok(())
            }
            published => published,
        }
    }

    pub(super) fn add_failure(&self, failure: impl FnOnce() -> String) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < MAX_FAILURES {
            failures.push(failure());
        }
    }

    /// Keeps the reason why the bytes of a source's version cannot be read at the moment. It affects no other version.
    pub(super) fn add_unreadable(&self, name: &str, error: Error) {
        let error = Error {
            kind: ErrorKind::Blocked,
            message: format!("{name}: {error}"),
            ..error
        };
        let mut first = self.unreadable();
        if first.is_none() {
            *first = Some(error);
        } else {
            self.add_failure(|| error.message);
        }
    }

    /// Returns the error of the first version whose bytes cannot be read at the moment.
    pub(super) fn unreadable(&self) -> MutexGuard<'_, Option<Error>> {
        self.unreadable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_result(&self, result: SourceResult) {
        if let Some(results) = &self.results {
            let results = results.lock();
            results.unwrap_or_else(PoisonError::into_inner).push(result);
        }
    }

    /// Returns the versions that are new in this pass, if it keeps results.
    pub(super) fn new_versions(&self) -> HashSet<VersionId> {
        let results = self.results.as_ref().map(Mutex::lock);
        let results = results.map(|results| results.unwrap_or_else(PoisonError::into_inner));
        let results = results.iter().flat_map(|results| results.iter());
        let new =
            results.filter(|result| result.outcome == SourceOutcome::Fetched(AttemptOutcome::New));
        new.filter_map(|result| result.version_id).collect()
    }

    /// Takes the results of the sources so far.
    pub(super) fn take_results(&self) -> Vec<SourceResult> {
        let results = self.results.as_ref().map(Mutex::lock);
        results.map_or_else(Vec::new, |results| {
            std::mem::take(&mut *results.unwrap_or_else(PoisonError::into_inner))
        })
    }

    /// Takes the failures; the line of the contents that this machine could not keep comes last.
    pub(super) fn take_failures(&self) -> Vec<String> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = std::mem::take(&mut *failures);
        let unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        taken.extend(unkept.line());
        taken
    }

    pub(super) async fn version(&self, id: VersionId) -> Result<Version> {
        let version = self.app.ports().store.find_version(id).await?;
        Ok(version.ok_or(StoreError::Missing {
            what: "version",
            id: id.0,
        })?)
    }
}

/// Accepts an error for a source that an operator removed during its attempt: there is nothing left to do.
pub(super) fn unless_gone(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => {
            tracing::warn!("{error}: removed meanwhile");
            Ok(())
        }
        other => other,
    }
}
