//! The target of a redirect (RFC 9110 §10.2.2), and forbidden targets.
//!
//! Never follows a redirect; the exchange does.

use std::borrow::Cow;

use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use super::trail::SentRequest;

const MAX_REDIRECTS: usize = 10;

/// Why a redirect is not followed, as the end of a sentence that begins with its origin.
pub(super) enum RedirectRefusal {
    /// The target cannot be read: "… answered 302 without a Location".
    Unreadable(&'static str),
    /// The target is forbidden: "… redirects to plain http".
    Forbidden(String),
}

/// Returns the target of a redirect from `from`. `shown` prints an address for a message.
pub(super) fn target(
    headers: &HeaderMap,
    from: &Url,
    shown: impl Fn(&Url) -> String,
) -> Result<Url, RedirectRefusal> {
    if !headers.contains_key(LOCATION) {
        return Err(RedirectRefusal::Unreadable("without a Location"));
    }
    let target = location(headers, from);
    let target = target.ok_or(RedirectRefusal::Unreadable(
        "with a Location that is not an address",
    ))?;
    if !target.username().is_empty() || target.password().is_some() {
        let what = "an address with a user name or password".to_owned();
        return Err(RedirectRefusal::Forbidden(what));
    }
    match (from.scheme(), target.scheme()) {
        (_, "https") | ("http", "http") => Ok(target),
        (_, "http") => Err(RedirectRefusal::Forbidden(format!(
            "plain http: {}",
            shown(&target)
        ))),
        (_, other) => Err(RedirectRefusal::Forbidden(format!(
            "the scheme `{other}`: only https is followed"
        ))),
    }
}

/// Returns the target of `Location`, relative to `from` and without a fragment.
pub(super) fn location(headers: &HeaderMap, from: &Url) -> Option<Url> {
    let text = reference(headers.get(LOCATION)?.as_bytes());
    let mut target = from.join(&text).ok()?;
    target.set_fragment(None);
    Some(target)
}

/// Returns a field as a URL reference; bytes beyond ASCII that are not UTF-8 are percent-encoded, as in browsers.
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

/// Explains why the chain must not continue to `target` after these hops, if so.
pub(super) fn chain_problem(
    visited: &[SentRequest],
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
