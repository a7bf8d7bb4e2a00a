//! For those who watch the service: whether the process and its store answer, and its numbers.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

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

/// Sends the numbers that Prometheus collects.
pub(super) async fn numbers(State(shared): State<Shared>) -> Result<Response, Problem> {
    let clients = shared.clients().len();
    let text = shared.numbers().text(shared.app(), clients).await?;
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}
