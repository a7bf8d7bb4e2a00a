//! A body as it comes in, and whether its end was its real end.
//!
//! Never takes a body that merely stopped for a whole one: a reset of an HTTP/2 stream that names no error ends the
//! stream, and the HTTP library reports that like the end of the body (RFC 9113 §8.1).

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::Body as _;
use reqwest::{Body, Response, Version};

use super::cause::is_of_trailers;
use super::failure::Failure;
use crate::domain::FailureKind;

/// The body of an answer.
pub(super) struct Incoming {
    body: Body,
    is_http2: bool,
    announced: Option<u64>,
    received: u64,
    /// A block of trailers without any field.
    has_empty_trailers: bool,
}

impl Incoming {
    pub(super) fn new(response: Response) -> Self {
        Self {
            is_http2: response.version() == Version::HTTP_2,
            announced: response.content_length(),
            received: 0,
            has_empty_trailers: false,
            body: response.into(),
        }
    }

    /// Returns the length that the server announced, on the wire.
    pub(super) fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Returns how many bytes came in so far, on the wire.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Returns the next piece; nothing after the last one. Dropping the future loses nothing. Trailers are of no use here: a
    /// stray line among those of a chunked body, which is whole by then, is passed over as in a head (RFC 9112 §7.1.2).
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, reqwest::Error> {
        while let Some(frame) = self.body.frame().await {
            let frame = match frame {
                Err(error) if !self.is_http2 && is_of_trailers(&error) => return Ok(None),
                frame => frame?,
            };
            match frame.into_data() {
                Ok(piece) => {
                    self.received += piece.len() as u64;
                    return Ok(Some(piece));
                }
                Err(other) => {
                    let trailers = other.trailers_ref();
                    self.has_empty_trailers |= trailers.is_some_and(HeaderMap::is_empty);
                }
            }
        }
        Ok(None)
    }

    /// Returns the failure that an error of [`Self::next`] is.
    pub(super) fn failure(&self, error: &reqwest::Error, host: &str) -> Failure {
        Failure::of_body(error, host, self.received, self.announced)
    }

    /// After the last piece: tells whether the body is whole. It is when it has the announced length; without one, an
    /// HTTP/2 stream must have been ended by the server (`END_STREAM`), not reset.
    pub(super) fn check_end(&self) -> Result<(), Failure> {
        let received = self.received;
        let detail = match self.announced {
            Some(length) if length != received => {
                format!("the body ended early, after {received} of {length} bytes")
            }
            None if self.is_http2 && !self.body.is_end_stream() => {
                format!("the body ended early, after {received} bytes: the server reset the stream")
            }
            // A pseudo-field such as `:status` in trailers is malformed (RFC 9113 §8.1). The library leaves it out; what
            // is left of a block that had nothing else is empty.
            _ if self.is_http2 && self.has_empty_trailers => {
                "the trailers after the body are malformed: they hold no field".to_owned()
            }
            _ => return Ok(()),
        };
        Err(Failure::passing(FailureKind::Protocol, detail))
    }
}
