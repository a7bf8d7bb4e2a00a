//! Why a try failed: kind, explanation, and whether another try may help.
//!
//! Never reads the errors of the HTTP libraries; `cause` does.

use std::error::Error as StdError;

use chrono::{DateTime, Utc};

use crate::domain::FailureKind;

/// An error of the HTTP libraries.
pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// A failure within the chain of causes of such an error; it decides what is reported.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.detail)]
pub(super) struct CarriedFailure(pub(super) Failure);

/// Why a try failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// One line for people. Secrets are struck out when the failure is reported.
    pub(super) detail: String,
    /// The time before which the server wants no further request.
    pub(super) retry_after: Option<DateTime<Utc>>,
    /// Whether the same request may succeed in a moment.
    pub(super) transient: bool,
    /// Whether the server requires HTTP/1.1 (RFC 9113 §7).
    pub(super) wants_http1: bool,
    /// Whether an idle connection was closed before any byte of this response, as a server may do at any time (RFC 9112
    /// §9.3.1).
    pub(super) is_stale: bool,
}

impl Failure {
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

    /// Returns a failure that another try may overcome.
    pub(super) fn passing(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            transient: true,
            ..Self::new(kind, detail)
        }
    }
}
