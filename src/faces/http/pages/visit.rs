//! A request for a page: who asks, and for which address.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::domain::EventId;
use crate::faces::http::caller::{Caller, Right};
use crate::faces::http::content::segment;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;

/// The longest path to which a form leads back, in bytes.
const MAX_PATH: usize = 2048;

/// A request for a page.
#[derive(Clone)]
pub(in crate::faces::http) struct Visit {
    pub(super) shared: Shared,
    pub(super) caller: Caller,
    pub(super) uri: Uri,
    /// The newest event before anything was read for the page, which follows from there.
    pub(super) event: EventId,
    /// Whether the page can be asked for again by its address.
    pub(super) is_get: bool,
}

impl FromRequestParts<Shared> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.unwrap_or_else(|| Caller::unknown(false));
        let is_get = parts.method == Method::GET;
        Ok(Self::new(shared, caller, parts.uri.clone(), is_get))
    }
}

impl Visit {
    pub(super) fn new(shared: &Shared, caller: Caller, uri: Uri, is_get: bool) -> Self {
        Self {
            event: shared.feed().newest(),
            shared: shared.clone(),
            caller,
            uri,
            is_get,
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
    pub(in crate::faces::http) fn param(&self, name: &str) -> Option<String> {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let mut pairs = url::form_urlencoded::parse(query);
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// Returns all values of a parameter of the query.
    pub(super) fn params(&self, name: &str) -> Vec<String> {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let pairs = url::form_urlencoded::parse(query);
        let found = pairs.filter(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).collect()
    }

    /// Returns the address of the page to sign in, from where the way leads back to this page.
    pub(super) fn sign_in_place(&self) -> String {
        let here = self.uri.path_and_query().map_or("/", |here| here.as_str());
        let is_page = self.is_get && here != "/" && !here.starts_with("/sign-in");
        match local_path(here).filter(|_| is_page) {
            Some(here) => format!("/sign-in?to={}", segment(here)),
            None => "/sign-in".to_owned(),
        }
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
pub(in crate::faces::http) fn see_other(place: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Returns the address of a page that says what a form did.
pub(super) fn with_done(place: &str, done: &str) -> String {
    let gap = if place.contains('?') { '&' } else { '?' };
    format!("{place}{gap}done={done}")
}

/// Returns the path of a page of this service, `None` for a text that a browser may read as an address of another host.
pub(in crate::faces::http) fn local_path(text: &str) -> Option<&str> {
    // Browsers leave out tabs and ends of lines, and take a backslash for a slash (WHATWG URL §4.4).
    let is_plain = text
        .bytes()
        .all(|byte| matches!(byte, b'!'..=b'~') && byte != b'\\');
    let is_path = text.starts_with('/') && !text.starts_with("//");
    (is_plain && is_path && text.len() <= MAX_PATH).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_leads_to_another_host() {
        for path in [
            "/",
            "/sources/1",
            "/sources?filter=tag:eu&sort=-id",
            "/versions/1/diff/2#x",
        ] {
            assert_eq!(local_path(path), Some(path));
        }
        let long = format!("/{}", "a".repeat(MAX_PATH));
        for other in [
            "",
            "sources",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            " /",
            "/ä",
            &long,
        ] {
            assert_eq!(local_path(other), None, "{other:?}");
        }
    }
}
