//! Reads queries and bodies of requests. Unknown fields are errors that name them.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::problem::Problem;
use crate::domain::check_json;

/// The longest short body, in bytes; one whose length is unknown is long.
const SHORT_BYTES: u64 = 64 << 10;
/// The time that a body has, and the rate at which it gains more.
const SHORT_GRACE: Duration = Duration::from_secs(30);
const LONG_GRACE: Duration = Duration::from_secs(5);
const LEAST_BYTES_A_SECOND: u64 = 32 << 10;
/// The longest body of a request for the API, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 64 << 10;

/// The parameters of a query.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        params_of(&parts.uri).map(Self)
    }
}

/// Reads the query of an address.
pub(super) fn params_of<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let Query(params) = Query::try_from_uri(uri).map_err(|error| {
        let words = error.body_text();
        // The library's own words before the reason.
        let reason = words.strip_prefix("Failed to deserialize query string: ");
        let reason = reason.unwrap_or(&words);
        Problem::invalid(format!("the query: {reason}"))
    })?;
    Ok(params)
}

/// The parts of the path that a route names.
pub(super) struct Part<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Part<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(part)) => Ok(Self(part)),
            Err(rejection) => Err(Problem::new(rejection.status(), rejection.body_text())),
        }
    }
}

/// A body of JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "the body is to be JSON, with Content-Type: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let body = whole(request.into_body(), MAX_BODY_BYTES).await?;
        object_of(&body).map(Self)
    }
}

/// Reads a JSON object, in which no name may be twice.
pub(super) fn object_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let refused = |reason: &dyn std::fmt::Display| Problem::invalid(format!("the body: {reason}"));
    let text = std::str::from_utf8(body).map_err(|error| refused(&error))?;
    check_json(text).map_err(|flaw| refused(&flaw))?;
    // The JSON reader accepts a list of the values of an object, too.
    if !text.trim_start().starts_with('{') {
        return Err(refused(&"it is to be an object"));
    }
    serde_json::from_str(text).map_err(|error| refused(&error))
}

/// Reads a body to its end, each byte into its place at once. One that says that it is longer than `most` bytes is refused before
/// it comes, and a long one that comes too slowly when that is seen: long bodies share their memory.
pub(super) async fn whole(mut body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let too_long = || {
        let detail = format!("the body is longer than {most} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    };
    let length = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if length > most {
        return Err(too_long());
    }
    let is_short = body
        .size_hint()
        .exact()
        .is_some_and(|length| length <= SHORT_BYTES);
    let grace = if is_short { SHORT_GRACE } else { LONG_GRACE };
    let mut bytes = Vec::with_capacity(length);
    let mut due = Instant::now() + grace;
    while let Some(frame) = timeout_at(due, body.frame())
        .await
        .map_err(|_| too_slow())?
    {
        let frame =
            frame.map_err(|error| Problem::invalid(format!("cannot read the body: {error}")))?;
        let piece = frame.into_data().unwrap_or_default();
        if bytes.len() + piece.len() > most {
            return Err(too_long());
        }
        due += Duration::from_micros(piece.len() as u64 * 1_000_000 / LEAST_BYTES_A_SECOND);
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn too_slow() -> Problem {
    let detail = "the body comes too slowly: send less in a request, or send it faster";
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
}

fn is_json(headers: &HeaderMap) -> bool {
    let field = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = field
        .and_then(|field| field.split(';').next())
        .unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    media_type == "application/json" || media_type == "application/merge-patch+json"
}
