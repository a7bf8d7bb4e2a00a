//! `/api/v1/sources/{source}/attempts` and `/versions`: the history of a source, newest first.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::list::page;
use super::pages_schema::{AttemptPageJson, VersionPageJson};
use super::parameters::{HistoryQuery, SourcePart, check_present, source_named};
use crate::domain::{AttemptId, VersionId};
use crate::faces::http::extract::{Params, Part};
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::http::source_page::{last_of_full, page_size};
use crate::faces::json::{AttemptJson, VersionJson};

/// Lists attempts, each as in `history --json`.
#[utoipa::path(
    get,
    path = "/api/v1/sources/{source}/attempts",
    operation_id = "listAttempts",
    params(SourcePart, HistoryQuery),
    responses((status = 200, body = AttemptPageJson)),
)]
pub(super) async fn attempts(
    State(shared): State<Shared>,
    Part(source): Part<String>,
    Params(query): Params<HistoryQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let app = shared.app();
    let (source, limit) = (source_named(app, &source).await?, page_size(query.limit)?);
    check_present(&source, query.removed)?;
    let before = query.after.map(|after| AttemptId(after.0));
    let attempts = app.attempts_before(source.id, before, limit).await?;
    let versions = attempts.iter().filter_map(|attempt| attempt.version_id);
    let digests = app.digests(versions.collect()).await?;
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
    operation_id = "listVersions",
    params(SourcePart, HistoryQuery),
    responses((status = 200, body = VersionPageJson)),
)]
pub(super) async fn versions(
    State(shared): State<Shared>,
    Part(source): Part<String>,
    Params(query): Params<HistoryQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let app = shared.app();
    let (source, limit) = (source_named(app, &source).await?, page_size(query.limit)?);
    check_present(&source, query.removed)?;
    let before = query.after.map(|after| VersionId(after.0));
    let versions = app.versions_before(source.id, before, limit).await?;
    let served = app.served(source.id).await?;
    let ids = versions.iter().map(|version| version.id).collect();
    let verdicts = app.verdicts_on_all(ids).await?;
    let next = last_of_full(&versions, limit).map(|version| version.id.to_string());
    let versions = versions.iter().map(|one| {
        let verdicts = verdicts.get(&one.id).map_or(&[][..], Vec::as_slice);
        VersionJson::new(one, verdicts, served == Some(one.id))
    });
    page(
        "versions",
        &versions.collect::<Vec<_>>(),
        next.as_deref(),
        &uri,
    )
}
