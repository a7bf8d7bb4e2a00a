//! `/api/v1/summary`: the state of everything in numbers.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::answer::json;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::http::state_counts::all_state_counts;
use crate::faces::json::precise;

/// The state of everything in numbers.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Summary {
    /// The number of sources by state.
    sources: BTreeMap<&'static str, u64>,
    /// The number of sources that are fetched when due.
    watched: u64,
    due: u64,
    next_due_at: Option<String>,
    /// The sets whose newest edition failed or could not be judged, each with the reason.
    failing_sets: BTreeMap<String, String>,
    /// The sets whose newest edition waits for a verdict, each with the verifiers that owe one.
    waiting_sets: BTreeMap<String, Vec<String>>,
    /// The number of files and folders that could not be published or withdrawn.
    unpublished: usize,
    /// The id of the newest event.
    event_id: i64,
}

/// Returns the summary.
#[utoipa::path(
    get,
    path = "/api/v1/summary",
    operation_id = "showSummary",
    responses((status = 200, body = Summary)),
)]
pub(super) async fn show(State(shared): State<Shared>) -> Result<Response, Problem> {
    let app = shared.app();
    let sources = all_state_counts(app).await?;
    let (watched, due, next) = app.outlook().await?;
    let waiting_sets = app.waiting_sets().await?.into_iter();
    json(&Summary {
        sources,
        watched,
        due,
        next_due_at: next.map(precise),
        failing_sets: app.failing_sets().await?.into_iter().collect(),
        waiting_sets: waiting_sets.map(|one| (one.name, one.owing)).collect(),
        unpublished: app.unpublished().await?.len(),
        event_id: app.newest_event().await?.0,
    })
}
