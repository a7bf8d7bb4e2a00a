//! Shows refusals as pages to browsers, in the words that programs get as JSON.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::Response;
use maud::html;

use super::elements::{facts, text};
use super::layout::Section;
use super::visit::{Visit, local_path, see_other};
use crate::faces::http::accept::prefers;
use crate::faces::http::caller::Caller;
use crate::faces::http::problem::Refused;
use crate::faces::http::shared::Shared;
use crate::faces::remote_words::as_page;

/// What must be known of a request to show its refusal as a page.
pub(in crate::faces::http) struct Asked(Option<(Caller, Uri, bool)>);

impl Asked {
    /// Remembers who sends a request for which page; nothing of a program's request.
    pub(in crate::faces::http) fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let is_program = ["/api/", "/assets/"]
            .iter()
            .any(|one| path.starts_with(one));
        let is_browser = !is_program && accepts_pages(request.headers());
        Self(is_browser.then(|| {
            let caller = request.extensions().get::<Caller>().cloned();
            let caller = caller.unwrap_or_else(|| Caller::unknown(false));
            let is_get = request.method() == Method::GET;
            (caller, request.uri().clone(), is_get)
        }))
    }

    /// Returns an answer as it is, but that of a refusal to a browser as a page.
    pub(in crate::faces::http) fn shown(self, shared: &Shared, mut response: Response) -> Response {
        let Some((caller, uri, is_get)) = self.0 else {
            return response;
        };
        let Some(refused) = response.extensions_mut().remove::<Refused>() else {
            return response;
        };
        let visit = Visit::new(shared, caller, uri, is_get);
        let mut page = page(&visit, response.status(), &refused);
        let kept: [HeaderName; 3] = [header::WWW_AUTHENTICATE, header::RETRY_AFTER, header::ALLOW];
        for name in kept {
            if let Some(value) = response.headers().get(&name) {
                page.headers_mut().insert(name, value.clone());
            }
        }
        page
    }
}

/// Returns the way to the page above an address to which forms are sent, for a browser that asks for the address itself:
/// after a refused form it is in the address bar.
pub(in crate::faces::http) fn above(request: &Request) -> Option<Response> {
    let path = request.uri().path();
    let is_page = request.method() == Method::GET && !path.starts_with("/api/");
    if !is_page || !accepts_pages(request.headers()) {
        return None;
    }
    let (above, _) = path.rsplit_once('/')?;
    let above = if above.is_empty() { "/" } else { above };
    Some(see_other(local_path(above)?))
}

/// Returns whether a request prefers a page: browsers name `text/html`, programs do not.
fn accepts_pages(headers: &HeaderMap) -> bool {
    prefers(headers, &["text/html"], "application/json")
}

fn page(visit: &Visit, status: StatusCode, refused: &Refused) -> Response {
    let title = match status {
        StatusCode::UNAUTHORIZED => "Sign in first",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::CONFLICT => "Not possible now",
        status if status.is_server_error() => "The service has a problem",
        _ => "Not understood",
    };
    let content = html! {
        h1 { (title) }
        div.alert.bad role="alert" {
            p { (text(&as_page(&refused.detail))) }
            @if let Some(hint) = &refused.hint { p.hint { (text(&as_page(hint))) } }
        }
        @if status == StatusCode::UNAUTHORIZED { p { a.button href=(visit.sign_in_place()) { "Sign in" } } }
        (facts(&[("status", html! { (status) }), ("address", html! { code { (text(visit.uri.path())) } })]))
        p { a href="/" { "To the overview" } }
    };
    visit.page_with(status, Section::None, title, &content)
}
