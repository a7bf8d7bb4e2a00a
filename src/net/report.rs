//! The request to the client for one attempt, and its report.
//!
//! Plain data, without any rule.

use chrono::{DateTime, Utc};

use crate::domain::{
    Content, Digest, FailureKind, LastModified, Provenance, SourceSettings, Validators,
};

/// One attempt to make.
#[derive(Clone, Copy, Debug)]
pub struct FetchRequest<'a> {
    /// The source's settings.
    pub settings: &'a SourceSettings,
    /// Validators of the newest version, sent back verbatim; empty for an unconditional request.
    pub validators: &'a Validators,
    /// The length of the newest version, for the rule on empty bodies.
    pub last_size_bytes: Option<u64>,
}

/// The report of an attempt. A failure is data, not an `Err`.
#[derive(Debug)]
pub struct FetchReport {
    /// How the attempt ended.
    pub outcome: FetchOutcome,
    /// The status of the last response.
    pub http_status: Option<u16>,
    /// Number of tries; a redirect is not a try.
    pub tries: u32,
    /// The addresses that were requested, and the peers that responded; `None` when no request was made.
    pub provenance: Option<Provenance>,
}

/// A complete body, with the facts from the head of its response.
#[derive(Debug)]
pub struct Download {
    /// The decoded bytes.
    pub content: Content,
    /// The digest of the bytes.
    pub digest: Digest,
    /// The validators of this response.
    pub validators: Validators,
    /// The file's name, from the server, else from the address; one safe path part.
    pub name: String,
    /// The media type from the response.
    pub media_type: Option<String>,
    /// `Last-Modified` from the response.
    pub last_modified: Option<LastModified>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum FetchOutcome {
    /// A complete body.
    Fetched(Download),
    /// 304 (Not Modified) to a conditional request.
    NotModified {
        /// Field by field from this response, else as sent.
        validators: Validators,
    },
    /// Nothing was learned about the content.
    Failed {
        /// The kind of failure.
        kind: FailureKind,
        /// The failure in one line for people; holds no secret.
        detail: String,
        /// The time before which the server wants no further request; at most 24 h from now.
        retry_after: Option<DateTime<Utc>>,
    },
}
