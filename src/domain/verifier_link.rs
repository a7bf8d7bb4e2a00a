//! Links that a verifier is sent instead of the bytes: what each opens, and for how long.
//!
//! Never holds a secret.

use chrono::TimeDelta;

use super::words::words;

/// How long a link to the content of a version can be used.
pub const CONTENT_LINK_LASTS: TimeDelta = TimeDelta::hours(1);
/// How long after it was seen last a service counts as running.
pub const SERVICE_LEASE: TimeDelta = TimeDelta::minutes(3);

words!(
    "what a link opens":
    /// What a link of a verifier opens.
    pub enum LinkOpens {
        /// The bytes of a version, to read.
        Content = "content",
        /// The place for the verdict on a version.
        Verdict = "verdict",
    }
);
