//! `Idempotency-Key`: a POST of the API that is sent again under the same key is answered as it was the first time, and
//! done once (draft-ietf-httpapi-idempotency-key-header). Answers are kept in memory, for a day at most.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::caller::Caller;
use super::problem::Problem;
use super::shared::Shared;
use crate::domain::Digest;

/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;
/// The longest body and the longest answer that are compared and kept, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// The most answers that are kept.
const MAX_KEPT: usize = 1_000;
/// How long an answer is kept.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// The requests with keys, and their answers.
#[derive(Default)]
pub(super) struct Answers(Mutex<HashMap<Digest, Known>>);

struct Known {
    /// The digest of the body.
    body: Digest,
    since: Instant,
    /// `None` while the first request is under way.
    answer: Option<(StatusCode, HeaderMap, Bytes)>,
}

/// What is known of a key.
enum Turn {
    First,
    Answered(Response),
    Refused(Problem),
}

impl Answers {
    fn begin(&self, key: Digest, body: Digest) -> Turn {
        let mut known = self.known();
        known.retain(|_, one| one.since.elapsed() < KEPT_FOR);
        if let Some(one) = known.get(&key) {
            let refused = |status, detail: &str| Turn::Refused(Problem::new(status, detail));
            return match &one.answer {
                _ if one.body != body => refused(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "this Idempotency-Key was used for another body",
                ),
                None => refused(
                    StatusCode::CONFLICT,
                    "the first request with this Idempotency-Key is under way",
                ),
                Some((status, headers, body)) => {
                    Turn::Answered((*status, headers.clone(), body.clone()).into_response())
                }
            };
        }
        if known.len() >= MAX_KEPT
            && let Some(oldest) = known
                .iter()
                .min_by_key(|(_, one)| one.since)
                .map(|(key, _)| *key)
        {
            known.remove(&oldest);
        }
        let (since, answer) = (Instant::now(), None);
        known.insert(
            key,
            Known {
                body,
                since,
                answer,
            },
        );
        Turn::First
    }

    /// Keeps the answer to the first request; none of a failure or a refusal, which may end otherwise another time.
    fn end(&self, key: &Digest, answer: Option<(StatusCode, HeaderMap, Bytes)>) {
        let mut known = self.known();
        match (known.get_mut(key), answer) {
            (Some(one), Some(answer)) => one.answer = Some(answer),
            _ => drop(known.remove(key)),
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Digest, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the mark of a request that ended without an answer: its client left, say.
struct Mark<'a>(&'a Answers, Digest, bool);

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        if !self.2 {
            self.0.end(&self.1, None);
        }
    }
}

/// Answers a POST with a key once.
pub(super) async fn once(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").cloned();
    let is_of_api = request.method() == Method::POST && request.uri().path().starts_with("/api/");
    let Some(key) = key.filter(|_| is_of_api) else {
        return next.run(request).await;
    };
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        let detail = format!("Idempotency-Key takes 1 to {MAX_KEY_BYTES} bytes");
        return Problem::invalid(detail).into_response();
    }
    let who = request
        .extensions()
        .get::<Caller>()
        .and_then(|caller| caller.name.clone());
    let what = format!("{who:?} {} {key:?}", request.uri());
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BYTES).await else {
        let detail = format!("the body cannot be read, or is longer than {MAX_BYTES} bytes");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response();
    };
    let (key, digest) = (Digest::of(what.as_bytes()), Digest::of(&body));
    match shared.answers().begin(key, digest) {
        Turn::Answered(response) => return response,
        Turn::Refused(problem) => return problem.into_response(),
        Turn::First => {}
    }
    let mut mark = Mark(shared.answers(), key, false);
    let (head, body) = next
        .run(Request::from_parts(parts, Body::from(body)))
        .await
        .into_parts();
    let Ok(body) = to_bytes(body, MAX_BYTES).await else {
        let detail = "the answer is too long to be kept for its Idempotency-Key";
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response();
    };
    let refusals = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    if !head.status.is_server_error() && !refusals.contains(&head.status) {
        mark.2 = true;
        let kept = (head.status, head.headers.clone(), body.clone());
        shared.answers().end(&key, Some(kept));
    }
    Response::from_parts(head, Body::from(body))
}
