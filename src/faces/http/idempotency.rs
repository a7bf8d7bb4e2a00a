//! `Idempotency-Key`: a POST of the API that is sent again under the same key is answered as it was the first time, and
//! done once (draft-ietf-httpapi-idempotency-key-header), even when its client left before the answer.
//!
//! Never checks a right: that of the caller is checked before, for the first request and for those after it.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answers::{Turn, UnderWay};
use super::caller::Caller;
use super::extract::whole;
use super::problem::Problem;
use super::shared::Shared;
use crate::domain::Digest;

/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;
/// The longest body that is compared, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// The longest answer that is kept, in bytes: a thousand of them are kept at most.
const MAX_KEPT_BYTES: usize = 64 << 10;

/// Answers a POST with a key once.
pub(super) async fn once(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    match key_of(request.headers()).map(|key| key.map(str::to_owned)) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => {
            let answered = answer(&shared, &key, request, next).await;
            answered.unwrap_or_else(IntoResponse::into_response)
        }
        Err(problem) => problem.into_response(),
    }
}

/// Returns the key of a request, if it has one.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let is_key = key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(text) if is_key && (1..=MAX_KEY_BYTES).contains(&text.len()) => Ok(Some(text)),
        _ => {
            let detail = format!("Idempotency-Key takes 1 to {MAX_KEY_BYTES} printable characters");
            Err(Problem::invalid(detail))
        }
    }
}

async fn answer(
    shared: &Shared,
    key: &str,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Caller>();
    let who = caller.map(|caller| (&caller.credential, &caller.name));
    let what = format!("{who:?} {:?} {key:?}", request.uri().path_and_query());
    let (parts, body) = request.into_parts();
    let body = whole(body, MAX_BYTES).await?;
    let key = Digest::of(what.as_bytes());
    let under_way = match shared.answers().begin(key, Digest::of(&body)) {
        Turn::First(under_way) => under_way,
        Turn::Answered(response) => return Ok(response),
        Turn::Refused(problem) => return Err(problem),
    };
    let request = Request::from_parts(parts, Body::from(body));
    // When the client leaves, this future is dropped; a task of its own goes on.
    let task = async move { kept(under_way, next.run(request).await).await };
    match shared.to_end().spawn(task).await {
        Ok(answered) => answered,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => {
                let detail = format!("the request ended early: {error}");
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
            }
        },
    }
}

/// Keeps the answer to the first request under a key, and returns it.
async fn kept(under_way: UnderWay, response: Response) -> Result<Response, Problem> {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|error| {
        let detail = format!("cannot read the answer: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    let refusals = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    // A failure or a refusal may end otherwise another time.
    if !head.status.is_server_error() && !refusals.contains(&head.status) {
        // The request was done, and is not to be done again for want of its long answer.
        let (fields, text) = if body.len() <= MAX_KEPT_BYTES {
            (head.headers.clone(), body.clone())
        } else {
            Default::default()
        };
        under_way.answered((head.status, fields, text));
    }
    Ok(Response::from_parts(head, Body::from(body)))
}
