//! Refusals as problems (RFC 9457): the status, the kind and the hint of an error.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::{Error, ErrorKind};
use crate::faces::remote_words::as_api;

/// A refusal.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    hint: Option<String>,
}

/// The words of a refusal as use-cases have them, beside the answer that has them as JSON: a page shows them in words of its
/// own.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) detail: String,
    pub(super) hint: Option<String>,
}

/// The body of a problem.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemJson<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    kind: &'static str,
    hint: Option<&'a str>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let kind = match status {
            StatusCode::UNAUTHORIZED => "unauthorized",
            StatusCode::FORBIDDEN => "forbidden",
            StatusCode::NOT_FOUND => "not-found",
            StatusCode::CONFLICT => "conflict",
            StatusCode::GONE => "gone",
            StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            _ => "invalid",
        };
        Self {
            status,
            kind,
            detail: detail.into(),
            hint: None,
        }
    }

    /// Returns the refusal of a request that is wrong in itself.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Returns the refusal of a text that names nothing, or several things, where one is needed.
    pub(super) fn of_name(error: Error) -> Self {
        match error.kind {
            ErrorKind::Invalid => Self {
                status: StatusCode::NOT_FOUND,
                kind: "not-found",
                ..Self::from(error)
            },
            _ => Self::from(error),
        }
    }

    /// Returns the refusal of a request that is right in itself, and contradicts what is there.
    pub(super) fn of_conflict(error: Error) -> Self {
        match error.kind {
            ErrorKind::Invalid => Self {
                status: StatusCode::CONFLICT,
                kind: "conflict",
                ..Self::from(error)
            },
            _ => Self::from(error),
        }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the words of the refusal, as use-cases have them.
    pub(super) fn into_refused(self) -> Refused {
        Refused {
            detail: self.detail,
            hint: self.hint,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (status, kind) = match error.kind {
            ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict"),
            ErrorKind::Changed => (StatusCode::PRECONDITION_FAILED, "changed"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            ErrorKind::Replaced => (StatusCode::SERVICE_UNAVAILABLE, "replaced"),
            ErrorKind::Damaged => (StatusCode::INTERNAL_SERVER_ERROR, "damaged"),
            ErrorKind::Blocked => (StatusCode::INTERNAL_SERVER_ERROR, "blocked"),
        };
        if status.is_server_error() {
            tracing::warn!("{error}");
        }
        Self {
            status,
            kind,
            detail: error.message,
            hint: error.hint,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (detail, hint) = (as_api(&self.detail), self.hint.as_deref().map(as_api));
        let body = ProblemJson {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &detail,
            kind: self.kind,
            hint: hint.as_deref(),
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let media_type = HeaderValue::from_static("application/problem+json");
        let mut response =
            (self.status, [(header::CONTENT_TYPE, media_type)], body).into_response();
        let field = match self.status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            // In seconds.
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, "1")),
            _ => None,
        };
        if let Some((name, value)) = field {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self.into_refused());
        response
    }
}
