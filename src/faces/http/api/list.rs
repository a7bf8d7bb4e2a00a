//! A page of a list: an object with the items and the place where the next page begins.

use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::answer::json;
use crate::faces::http::problem::Problem;

/// A page of a list: `{"NAME": [items], "next": …}`.
struct Page<'a, T> {
    name: &'static str,
    items: &'a T,
    next: Option<&'a str>,
}

impl<T: Serialize> Serialize for Page<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_map(Some(2))?;
        page.serialize_entry(self.name, self.items)?;
        page.serialize_entry("next", &self.next)?;
        page.end()
    }
}

/// Returns a page as the answer, with the address of the next page in `Link` (RFC 8288).
pub(super) fn page(
    name: &'static str,
    items: &impl Serialize,
    next: Option<&str>,
    uri: &Uri,
) -> Result<Response, Problem> {
    let mut response = json(&Page { name, items, next })?;
    let link = next.map(|next| format!("<{}>; rel=\"next\"", next_page(uri, next)));
    if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// Returns the path and query of a request with another `after`.
pub(in crate::faces::http) fn next_page(uri: &Uri, after: &str) -> String {
    let query = uri.query().unwrap_or_default().as_bytes();
    let kept = url::form_urlencoded::parse(query).filter(|(name, _)| name != "after");
    let mut next = url::form_urlencoded::Serializer::new(String::new());
    let query = next.extend_pairs(kept).append_pair("after", after).finish();
    format!("{}?{query}", uri.path())
}
