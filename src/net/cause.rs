//! Translates errors of the HTTP libraries: from a chain of causes to a failure.
//!
//! Never repeats a text that may contain an address; names the host as the caller does.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use hyper_util::client::legacy;
use tokio::time::error::Elapsed;

use super::failure::{CarriedFailure, Failure};
use super::guard::{RefusedAddress, Unresolved};
use super::http2_errors::http2_problem;
use super::raw_head::RawHead;
use super::secret::Scrubber;
use super::tls_errors::tls_problem;
use crate::domain::{FailureKind, duration_words};
use crate::files::exhausted_resource;

/// The peer of a request, for messages: the host with its port, the proxy in between, and the secrets that a response
/// may repeat.
pub(super) struct RequestPeer<'a> {
    pub(super) host: &'a str,
    pub(super) proxy: Option<String>,
    pub(super) scrubber: &'a Scrubber,
}

impl RequestPeer<'_> {
    /// Returns `files.example`, or `files.example through the proxy proxy.example:3128`.
    fn subject(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("{} through the proxy {proxy}", self.host),
            None => self.host.to_owned(),
        }
    }

    /// Returns the host that is connected to first.
    fn next_hop(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("the proxy {proxy}"),
            None => self.host.to_owned(),
        }
    }
}

impl Failure {
    /// Translates an error that came before the head of a response.
    pub(super) fn of_request(
        error: &(dyn StdError + 'static),
        via: &RequestPeer<'_>,
        connect_timeout: Duration,
    ) -> Self {
        let subject = via.subject();
        let failure = of_cause(error, &subject);
        if let Some(failure) = failure.or_else(|| of_connecting(error, via, connect_timeout)) {
            return failure;
        }
        let client = find::<legacy::Error>(error);
        let detail = match find::<hyper::Error>(error) {
            Some(cause) if cause.is_parse() => {
                let what = malformed(&root(error), head_of(client).as_ref(), via.scrubber);
                let detail = format!("the answer of {subject} is malformed: {what}");
                return Self::new(FailureKind::Protocol, detail);
            }
            Some(cause) if cause.is_incomplete_message() || cause.is_closed() => {
                format!("{subject} closed the connection before it answered")
            }
            _ => unanswered(error, &subject),
        };
        let is_stale = head_of(client).is_some_and(|head| head.is_awaited_again());
        Self {
            wants_http1: wants_http1(error),
            is_stale: is_stale && is_closed_by_peer(error),
            ..Self::passing(FailureKind::Protocol, detail)
        }
    }

    /// Translates an error within a body, after `received` bytes of `announced`.
    pub(super) fn of_body(
        error: &reqwest::Error,
        host: &str,
        received: u64,
        announced: Option<u64>,
    ) -> Self {
        if let Some(failure) = of_cause(error, host) {
            // A TLS error within a body is a cut connection (RFC 8446 §6.1), not a bad certificate.
            let detail = format!(
                "the body ended early, after {received} bytes: {}",
                failure.detail
            );
            return Self::passing(FailureKind::Protocol, detail);
        }
        let of = announced.map_or_else(String::new, |all| format!(" of {all}"));
        let cut = find::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message)
            || find::<io::Error>(error)
                .is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof);
        let detail = if cut {
            format!("the body ended early, after {received}{of} bytes")
        } else {
            let why = match find(error).and_then(|error| http2_problem(error, "the server")) {
                Some(problem) => problem,
                None if is_reset(error) => "the server reset the connection".to_owned(),
                None => root(error),
            };
            format!("the body broke off after {received}{of} bytes: {why}")
        };
        Self {
            wants_http1: wants_http1(error),
            ..Self::passing(FailureKind::Protocol, detail)
        }
    }
}

/// Translates an error that came before there was a connection.
fn of_connecting(
    error: &(dyn StdError + 'static),
    via: &RequestPeer<'_>,
    timeout: Duration,
) -> Option<Failure> {
    let subject = via.subject();
    let (kind, detail) = if let Some(lack) = find(error).and_then(exhausted_resource) {
        let detail = format!("cannot connect to {subject}: {lack}");
        (FailureKind::Storage, detail)
    } else if find::<Unresolved>(error).is_some() {
        (FailureKind::Dns, format!("cannot resolve {}", via.host))
    } else if find::<Elapsed>(error).is_some() {
        let limit = duration_words(timeout);
        let detail = format!("timed out after {limit} connecting to {subject}");
        (FailureKind::Timeout, detail)
    } else if find(error).is_some_and(legacy::Error::is_connect) {
        (FailureKind::Connect, unconnected(error, via))
    } else {
        return None;
    };
    Some(Failure::passing(kind, detail))
}

fn unconnected(error: &(dyn StdError + 'static), via: &RequestPeer<'_>) -> String {
    let subject = via.subject();
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            format!("connection refused by {}", via.next_hop())
        }
        Some(io::ErrorKind::ConnectionReset) => format!("connection reset by {}", via.next_hop()),
        // The handshake library has no error kind for this case.
        Some(io::ErrorKind::UnexpectedEof) if root(error) == "tls handshake eof" => {
            format!("{subject} closed the connection in the TLS handshake")
        }
        _ => format!("cannot connect to {subject}: {}", root(error)),
    }
}

/// Explains a missing response for which no library has an error kind.
fn unanswered(error: &(dyn StdError + 'static), subject: &str) -> String {
    if let Some(problem) = find(error).and_then(|error| http2_problem(error, subject)) {
        return problem;
    }
    if is_reset(error) {
        return format!("{subject} reset the connection before it answered");
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::UnexpectedEof) => {
            format!("{subject} closed the connection before it answered")
        }
        _ => format!("no answer from {subject}: {}", root(error)),
    }
}

/// Returns whether the other end reset the connection.
fn is_reset(error: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    find::<io::Error>(error).is_some_and(|error| {
        matches!(
            error.kind(),
            ConnectionReset | ConnectionAborted | BrokenPipe
        )
    })
}

/// Returns whether the other end closed the connection, with or without an orderly shutdown.
fn is_closed_by_peer(error: &(dyn StdError + 'static)) -> bool {
    let is_closed = |cause: &hyper::Error| {
        cause.is_incomplete_message() || cause.is_closed() || cause.is_canceled()
    };
    let is_refused = |cause: &h2::Error| {
        let reason = cause.reason();
        (cause.is_go_away() && reason == Some(h2::Reason::NO_ERROR))
            || reason == Some(h2::Reason::REFUSED_STREAM)
    };
    let is_eof = |cause: &io::Error| cause.kind() == io::ErrorKind::UnexpectedEof;
    find(error).is_some_and(is_closed)
        || find(error).is_some_and(is_refused)
        || find(error).is_some_and(is_eof)
        || is_reset(error)
}

/// Returns whether the server ended an HTTP/2 stream or connection with `HTTP_1_1_REQUIRED`.
fn wants_http1(error: &(dyn StdError + 'static)) -> bool {
    let reason = find::<h2::Error>(error).and_then(h2::Error::reason);
    reason == Some(h2::Reason::HTTP_1_1_REQUIRED)
}

/// Returns whether an error within an HTTP/1.1 body is about its trailers, which are parsed after the last chunk and an
/// empty line.
pub(super) fn is_of_trailers(error: &reqwest::Error) -> bool {
    find::<httparse::Error>(error).is_some()
        || find::<io::Error>(error).is_some_and(|error| {
            let words = error.to_string();
            error.kind() == io::ErrorKind::InvalidInput
                && ["Invalid header name: ", "Invalid header value: "]
                    .iter()
                    .any(|start| words.starts_with(start))
        })
}

/// Returns the head of the response that an error is about.
fn head_of(error: Option<&legacy::Error>) -> Option<RawHead> {
    let mut extras = hyper::http::Extensions::new();
    error?.connect_info()?.get_extras(&mut extras);
    extras.remove::<RawHead>()
}

/// Explains a malformed head by the HTTP library's message, and quotes the lines at fault.
fn malformed(words: &str, head: Option<&RawHead>, scrubber: &Scrubber) -> String {
    let (plain, lines) = match words {
        "invalid content-length parsed" => (
            "its Content-Length is not one whole number",
            head.and_then(|head| head.fields("content-length", scrubber)),
        ),
        "invalid transfer-encoding parsed" | "unexpected transfer-encoding parsed" => (
            "its Transfer-Encoding cannot be read",
            head.and_then(|head| head.fields("transfer-encoding", scrubber)),
        ),
        "invalid HTTP header parsed" => (
            "a line of its head holds what no field may, such as NUL or a carriage return",
            head.and_then(|head| head.spoiled_line(scrubber)),
        ),
        "invalid HTTP version parsed" | "invalid HTTP status-code parsed" => (
            "it does not begin with a status line of HTTP/1.1",
            head.and_then(|head| head.first_line(scrubber)),
        ),
        "message head is too large" => ("its head is too long", None),
        _ => (words, None),
    };
    match lines {
        Some(lines) => format!("{plain}: {lines}"),
        None => plain.to_owned(),
    }
}

impl From<RefusedAddress> for Failure {
    fn from(refused: RefusedAddress) -> Self {
        Self::new(FailureKind::Forbidden, refused.to_string())
    }
}

/// Finds the cause that decides alone, anywhere in the chain: a described failure, a refused address, or TLS.
fn of_cause(error: &(dyn StdError + 'static), host: &str) -> Option<Failure> {
    if let Some(CarriedFailure(failure)) = find(error) {
        return Some(failure.clone());
    }
    if let Some(refused) = find::<RefusedAddress>(error) {
        return Some(refused.clone().into());
    }
    let tls = find::<rustls::Error>(error)?;
    Some(Failure::new(FailureKind::Tls, tls_problem(tls, host)))
}

/// Finds a cause by its type. `io::Error::source` skips the error inside it, so that one is checked too.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Returns the text of the last cause. Earlier ones repeat the address with its secrets.
fn root(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    one_line(last)
}

fn one_line(error: &dyn StdError) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("a library's words")]
    struct Outer(#[source] io::Error);

    #[test]
    fn what_this_machine_lacks_is_no_failure_of_a_host() {
        let scrubber = Scrubber::default();
        let via = RequestPeer {
            host: "files.example",
            proxy: None,
            scrubber: &scrubber,
        };
        for (number, kind, words) in [
            (
                24,
                FailureKind::Storage,
                "this process has as many files open",
            ),
            (
                23,
                FailureKind::Storage,
                "this machine has as many files open",
            ),
            (12, FailureKind::Storage, "this machine has no memory left"),
            (105, FailureKind::Storage, "this machine has no memory left"),
            (111, FailureKind::Protocol, "no answer from files.example"),
        ] {
            let error = Outer(io::Error::from_raw_os_error(number));
            let failure = Failure::of_request(&error, &via, Duration::from_secs(1));
            assert_eq!(failure.kind, kind, "{number}: {failure:?}");
            assert!(failure.detail.contains(words), "{number}: {failure:?}");
        }
    }
}
