//! A body as it arrives, and whether its end was genuine.
//!
//! Never takes an interrupted body for a complete one: when an HTTP/2 stream is reset without an error, the HTTP
//! library reports a normal end of the body (RFC 9113 §8.1).

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::Body as _;
use reqwest::{Body, Response, Version};

use super::cause::is_of_trailers;
use super::failure::Failure;
use crate::domain::FailureKind;

pub(super) struct Incoming {
    body: Body,
    is_http2: bool,
    announced: Option<u64>,
    received: u64,
    /// Set by a block of trailers without any field.
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

    /// Returns the announced length, in bytes on the wire.
    pub(super) fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Returns the number of bytes received, on the wire.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Returns the next piece; `None` after the last one. Dropping the future loses nothing. Trailers are ignored; so
    /// is a malformed one after a chunked body, which is complete by then (RFC 9112 §7.1.2).
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

    /// Translates an error of [`Self::next`].
    pub(super) fn failure(&self, error: &reqwest::Error, host: &str) -> Failure {
        Failure::of_body(error, host, self.received, self.announced)
    }

    /// Checks after the last piece that the body is complete: it has the announced length, or, without one, the server
    /// ended the HTTP/2 stream (`END_STREAM`) rather than reset it.
    pub(super) fn check_end(&self) -> Result<(), Failure> {
        let received = self.received;
        let detail = match self.announced {
            Some(length) if length != received => {
                format!("the body ended early, after {received} of {length} bytes")
            }
            None if self.is_http2 && !self.body.is_end_stream() => {
                format!("the body ended early, after {received} bytes: the server reset the stream")
            }
            // A pseudo-field such as `:status` in trailers is malformed (RFC 9113 §8.1). The library drops such
            // fields, so a block of nothing else arrives empty.
            _ if self.is_http2 && self.has_empty_trailers => {
                "the trailers after the body are malformed: they hold no field".to_owned()
            }
            _ => return Ok(()),
        };
        Err(Failure::passing(FailureKind::Protocol, detail))
    }
}
