//! For those who watch the service: whether the process and its store answer, and its numbers.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::SecondsFormat;

use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;

/// Answers while the process is alive.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// Answers when the store can be read, new contents can be kept, and the worker of this process, if it has one, could work in
/// its last pass.
pub(super) async fn ready(State(shared): State<Shared>) -> Result<String, Problem> {
    shared.app().changes().await?;
    shared
        .app()
        .check_room()
        .await
        .map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let Some((at, error)) = shared.fetching().last_pass() else {
        return Ok("ready\n".to_owned());
    };
    let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    match error {
        None => Ok(format!("ready; the last pass ended at {at}\n")),
        Some(error) => {
            let detail = format!("the last pass, which ended at {at}, could not work: {error}");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
        }
    }
}

/// Sends the numbers that Prometheus collects.
pub(super) async fn numbers(State(shared): State<Shared>) -> Result<Response, Problem> {
    let clients = shared.clients().len();
    let pass = shared.fetching().last_pass().map(|(at, _)| at);
    let expiry = shared.tls().and_then(|tls| tls.expiry());
    let numbers = shared.numbers();
    let text = numbers.text(shared.app(), clients, pass, expiry).await?;
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media_type)], text).into_response())
}
