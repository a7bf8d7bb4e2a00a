//! The JSON of a pass: its numbers, and the result of each source.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{Error, NamedVersion, PassSummary, SourceResult, StandingFaults};
use crate::domain::{FailureKind, SourceId, VersionId, VersionState};
use crate::faces::folder_change::ChangedFolder;

/// The object of `fetch --json` and `--worker-only --json`.
#[derive(Serialize)]
pub(crate) struct PassJson<'a, S> {
    #[serde(flatten)]
    summary: &'a PassSummary,
    sources: S,
    /// The sets whose folders changed.
    sets: &'a [ChangedFolder],
    /// The sets whose newest edition failed or could not be judged, in this pass or before.
    failing_sets: Vec<FailingSetJson<'a>>,
    /// The published files and set folders that are out of date.
    not_published: Vec<NotPublishedJson<'a>>,
    /// What kept the pass from completing, such as a policy that differs from this process's configuration.
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct FailingSetJson<'a> {
    set: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct NotPublishedJson<'a> {
    source_id: Option<SourceId>,
    set: Option<&'a str>,
    /// The source's name, `set NAME`, or the path.
    what: &'a str,
    why: &'a str,
}

impl<'a, S> PassJson<'a, S> {
    /// `sources` are the results, each a [`SourceResultJson`].
    pub(crate) fn new(
        summary: &'a PassSummary,
        sources: S,
        sets: &'a [ChangedFolder],
        faults: &'a StandingFaults,
        error: Option<&'a Error>,
    ) -> Self {
        let failing_sets = faults.failing_sets.iter();
        let not_published = faults.unpublished.iter();
        Self {
            summary,
            sources,
            sets,
            failing_sets: failing_sets
                .map(|(set, why)| FailingSetJson { set, why })
                .collect(),
            not_published: not_published
                .map(|one| NotPublishedJson {
                    source_id: one.source_id,
                    set: one.set.as_deref(),
                    what: &one.what,
                    why: &one.why,
                })
                .collect(),
            error: error.map(|error| error.message.as_str()),
        }
    }
}

/// The result of one source.
#[derive(Serialize, ToSchema)]
#[schema(as = FetchResult)]
pub(crate) struct SourceResultJson<'a> {
    id: SourceId,
    name: Option<&'a str>,
    outcome: &'static str,
    version_id: Option<VersionId>,
    /// The state of the source's newest version, if the fetch found that version.
    verified: Option<&'static str>,
    error_kind: Option<&'static str>,
    error: Option<&'a str>,
    /// The text under WHY in the table for people.
    #[schema(value_type = Option<String>)]
    why: Option<Cow<'a, str>>,
    /// The version that consumers see after the pass.
    published_version_id: Option<VersionId>,
}

impl<'a> SourceResultJson<'a> {
    pub(crate) fn new(
        result: &'a SourceResult,
        source: Option<&'a NamedVersion>,
        why: Option<Cow<'a, str>>,
        published_version_id: Option<VersionId>,
    ) -> Self {
        let is_newest = |source: &&NamedVersion| {
            result.version_id.is_some() && source.version_id == result.version_id
        };
        let state = source
            .filter(is_newest)
            .and_then(|source| source.version_state);
        Self {
            id: result.id,
            name: source.map(|source| source.name.as_str()),
            outcome: result.outcome.as_str(),
            version_id: result.version_id,
            verified: state.map(VersionState::as_str),
            error_kind: result.error_kind.map(FailureKind::as_str),
            error: result.error.as_deref(),
            why,
            published_version_id,
        }
    }
}
