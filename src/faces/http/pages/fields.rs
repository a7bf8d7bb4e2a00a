//! The fields of a submitted form, as they were typed.

use std::borrow::Cow;
use std::collections::HashSet;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};

use crate::faces::http::problem::Problem;
use crate::faces::remote_words::as_page;

/// The longest body of a form, in bytes: some thousand addresses.
const MAX_BODY_BYTES: usize = 512 << 10;

/// The fields that may be there several times.
const LISTS: [&str; 1] = ["source"];

/// The fields of a submitted form.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok());
        if !media_type.is_some_and(|one| one.starts_with("application/x-www-form-urlencoded")) {
            let detail = "the body is to be a form (application/x-www-form-urlencoded)";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let body = to_bytes(request.into_body(), MAX_BODY_BYTES).await;
        let body = body.map_err(|_| {
            let detail = format!("the form is longer than {MAX_BODY_BYTES} bytes, or ended early");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        })?;
        let pairs = url::form_urlencoded::parse(&body);
        let fields = Self(pairs.into_owned().collect());
        match fields.doubled() {
            Some(name) => Err(Problem::invalid(format!("the form has `{name}` twice"))),
            None => Ok(fields),
        }
    }
}

impl Fields {
    /// Makes fields with these values, as a form shows them before anybody typed.
    pub(super) fn with<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let values = values.into_iter();
        Self(
            values
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    /// Returns the name of a field that is there twice, but for lists.
    fn doubled(&self) -> Option<&str> {
        let mut names = HashSet::new();
        let mut all = self.0.iter().map(|(name, _)| name.as_str());
        all.find(|name| !LISTS.contains(name) && !names.insert(*name))
    }

    /// Returns the same fields without one.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(key, _)| key != name);
        self
    }

    /// Returns the text of a field without spaces around it; empty when the form lacks the field.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// Returns whether a checkbox is ticked.
    pub(super) fn is_on(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// Returns all values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let found = self.0.iter().filter(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).collect()
    }

    /// Returns the text of a field, `None` when nothing was typed.
    pub(super) fn typed(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }
}

/// Why a form was not carried out, and the field to correct.
#[derive(Clone, Debug)]
pub(super) struct FormError {
    pub(super) status: StatusCode,
    pub(super) field: Option<&'static str>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl FormError {
    /// Returns the error of one field.
    pub(super) fn of(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            field: Some(field),
            message: message.into().into_owned(),
            hint: None,
        }
    }
}

impl From<Problem> for FormError {
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        let refused = problem.into_refused();
        Self {
            status,
            field: None,
            message: as_page(&refused.detail),
            hint: refused.hint.as_deref().map(as_page),
        }
    }
}

impl From<crate::app::Error> for FormError {
    fn from(error: crate::app::Error) -> Self {
        Problem::from(error).into()
    }
}
