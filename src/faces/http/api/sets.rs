//! `/api/v1/sets`: sources that are judged and published together.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::answer::json;
use super::list::page;
use super::pages_schema::SetPageJson;
use super::parameters::{SetPart, check_length};
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::json::{SetJson, ShownSetJson};

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
    check_length(&name)?;
    let (set, verdicts) = shared.app().set(&name).await?;
    let verifiers = shared.app().verifier_names_of_set(&name).await?;
    json(&ShownSetJson::new(&set, &verifiers, &verdicts))
}
