//! Errors of making the client, and of webhooks. A failed fetch is data in a report, not an error.
//!
//! Never holds a secret, or more of an address than its host.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::failure::Failure;
use super::secret::Scrubber;
use crate::domain::{FailureKind, duration_words};

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A file of certificates is unusable.
    #[error("cannot read certificates from {path}: {reason}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why the file is unusable.
        reason: String,
    },
    /// The proxy's address is unusable; for instance, a secret in it has no value.
    #[error("cannot use the proxy of the configuration: {0}")]
    Proxy(String),
    /// The parts were read, but make no client.
    #[error("cannot make the HTTP client: {0}")]
    Client(String),
}

/// A webhook got no response. Each message names the host, or its placeholder when the address is a secret.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The configuration is unusable, or forbidden: address, secret, message id, header.
    #[error("{0}")]
    Unusable(String),
    /// No connection was made.
    #[error("{0}")]
    Connect(String),
    /// The certificate or the handshake failed.
    #[error("{0}")]
    Tls(String),
    /// A time limit ran out.
    #[error("{0}")]
    Timeout(String),
    /// The connection broke, or the response is malformed.
    #[error("{0}")]
    Broken(String),
    /// The body to send could not be read on this machine.
    #[error("cannot read the body to send: {0}")]
    Body(io::Error),
    /// The response is longer than the limit.
    #[error("the answer of {host} is longer than {} KiB", max_bytes >> 10)]
    TooLarge {
        /// The host that responded.
        host: String,
        /// The limit, in bytes.
        max_bytes: usize,
    },
}

impl WebhookError {
    /// Turns a failure into an error, with secrets struck out.
    pub(super) fn of(failure: Failure, scrubber: &Scrubber) -> Self {
        let detail = scrubber.scrub(failure.detail);
        match failure.kind {
            FailureKind::Forbidden | FailureKind::Secret => Self::Unusable(detail),
            FailureKind::Dns | FailureKind::Connect => Self::Connect(detail),
            FailureKind::Tls => Self::Tls(detail),
            FailureKind::Timeout => Self::Timeout(detail),
            _ => Self::Broken(detail),
        }
    }

    /// Returns the error of an exchange that took longer than `limit`.
    pub(super) fn timed_out(host: &str, limit: Duration) -> Self {
        let limit = duration_words(limit);
        Self::Timeout(format!("no complete answer from {host} within {limit}"))
    }
}
