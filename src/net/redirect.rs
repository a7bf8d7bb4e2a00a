//! Where a redirect leads (RFC 9110 §10.2.2), and what no redirect may lead to.
//!
//! Never follows one: the exchange does.

use std::borrow::Cow;

use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use super::trail::Asked;

/// Redirects of one try.
const MAX_REDIRECTS: usize = 10;

/// Why a redirect is not followed, in words that follow the address it came from.
pub(super) enum Refusal {
    /// It cannot be read: "… answered 302 without a Location".
    Unreadable(&'static str),
    /// It may not be followed: "… redirects to plain http".
    Forbidden(String),
}

/// Reads the target of a redirect from `from`. `shown` prints an address for a message.
pub(super) fn target(
    headers: &HeaderMap,
    from: &Url,
    shown: impl Fn(&Url) -> String,
) -> Result<Url, Refusal> {
    if !headers.contains_key(LOCATION) {
        return Err(Refusal::Unreadable("without a Location"));
    }
    let target = location(headers, from);
    let target = target.ok_or(Refusal::Unreadable(
        "with a Location that is not an address",
    ))?;
    if !target.username().is_empty() || target.password().is_some() {
        let what = "an address with a user name or password".to_owned();
        return Err(Refusal::Forbidden(what));
    }
    match (from.scheme(), target.scheme()) {
        (_, "https") | ("http", "http") => Ok(target),
        (_, "http") => Err(Refusal::Forbidden(format!(
            "plain http: {}",
            shown(&target)
        ))),
        (_, other) => Err(Refusal::Forbidden(format!(
            "the scheme `{other}`: only https is followed"
        ))),
    }
}

/// Returns where `Location` leads from `from`, without a fragment.
pub(super) fn location(headers: &HeaderMap, from: &Url) -> Option<Url> {
    let text = reference(headers.get(LOCATION)?.as_bytes());
    let mut target = from.join(&text).ok()?;
    target.set_fragment(None);
    Some(target)
}

/// Returns a field as a reference: what is not UTF-8 has its bytes beyond ASCII percent-encoded, as browsers do.
fn reference(field: &[u8]) -> Cow<'_, str> {
    use std::fmt::Write as _;
    if let Ok(text) = std::str::from_utf8(field) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(field.len());
    for byte in field {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    Cow::Owned(text)
}

/// Returns what is wrong with going on to `target` after these hops, last one last.
pub(super) fn chain_problem(
    visited: &[Asked],
    target: &Url,
    shown: impl Fn(&Url) -> String,
) -> Option<String> {
    let last = visited
        .last()
        .map(|last| shown(&last.url))
        .unwrap_or_default();
    if visited.iter().any(|asked| asked.url == *target) {
        Some(format!(
            "redirect loop: {last} leads back to {}",
            shown(target)
        ))
    } else if visited.len() > MAX_REDIRECTS {
        Some(format!(
            "more than {MAX_REDIRECTS} redirects: the last leads from {last} to {}",
            shown(target)
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn reads_a_location_as_browsers_do() {
        let from = Url::parse("https://h/a/b?q=1").expect("a URL");
        for (field, expected) in [
            (&b"/caf\xe9.csv"[..], Some("https://h/caf%E9.csv")),
            ("/café.csv".as_bytes(), Some("https://h/caf%C3%A9.csv")),
            (b"c?n=\xe9\xff#part", Some("https://h/a/c?n=%E9%FF")),
            (b"/\xc3\xa9\xe9", Some("https://h/%C3%A9%E9")),
            (b"/a b.csv", Some("https://h/a%20b.csv")),
            (b"//other/x", Some("https://other/x")),
            (b"  /x  ", Some("https://h/x")),
            (b"?n=2", Some("https://h/a/b?n=2")),
            (b"https://", None),
            (b"https://caf\xe9/", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_bytes(field).expect("a value"));
            let found = location(&headers, &from).map(String::from);
            assert_eq!(found.as_deref(), expected, "{field:?}");
        }
    }
}
