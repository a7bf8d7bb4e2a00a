//! One claim from fetch to publication; how its version is judged stands in `judging`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::believing::{Bytes, ReadBudget};
use super::pass::MAX_TROUBLES;
use super::progress::Progress;
use super::publisher::{Publisher, Reserved};
use crate::app::{App, ErrorKind, PublishRequest, Result, SourceResult};
use crate::domain::{
    AttemptOutcome, CLOCK_TOLERANCE, Claim, Content, Digest, FailureKind, LastModified, NewBlob,
    NewestVersion, Slot, Source, StoredBody, Validators, Version, VersionId, VersionState, Weight,
    base_ordinal,
};
use crate::net::{Admission, FetchOutcome, FetchReport, FetchRequest, Fetcher, Limiter};
use crate::store::{AttemptRecord, AttemptResult, StoreError};

/// Every so many requests of a source go without validators, so that a server with a stuck one cannot hide a change
/// for ever; the archived bytes are checked on the way.
const UNCONDITIONAL_EVERY: u64 = 30;
/// For the same reason, a request goes without them when the whole file was not received for so long, however rarely it is
/// asked for.
const WHOLE_EVERY: TimeDelta = TimeDelta::days(30);
/// Content up to this length is compressed in less time than handing it to another thread and back takes.
const SMALL_BYTES: u64 = 16 << 10;

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
    pub(super) troubles: Mutex<Vec<String>>,
    /// What became of each source that was tried, where that is told.
    pub(super) results: Option<Mutex<Vec<SourceResult>>>,
    /// Whether versions are judged and published; else they wait for a process that may.
    pub(super) judges: bool,
    /// How much may still be read back, to see that it is good.
    pub(super) read_budget: ReadBudget,
}

/// A body that arrived.
struct Fetched {
    content: Content,
    digest: Digest,
    name: String,
    media_type: Option<String>,
    last_modified: Option<LastModified>,
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
struct Attempt {
    started_at: DateTime<Utc>,
    clock: Instant,
    report: FetchReport,
    /// What was known of the newest version's bytes before; nothing when the whole file was due anyway.
    bytes: Option<Bytes>,
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
            Some(_) => "another worker took it over: this answer was not recorded",
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

    async fn record(&self, claim: &Claim, attempt: Attempt) -> Result<Next> {
        let Attempt {
            started_at,
            clock,
            report,
            bytes,
        } = attempt;
        // After damage the next request asks for the whole file too, until it arrives.
        let kept_validators = || match bytes {
            Some(Bytes::Damaged) => Validators::default(),
            _ => claim.validators.clone(),
        };
        let mut record = AttemptRecord {
            source_id: claim.source.id,
            fence: claim.fence,
            started_at,
            duration: clock.elapsed(),
            tries: report.tries,
            requests: claim.requests + 1,
            http_status: report.http_status,
            size_bytes: None,
            validators: Validators::default(),
            not_before: None,
            checked: bytes == Some(Bytes::Checked),
            result: AttemptResult::Unchanged,
            stamp: self.app.stamp(),
        };
        match report.outcome {
            FetchOutcome::NotModified { validators } => {
                record.validators = validators;
                self.record_unchanged(record).await
            }
            FetchOutcome::Failed {
                kind,
                detail,
                retry_after,
            } => {
                record.validators = kept_validators();
                record.not_before = retry_after.map(Slot::not_before);
                self.record_failed(&claim.source.settings.name, record, kind, detail)
                    .await
            }
            FetchOutcome::Fetched {
                content,
                digest,
                validators,
                name,
                media_type,
                last_modified,
            } => {
                record.validators = validators;
                record.size_bytes = Some(content.size_bytes());
                let fetched = Fetched {
                    content,
                    digest,
                    name,
                    media_type,
                    last_modified,
                };
                match &claim.newest {
                    Some(newest) if newest.digest == digest => {
                        if !bytes.is_some_and(Bytes::are_good) {
                            self.heal(newest.id, fetched.content).await?;
                            record.checked = true;
                        }
                        self.record_unchanged(record).await
                    }
                    _ => Box::pin(self.record_new(claim, kept_validators(), record, fetched)).await,
                }
            }
        }
    }

    async fn record_unchanged(&self, record: AttemptRecord) -> Result<Next> {
        let bytes = record.size_bytes.unwrap_or(0);
        let source = record.source_id;
        let recorded = self.app.store.record_attempt(record).await?;
        let (outcome, version) = (AttemptOutcome::Unchanged, recorded.version_id);
        self.note(SourceResult::fetched(source, outcome, version));
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.unchanged += 1;
            summary.bytes += bytes;
        });
        Ok(Next::Done)
    }

    async fn record_failed(
        &self,
        name: &str,
        mut record: AttemptRecord,
        kind: FailureKind,
        detail: String,
    ) -> Result<Next> {
        let result = SourceResult::failed(record.source_id, kind, detail.clone());
        let trouble = format!("{name}: {detail}");
        record.result = AttemptResult::Failed { kind, detail };
        self.app.store.record_attempt(record).await?;
        // Only now: the failure of a source that was purged meanwhile is nobody's trouble.
        self.tell(|| trouble);
        self.note(result);
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.failed += 1;
        });
        Ok(Next::Done)
    }

    async fn record_new(
        &self,
        claim: &Claim,
        kept_validators: Validators,
        mut record: AttemptRecord,
        fetched: Fetched,
    ) -> Result<Next> {
        let source = &claim.source;
        let blob = match self.encode(source, claim.newest.as_ref(), &fetched).await {
            Ok(blob) => blob,
            Err(error) => {
                // The validators that came with a body which was not kept must not hide it from the next request.
                record.validators = kept_validators;
                return self
                    .record_failed(
                        &source.settings.name,
                        record,
                        FailureKind::Storage,
                        error.message,
                    )
                    .await;
            }
        };
        let object = match &blob.body {
            StoredBody::Object(name) => Some(name.clone()),
            StoredBody::Inline(_) => None,
        };
        let Fetched {
            content,
            digest: _,
            name,
            media_type,
            last_modified,
        } = fetched;
        record.result = AttemptResult::New {
            blob,
            name,
            media_type,
            last_modified,
        };
        let recorded = self.app.store.record_attempt(record).await;
        // Only when it is certain that no row names the object: after any other error the commit may yet have been made.
        let unneeded = match &recorded {
            Ok(recorded) => recorded.blob_was_known,
            Err(error) => matches!(error, StoreError::StaleClaim(_)),
        };
        // Before the object goes: the stored form that was known may be damaged, and these bytes are good.
        let healed = match &recorded {
            Ok(recorded) if recorded.blob_was_known => {
                self.heal_known(recorded.version_id, content.clone()).await
            }
            _ => Ok(()),
        };
        if let Some(object) = object.filter(|_| unneeded) {
            self.app
                .with_archive(move |archive| archive.delete_object(&object))
                .await?;
        }
        let recorded = recorded?;
        healed?;
        let bytes = content.size_bytes();
        let (outcome, version) = (AttemptOutcome::New, recorded.version_id);
        self.note(SourceResult::fetched(source.id, outcome, version));
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.new += 1;
            summary.bytes += bytes;
        });
        let version = recorded.version_id.ok_or(StoreError::Missing {
            what: "version of a new attempt",
            id: recorded.attempt_id.0,
        })?;
        if !self.judges {
            return Ok(Next::Done);
        }
        let is_judged = recorded.first_state != Some(VersionState::Unverified)
            || self.app.has_verifier(&source.settings, Weight::Advisory);
        Ok(if is_judged {
            Next::Judge(source.clone(), version, content, None)
        } else {
            Next::Publish(source.clone(), version, content, None)
        })
    }

    async fn encode(
        &self,
        source: &Source,
        newest: Option<&NewestVersion>,
        fetched: &Fetched,
    ) -> Result<NewBlob> {
        let ordinal = newest.map_or(0, |newest| newest.ordinal + 1);
        let base = match base_ordinal(ordinal) {
            Some(base) => match self.app.store.chain_of_ordinal(source.id, base).await {
                // What is damaged or missing is no base: the content is stored whole.
                Err(error) if error.is_damage() || matches!(error, StoreError::Missing { .. }) => {
                    Vec::new()
                }
                base => base?,
            },
            None => Vec::new(),
        };
        if base.is_empty() && fetched.content.size_bytes() <= SMALL_BYTES {
            return Ok(self
                .app
                .archive
                .encode(&fetched.content, fetched.digest, &base)?);
        }
        let (content, digest) = (fetched.content.clone(), fetched.digest);
        self.app
            .with_codec(move |archive| archive.encode(&content, digest, &base))
            .await
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
            // One file's trouble, which the catalogue keeps and the end of the pass tells.
            Err(error) if error.kind == ErrorKind::Blocked => {
                tracing::error!("{error}");
                Ok(())
            }
            published => published,
        }
    }

    async fn heal_known(&self, version: Option<VersionId>, content: Content) -> Result<()> {
        match version {
            Some(version) => self.heal(version, content).await,
            None => Ok(()),
        }
    }

    async fn heal(&self, newest: VersionId, content: Content) -> Result<()> {
        let version = self.version(newest).await?;
        if self.app.heal(&version, content).await? {
            tracing::info!(
                version = newest.0,
                "stored anew in the place of a damaged blob"
            );
        }
        Ok(())
    }

    pub(super) fn tell(&self, trouble: impl FnOnce() -> String) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.len() < MAX_TROUBLES {
            troubles.push(trouble());
        }
    }

    fn note(&self, result: SourceResult) {
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

    /// Returns what failed, and forgets it.
    pub(super) fn take_troubles(&self) -> Vec<String> {
        std::mem::take(&mut *self.troubles.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) async fn version(&self, id: VersionId) -> Result<Version> {
        let version = self.app.store.version(id).await?;
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
