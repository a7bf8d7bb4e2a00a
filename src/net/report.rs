//! What is asked of the client, and what it reports.
//!
//! Holds no rule of its own.

use chrono::{DateTime, Utc};

use crate::domain::{
    Content, Digest, FailureKind, LastModified, Provenance, SourceSettings, Validators,
};

/// What to fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchRequest<'a> {
    /// What the operator said of the source.
    pub settings: &'a SourceSettings,
    /// Sent back verbatim; empty for an unconditional request.
    pub validators: &'a Validators,
    /// The length of the newest version, for the rule on empty bodies.
    pub last_size_bytes: Option<u64>,
}

/// How an attempt went. A failure is data, not an `Err`.
#[derive(Debug)]
pub struct FetchReport {
    /// How it ended.
    pub outcome: FetchOutcome,
    /// The status of the last answer.
    pub http_status: Option<u16>,
    /// Requests made: tries, redirects not counted.
    pub tries: u32,
    /// Which addresses were asked, and who answered; nothing when nothing was asked.
    pub provenance: Option<Provenance>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum FetchOutcome {
    /// A complete body.
    Fetched {
        /// The decoded bytes.
        content: Content,
        /// Their digest.
        digest: Digest,
        /// The validators of this answer.
        validators: Validators,
        /// The file's name: the server's, else the address's; one safe path part.
        name: String,
        /// The media type that the server gave.
        media_type: Option<String>,
        /// The server's own word for its time.
        last_modified: Option<LastModified>,
    },
    /// 304 (Not Modified), and it was asked for.
    NotModified {
        /// Those of this answer, else those that were sent, field by field.
        validators: Validators,
    },
    /// Nothing was learned of the content.
    Failed {
        /// Why.
        kind: FailureKind,
        /// The same in one line for people; holds no secret.
        detail: String,
        /// When the server asked not to be asked before; at most 24 h from now.
        retry_after: Option<DateTime<Utc>>,
    },
}
