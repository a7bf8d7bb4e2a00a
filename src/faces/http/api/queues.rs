//! `/api/v1/queues`: the queues of messages, and what could not be persisted.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::answer::json;
use super::messages::{MessagePart, message_id};
use super::parameters::OnceHeader;
use crate::faces::http::caller::Caller;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::json::{DeadMessageJson, QueueJson};

/// How far back rates are shown.
const RATES_OF: Duration = Duration::from_hours(1);

/// The most dead messages that are listed.
const MAX_DEAD: usize = 500;
/// The bytes of their bodies behind which no further one is listed.
const ENOUGH_BYTES: usize = 4 << 20;

/// All queues.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct QueueListJson<'a> {
    queues: Vec<QueueJson<'a>>,
    /// Why the Redis server on which messages wait cannot be used: then what waits there is not counted.
    trouble: Option<&'a str>,
}

/// Lists the queues by name: what waits on each, what went through it in the last hour, and what could not be persisted.
#[utoipa::path(
    get,
    path = "/api/v1/queues",
    operation_id = "listQueues",
    responses((status = 200, body = QueueListJson)),
)]
pub(super) async fn list(State(shared): State<Shared>) -> Result<Response, Problem> {
    let app = shared.app();
    let read = app.queues(RATES_OF).await?;
    let now = app.now();
    let queues = read.queues.iter().map(|queue| QueueJson::new(queue, now));
    json(&QueueListJson {
        queues: queues.collect(),
        trouble: read.trouble.as_deref(),
    })
}

/// Messages that could not be persisted.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct DeadListJson<'a> {
    messages: Vec<DeadMessageJson<'a>>,
}

/// Lists the messages that could not be persisted in five tries, the latest first: 500, fewer of long ones.
#[utoipa::path(
    get,
    path = "/api/v1/dead-messages",
    operation_id = "listDeadMessages",
    responses((status = 200, body = DeadListJson)),
)]
pub(super) async fn dead(State(shared): State<Shared>) -> Result<Response, Problem> {
    let dead = shared.app().dead_messages(MAX_DEAD, ENOUGH_BYTES).await?;
    let list = json(&DeadListJson {
        messages: dead.iter().map(DeadMessageJson::new).collect(),
    })?;
    shared.answer_room().hold(list).await
}

/// Puts a message that could not be persisted on its queue again.
#[utoipa::path(
    post,
    path = "/api/v1/dead-messages/{id}/retry",
    operation_id = "retryDeadMessage",
    params(MessagePart, OnceHeader),
    responses((status = 202)),
)]
pub(super) async fn retry(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<String>,
) -> Result<StatusCode, Problem> {
    let app = shared.app_of(caller.actor());
    app.retry_dead(message_id(&id)?).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Deletes a message that could not be persisted.
#[utoipa::path(
    delete,
    path = "/api/v1/dead-messages/{id}",
    operation_id = "deleteDeadMessage",
    params(MessagePart),
    responses((status = 204)),
)]
pub(super) async fn delete(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<String>,
) -> Result<StatusCode, Problem> {
    let app = shared.app_of(caller.actor());
    app.delete_dead(message_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
