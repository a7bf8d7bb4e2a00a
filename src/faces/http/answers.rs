//! The answers to requests that have a key, so that each is done once. Kept in memory, for a day at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::problem::Problem;
use crate::domain::Digest;

/// An answer as it is kept.
type Answer = (StatusCode, HeaderMap, Bytes);

/// The most answers that are kept.
const MAX_KEPT: usize = 1_000;
/// How long an answer is kept.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// The requests with keys, and their answers.
#[derive(Clone, Default)]
pub(super) struct Answers(Arc<Mutex<HashMap<Digest, Known>>>);

struct Known {
    /// The digest of the body.
    body: Digest,
    since: Instant,
    /// `None` while the first request is under way.
    answer: Option<Answer>,
}

impl Known {
    /// Returns what a request gets that comes again, with this body.
    fn repeated(&self, body: Digest) -> Turn {
        let refused = |status, detail: &str| Turn::Refused(Problem::new(status, detail));
        match &self.answer {
            _ if self.body != body => refused(
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
        }
    }
}

/// What is known of a key.
pub(super) enum Turn {
    /// The first request under its key.
    First(UnderWay),
    /// The answer that the first one got.
    Answered(Response),
    /// Another body under the same key, the first request is not answered yet, or too many are under way.
    Refused(Problem),
}

impl Answers {
    /// Begins a request under a key with a body, unless there was one.
    pub(super) fn begin(&self, key: Digest, body: Digest) -> Turn {
        let mut known = self.known();
        known.retain(|_, one| one.answer.is_none() || one.since.elapsed() < KEPT_FOR);
        if let Some(one) = known.get(&key) {
            return one.repeated(body);
        }
        if known.len() >= MAX_KEPT {
            // One that is under way is never forgotten: it would be done twice.
            let answered = known.iter().filter(|(_, one)| one.answer.is_some());
            let oldest = answered.min_by_key(|(_, one)| one.since);
            let Some(oldest) = oldest.map(|(key, _)| *key) else {
                let detail = format!("{MAX_KEPT} requests with an Idempotency-Key are under way");
                return Turn::Refused(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
            };
            known.remove(&oldest);
        }
        let one = Known {
            body,
            since: Instant::now(),
            answer: None,
        };
        known.insert(key, one);
        Turn::First(UnderWay {
            answers: self.clone(),
            key,
            is_answered: false,
        })
    }

    /// Keeps the answer to the first request; none of a failure or a refusal, which may end otherwise another time.
    fn end(&self, key: &Digest, answer: Option<Answer>) {
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

/// The first request under a key, while it is under way. Dropped without an answer, it is forgotten: it failed.
pub(super) struct UnderWay {
    answers: Answers,
    key: Digest,
    is_answered: bool,
}

impl UnderWay {
    /// Keeps the answer.
    pub(super) fn answered(mut self, answer: Answer) {
        self.is_answered = true;
        self.answers.end(&self.key, Some(answer));
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.is_answered {
            self.answers.end(&self.key, None);
        }
    }
}
