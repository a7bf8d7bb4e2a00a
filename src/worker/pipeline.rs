//! One claim from fetch to publication; how the attempt is recorded stands in `recording`, how its version is judged in `judging`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use super::publish_batcher::{Publisher, Reserved};
use super::read_back::{Bytes, ReadBudget};
use super::report::MAX_FAILURES;
use super::unkept::Unkept;
use crate::app::{App, Error, ErrorKind, PublishRequest, Result, SourceResult};
use crate::domain::{CLOCK_TOLERANCE, Claim, Content, Source, Validators, Version, VersionId};
use crate::net::{Admission, FetchOutcome, FetchReport, FetchRequest, Fetcher, Limiter};
use crate::store::StoreError;

/// Every so many requests of a source go without validators, so that a server with a stuck one cannot hide a change
/// for ever; the archived bytes are checked on the way.
const UNCONDITIONAL_EVERY: u64 = 30;
/// For the same reason, a request goes without them when the whole file was not received for so long, however rarely it is
/// asked for.
const WHOLE_EVERY: TimeDelta = TimeDelta::days(30);
/// Attempts with no more content than this do not count as backlog while they wait to be recorded: the more wait, the
/// more share one commit, and 1024 tasks of a pass hold 8 MiB of them at most.
const LIGHT_BYTES: u64 = 8 << 10;

/// What every attempt of a pass shares.
pub(super) struct Pipeline {
    pub(super) app: Arc<App>,
    pub(super) fetcher: Arc<Fetcher>,
    pub(super) limiter: Arc<Limiter>,
    pub(super) publisher: Publisher,
    pub(super) progress: Progress,
    /// Cancelled when what has not begun must not begin any more.
    pub(super) closing: CancellationToken,
    /// What failed, in words, as far as it is told one by one.
    pub(super) failures: Mutex<Vec<String>>,
    /// The first version whose bytes cannot be read now; the others are among the failures.
    pub(super) unreadable: Mutex<Option<Error>>,
    /// The names of sources whose answers this machine could not keep, and why, of the first one.
    pub(super) unkept: Mutex<Unkept>,
    /// What became of each source that was tried, where that is told.
    pub(super) results: Option<Mutex<Vec<SourceResult>>>,
    /// Whether versions are judged and published; else they wait for a process that may.
    pub(super) judges: bool,
    /// How much may still be read back, to see that it is good.
    pub(super) read_budget: ReadBudget,
}

/// What is left to do when an attempt is recorded.
pub(super) enum Next {
    Done,
    /// With the room that it has at the publisher.
    Publish(Source, VersionId, Content, Option<Reserved>),
    /// With the attempt's place in the backlog, which bounds how many contents wait.
    Judge(Source, VersionId, Content, Option<OwnedSemaphorePermit>),
}

/// What is known of an attempt before it is recorded.
pub(super) struct Attempt {
    pub(super) started_at: DateTime<Utc>,
    pub(super) clock: Instant,
    pub(super) report: FetchReport,
    /// What was known of the newest version's bytes before; nothing when the whole file was due anyway.
    pub(super) bytes: Option<Bytes>,
}

/// Tells whether the file is to be asked for whole, changed or not.
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
            FetchOutcome::Fetched { content, .. } => content.size_bytes() <= LIGHT_BYTES,
            FetchOutcome::NotModified { .. } | FetchOutcome::Failed { .. } => true,
        }
    }
}

impl Pipeline {
    /// Returns a pipeline that judges and publishes nothing, and keeps no results.
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
        }
    }

    /// Waits for its turn, makes the attempt and records it. An `Err` means that this machine cannot go on: the store or
    /// the disk failed.
    pub(super) async fn attempt(&self, claim: Claim, host: &str) -> Result<Next> {
        let mut admission = tokio::select! {
            biased;
            () = self.closing.cancelled() => return Ok(Next::Done),
            admission = self.limiter.admit(host) => admission,
        };
        // Boxed, as `record` is: hundreds of claims wait for their turn, and hold no room for what comes then.
        let attempt = Box::pin(self.fetch(&claim, &mut admission)).await;
        let backlog = admission.finish().filter(|_| !attempt.is_light());
        match Box::pin(self.record(&claim, attempt)).await {
            Ok(Next::Judge(source, version, content, _)) => {
                Ok(Next::Judge(source, version, content, backlog))
            }
            Ok(Next::Publish(source, version, content, None)) => {
                // The publisher bounds what waits for it by its length: small contents need not keep fetches waiting.
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

    /// Notes why an answer is not recorded: what was asked for is not what the source stands for now, or, when this claim
    /// lapsed, another worker took the source over, whose result stands.
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
        self.note(SourceResult::dropped(claimed.id, why));
        Ok(())
    }

    /// Carries a new version to its published path.
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
        let request = PublishRequest {
            source_id: source.id,
            path: source.published_path,
            version_id,
            content,
        };
        match self.publisher.publish(request, room).await {
            // The catalogue keeps it, and the end of the pass tells it.
            Err(error) if error.is_of_file() => {
                tracing::error!("{error}");
                Ok(())
            }
            published => published,
        }
    }

    pub(super) fn tell(&self, failure: impl FnOnce() -> String) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < MAX_FAILURES {
            failures.push(failure());
        }
    }

    /// Keeps why the bytes of a source's version cannot be read now. That concerns no other version, and keeps nothing from being done.
    pub(super) fn tell_unreadable(&self, name: &str, error: Error) {
        let error = Error {
            kind: ErrorKind::Blocked,
            message: format!("{name}: {error}"),
            ..error
        };
        let mut first = self.unreadable();
        if first.is_none() {
            *first = Some(error);
        } else {
            self.tell(|| error.message);
        }
    }

    /// Returns the first version whose bytes cannot be read now, if there is one.
    pub(super) fn unreadable(&self) -> MutexGuard<'_, Option<Error>> {
        self.unreadable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, result: SourceResult) {
        if let Some(results) = &self.results {
            let results = results.lock();
            results.unwrap_or_else(PoisonError::into_inner).push(result);
        }
    }

    /// Returns what became of each source so far, and forgets it.
    pub(super) fn take_results(&self) -> Vec<SourceResult> {
        let results = self.results.as_ref().map(Mutex::lock);
        results.map_or_else(Vec::new, |results| {
            std::mem::take(&mut *results.unwrap_or_else(PoisonError::into_inner))
        })
    }

    /// Returns what failed, and forgets it. What this machine lacked comes last, once for all sources.
    pub(super) fn take_failures(&self) -> Vec<String> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = std::mem::take(&mut *failures);
        let unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        taken.extend(unkept.words());
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

/// An operator may remove a source while it is being fetched: nothing is left to do then, and nothing went wrong.
pub(super) fn unless_gone(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => {
            tracing::warn!("{error}: removed meanwhile");
            Ok(())
        }
        other => other,
    }
}
