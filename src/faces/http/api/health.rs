//! `/healthz` and `/readyz`: whether the process and its store answer.

use axum::extract::State;

use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;

/// Answers while the process is alive.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// Answers when the store can be read.
pub(super) async fn ready(State(shared): State<Shared>) -> Result<&'static str, Problem> {
    shared.app().changes().await?;
    Ok("ready\n")
}
