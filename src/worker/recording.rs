//! Recording an attempt: what it found, the new version if it brought one, and the stored bytes that it showed to be damaged.

use std::sync::PoisonError;

use super::pipeline::{Attempt, Next, Pipeline};
use super::read_back::Bytes;
use crate::app::{ErrorKind, Healing, Result, SourceResult};
use crate::domain::{
    AttemptOutcome, Claim, Content, Digest, FailureKind, LastModified, NewBlob, Slot, Source,
    StoredBody, Validators, VersionId, VersionState, Weight, base_ordinal,
};
use crate::net::FetchOutcome;
use crate::store::{AttemptRecord, AttemptResult, ChainOf, Fact, Recorded, StoreError};

/// A body that arrived.
struct Fetched {
    content: Content,
    digest: Digest,
    name: String,
    media_type: Option<String>,
    last_modified: Option<LastModified>,
}

impl Pipeline {
    /// Records what came of an attempt. Returns what is left to do then.
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
                        if !attempt.bytes.is_some_and(Bytes::are_good) {
                            record.checked = self.heal(claim, newest.id, fetched.content).await?;
                        }
                        self.record_unchanged(record).await
                    }
                    _ => {
                        let kept = kept_validators(claim, attempt.bytes);
                        Box::pin(self.record_new(claim, kept, record, fetched)).await
                    }
                }
            }
        }
    }

    /// Returns what is recorded of an attempt whatever came of it.
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
        let failure = format!("{name}: {detail}");
        record.result = AttemptResult::Failed { kind, detail };
        self.app.ports().store.record_attempt(record).await?;
        // Only now: the failed fetch of a source that was purged meanwhile concerns nobody.
        self.tell(|| failure);
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
        let blob = match self.encode(claim, &fetched).await {
            Ok(blob) => blob,
            // The stored form that this one would build on is not what was recorded: the next fetch is for the whole file.
            Err(error) if error.kind == ErrorKind::Damaged => {
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
            Err(error) => return self.leave_unkept(claim, error.message).await,
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
        let recorded = self.app.ports().store.record_attempt(record).await;
        self.tidy_after(claim, object, &recorded, &content).await?;
        let recorded = recorded?;
        let bytes = content.size_bytes();
        let (outcome, version) = (AttemptOutcome::New, recorded.version_id);
        self.note(SourceResult::fetched(source.id, outcome, version));
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.new += 1;
            summary.bytes += bytes;
        });
        self.next_for(source, &recorded, content)
    }

    /// Mends the stored form that was known already, and removes the object that was written and is not needed.
    async fn tidy_after(
        &self,
        claim: &Claim,
        object: Option<String>,
        recorded: &std::result::Result<Recorded, StoreError>,
        content: &Content,
    ) -> Result<()> {
        // Only when it is certain that no row names the object: after any other error the commit may yet have been made.
        let unneeded = match recorded {
            Ok(recorded) => recorded.blob_was_known,
            Err(error) => matches!(error, StoreError::StaleClaim(_)),
        };
        // Before the object goes: the stored form that was known may be damaged, and these bytes are good.
        let healed = match recorded {
            Ok(recorded) if recorded.blob_was_known => {
                self.heal_known(claim, recorded.version_id, content.clone())
                    .await
            }
            _ => Ok(()),
        };
        if let Some(object) = object.filter(|_| unneeded) {
            self.app.delete_object(object).await?;
        }
        healed
    }

    /// Returns what follows for a new version that is recorded.
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

    async fn encode(&self, claim: &Claim, fetched: &Fetched) -> Result<NewBlob> {
        let newest = claim.newest.as_ref();
        let ordinal = newest.map_or(0, |newest| newest.ordinal + 1);
        let of_source = |ordinal| ChainOf::Ordinal {
            source: claim.source.id,
            ordinal,
        };
        let base = match base_ordinal(ordinal).map(of_source) {
            Some(base) => match self.app.ports().store.chain(base).await {
                // What is damaged or missing is no base: the content is stored whole.
                Err(error) if error.is_damage() || matches!(error, StoreError::Missing { .. }) => {
                    Vec::new()
                }
                base => base?,
            },
            None => Vec::new(),
        };
        let (content, digest) = (fetched.content.clone(), fetched.digest);
        self.app.encode(content, digest, base, &claim.worker).await
    }

    async fn heal_known(
        &self,
        claim: &Claim,
        version: Option<VersionId>,
        content: Content,
    ) -> Result<()> {
        match version {
            Some(version) => self.heal(claim, version, content).await.map(drop),
            None => Ok(()),
        }
    }

    /// Stores content anew where the blob of a version with the same bytes is damaged. Returns whether its bytes are good then.
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
                self.tell_unreadable(&claim.source.settings.name, error);
                Ok(false)
            }
        }
    }

    /// Leaves a source to the next pass, since this machine cannot keep what it sent. Its claim stays until this pass ends, so that
    /// this one does not fetch it again.
    pub(super) async fn leave_unkept(&self, claim: &Claim, why: String) -> Result<Next> {
        let source = &claim.source;
        // Asked for before it was due, its set would go on without what it has by now.
        let slot = Slot::containing(self.app.now());
        let due = Fact::DueBy {
            source: source.id,
            fence: claim.fence,
            worker: claim.worker.clone(),
            slot,
        };
        self.app.record(due).await?;
        tracing::error!("{}: not kept: {why}", source.settings.name);
        self.note(SourceResult::dropped(
            source.id,
            &format!("not kept: {why}"),
        ));
        let mut unkept = self.unkept.lock().unwrap_or_else(PoisonError::into_inner);
        unkept.add(&source.settings.name, why);
        self.progress.update(|summary| {
            summary.attempts += 1;
            summary.not_kept += 1;
        });
        Ok(Next::Done)
    }
}

/// Returns the validators for the next request when this one brought none. After damage the next one asks for the whole file,
/// too, until it arrives.
fn kept_validators(claim: &Claim, bytes: Option<Bytes>) -> Validators {
    match bytes {
        Some(Bytes::Damaged) => Validators::default(),
        _ => claim.validators.clone(),
    }
}
