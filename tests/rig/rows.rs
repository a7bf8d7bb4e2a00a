//! What a worker asks of the store and brings to it: samples of sources, claims, attempts, blobs and verdicts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gannet::domain::{
    Actor, Address, BlobForm, BlobId, Claim, Digest, Fingerprint, Judgement, LastModified, NewBlob,
    NewVerdict, SourceId, SourceSettings, Stamp, StoredBody, Validators, VerdictOutcome, WorkerId,
    WorkerInfo,
};
use gannet::store::{AttemptRecord, AttemptResult, ClaimRequest, ClaimWhat};

/// The moment at which every test begins.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-01-31T12:30:00Z".parse().expect("a time")
}

pub(crate) fn hours(count: i64) -> DateTime<Utc> {
    start() + TimeDelta::hours(count)
}

pub(crate) fn stamp(at: DateTime<Utc>) -> Stamp {
    Stamp {
        at,
        actor: Actor("joe@host by cli".to_owned()),
    }
}

pub(crate) fn settings(name: &str, address: &str) -> SourceSettings {
    SourceSettings {
        tags: vec!["prices".to_owned()],
        headers: vec![("X-Key".to_owned(), "${KEY}".to_owned())],
        max_size_bytes: Some(1 << 20),
        ..SourceSettings::new(
            name.to_owned(),
            Address::parse(address, false).expect("an address"),
        )
    }
}

/// Asks for these, due or not.
pub(crate) fn these(ids: Vec<SourceId>, request: ClaimRequest) -> ClaimRequest {
    ClaimRequest {
        what: ClaimWhat::These(ids),
        ..request
    }
}

/// A worker of a machine that is not this one.
pub(crate) fn worker(id: &str) -> WorkerInfo {
    WorkerInfo {
        id: WorkerId(id.into()),
        host: "elsewhere".to_owned(),
        boot: "another".to_owned(),
        folder: format!("run-{id}"),
        pid: 7,
    }
}

pub(crate) fn request(id: &str, now: DateTime<Utc>) -> ClaimRequest {
    ClaimRequest {
        what: ClaimWhat::Due,
        worker: worker(id),
        now,
        limit: 256,
        excluded_hosts: Vec::new(),
    }
}

/// Content stored as it is.
pub(crate) fn raw(content: &str) -> NewBlob {
    NewBlob {
        digest: Digest::of(content.as_bytes()),
        size_bytes: content.len() as u64,
        form: BlobForm::Raw,
        base: None,
        depth: 0,
        stored_bytes: content.len() as u64,
        body: StoredBody::Inline(content.as_bytes().to_vec()),
    }
}

/// Content stored as a delta; what it needs is what counts here.
pub(crate) fn delta(content: &str, base: BlobId, depth: u32) -> NewBlob {
    NewBlob {
        form: BlobForm::Delta,
        base: Some(base),
        depth,
        ..raw(content)
    }
}

pub(crate) fn new(blob: NewBlob) -> AttemptResult {
    AttemptResult::New {
        blob,
        name: "a.csv".to_owned(),
        media_type: Some("text/csv".to_owned()),
        last_modified: Some(LastModified::At(start())),
    }
}

pub(crate) fn record(claim: &Claim, at: DateTime<Utc>, result: AttemptResult) -> AttemptRecord {
    AttemptRecord {
        source_id: claim.source.id,
        fence: claim.fence,
        worker: claim.worker.clone(),
        started_at: at,
        duration: Duration::from_millis(120),
        tries: 1,
        requests: claim.requests + 1,
        http_status: Some(200),
        provenance: None,
        size_bytes: Some(5),
        validators: Validators {
            etag: Some("W/\"1\"".to_owned()),
            last_modified: Some("Sat, 31 Jan 2026 12:00:00 GMT".to_owned()),
            ..Validators::default()
        },
        checked: false,
        not_before: None,
        result,
        stamp: stamp(at),
    }
}

pub(crate) fn verdict(outcome: VerdictOutcome, at: DateTime<Utc>) -> NewVerdict {
    NewVerdict {
        verifier: "schema".to_owned(),
        fingerprint: Fingerprint::of("{}".to_owned()),
        judgement: Judgement {
            outcome,
            detail: "row 3 is short".to_owned(),
            exit_code: Some(1),
            output: "three\nlines\n".to_owned(),
        },
        started_at: at,
        duration: Duration::from_millis(7),
    }
}
