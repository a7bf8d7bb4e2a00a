//! Sends bytes as a browser may safely take them: with an entity tag, by range, and on the conditions of the request.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use futures_util::stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::body::Sendable;
use super::conditions::{Conditions, Outcome};
use super::problem::Problem;
use super::range::{Range, asked_range};

/// What is escaped in a part of a path and in a name (RFC 8187): all but what RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns a text as a segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Facts of what is sent.
pub(super) struct Sent {
    /// The strong entity tag, in its quotes.
    pub(super) tag: String,
    /// The name under which a browser saves it.
    pub(super) name: String,
    /// The media type that its origin gave it.
    pub(super) media_type: Option<String>,
    pub(super) modified: Option<DateTime<Utc>>,
    /// Whether a browser may show it instead of saving it: never for what could act.
    pub(super) is_shown: bool,
}

impl Sent {
    /// Returns the answer that needs no bytes: 304 when the client has these already, 412 when it means others.
    pub(super) fn without_bytes(&self, conditions: &Conditions) -> Option<Response> {
        let mut response = match conditions.outcome(&self.tag, self.modified) {
            Outcome::Met => return None,
            Outcome::Unchanged => not_modified(),
            Outcome::Failed => {
                let detail =
                    "the content is not that of If-Match, or was changed since If-Unmodified-Since";
                let problem = Problem::new(StatusCode::PRECONDITION_FAILED, detail);
                return Some(problem.into_response());
            }
        };
        self.write_fields(response.headers_mut());
        Some(response)
    }

    fn write_fields(&self, fields: &mut HeaderMap) {
        let modified = self
            .modified
            .map(|at| at.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        let values: [(HeaderName, Option<String>); 3] = [
            (header::ETAG, Some(self.tag.clone())),
            (header::LAST_MODIFIED, modified),
            (header::CACHE_CONTROL, Some("private, no-cache".to_owned())),
        ];
        for (name, value) in values {
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                fields.insert(name, value);
            }
        }
        fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }

    /// Writes what the bytes are, and whether a browser shows or saves them.
    fn write_kind(&self, fields: &mut HeaderMap) {
        let media_type = self.media_type.as_deref().map(HeaderValue::try_from);
        let unknown = HeaderValue::from_static("application/octet-stream");
        let media_type = media_type.and_then(Result::ok).unwrap_or(unknown);
        fields.insert(header::CONTENT_TYPE, media_type);
        let kept = if self.is_shown {
            "inline"
        } else {
            "attachment"
        };
        let name = segment(&self.name);
        // RFC 6266: the name as RFC 8187 writes it, and as it is where nothing in it is escaped, for simple programs.
        let disposition = if name == self.name {
            format!("{kept}; filename=\"{name}\"")
        } else {
            format!("{kept}; filename*=UTF-8''{name}")
        };
        if let Ok(value) = HeaderValue::try_from(disposition) {
            fields.insert(header::CONTENT_DISPOSITION, value);
        }
    }
}

/// Sends bytes, the whole or the range that is asked for.
pub(super) async fn send(
    content: Sendable,
    sent: &Sent,
    conditions: &Conditions,
) -> Result<Response, Problem> {
    let size = content.size_bytes();
    let range = conditions.range(&sent.tag, sent.modified);
    let (status, from, length) = match range.and_then(|range| asked_range(range, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Range::Bytes { from, length }) => (StatusCode::PARTIAL_CONTENT, from, length),
        Some(Range::Beyond) => return Ok(beyond(size)),
    };
    let body = content
        .body(from, length)
        .await
        .map_err(|error| unreadable(&error))?;
    let mut response = (status, body).into_response();
    let fields = response.headers_mut();
    sent.write_fields(fields);
    sent.write_kind(fields);
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {from}-{}/{size}", from + length - 1);
        if let Ok(place) = HeaderValue::try_from(place) {
            fields.insert(header::CONTENT_RANGE, place);
        }
    }
    Ok(response)
}

/// Returns 304 without a length: for HEAD it would be that of nothing, not that of the content (RFC 9110 §8.6).
fn not_modified() -> Response {
    let nothing = stream::empty::<Result<Bytes, Infallible>>();
    (StatusCode::NOT_MODIFIED, Body::from_stream(nothing)).into_response()
}

/// Returns the answer to a range beyond the end.
fn beyond(size: u64) -> Response {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        format!("the content has {size} bytes"),
    );
    let mut response = problem.into_response();
    if let Ok(place) = HeaderValue::try_from(format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, place);
    }
    response
}

/// Returns the problem of bytes that cannot be read.
pub(super) fn unreadable(cause: &std::io::Error) -> Problem {
    let detail = format!("cannot read the content: {cause}");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}

/// Returns the media type of a picture that a browser may show, by its first bytes; `None` for anything else.
pub(super) fn picture_type(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (b"GIF8", None),
            (b"", None),
        ] {
            assert_eq!(picture_type(bytes), expected, "{bytes:?}");
        }
    }
}
