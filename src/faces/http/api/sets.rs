//! `/api/v1/sets`: sources that are judged and published together.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::answer::json;
use super::list::page;
use super::pages_schema::SetPageJson;
use super::parameters::{OnceHeader, SetPart, check_length};
use super::verdict::{NewSetVerdictBody, record_set_verdict};
use crate::domain::EditionId;
use crate::faces::http::caller::Caller;
use crate::faces::http::extract::{Json, Part};
use crate::faces::http::problem::{Problem, ProblemJson};
use crate::faces::http::shared::Shared;
use crate::faces::json::{SetJson, ShownSetJson, VerdictJson};

/// Lists the sets, each as in `list --sets --json`.
#[utoipa::path(
    get,
    path = "/api/v1/sets",
    operation_id = "listSets",
    responses((status = 200, body = SetPageJson)),
)]
pub(super) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let sets = shared.app().sets().await?;
    let sets: Vec<_> = sets.iter().map(SetJson::new).collect();
    page("sets", &sets, None, &uri)
}

/// Shows one set as in `show set:NAME --json`.
#[utoipa::path(
    get,
    path = "/api/v1/sets/{name}",
    operation_id = "showSet",
    params(SetPart),
    responses((status = 200, body = ShownSetJson)),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Part(name): Part<String>,
) -> Result<Response, Problem> {
    shown(&shared, &name).await
}

async fn shown(shared: &Shared, name: &str) -> Result<Response, Problem> {
    check_length(name)?;
    let (set, verdicts) = shared.app().set(name).await?;
    let verifiers = shared.app().verifier_names_of_set(name).await?;
    json(&ShownSetJson::new(&set, &verifiers, &verdicts))
}

/// The verdicts on an edition of a set.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SetVerdicts<'a> {
    /// The newest edition; null when the set has none yet.
    edition_id: Option<EditionId>,
    verdicts: Vec<VerdictJson<'a>>,
}

/// Lists the verdicts on the newest edition of a set, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/sets/{name}/verdicts",
    operation_id = "listSetVerdicts",
    params(SetPart),
    responses((status = 200, body = SetVerdicts)),
)]
pub(super) async fn verdicts(
    State(shared): State<Shared>,
    Part(name): Part<String>,
) -> Result<Response, Problem> {
    check_length(&name)?;
    let (set, verdicts) = shared.app().set(&name).await?;
    json(&SetVerdicts {
        edition_id: set.newest.map(|edition| edition.id),
        verdicts: verdicts.iter().map(VerdictJson::on_edition).collect(),
    })
}

/// Records a verdict from outside on the newest edition of a set, and publishes the result. A token of a verifier gives
/// verdicts in the name of that verifier alone.
#[utoipa::path(
    post,
    path = "/api/v1/sets/{name}/verdicts",
    operation_id = "giveSetVerdict",
    params(SetPart, OnceHeader),
    request_body = NewSetVerdictBody,
    responses((status = 201, body = ShownSetJson), (status = 412, description = "The set has a newer edition", body = ProblemJson, content_type = "application/problem+json")),
)]
pub(super) async fn give_verdict(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(name): Part<String>,
    Json(body): Json<NewSetVerdictBody>,
) -> Result<Response, Problem> {
    let (on, said) = body.split();
    record_set_verdict(&shared, &caller, &name, on, said).await?;
    Ok((StatusCode::CREATED, shown(&shared, &name).await?).into_response())
}

/// Runs the verifiers again on a set: on its newest versions if all are ready, else on its newest edition.
#[utoipa::path(
    post,
    path = "/api/v1/sets/{name}/verify",
    operation_id = "verifySet",
    params(SetPart, OnceHeader),
    responses((status = 200, body = ShownSetJson)),
)]
pub(super) async fn verify(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(name): Part<String>,
) -> Result<Response, Problem> {
    check_length(&name)?;
    let verified = shared.app_of(caller.actor()).verify_set(&name).await;
    verified.map_err(Problem::of_conflict)?;
    shown(&shared, &name).await
}
