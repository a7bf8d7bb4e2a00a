//! The history of a source: attempts, and versions with their verdicts.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::object::json_object;
use super::times::{milliseconds, precise, whole_seconds};
use super::verdict::VerdictJson;
use crate::app::History;
use crate::domain::{
    Attempt, Digest, FailureKind, LastModified, Provenance, Verdict, Version, VersionId,
};

json_object! {
    /// One of `attempts` in `history --json`.
    #[schema(as = Attempt)]
    pub(crate) struct AttemptJson<'a> {
        id: i64,
        started_at: String,
        duration_ms: u64,
        outcome: &'static str,
        http_status: Option<u16>,
        size_bytes: Option<u64>,
        version_id: Option<VersionId>,
        digest: Option<String>,
        error_kind: Option<&'static str>,
        error: Option<&'a str>,
        asked: Option<&'a str>,
        final_address: Option<&'a str>,
        /// The peer that answered.
        peer: Option<&'a str>,
        proxy: Option<&'a str>,
        tls: Option<&'a str>,
        certificate: Option<Digest>,
    } and {
        redirects: Option<Vec<RedirectJson<'a>>>,
    }
}

/// A redirect in an attempt, and the peer that sent it.
#[derive(Serialize, ToSchema)]
#[schema(as = Redirect)]
struct RedirectJson<'a> {
    status: u16,
    to: &'a str,
    peer: Option<&'a str>,
    proxy: Option<&'a str>,
    tls: Option<&'a str>,
    certificate: Option<Digest>,
}

fn redirects(provenance: &Provenance) -> Vec<RedirectJson<'_>> {
    let redirects = provenance.redirects.iter().zip(provenance.led_to());
    redirects
        .map(|(redirect, (status, to))| {
            let peer = redirect.request.peer.as_ref();
            RedirectJson {
                status,
                to,
                peer: peer.map(|peer| peer.address.as_str()),
                proxy: peer.and_then(|peer| peer.proxy.as_deref()),
                tls: peer.and_then(|peer| peer.tls.as_deref()),
                certificate: peer.and_then(|peer| peer.certificate),
            }
        })
        .collect()
}

impl<'a> AttemptJson<'a> {
    /// `digest` is that of the version which the attempt stored, or found unchanged.
    pub(crate) fn new(attempt: &'a Attempt, digest: Option<Digest>) -> Self {
        let provenance = attempt.provenance.as_ref();
        let last = provenance.map(|provenance| &provenance.last);
        let peer = last.and_then(|last| last.peer.as_ref());
        Self {
            id: attempt.id.0,
            started_at: precise(attempt.started_at),
            duration_ms: milliseconds(attempt.duration),
            outcome: attempt.outcome.as_str(),
            http_status: attempt.http_status,
            size_bytes: attempt.size_bytes,
            version_id: attempt.version_id,
            digest: digest.map(|digest| digest.to_string()),
            error_kind: attempt.error_kind.map(FailureKind::as_str),
            error: attempt.error.as_deref(),
            asked: provenance.map(Provenance::asked),
            final_address: last.map(|last| last.address.as_str()),
            peer: peer.map(|peer| peer.address.as_str()),
            proxy: peer.and_then(|peer| peer.proxy.as_deref()),
            tls: peer.and_then(|peer| peer.tls.as_deref()),
            certificate: peer.and_then(|peer| peer.certificate),
            redirects: provenance.map(redirects),
        }
    }
}

json_object! {
    /// One of `versions` in `history --json`.
    #[schema(as = Version)]
    pub(crate) struct VersionJson<'a> {
        id: VersionId,
        digest: String,
        size_bytes: u64,
        stored_bytes: u64,
        name: &'a str,
        media_type: Option<&'a str>,
        last_modified: Option<String>,
        fetched_at: String,
        verified: &'static str,
        /// The policy under which the state was derived.
        policy_revision: Option<i64>,
        published: bool,
    } and {
        verdicts: Vec<VerdictJson<'a>>,
    }
}

impl<'a> VersionJson<'a> {
    /// `published`: whether consumers see the version now.
    pub(crate) fn new(version: &'a Version, verdicts: &'a [Verdict], published: bool) -> Self {
        Self {
            id: version.id,
            digest: version.digest.to_string(),
            size_bytes: version.size_bytes,
            stored_bytes: version.stored_bytes,
            name: &version.name,
            media_type: version.media_type.as_deref(),
            last_modified: version
                .last_modified
                .as_ref()
                .and_then(LastModified::time)
                .map(whole_seconds),
            fetched_at: precise(version.fetched_at),
            verified: version.state.as_str(),
            policy_revision: version.policy_revision,
            published,
            verdicts: verdicts.iter().map(VerdictJson::recorded).collect(),
        }
    }
}

/// Returns the attempts of a history, each with the digest of its version.
pub(crate) fn attempts(history: &History) -> Vec<AttemptJson<'_>> {
    let versions = history.versions.iter();
    let digests: HashMap<_, _> = versions.map(|(one, _)| (one.id, one.digest)).collect();
    let digest = |attempt: &Attempt| digests.get(&attempt.version_id?).copied();
    let attempts = history.attempts.iter();
    attempts
        .map(|attempt| AttemptJson::new(attempt, digest(attempt)))
        .collect()
}

/// Returns a version of a history with these verdicts.
pub(crate) fn version<'a>(
    history: &History,
    version: &'a Version,
    verdicts: &'a [Verdict],
) -> VersionJson<'a> {
    VersionJson::new(version, verdicts, history.served == Some(version.id))
}
