//! An attempt: one try at fetching a source, and how it ended.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::words::words;
use super::{AttemptId, Provenance, SourceId, VersionId};

words!(
    "an outcome":
    /// How an attempt ended.
    pub enum AttemptOutcome {
        /// The content was another than before: a version was kept.
        New = "new",
        /// The server said so (304), or the content was the same.
        Unchanged = "unchanged",
        /// Nothing was learned of the content.
        Failed = "failed",
    }
);

words!(
    "a kind of failure":
    /// Why an attempt failed.
    pub enum FailureKind {
        /// The address, its host or a redirect's target is not allowed.
        Forbidden = "forbidden",
        /// A `${NAME}` has no value.
        Secret = "secret",
        /// The host name has no address.
        Dns = "dns",
        /// No connection was made.
        Connect = "connect",
        /// The TLS handshake or the certificate failed.
        Tls = "tls",
        /// A time limit ran out.
        Timeout = "timeout",
        /// The body came slower than the least rate.
        Slow = "slow",
        /// The server answered with a status that is no success.
        Status = "status",
        /// Redirects without end, without a target, or more than allowed.
        Redirect = "redirect",
        /// The message is malformed: framing, a short body, conflicting lengths.
        Protocol = "protocol",
        /// The content coding is unknown or broken.
        Decode = "decode",
        /// More bytes than allowed.
        TooLarge = "too_large",
        /// An empty body where there was content before.
        Empty = "empty",
        /// This machine could not do its part: its disk is full, say. That is no fault of the source; an older gannet recorded it as one.
        Storage = "storage",
    }
);

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
    /// Which addresses were asked, and who answered; nothing when nothing was asked, or when an older gannet recorded the attempt.
    pub provenance: Option<Provenance>,
    /// Why it failed.
    pub error_kind: Option<FailureKind>,
    /// The same in words.
    pub error: Option<String>,
}
