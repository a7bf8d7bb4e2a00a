//! The JSON of a source: its state and its settings.

use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use super::object::json_object;
use super::times::{precise, whole_seconds};
use crate::app::Newest;
use crate::domain::{
    AttemptOutcome, DaysState, FailureKind, Provider, Source, SourceId, SourceSettings, VersionId,
    exact_size,
};
use crate::faces::state_word::{StateWord, next_due, verified_word};

json_object! {
    /// One of `list --json`.
    #[schema(as = Source)]
    pub(crate) struct SourceJson<'a> {
        id: SourceId,
        name: &'a str,
        address: &'a str,
        interval: String,
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
        dated_id: Option<SourceId>,
        day: Option<String>,
    } and {
        dated: Option<DatedJson>,
    }
}

/// What is known of the days of a dated source.
#[derive(Serialize, ToSchema)]
#[schema(as = Dated)]
pub(crate) struct DatedJson {
    /// How many days have a version.
    held: u64,
    /// The first and the last of them; null without any.
    first: Option<String>,
    last: Option<String>,
    /// How many days of the window have no version.
    missing: u64,
    /// How many days of the window have a problem.
    failing: u64,
}

impl DatedJson {
    fn new(days: &DaysState) -> Self {
        let (first, last) = days.range.unzip();
        Self {
            held: days.held,
            first: first.map(|day| day.to_string()),
            last: last.map(|day| day.to_string()),
            missing: days.missing,
            failing: days.failing,
        }
    }
}

impl<'a> SourceJson<'a> {
    /// `published_path` is an absolute path, and null while nothing is published at the source's own path. `set` is
    /// the set that publishes the source; of a source that left the set or was removed, the set in whose folder
    /// readers still find its file. `published_version_id` is the version that consumers see, in the set's folder too.
    /// `wanted_version_id` is the version to be published at the own path; it differs from `published_version_id`
    /// while the file is out of date. `size_bytes` and `digest` are the newest version's, `error` is the last
    /// attempt's. `set_error` is why the set fails, if it does. A day has `day` and `dated_id`, its dated source; only
    /// a dated source has `dated`.
    pub(crate) fn new(
        source: &'a Source,
        newest: &'a Newest,
        set_error: Option<&'a str>,
        published_dir: &Path,
    ) -> Self {
        let (settings, state) = (&source.settings, &source.state);
        let (withdrawn, is_kept) = (state.withdrawn.as_ref(), source.removed_at.is_none());
        Self {
            id: source.id,
            name: &settings.name,
            address: settings.address.as_str(),
            interval: settings.interval.to_string(),
            enabled: settings.enabled,
            tags: &settings.tags,
            last_attempt_at: state.last_attempt_at.map(precise),
            next_due_at: next_due(source).map(whole_seconds),
            last_outcome: state.last_outcome.map(AttemptOutcome::as_str),
            failures: state.failures,
            version_id: state.version_id,
            verified: verified_word(source),
            published_path: published_file(source, published_dir),
            set: state.set.as_deref().or(state.showing_set.as_deref()),
            state: StateWord::of(source).as_str(),
            removed_at: source.removed_at.map(precise),
            published_version_id: state.served(),
            wanted_version_id: newest.wanted_version_id.filter(|_| is_kept),
            publish_error: state.publish_error.as_deref(),
            size_bytes: newest.size_bytes,
            digest: newest.digest.map(|digest| digest.to_string()),
            error_kind: newest.error_kind.map(FailureKind::as_str),
            error: newest.error.as_deref(),
            set_error,
            withdrawn_at: withdrawn.map(|withdrawal| precise(withdrawal.at)),
            withdrawn_because: withdrawn.map(|withdrawal| withdrawal.because.as_str()),
            dated_id: source.day.map(|of| of.series),
            day: source.day.map(|of| of.day.to_string()),
            dated: state.days.as_deref().map(DatedJson::new),
        }
    }
}

/// The whole of `show --json`, and one of `dump --json`, but for the history.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeSource)]
pub(crate) struct WholeSourceJson<'a> {
    #[serde(flatten)]
    source: SourceJson<'a>,
    #[serde(flatten)]
    settings: SettingsJson<'a>,
    /// The verifiers that judge the source; left out by `dump`.
    #[serde(skip_serializing_if = "Option::is_none")]
    verifiers: Option<&'a [String]>,
}

impl<'a> WholeSourceJson<'a> {
    pub(crate) fn new(
        source: &'a Source,
        set_error: Option<&'a str>,
        newest: &'a Newest,
        published_dir: &Path,
        verifiers: Option<&'a [String]>,
    ) -> Self {
        Self {
            source: SourceJson::new(source, newest, set_error, published_dir),
            settings: SettingsJson::new(source),
            verifiers,
        }
    }
}

/// Returns the absolute path of the source's published file, if there is one; a removed source may still have one.
pub(crate) fn published_file(source: &Source, published_dir: &Path) -> Option<String> {
    let is_left = source.removed_at.is_some() && source.state.publish_error.is_some();
    (is_left || source.state.published_version_id.is_some()).then(|| {
        let path = published_dir.join(&source.published_path);
        path.to_string_lossy().into_owned()
    })
}

/// The settings of a source beyond those of `list`.
#[derive(Serialize, ToSchema)]
#[schema(as = SourceSettings)]
struct SettingsJson<'a> {
    /// The request headers, with secrets by name.
    headers: Vec<HeaderJson<'a>>,
    allow_private: bool,
    allow_http: bool,
    allow_empty: bool,
    publish: &'static str,
    rates: Option<&'static str>,
    max_size: Option<String>,
    /// How many days a dated source asks for; null for other sources.
    days: Option<u32>,
    /// How many days after its begin a day is final; null for sources that are not dated.
    final_after: Option<u32>,
    user: Option<&'a str>,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Header)]
struct HeaderJson<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> SettingsJson<'a> {
    fn new(source: &'a Source) -> Self {
        // Each by its name: the compiler asks for a new one here. Those of `list` stand in `SourceJson`.
        let SourceSettings {
            name: _,
            address: _,
            interval: _,
            enabled: _,
            tags: _,
            allow_private,
            allow_http,
            allow_empty,
            publish,
            rates,
            max_size_bytes,
            days: _,
            final_after: _,
            user,
            headers,
        } = &source.settings;
        let headers = headers.iter();
        let is_dated = source.settings.address.is_dated();
        let dated = is_dated.then(|| source.settings.dated_rules());
        Self {
            headers: headers
                .map(|(name, value)| HeaderJson { name, value })
                .collect(),
            allow_private: *allow_private,
            allow_http: *allow_http,
            allow_empty: *allow_empty,
            publish: publish.as_str(),
            rates: rates.map(Provider::as_str),
            max_size: max_size_bytes.map(exact_size),
            days: dated.map(|rules| rules.days),
            final_after: dated.map(|rules| rules.final_after),
            user: user.as_deref(),
            created_at: precise(source.created_at),
        }
    }
}
