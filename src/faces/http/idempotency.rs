//! `Idempotency-Key`: a POST of the API that is sent again under the same key is answered as it was the first time, and
//! done once (draft-ietf-httpapi-idempotency-key-header).

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answers::Turn;
use super::caller::Caller;
use super::extract::whole;
use super::problem::Problem;
use super::shared::Shared;
use crate::domain::Digest;

/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;
/// The longest body and the longest answer that are compared and kept, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Answers a POST with a key once.
pub(super) async fn once(shared: &Shared, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").cloned();
    let is_of_api = request.method() == Method::POST && request.uri().path().starts_with("/api/");
    let Some(key) = key.filter(|_| is_of_api) else {
        return next.run(request).await;
    };
    let answered = answer(shared, &key, request, next).await;
    answered.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(
    shared: &Shared,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let is_key = key.as_bytes().iter().all(u8::is_ascii_graphic);
    if !is_key || key.is_empty() || key.len() > MAX_KEY_BYTES {
        let detail = format!("Idempotency-Key takes 1 to {MAX_KEY_BYTES} printable characters");
        return Err(Problem::invalid(detail));
    }
    let caller = request.extensions().get::<Caller>();
    let who = caller.and_then(|caller| caller.name.as_deref());
    let what = format!("{who:?} {} {key:?}", request.uri());
    let (parts, body) = request.into_parts();
    let body = whole(body, MAX_BYTES).await?;
    let key = Digest::of(what.as_bytes());
    let under_way = match shared.answers().begin(key, Digest::of(&body)) {
        Turn::First(under_way) => under_way,
        Turn::Answered(response) => return Ok(response),
        Turn::Refused(problem) => return Err(problem),
    };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (head, body) = response.into_parts();
    let body = to_bytes(body, MAX_BYTES).await.map_err(|error| {
        let detail = format!("cannot read the answer, at most {MAX_BYTES} bytes: {error}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    })?;
    let refusals = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    // A failure or a refusal may end otherwise another time.
    if !head.status.is_server_error() && !refusals.contains(&head.status) {
        under_way.answered((head.status, head.headers.clone(), body.clone()));
    }
    Ok(Response::from_parts(head, Body::from(body)))
}
