//! `/api/v1/versions/{version}`: one version, its content, its verdicts, and its difference from another.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::answer::json;
use super::diff::{Difference, unified};
use super::parameters::{OnceHeader, OtherPart, VersionPart, version_named};
use super::verdict::{NewVerdictBody, record_verdict};
use crate::app::GivenVerdict;
use crate::domain::{SourceId, Version};
use crate::faces::http::accept::prefers;
use crate::faces::http::body::Sendable;
use crate::faces::http::caller::Caller;
use crate::faces::http::comparing::compared;
use crate::faces::http::conditions::Conditions;
use crate::faces::http::content::{Sent, send, unreadable};
use crate::faces::http::extract::{Json, Part};
use crate::faces::http::problem::{Problem, ProblemJson};
use crate::faces::http::shared::Shared;
use crate::faces::json::{VerdictJson, VersionJson};

/// A version as in `history --json`, with its source.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ShownVersion<'a> {
    source_id: SourceId,
    source: &'a str,
    #[serde(flatten)]
    version: VersionJson<'a>,
}

/// Shows one version. Like all versions here it is named as on the command line: `217`, `v217`, `prices~1`.
#[utoipa::path(
    get,
    path = "/api/v1/versions/{version}",
    operation_id = "showVersion",
    params(VersionPart),
    responses((status = 200, body = ShownVersion)),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Part(version): Part<String>,
) -> Result<Response, Problem> {
    let app = shared.app();
    let (source, version) = version_named(app, &version).await?;
    let verdicts = app.verdicts(version.id).await?;
    let is_published = app.served(source.id).await? == Some(version.id);
    json(&ShownVersion {
        source_id: source.id,
        source: &source.settings.name,
        version: VersionJson::new(&version, &verdicts, is_published),
    })
}

/// Sends the bytes of a version, or a range of them. Takes the conditions of RFC 9110 §13: `If-Match`, `If-None-Match`,
/// `If-Modified-Since`, `If-Unmodified-Since` and `If-Range`.
#[utoipa::path(
    get,
    path = "/api/v1/versions/{version}/content",
    operation_id = "sendContent",
    params(VersionPart),
    responses((status = 200, description = "The bytes", content_type = "*/*"), (status = 206, description = "The range that was asked for", content_type = "*/*"), (status = 304, description = "Unchanged"), (status = 412, description = "Other content than that of `If-Match`, or changed since `If-Unmodified-Since`", body = ProblemJson, content_type = "application/problem+json"), (status = 416, description = "A range beyond the end", body = ProblemJson, content_type = "application/problem+json")),
)]
pub(super) async fn content(
    State(shared): State<Shared>,
    Part(version): Part<String>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let reference = version;
    let (_, version) = version_named(shared.app(), &reference).await?;
    // What is published may be an older version again: it has no time that only grows.
    let is_steady = !reference.ends_with(":published");
    let sent = Sent {
        tag: format!("\"{}\"", version.digest.to_hex()),
        name: version.name.clone(),
        media_type: version.media_type.clone(),
        modified: is_steady.then_some(version.fetched_at),
        is_shown: false,
    };
    if let Some(answer) = sent.without_bytes(&conditions) {
        return Ok(answer);
    }
    let content = shared.app().content(&version).await?;
    let content = Sendable::of(content)
        .await
        .map_err(|error| unreadable(&error))?;
    send(content, &sent, &conditions).await
}

/// Compares two versions: hunks as JSON, or a unified difference when `Accept` prefers `text/plain`.
#[utoipa::path(
    get,
    path = "/api/v1/versions/{version}/diff/{other}",
    operation_id = "compareVersions",
    params(VersionPart, OtherPart),
    responses((status = 200, content((Difference = "application/json"), (String = "text/plain; charset=utf-8")))),
)]
pub(super) async fn diff(
    State(shared): State<Shared>,
    Part((old, new)): Part<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let app = shared.app();
    let (_, old) = version_named(app, &old).await?;
    let (_, new) = version_named(app, &new).await?;
    let wants_text = prefers(&headers, &["text/plain", "text/x-diff"], "application/json");
    let made = compared(&shared, old, new, move |old, new, comparison| {
        if wants_text {
            unified(old, new, comparison)
        } else {
            Difference::new(old, new, comparison)?.as_json()
        }
    });
    let media_type = if wants_text {
        "text/plain; charset=utf-8"
    } else {
        "application/json"
    };
    shared.answer_room().answer(media_type, made.await??)
}

/// The verdicts on a version.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Verdicts<'a> {
    verdicts: Vec<VerdictJson<'a>>,
}

/// Lists the verdicts on a version, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/versions/{version}/verdicts",
    operation_id = "listVerdicts",
    params(VersionPart),
    responses((status = 200, body = Verdicts)),
)]
pub(super) async fn verdicts(
    State(shared): State<Shared>,
    Part(version): Part<String>,
) -> Result<Response, Problem> {
    let (_, version) = version_named(shared.app(), &version).await?;
    let verdicts = shared.app().verdicts(version.id).await?;
    json(&Verdicts {
        verdicts: verdicts.iter().map(VerdictJson::recorded).collect(),
    })
}

/// Records a verdict from outside. A token of a verifier gives verdicts in the name of that verifier alone.
#[utoipa::path(
    post,
    path = "/api/v1/versions/{version}/verdicts",
    operation_id = "giveVerdict",
    params(VersionPart, OnceHeader),
    request_body = NewVerdictBody,
    responses((status = 201, body = VersionJson)),
)]
pub(super) async fn give_verdict(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(version): Part<String>,
    Json(body): Json<NewVerdictBody>,
) -> Result<Response, Problem> {
    let given = record_verdict(&shared, &caller, &version, body).await?;
    let GivenVerdict { version, .. } = given;
    Ok((
        StatusCode::CREATED,
        verdict_answer(&shared, &version).await?,
    )
        .into_response())
}

async fn verdict_answer(shared: &Shared, version: &Version) -> Result<Response, Problem> {
    let app = shared.app();
    let verdicts = app.verdicts(version.id).await?;
    let is_published = app.served(version.source_id).await? == Some(version.id);
    json(&VersionJson::new(version, &verdicts, is_published))
}

/// Runs the verifiers again on a version.
#[utoipa::path(
    post,
    path = "/api/v1/versions/{version}/verify",
    operation_id = "verifyVersion",
    params(VersionPart, OnceHeader),
    responses((status = 200, body = VersionJson)),
)]
pub(super) async fn verify(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(version): Part<String>,
) -> Result<Response, Problem> {
    let app = shared.app_of(caller.actor());
    let (source, version) = version_named(&app, &version).await?;
    let asked = app.asked_now().await?;
    let verified = app.verify(&source, &version, asked).await?;
    verdict_answer(&shared, &verified.version).await
}
