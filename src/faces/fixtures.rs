//! Domain values for the tests of the faces.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{
    Attempt, AttemptId, AttemptOutcome, BlobId, Digest, Fingerprint, Interval, Judgement,
    LastModified, NewVerdict, Peer, Provenance, Redirect, Request, Slot, Source, SourceId,
    SourceSettings, SourceState, Verdict, VerdictId, VerdictOutcome, Version, VersionId,
    VersionState,
};

/// 2026-01-31, at this time of day.
pub(crate) fn at(time: &str) -> DateTime<Utc> {
    format!("2026-01-31T{time}Z").parse().expect("a time")
}

/// A source whose newest version is verified and published.
pub(crate) fn source(id: i64, name: &str) -> Source {
    Source {
        id: SourceId(id),
        settings: SourceSettings {
            name: name.to_owned(),
            interval: Interval::from_hours(6).expect("in range"),
            ..SourceSettings::sample(&format!("{id}.csv"))
        },
        published_path: format!("example.org/{id}.csv"),
        created_at: at("08:00:00"),
        removed_at: None,
        day: None,
        state: SourceState {
            next_slot: Slot::containing(at("18:00:00")),
            failures: 0,
            last_attempt_at: Some(at("12:00:03.250")),
            last_outcome: Some(AttemptOutcome::New),
            version_id: Some(VersionId(10 + id)),
            version_state: Some(VersionState::Passed),
            published_version_id: Some(VersionId(10 + id)),
            publish_due: false,
            publish_error: None,
            set: None,
            set_fails: false,
            set_version_id: None,
            showing_set: None,
            withdrawn: None,
            days: None,
        },
    }
}

/// A version of `content`, which passed.
pub(crate) fn version(id: i64, ordinal: u64, content: &[u8]) -> Version {
    Version {
        id: VersionId(id),
        source_id: SourceId(1),
        ordinal,
        blob_id: BlobId(id),
        digest: Digest::of(content),
        size_bytes: content.len() as u64,
        stored_bytes: 7,
        name: "prices.csv".to_owned(),
        media_type: Some("text/csv".to_owned()),
        last_modified: Some(LastModified::At(at("11:59:00"))),
        fetched_at: at("12:00:03.250"),
        state: VersionState::Passed,
        policy_revision: Some(1),
    }
}

/// A verdict on the sample version.
pub(crate) fn verdict(version: i64, outcome: VerdictOutcome, detail: &str) -> Verdict {
    Verdict {
        given_on: None,
        id: VerdictId(1),
        version_id: VersionId(version),
        verdict: NewVerdict {
            verifier: "schema".to_owned(),
            fingerprint: Fingerprint {
                hex: "ab12".to_owned(),
                definition: r#"{"rules":1,"definition":{"command":["/bin/check","{path}"]}}"#
                    .to_owned(),
            },
            judgement: Judgement {
                outcome,
                detail: detail.to_owned(),
                exit_code: Some(1),
                output: "line 3: bad\n".to_owned(),
            },
            started_at: at("12:00:04"),
            duration: Duration::from_millis(35),
        },
        actor: "worker@host".to_owned(),
    }
}

/// Where an attempt went that was redirected once.
pub(crate) fn provenance() -> Provenance {
    let request = |address: &str, peer: &str| Request {
        address: address.to_owned(),
        peer: Some(Peer {
            address: peer.to_owned(),
            proxy: None,
            tls: Some("1.3".to_owned()),
            certificate: Some(Digest::of(b"certificate")),
        }),
    };
    Provenance {
        redirects: vec![Redirect {
            status: 302,
            request: request("https://example.org/1.csv", "192.0.2.7:443"),
        }],
        last: request("https://files.example.org/1.csv?…", "[2001:db8::7]:8443"),
    }
}

/// An attempt that failed with 503.
pub(crate) fn failed_attempt(id: i64) -> Attempt {
    Attempt {
        id: AttemptId(id),
        source_id: SourceId(1),
        started_at: at("18:00:02"),
        duration: Duration::from_millis(1204),
        outcome: AttemptOutcome::Failed,
        http_status: Some(503),
        size_bytes: None,
        tries: 3,
        version_id: None,
        provenance: Some(provenance()),
        error_kind: Some(crate::domain::FailureKind::Status),
        error: Some("503 Service Unavailable\u{1b}[2J".to_owned()),
    }
}
