//! Answers of JSON.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::faces::http::problem::Problem;

/// Returns a value as an answer of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Response, Problem> {
    match serde_json::to_vec(value) {
        Ok(mut body) => {
            body.push(b'\n');
            let media_type = HeaderValue::from_static("application/json");
            Ok(([(header::CONTENT_TYPE, media_type)], body).into_response())
        }
        Err(error) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Err(Problem::new(
                status,
                format!("cannot write the answer: {error}"),
            ))
        }
    }
}
