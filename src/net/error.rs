//! Why the client could not be made, and why a webhook got no answer. A failed fetch is no error: it is reported as
//! data.
//!
//! Never holds a secret, or an address beyond its host.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::failure::Failure;
use super::secret::Scrubber;
use crate::domain::{FailureKind, duration_words};

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A file of certificates that cannot be used.
    #[error("cannot read certificates from {path}: {reason}")]
    Certificates {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The proxy's address cannot be used: a secret in it has no value, say.
    #[error("cannot use the proxy of the configuration: {0}")]
    Proxy(String),
    /// The parts were read, and do not make a client.
    #[error("cannot make the HTTP client: {0}")]
    Client(String),
}

/// A webhook got no answer. Each message names the host, as the configuration does when it is a secret.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// What is configured cannot be used, or may not be reached: address, secret, message id, header.
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
    /// The connection broke, or the answer is malformed.
    #[error("{0}")]
    Broken(String),
    /// The body to send could not be read on this machine.
    #[error("cannot read the body to send: {0}")]
    Body(io::Error),
    /// The answer is longer than what is read of one.
    #[error("the answer of {host} is longer than {} KiB", max_bytes >> 10)]
    TooLarge {
        /// Who answered.
        host: String,
        /// What is read at most.
        max_bytes: usize,
    },
}

impl WebhookError {
    /// Returns the error that a failure is, secrets struck out.
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
