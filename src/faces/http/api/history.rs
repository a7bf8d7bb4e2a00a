//! `/api/v1/sources/{source}/attempts` and `/versions`: the history of a source, newest first.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::list::page;
use super::pages_schema::{AttemptPageJson, VersionPageJson};
use crate::domain::{AttemptId, VersionId};
use crate::faces::http::extract::{Params, Part};
use crate::faces::http::problem::{Problem, ProblemJson};
use crate::faces::http::shared::Shared;
use crate::faces::http::source_page::{last_of_full, page_size};
use crate::faces::json::{AttemptJson, VersionJson};

/// The query of a history: the items before the last one of the page before.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// The `next` of the page before.
    after: Option<i64>,
    /// At most so many, 1 to 500; by default 100.
    limit: Option<usize>,
}

/// Lists attempts, each as in `history --json`.
#[utoipa::path(
    get,
    path = "/api/v1/sources/{source}/attempts",
    params(("source" = String, Path, description = "An id, a name or an address"), HistoryQuery),
    responses((status = 200, body = AttemptPageJson), (status = "4XX", body = ProblemJson, content_type = "application/problem+json")),
)]
pub(super) async fn attempts(
    State(shared): State<Shared>,
    Part(source): Part<String>,
    Params(query): Params<HistoryQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let app = shared.app();
    let (source, limit) = (app.source(&source).await?, page_size(query.limit)?);
    let before = query.after.map(AttemptId);
    let attempts = app.attempts_before(source.id, before, limit).await?;
    let mut digests = HashMap::new();
    for version in attempts.iter().filter_map(|attempt| attempt.version_id) {
        if !digests.contains_key(&version)
            && let Ok((_, version)) = app.version(&format!("v{version}")).await
        {
            digests.insert(version.id, version.digest);
        }
    }
    let next = last_of_full(&attempts, limit).map(|attempt| attempt.id.to_string());
    let attempts = attempts.iter().map(|attempt| {
        let digest = attempt.version_id.and_then(|id| digests.get(&id));
        AttemptJson::new(attempt, digest.copied())
    });
    page(
        "attempts",
        &attempts.collect::<Vec<_>>(),
        next.as_deref(),
        &uri,
    )
}

/// Lists versions with their verdicts, each as in `history --json`.
#[utoipa::path(
    get,
    path = "/api/v1/sources/{source}/versions",
    params(("source" = String, Path, description = "An id, a name or an address"), HistoryQuery),
    responses((status = 200, body = VersionPageJson), (status = "4XX", body = ProblemJson, content_type = "application/problem+json")),
)]
pub(super) async fn versions(
    State(shared): State<Shared>,
    Part(source): Part<String>,
    Params(query): Params<HistoryQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let app = shared.app();
    let (source, limit) = (app.source(&source).await?, page_size(query.limit)?);
    let before = query.after.map(VersionId);
    let versions = app.versions_before(source.id, before, limit).await?;
    let served = app.served(source.id).await?;
    let mut verdicts = Vec::with_capacity(versions.len());
    for version in &versions {
        verdicts.push(app.verdicts(version.id).await?);
    }
    let next = last_of_full(&versions, limit).map(|version| version.id.to_string());
    let versions = versions.iter().zip(&verdicts);
    let versions = versions.map(|(one, said)| VersionJson::new(one, said, served == Some(one.id)));
    page(
        "versions",
        &versions.collect::<Vec<_>>(),
        next.as_deref(),
        &uri,
    )
}
