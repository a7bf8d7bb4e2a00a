//! Records an attempt: its outcome, the new version if there is one, and good bytes in the place of damaged ones.
//!
//! Never judges or publishes.

use std::sync::PoisonError;

use super::pipeline::{Attempt, Next, Pipeline};
use super::read_back::Bytes;
use crate::app::{ErrorKind, Healing, Result, SourceResult};
use crate::domain::{
    AttemptOutcome, Claim, Content, FailureKind, NewBlob, Slot, Source, Validators, VersionId,
    VersionState, Weight, base_ordinal,
};
use crate::net::{Download, FetchOutcome};
use crate::store::{AttemptRecord, AttemptResult, ChainOf, Fact, Recorded, StoreError};

impl Pipeline {
    /// Records an attempt. Returns the work that is left.
    pub(super) async fn record(&self, claim: &Claim, mut attempt: Attempt) -> Result<Next> {
        let mut record = self.begin_record(claim, &mut attempt);
        match attempt.report.outcome {
            FetchOutcome::NotModified { validators } => {
                record.validators = validators;
                self.record_unchanged(record).await
            }
            FetchOutcome::Failed {
                kind: FailureKind::Storage,
                detail,
                ..
            } => self.leave_unkept(claim, detail).await,
            FetchOutcome::Failed { .. } if is_absent(claim, record.http_status) => {
                self.record_absent(record).await
            }
            FetchOutcome::Failed {
                kind,
                detail,
                retry_after,
            } => {
                record.validators = kept_validators(claim, attempt.bytes);
                record.not_before = retry_after.map(Slot::not_before);
                self.record_failed(&claim.source.settings.name, record, kind, detail)
                    .await
            }
            FetchOutcome::Fetched(download) => {
                record.size_bytes = Some(download.content.size_bytes());
                match &claim.newest {
                    Some(newest) if newest.digest == download.digest => {
                        record.validators = download.validators;
                        if !attempt.bytes.is_some_and(Bytes::are_good) {
                            record.checked = self.heal(claim, newest.id, download.content).await?;
                        }
                        self.record_unchanged(record).await
                    }
                    _ => Box::pin(self.record_new(claim, attempt.bytes, record, download)).await,
                }
            }
        }
    }

    /// Returns the record of an attempt, without its outcome.
    fn begin_record(&self, claim: &Claim, attempt: &mut Attempt) -> AttemptRecord {
        AttemptRecord {
            source_id: claim.source.id,
            fence: claim.fence,
            worker: claim.worker.clone(),
            started_at: attempt.started_at,
            duration: attempt.clock.elapsed(),
            tries: attempt.report.tries,
            requests: claim.requests + 1,
            http_status: attempt.report.http_status,
            provenance: attempt.report.provenance.take(),
            size_bytes: None,
            validators: Validators::default(),
            not_before: None,
            checked: attempt.bytes == Some(Bytes::Checked),
            result: AttemptResult::Unchanged,
            stamp: self.app.stamp(),
        }
    }

    async fn record_unchanged(&self, record: AttemptRecord) -> Result<Next> {
        let bytes = record.size_bytes.unwrap_or(0);
        let source = record.source_id;
        let recorded = self.app.ports().store.record_attempt(record).await?;
        let result = SourceResult::fetched(source, AttemptOutcome::Unchanged, recorded.version_id);
        self.add_result(result);
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.unchanged += 1;
            summary.bytes += bytes;
        });
        Ok(Next::Done)
    }

    /// Records that a day's file is not there yet: no failure, since nobody promised it for this day.
    async fn record_absent(&self, mut record: AttemptRecord) -> Result<Next> {
        record.result = AttemptResult::Absent;
        let result = SourceResult::fetched(record.source_id, AttemptOutcome::Absent, None);
        self.app.ports().store.record_attempt(record).await?;
        self.add_result(result);
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.absent += 1;
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
        let failure = format!("{name}: {detail}");
        record.result = AttemptResult::Failed { kind, detail };
        self.app.ports().store.record_attempt(record).await?;
        // Only after the record: the failed fetch of a source that was purged meanwhile is not reported.
        self.add_failure(|| failure);
        self.add_result(result);
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.failed += 1;
        });
        Ok(Next::Done)
    }

    async fn record_new(
        &self,
        claim: &Claim,
        bytes: Option<Bytes>,
        mut record: AttemptRecord,
        download: Download,
    ) -> Result<Next> {
        let source = &claim.source;
        let blob = match self.encode(claim, &download).await {
            Ok(blob) => blob,
            Err(error) if error.kind == ErrorKind::Damaged => {
                // Those of the response would make the next one 304, and its body is not kept.
                record.validators = kept_validators(claim, bytes);
                let (name, kind) = (&source.settings.name, FailureKind::Storage);
                return self.record_failed(name, record, kind, error.message).await;
            }
            Err(error) => return self.leave_unkept(claim, error.message).await,
        };
        let object = blob.body.object().map(str::to_owned);
        let content = download.content;
        record.validators = download.validators;
        record.result = AttemptResult::New {
            blob,
            name: download.name,
            media_type: download.media_type,
            last_modified: download.last_modified,
        };
        let recorded = self.app.ports().store.record_attempt(record).await;
        self.tidy_after(claim, object, &recorded, &content).await?;
        let recorded = recorded?;
        let result = SourceResult::fetched(source.id, AttemptOutcome::New, recorded.version_id);
        self.add_result(result);
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.new += 1;
            summary.bytes += content.size_bytes();
        });
        self.next_for(source, &recorded, content)
    }

    /// Replaces the stored form of a known blob if it is damaged, and deletes the new object if it is not needed.
    async fn tidy_after(
        &self,
        claim: &Claim,
        object: Option<String>,
        recorded: &std::result::Result<Recorded, StoreError>,
        content: &Content,
    ) -> Result<()> {
        // Only when no row can name the object: after any other error, the commit may have been made.
        let unneeded = match recorded {
            Ok(recorded) => recorded.blob_was_known,
            Err(error) => matches!(error, StoreError::StaleClaim(_)),
        };
        // Before the object is deleted: the stored form of the known blob may be damaged.
        let known = recorded.as_ref().ok().filter(|one| one.blob_was_known);
        let healed = match known.and_then(|known| known.version_id) {
            Some(version) => self.heal(claim, version, content.clone()).await.map(drop),
            None => Ok(()),
        };
        if let Some(object) = object.filter(|_| unneeded) {
            self.app.delete_object(object).await?;
        }
        healed
    }

    /// Returns the work that is left for a new version.
    fn next_for(&self, source: &Source, recorded: &Recorded, content: Content) -> Result<Next> {
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

    /// Makes the stored form of a body, against the version that its ordinal names as the base.
    async fn encode(&self, claim: &Claim, download: &Download) -> Result<NewBlob> {
        let newest = claim.newest.as_ref();
        let ordinal = newest.map_or(0, |newest| newest.ordinal + 1);
        let of_source = |ordinal| ChainOf::Ordinal {
            source: claim.source.id,
            ordinal,
        };
        let base = match base_ordinal(ordinal).map(of_source) {
            Some(base) => match self.app.ports().store.chain(base).await {
                // Without a sound base, the content is stored whole.
                Err(error) if error.is_damage() || matches!(error, StoreError::Missing { .. }) => {
                    Vec::new()
                }
                base => base?,
            },
            None => Vec::new(),
        };
        let (content, digest) = (download.content.clone(), download.digest);
        self.app.encode(content, digest, base, &claim.worker).await
    }

    /// Stores the content of a version anew if its blob is damaged. Returns whether the version's stored bytes are
    /// good.
    async fn heal(&self, claim: &Claim, version: VersionId, content: Content) -> Result<bool> {
        let kept = self.version(version).await?;
        match self.app.heal(&kept, content, &claim.worker).await? {
            Healing::NotNeeded => Ok(true),
            Healing::Done => {
                tracing::info!(
                    version = version.0,
                    "stored anew in the place of a damaged blob"
                );
                Ok(true)
            }
            Healing::Unknown(error) => {
                self.add_unreadable(&claim.source.settings.name, error);
                Ok(false)
            }
        }
    }

    /// Leaves a source to the next pass, since this machine cannot keep its content. The claim stays until this pass
    /// ends, so that this pass does not fetch the source again.
    pub(super) async fn leave_unkept(&self, claim: &Claim, why: String) -> Result<Next> {
        let source = &claim.source;
        // The source may have been fetched before it was due: its set must wait for it, too.
        let slot = Slot::containing(self.app.now());
        let due = Fact::DueBy {
            source: source.id,
            fence: claim.fence,
            worker: claim.worker.clone(),
            slot,
        };
        self.app.record(due).await?;
        tracing::error!("{}: not kept: {why}", source.settings.name);
        let result = SourceResult::dropped(source.id, &format!("not kept: {why}"));
        self.add_result(result);
        let mut unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        unkept.add(&source.settings.name, why);
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.not_kept += 1;
        });
        Ok(Next::Done)
    }
}

/// Returns whether an answer says that the file of a day is not there yet: one that was there once is missing.
fn is_absent(claim: &Claim, http_status: Option<u16>) -> bool {
    let is_day = claim.source.day.is_some();
    is_day && claim.source.state.version_id.is_none() && matches!(http_status, Some(404 | 410))
}

/// Returns the validators to keep after an attempt without a body: none after damage, so that the next request is for
/// the whole file, too.
fn kept_validators(claim: &Claim, bytes: Option<Bytes>) -> Validators {
    match bytes {
        Some(Bytes::Damaged) => Validators::default(),
        _ => claim.validators.clone(),
    }
}
