//! The JSON that programs rely on: field names, times and digests exactly as documented.
//!
//! Times are RFC 3339 in UTC: to the second for slots, to the millisecond for what happened. Digests are
//! `sha256:hex`. A field without a value is null, never left out.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::app::{History, Newest};
use crate::domain::{
    Attempt, AttemptOutcome, Digest, EditionVerdict, Event, FailureKind, LastModified, NewVerdict,
    Source, SourceId, Verdict, Version, VersionId,
};
use crate::faces::standing::{StateWord, next_due, verified_word};

/// One of `list --json`.
#[derive(Serialize)]
pub(crate) struct SourceJson<'a> {
    id: SourceId,
    name: &'a str,
    address: &'a str,
    interval_hours: u32,
    enabled: bool,
    tags: &'a [String],
    last_attempt_at: Option<String>,
    next_due_at: Option<String>,
    last_outcome: Option<&'static str>,
    failures: u32,
    version_id: Option<VersionId>,
    verified: Option<&'static str>,
    published_path: Option<String>,
    set: Option<&'a str>,
    state: &'static str,
    removed_at: Option<String>,
    published_version_id: Option<VersionId>,
    wanted_version_id: Option<VersionId>,
    publish_error: Option<&'a str>,
    size_bytes: Option<u64>,
    digest: Option<String>,
    error_kind: Option<&'static str>,
    error: Option<&'a str>,
    set_error: Option<&'a str>,
    withdrawn_at: Option<String>,
    withdrawn_because: Option<&'a str>,
}

impl<'a> SourceJson<'a> {
    /// The fields, in their order.
    pub(crate) const FIELDS: [&'static str; 26] = [
        "id",
        "name",
        "address",
        "interval_hours",
        "enabled",
        "tags",
        "last_attempt_at",
        "next_due_at",
        "last_outcome",
        "failures",
        "version_id",
        "verified",
        "published_path",
        "set",
        "state",
        "removed_at",
        "published_version_id",
        "wanted_version_id",
        "publish_error",
        "size_bytes",
        "digest",
        "error_kind",
        "error",
        "set_error",
        "withdrawn_at",
        "withdrawn_because",
    ];

    /// `published_path` is a whole path, and null while nothing is published by itself; `set` names the set that the source is
    /// published with; `published_version_id` is what consumers see, in the set's folder too; `wanted_version_id` is the
    /// version that should be published by itself, another than `published_version_id` while that lags; `size_bytes` and
    /// `digest` are the newest version's, `error` is the last attempt's. `set_error`: why that set fails, if it does.
    pub(crate) fn new(
        source: &'a Source,
        newest: &'a Newest,
        set_error: Option<&'a str>,
        published_dir: &Path,
    ) -> Self {
        let (settings, state) = (&source.settings, &source.state);
        let withdrawn = state.withdrawn.as_ref();
        Self {
            id: source.id,
            name: &settings.name,
            address: settings.address.as_str(),
            interval_hours: settings.interval.hours(),
            enabled: settings.enabled,
            tags: &settings.tags,
            last_attempt_at: state.last_attempt_at.map(precise),
            next_due_at: next_due(source).map(whole_seconds),
            last_outcome: state.last_outcome.map(AttemptOutcome::as_str),
            failures: state.failures,
            version_id: state.version_id,
            verified: verified_word(source),
            published_path: published_file(source, published_dir),
            set: state.set.as_deref(),
            state: StateWord::of(source).as_str(),
            removed_at: source.removed_at.map(precise),
            published_version_id: state.served(),
            wanted_version_id: newest.wanted_version_id,
            publish_error: state.publish_error.as_deref(),
            size_bytes: newest.size_bytes,
            digest: newest.digest.map(|digest| digest.to_string()),
            error_kind: newest.error_kind.map(FailureKind::as_str),
            error: newest.error.as_deref(),
            set_error,
            withdrawn_at: withdrawn.map(|withdrawal| precise(withdrawal.at)),
            withdrawn_because: withdrawn.map(|withdrawal| withdrawal.because.as_str()),
        }
    }
}

/// Returns where the source's published file lies, if one does: that of a removed source could perhaps not be removed.
pub(crate) fn published_file(source: &Source, published_dir: &Path) -> Option<String> {
    let is_left = source.removed_at.is_some() && source.state.publish_error.is_some();
    (is_left || source.state.published_version_id.is_some()).then(|| {
        let path = published_dir.join(&source.published_path);
        path.to_string_lossy().into_owned()
    })
}

/// What an operator said of a source, beyond what `list` shows.
#[derive(Serialize)]
pub(crate) struct SettingsJson<'a> {
    /// Secrets are by name here, as they are stored.
    headers: Vec<HeaderJson<'a>>,
    allow_private: bool,
    allow_http: bool,
    allow_empty: bool,
    publish: &'static str,
    max_size_bytes: Option<u64>,
    user: Option<&'a str>,
    created_at: String,
}

#[derive(Serialize)]
struct HeaderJson<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> SettingsJson<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        let settings = &source.settings;
        let headers = settings.headers.iter();
        Self {
            headers: headers
                .map(|(name, value)| HeaderJson { name, value })
                .collect(),
            allow_private: settings.allow_private,
            allow_http: settings.allow_http,
            allow_empty: settings.allow_empty,
            publish: settings.publish.as_str(),
            max_size_bytes: settings.max_size_bytes,
            user: settings.user.as_deref(),
            created_at: precise(source.created_at),
        }
    }
}

/// One of `attempts` in `history --json`.
#[derive(Serialize)]
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
}

impl<'a> AttemptJson<'a> {
    /// The fields, in their order.
    pub(crate) const FIELDS: [&'static str; 10] = [
        "id",
        "started_at",
        "duration_ms",
        "outcome",
        "http_status",
        "size_bytes",
        "version_id",
        "digest",
        "error_kind",
        "error",
    ];

    /// `digest` is that of the version which the attempt brought, or found unchanged.
    fn new(attempt: &'a Attempt, digest: Option<Digest>) -> Self {
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
        }
    }
}

/// One of `versions` in `history --json`.
#[derive(Serialize)]
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
    /// Of the policy under which that was derived.
    policy_revision: Option<i64>,
    published: bool,
    verdicts: Vec<VerdictJson<'a>>,
}

impl<'a> VersionJson<'a> {
    /// The fields that are single values, in their order.
    pub(crate) const FIELDS: [&'static str; 11] = [
        "id",
        "digest",
        "size_bytes",
        "stored_bytes",
        "name",
        "media_type",
        "last_modified",
        "fetched_at",
        "verified",
        "policy_revision",
        "published",
    ];

    /// `published` tells whether it is what consumers see now.
    fn new(version: &'a Version, verdicts: &'a [Verdict], published: bool) -> Self {
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

/// One verdict.
#[derive(Serialize)]
pub(crate) struct VerdictJson<'a> {
    verifier: &'a str,
    fingerprint: &'a str,
    /// Of a command, as configured: `{path}` stands for the copy's path.
    argv: Option<Vec<String>>,
    outcome: &'static str,
    detail: &'a str,
    exit_code: Option<i32>,
    output: &'a str,
    started_at: String,
    duration_ms: u64,
    actor: &'a str,
    /// The id of the version, of a set the edition, with the same contents on which it was given; nothing when that is this one.
    given_on: Option<i64>,
    /// Whether a person gave it in the place of the verifier.
    by_hand: bool,
}

impl<'a> VerdictJson<'a> {
    pub(crate) fn recorded(verdict: &'a Verdict) -> Self {
        Self::given_on(
            &verdict.verdict,
            &verdict.actor,
            verdict.given_on.map(|id| id.0),
        )
    }

    pub(crate) fn on_edition(verdict: &'a EditionVerdict) -> Self {
        Self::given_on(
            &verdict.verdict,
            &verdict.actor,
            verdict.given_on.map(|id| id.0),
        )
    }

    pub(crate) fn given_on(verdict: &'a NewVerdict, actor: &'a str, given_on: Option<i64>) -> Self {
        Self {
            given_on,
            ..Self::new(verdict, actor)
        }
    }

    pub(crate) fn new(verdict: &'a NewVerdict, actor: &'a str) -> Self {
        Self {
            verifier: &verdict.verifier,
            fingerprint: &verdict.fingerprint.hex,
            argv: argv_of(&verdict.fingerprint.definition),
            outcome: verdict.judgement.outcome.as_str(),
            detail: &verdict.judgement.detail,
            exit_code: verdict.judgement.exit_code,
            output: &verdict.judgement.output,
            started_at: precise(verdict.started_at),
            duration_ms: milliseconds(verdict.duration),
            actor,
            given_on: None,
            by_hand: verdict.is_by_hand(),
        }
    }
}

/// Reads a command's arguments from a verifier's definition; nothing for another kind of verifier.
fn argv_of(definition: &str) -> Option<Vec<String>> {
    let definition: serde_json::Value = serde_json::from_str(definition).ok()?;
    serde_json::from_value(definition.pointer("/definition/command")?.clone()).ok()
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

/// One line of `log --json`.
#[derive(Serialize)]
pub(crate) struct EventJson<'a> {
    id: i64,
    at: String,
    actor: &'a str,
    action: &'static str,
    source_id: Option<SourceId>,
    source: Option<&'a str>,
    version_id: Option<VersionId>,
    detail: Option<&'a str>,
    /// Under which a verdict counted or a state changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_revision: Option<i64>,
}

impl<'a> EventJson<'a> {
    /// The fields, in their order.
    pub(crate) const FIELDS: [&'static str; 8] = [
        "id",
        "at",
        "actor",
        "action",
        "source_id",
        "source",
        "version_id",
        "detail",
    ];

    pub(crate) fn new(event: &'a Event) -> Self {
        Self {
            id: event.id.0,
            at: precise(event.stamp.at),
            actor: &event.stamp.actor.0,
            action: event.event.action.as_str(),
            source_id: event.event.source_id,
            source: event.source_name.as_deref(),
            version_id: event.event.version_id,
            detail: event.event.detail.as_deref(),
            policy_revision: event.policy_revision,
        }
    }
}

/// Prints a moment with milliseconds.
pub(crate) fn precise(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn whole_seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Writes one value, indented, and a line break.
pub(crate) fn write(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Writes one value on one line.
pub(crate) fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
