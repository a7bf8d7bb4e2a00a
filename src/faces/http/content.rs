//! Sends bytes as a browser may safely take them: with an entity tag, by range, and unless they are unchanged.

use std::io::SeekFrom;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::problem::Problem;
use super::range::{Range, asked_range};
use crate::domain::Content;

/// The bytes that are read from a file at once.
const PIECE_BYTES: usize = 64 << 10;

/// Facts of what is sent.
pub(super) struct Sent {
    /// The strong entity tag, in its quotes.
    pub(super) tag: String,
    /// The name under which a browser saves it.
    pub(super) name: String,
    /// The media type that its origin gave it.
    pub(super) media_type: Option<String>,
    pub(super) modified: Option<DateTime<Utc>>,
}

impl Sent {
    /// Returns the answer 304 when the client has these bytes already (RFC 9110 §13.1.2).
    pub(super) fn unchanged(&self, headers: &HeaderMap) -> Option<Response> {
        let known = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
        let mut tags = known.split(',').map(str::trim);
        let is_known = tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.tag);
        is_known.then(|| {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            self.write_fields(response.headers_mut());
            response
        })
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

    /// Returns whether a range is still of the bytes that the client has parts of (RFC 9110 §13.1.5).
    fn is_same(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::IF_RANGE)
            .is_none_or(|condition| condition == self.tag.as_str())
    }
}

/// Sends content as an attachment, the whole or the range that is asked for.
pub(super) async fn send(
    content: Content,
    sent: &Sent,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let size = content.size_bytes();
    let range = headers.get(header::RANGE).filter(|_| sent.is_same(headers));
    let (status, from, length) = match range.and_then(|range| asked_range(range, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Range::Bytes { from, length }) => (StatusCode::PARTIAL_CONTENT, from, length),
        Some(Range::Beyond) => return Ok(beyond(size)),
    };
    let body = body_of(content, from, length).await?;
    let mut response = (status, body).into_response();
    let fields = response.headers_mut();
    sent.write_fields(fields);
    let media_type = sent
        .media_type
        .as_deref()
        .unwrap_or("application/octet-stream");
    let media_type = HeaderValue::try_from(media_type);
    let unknown = HeaderValue::from_static("application/octet-stream");
    fields.insert(header::CONTENT_TYPE, media_type.unwrap_or(unknown));
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let disposition = format!("attachment; filename*=UTF-8''{}", in_header(&sent.name));
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        fields.insert(header::CONTENT_DISPOSITION, disposition);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {from}-{}/{size}", from + length - 1);
        if let Ok(place) = HeaderValue::try_from(place) {
            fields.insert(header::CONTENT_RANGE, place);
        }
    }
    Ok(response)
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

async fn body_of(content: Content, from: u64, length: u64) -> Result<Body, Problem> {
    match content {
        Content::Memory(bytes) => {
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
            let until =
                usize::try_from(length).map_or(bytes.len(), |length| from.saturating_add(length));
            Ok(Body::from(bytes.slice(from..until.min(bytes.len()))))
        }
        Content::File { path, .. } => {
            let unreadable = |error: std::io::Error| {
                let detail = format!("cannot read the content: {error}");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            };
            let mut file = File::open(&**path).await.map_err(unreadable)?;
            file.seek(SeekFrom::Start(from)).await.map_err(unreadable)?;
            // The stream holds the temporary file until the last piece is sent.
            let pieces =
                stream::try_unfold((file, length, path), |(mut file, left, path)| async move {
                    let most = usize::try_from(left)
                        .unwrap_or(PIECE_BYTES)
                        .min(PIECE_BYTES);
                    let mut piece = vec![0; most];
                    let read = file.read(&mut piece).await?;
                    piece.truncate(read);
                    let next = (file, left - read as u64, path);
                    std::io::Result::Ok((read > 0).then_some((Bytes::from(piece), next)))
                });
            Ok(Body::from_stream(pieces))
        }
    }
}

/// Returns a name as RFC 8187 writes it in a field.
fn in_header(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}
