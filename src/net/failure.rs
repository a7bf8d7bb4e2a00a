//! Why a try failed: in a kind, in words, and whether trying again may help.
//!
//! Never reads the errors of the HTTP libraries: `cause` does.

use std::error::Error as StdError;

use chrono::{DateTime, Utc};

use crate::domain::FailureKind;

/// An error of the HTTP libraries.
pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// A failure in the chain of causes of such an error: what it says counts.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.detail)]
pub(super) struct Stopped(pub(super) Failure);

/// Why a try failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// One line for people. Secrets are struck out when it is reported.
    pub(super) detail: String,
    /// When the server asked not to be asked before.
    pub(super) retry_after: Option<DateTime<Utc>>,
    /// Whether the same request may go well in a moment.
    pub(super) transient: bool,
    /// Whether the server wants to be asked over HTTP/1.1 (RFC 9113 §7).
    pub(super) wants_http1: bool,
    /// Whether a connection that had carried an answer was closed before anything came of this one: a server may close an idle
    /// connection whenever it likes (RFC 9112 §9.3.1).
    pub(super) is_stale: bool,
}

impl Failure {
    /// Returns a failure that stays.
    pub(super) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after: None,
            transient: false,
            wants_http1: false,
            is_stale: false,
        }
    }

    /// Returns a failure that may pass.
    pub(super) fn passing(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            transient: true,
            ..Self::new(kind, detail)
        }
    }
}
