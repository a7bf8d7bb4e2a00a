//! An attempt: one fetch of a source with all its tries, and how it ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::words::words;
use super::{AttemptId, Provenance, SourceId, VersionId};

words!(
    "an outcome":
    /// How an attempt ended.
    pub enum AttemptOutcome {
        /// The content differs from the newest version: a new version was stored.
        New = "new",
        /// The server answered 304, or the content equals the newest version.
        Unchanged = "unchanged",
        /// No content was received.
        Failed = "failed",
        /// The file of a day is not there yet: the server answered 404 or 410 before the day's first version.
        Absent = "absent",
    }
);

words!(
    "a kind of failure":
    /// Why an attempt failed.
    pub enum FailureKind {
        /// The address, its host or the target of a redirect is not allowed.
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
        /// The server answered with an error status.
        Status = "status",
        /// A redirect loop, a redirect without a target, or more redirects than allowed.
        Redirect = "redirect",
        /// The message is malformed: framing, a short body, conflicting lengths.
        Protocol = "protocol",
        /// The content coding is unknown or broken.
        Decode = "decode",
        /// More bytes than the size limit allows.
        TooLarge = "too_large",
        /// An empty body although the source had content before.
        Empty = "empty",
        /// A failure of this machine, such as a full disk. Only an older gannet recorded it as an attempt.
        Storage = "storage",
    }
);

/// The validators of a response, stored verbatim for conditional requests (RFC 9110 §8.8). The store keeps the JSON of
/// each source's, where every name is a letter: the row is written with every attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validators {
    /// The `ETag` field with its quotes and any `W/`; each byte is one character.
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The `Last-Modified` field, verbatim.
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// The address that gave the validators, or a digest of it: only that address receives them. An older gannet
    /// stored no address; the source's own is meant then.
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// A digest of the request fields that the validators belong to: requests with other fields do not send them. An
    /// older gannet stored none; then they are sent once, whatever the fields.
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
}

impl Validators {
    /// Returns whether there is no validator, so that the next request is unconditional.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// An attempt as the store records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The attempt's id.
    pub id: AttemptId,
    /// The source that was fetched.
    pub source_id: SourceId,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// How long the attempt took, retries included.
    pub duration: Duration,
    /// How the attempt ended.
    pub outcome: AttemptOutcome,
    /// The HTTP status of the last response, if there was one.
    pub http_status: Option<u16>,
    /// The decoded bytes of content received; `None` for a 304.
    pub size_bytes: Option<u64>,
    /// The number of requests, without redirects.
    pub tries: u32,
    /// The version that the attempt stored, or found unchanged.
    pub version_id: Option<VersionId>,
    /// The addresses that were requested and the servers that answered; `None` when no request was sent, or when an
    /// older gannet recorded the attempt.
    pub provenance: Option<Provenance>,
    /// Why the attempt failed.
    pub error_kind: Option<FailureKind>,
    /// The failure in words.
    pub error: Option<String>,
}
