//! An attempt: one try at fetching a source, and how it ended.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{AttemptId, SourceId, VersionId};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// The content was another than before: a version was kept.
    New,
    /// The server said so (304), or the content was the same.
    Unchanged,
    /// Nothing was learned of the content.
    Failed,
}

impl AttemptOutcome {
    /// Returns the word that stands for it everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AttemptOutcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::New, Self::Unchanged, Self::Failed]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not an outcome: expected new, unchanged or failed"))
    }
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The address, its host or a redirect's target is not allowed.
    Forbidden,
    /// A `${NAME}` has no value.
    Secret,
    /// The host name has no address.
    Dns,
    /// No connection was made.
    Connect,
    /// The TLS handshake or the certificate failed.
    Tls,
    /// A time limit ran out.
    Timeout,
    /// The body came slower than the least rate.
    Slow,
    /// The server answered with a status that is no success.
    Status,
    /// Redirects without end, without a target, or more than allowed.
    Redirect,
    /// The message is malformed: framing, a short body, conflicting lengths.
    Protocol,
    /// The content coding is unknown or broken.
    Decode,
    /// More bytes than allowed.
    TooLarge,
    /// An empty body where there was content before.
    Empty,
    /// This machine could not do its part: its disk is full, say. That is no fault of the source; an older gannet recorded it as one.
    Storage,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Forbidden,
        Self::Secret,
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Slow,
        Self::Status,
        Self::Redirect,
        Self::Protocol,
        Self::Decode,
        Self::TooLarge,
        Self::Empty,
        Self::Storage,
    ];

    /// Returns the word that stands for it in the store and in JSON (`error_kind`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Secret => "secret",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Slow => "slow",
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Protocol => "protocol",
            Self::Decode => "decode",
            Self::TooLarge => "too_large",
            Self::Empty => "empty",
            Self::Storage => "storage",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FailureKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a kind of failure"))
    }
}

/// What a server gave to ask "has it changed?" with, verbatim (RFC 9110 §8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` field, with its quotes, `W/` and all; each byte as one character.
    pub etag: Option<String>,
    /// The `Last-Modified` field as it came.
    pub last_modified: Option<String>,
    /// The address that gave the validators, or a digest of it: they are sent to no other address. An older gannet kept none;
    /// then it is the source's own.
    pub address: Option<String>,
    /// A digest of the request fields that the validators were given for: they are sent with no other fields. An older gannet
    /// kept none; then they are sent once, whatever the fields.
    pub fields: Option<String>,
}

impl Validators {
    /// Tells whether there is nothing to ask with.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// An attempt as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which attempt.
    pub id: AttemptId,
    /// Of which source.
    pub source_id: SourceId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took, retries included.
    pub duration: Duration,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The status of the last answer, if there was one.
    pub http_status: Option<u16>,
    /// How many bytes of content arrived, decoded; nothing for a 304.
    pub size_bytes: Option<u64>,
    /// How many requests were made, redirects not counted.
    pub tries: u32,
    /// The version that was kept, or found unchanged.
    pub version_id: Option<VersionId>,
    /// Why it failed.
    pub error_kind: Option<FailureKind>,
    /// The same in words.
    pub error: Option<String>,
}
