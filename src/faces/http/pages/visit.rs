//! A request for a page: who asks, and for which address.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::domain::EventId;
use crate::faces::http::caller::{Caller, Right};
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;

/// A request for a page.
#[derive(Clone)]
pub(in crate::faces::http) struct Visit {
    pub(super) shared: Shared,
    pub(super) caller: Caller,
    pub(super) uri: Uri,
    /// The newest event before anything was read for the page, which follows from there.
    pub(super) event: EventId,
}

impl FromRequestParts<Shared> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.unwrap_or_else(|| Caller::unknown(false));
        Ok(Self::new(shared, caller, parts.uri.clone()))
    }
}

impl Visit {
    pub(super) fn new(shared: &Shared, caller: Caller, uri: Uri) -> Self {
        Self {
            event: shared.feed().newest(),
            shared: shared.clone(),
            caller,
            uri,
        }
    }

    /// Returns the use-cases, for reading.
    pub(super) fn app(&self) -> &App {
        self.shared.app()
    }

    /// Returns the use-cases in the name of whoever asks.
    pub(super) fn acting(&self) -> App {
        self.shared.app_of(self.caller.actor())
    }

    pub(super) fn may(&self, right: Right) -> bool {
        self.caller.may(right)
    }

    /// Returns the value of a parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<String> {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let mut pairs = url::form_urlencoded::parse(query);
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// Returns the path and query of this page with other parameters; those without a value are left out.
    pub(super) fn link(&self, changed: &[(&str, Option<&str>)]) -> String {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let is_kept =
            |name: &str| name != "done" && changed.iter().all(|(other, _)| *other != name);
        let mut link = url::form_urlencoded::Serializer::new(String::new());
        link.extend_pairs(url::form_urlencoded::parse(query).filter(|(name, _)| is_kept(name)));
        for (name, value) in changed {
            if let Some(value) = value {
                link.append_pair(name, value);
            }
        }
        let query = link.finish();
        let gap = if query.is_empty() { "" } else { "?" };
        format!("{}{gap}{query}", self.uri.path())
    }
}

/// Sends a browser to another page after a form was carried out.
pub(super) fn see_other(place: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Returns a text as a segment of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
