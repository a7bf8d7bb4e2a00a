//! The body of a request that pushes messages: a JSON value, or many, each on a line (NDJSON).
//!
//! Never changes a value: what is stored are its bytes.

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use tokio::sync::OwnedSemaphorePermit;

use super::extract::whole;
use super::problem::Problem;
use super::shared::Shared;
use crate::domain::{JsonLines, MAX_MESSAGE_BYTES};

/// The longest body of many messages, in bytes.
const MAX_LINES_BYTES: usize = 8 << 20;

/// The bytes of an id in an answer.
const ID_BYTES: usize = 40;

/// The media types of many messages.
const LINES: [&str; 3] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
];

/// Messages as they were pushed.
pub(super) struct Pushed {
    pub(super) bodies: JsonLines,
    /// The memory that they take, and that the answer takes.
    pub(super) room: [OwnedSemaphorePermit; 2],
}

impl FromRequest<Shared> for Pushed {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Problem> {
        let kind = media_type(request.headers());
        let are_many = LINES.contains(&kind.as_str());
        if !are_many && kind != "application/json" && !kind.ends_with("+json") {
            let detail = "a message is JSON, with Content-Type: application/json; many are application/x-ndjson, one on a line";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let most = if are_many {
            MAX_LINES_BYTES
        } else {
            MAX_MESSAGE_BYTES
        };
        let body = request.into_body();
        let length = body
            .size_hint()
            .upper()
            .and_then(|upper| upper.try_into().ok());
        let room = || shared.push_room();
        let of_bodies = room().take(length.unwrap_or(most).min(most));
        let of_bodies = of_bodies.ok_or_else(too_many)?;
        let text = text(body, most).await?;
        let bodies = if are_many {
            JsonLines::many(text)
        } else {
            JsonLines::one(&text)
        };
        let bodies = bodies.map_err(|reason| Problem::invalid(format!("the body: {reason}")))?;
        let of_answer = room().take(bodies.count() * ID_BYTES);
        let of_answer = of_answer.ok_or_else(too_many)?;
        Ok(Self {
            bodies,
            room: [of_bodies, of_answer],
        })
    }
}

/// Returns the refusal while others have the memory.
fn too_many() -> Problem {
    let detail = "too many messages are being pushed at once";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}

fn media_type(headers: &HeaderMap) -> String {
    let field = headers.get(header::CONTENT_TYPE);
    let field = field.and_then(|value| value.to_str().ok());
    let kind = field.and_then(|field| field.split(';').next());
    kind.unwrap_or_default().trim().to_ascii_lowercase()
}

async fn text(body: Body, most: usize) -> Result<String, Problem> {
    String::from_utf8(whole(body, most).await?).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        Problem::invalid(format!("the body is not UTF-8 at byte {place}"))
    })
}
