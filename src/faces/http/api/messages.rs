//! `/api/v1/messages`: JSON that is pushed to a queue, and read when it is persisted.

use std::collections::VecDeque;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Deserialize;

use super::answer::json;
use super::list::page;
use super::pages_schema::MessagePageJson;
use super::parameters::parsed;
use crate::app::{App, MessagesQuery, NewMessages, Queued, Queueing};
use crate::domain::{MessageId, MessagePlace, QueueName};
use crate::faces::http::accept::prefers;
use crate::faces::http::caller::Caller;
use crate::faces::http::extract::{Params, Part};
use crate::faces::http::idempotency::key_of;
use crate::faces::http::large_answer::keeping;
use crate::faces::http::message_body::Pushed;
use crate::faces::http::problem::{Problem, ProblemJson};
use crate::faces::http::shared::Shared;
use crate::faces::http::source_page::page_size;
use crate::faces::http::to_end::ToEnd;
use crate::faces::json::{JudgedMessageJson, MessageJson, SentJson, write_line};

/// The bytes of bodies after which a page ends.
const ENOUGH_BYTES: usize = 4 << 20;
/// The bytes of bodies after which a piece of a stream ends: each client has one in memory.
const PIECE_BYTES: usize = 64 << 10;

/// Where messages go.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct QueueQuery {
    /// The queue: letters, digits, `-`, `_` and `.`. It is made when there is none.
    #[param(value_type = Option<String>, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$", default = "default")]
    queue: Option<String>,
}

/// The header of a POST that is done once, whatever becomes of the service.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what the handler reads of the headers")]
pub(super) struct DurableKey {
    /// A key under which the request, sent again within 24 hours, gets the same answer and is done once. It is kept with the
    /// messages, and holds beyond a restart. It is of one person or token, one queue and one body (another is 422).
    #[param(
        rename = "Idempotency-Key",
        value_type = String,
        required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    key: Option<String>,
}

/// Puts a message on a queue: any JSON value, of at most 1 MiB. With `application/x-ndjson` many, a value on a line, all or
/// none. The answer comes when they are durable.
#[utoipa::path(
    post,
    path = "/api/v1/messages",
    operation_id = "pushMessages",
    params(QueueQuery, DurableKey),
    request_body(content((serde_json::Value = "application/json"), (String = "application/x-ndjson"))),
    responses((status = 202, body = SentJson, headers(("Location" = String, description = "The address of the message; of several, of the first")))),
)]
pub(super) async fn push(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Params(query): Params<QueueQuery>,
    headers: HeaderMap,
    pushed: Pushed,
) -> Result<Response, Problem> {
    let queue: QueueName = parsed("queue", query.queue.as_deref())?.unwrap_or_default();
    let key = key_of(&headers)?;
    let new = NewMessages {
        queue: queue.clone(),
        bodies: pushed.bodies,
        key: key.map(|key| format!("{:?} {key}", caller.credential)),
    };
    let refused = |detail: String| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    let (queueing, room) = put_on_queue(&shared, &caller, new, pushed.room).await;
    match queueing? {
        Queueing::Queued(queued) => Ok(keeping(accepted(&queued, &queue)?, room).await),
        Queueing::Refused(why) => refused(format!("the schema of {queue} refuses this: {why}")),
        Queueing::KeyTaken => {
            refused("this Idempotency-Key was used for other messages".to_owned())
        }
    }
}

/// Puts messages on their queue, and passes them on to who follows, also when the client leaves meanwhile. `room` is the memory
/// that they take until then.
pub(in crate::faces::http) fn put_on_queue<R: Send + 'static>(
    shared: &Shared,
    caller: &Caller,
    new: NewMessages,
    room: R,
) -> ToEnd<(crate::app::Result<Queueing>, R)> {
    let app = shared.app_of(caller.actor());
    let feed = shared.feed().messages().clone();
    let (queue, bodies) = (new.queue.clone(), new.bodies.clone());
    let put = async move {
        let queueing = app.queue_messages(new).await;
        if let Ok(Queueing::Queued(queued)) = &queueing
            && !queued.repeated
        {
            feed.push(queued, queue, &app.actor().0, bodies);
        }
        (queueing, room)
    };
    ToEnd::new(put, shared.to_end())
}

fn accepted(queued: &Queued, queue: &QueueName) -> Result<Response, Problem> {
    let mut response = json(&SentJson::new(queued, queue))?;
    *response.status_mut() = StatusCode::ACCEPTED;
    let place = format!("/api/v1/messages/{}", queued.first);
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Which messages are listed.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct MessagesParams {
    /// Only those of this queue.
    #[param(value_type = Option<String>, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    queue: Option<String>,
    /// Only those in this state.
    #[param(value_type = Option<String>, max_length = 10, pattern = "^(passed|failed|error|pending|unverified)$")]
    state: Option<String>,
    /// The `next` of the page before, or the id of a message. For a message that is kept no longer the list goes on at the time at
    /// which it came.
    #[param(value_type = Option<String>, max_length = 36, pattern = "^([0-9]{1,18}|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$")]
    after: Option<String>,
    /// At most so many; by default 100. A page of long messages may have fewer.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<usize>,
    /// Which message comes first; by default `oldest`.
    #[param(inline)]
    order: Option<Order>,
}

/// An order of messages: that in which they were persisted, or its reverse.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Oldest,
    Newest,
}

/// Lists the messages that are persisted, in the order in which that was done. With `Accept: application/x-ndjson` all of them,
/// each on a line.
#[utoipa::path(
    get,
    path = "/api/v1/messages",
    operation_id = "listMessages",
    params(MessagesParams),
    responses((status = 200, content((MessagePageJson = "application/json"), (String = "application/x-ndjson"))), (status = 404, description = "The message of `after` is not persisted yet, or there was none", body = ProblemJson, content_type = "application/problem+json")),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Params(params): Params<MessagesParams>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let limit = page_size(params.limit)?;
    let after = match &params.after {
        Some(after) => Some(place_after(shared.app(), after).await?),
        None => None,
    };
    let query = MessagesQuery {
        queue: parsed("queue", params.queue.as_deref())?,
        state: parsed("state", params.state.as_deref())?,
        after,
        newest_first: params.order.unwrap_or_default() == Order::Newest,
        limit,
        enough_bytes: ENOUGH_BYTES,
    };
    let lines = ["application/x-ndjson", "application/ndjson"];
    if prefers(&headers, &lines, "application/json") {
        return all(shared, query, params.limit).await;
    }
    let read = shared.app().messages(query).await?;
    let next = read.next().map(|place| place.to_string());
    let messages: Vec<_> = read.messages.iter().map(MessageJson::new).collect();
    let page = page("messages", &messages, next.as_deref(), &uri)?;
    shared.answer_room().hold(page).await
}

/// Returns the place that a parameter `after` names: itself, or by the id of the message that is there.
pub(in crate::faces::http) async fn place_after(
    app: &App,
    after: &str,
) -> Result<MessagePlace, Problem> {
    if let Ok(place) = after.parse() {
        return Ok(MessagePlace(place));
    }
    let id = after
        .parse()
        .map_err(|error: String| Problem::invalid(error))?;
    Ok(app.place_of(id).await?)
}

/// Streams messages, each on a line: all, or so many at most.
async fn all(
    shared: Shared,
    query: MessagesQuery,
    most: Option<usize>,
) -> Result<Response, Problem> {
    let mut lines = Lines {
        query: MessagesQuery {
            enough_bytes: PIECE_BYTES,
            ..query
        },
        left: most,
        is_over: false,
    };
    // A refusal comes before the first line.
    let first = lines.next_piece(shared.app()).await?;
    let pieces = stream::unfold(
        (shared, lines, VecDeque::from_iter(first)),
        |(shared, mut lines, mut read)| async move {
            let piece = match read.pop_front() {
                Some(piece) => Ok(piece),
                None => match lines.next_piece(shared.app()).await {
                    Ok(piece) => Ok(piece?),
                    Err(error) => {
                        lines.is_over = true;
                        Err(error)
                    }
                },
            };
            Some((piece, (shared, lines, read)))
        },
    );
    let media_type = HeaderValue::from_static("application/x-ndjson");
    Ok((
        [(header::CONTENT_TYPE, media_type)],
        Body::from_stream(pieces),
    )
        .into_response())
}

/// The messages that are still to be streamed.
struct Lines {
    query: MessagesQuery,
    left: Option<usize>,
    is_over: bool,
}

impl Lines {
    /// Returns the lines of the next messages; `None` after the last.
    async fn next_piece(&mut self, app: &App) -> crate::app::Result<Option<Bytes>> {
        const AT_ONCE: usize = 100;
        let mut lines = Vec::new();
        // A page of which all messages are damaged has no lines.
        while lines.is_empty() && !self.is_over {
            self.query.limit = self.left.unwrap_or(AT_ONCE).min(AT_ONCE);
            let page = app.messages(self.query.clone()).await?;
            if let Some(left) = &mut self.left {
                *left -= page.messages.len();
            }
            self.query.after = page.next();
            self.is_over = self.query.after.is_none() || self.left == Some(0);
            for message in &page.messages {
                // Writing to memory does not fail.
                let _ = write_line(&mut lines, &MessageJson::new(message));
            }
        }
        Ok((!lines.is_empty()).then(|| lines.into()))
    }
}

/// The part of a path that names a message.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes what handlers take as a text")]
pub(super) struct MessagePart {
    /// The id of a message.
    #[param(min_length = 1, max_length = 36, format = "uuid")]
    id: String,
}

/// Shows a message, persisted or on its queue, with the verdicts on it.
#[utoipa::path(
    get,
    path = "/api/v1/messages/{id}",
    operation_id = "showMessage",
    params(MessagePart),
    responses((status = 200, body = JudgedMessageJson)),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Part(id): Part<String>,
) -> Result<Response, Problem> {
    let message = shared.app().message_with(message_id(&id)?).await?;
    let verdicts = shared.app().message_verdicts(message.id).await?;
    let shown = json(&JudgedMessageJson::new(&message, &verdicts))?;
    shared.answer_room().hold(shown).await
}

/// Reads the id of a message in an address: another text names none.
pub(in crate::faces::http) fn message_id(text: &str) -> Result<MessageId, Problem> {
    text.parse()
        .map_err(|error: String| Problem::new(StatusCode::NOT_FOUND, error))
}
