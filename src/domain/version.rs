//! A version: one stored state of a source's file, and the ways to refer to one.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::words::words;
use super::{
    BlobId, Digest, Moment, SourceId, VerdictOutcome, VersionId, masked, parse_id, parse_number,
};

words!(
    "a state":
    /// The state that follows from the verdicts on a version.
    pub enum VersionState {
        /// Every required verifier passed it.
        Passed = "passed",
        /// At least one required verifier failed it.
        Failed = "failed",
        /// None failed it, and at least one could not judge it. It is judged again.
        Error = "error",
        /// Not every required verifier has answered yet.
        Pending = "pending",
        /// No required verifier applies.
        Unverified = "unverified",
    }
);

impl VersionState {
    /// Returns whether a verdict of this outcome can be the reason for this state of a version or an edition.
    pub fn follows_from(self, outcome: VerdictOutcome) -> bool {
        matches!(
            (self, outcome),
            (Self::Failed, VerdictOutcome::Failed) | (Self::Error, VerdictOutcome::Error)
        )
    }
}

/// A version as the store records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version's id.
    pub id: VersionId,
    /// The source.
    pub source_id: SourceId,
    /// The version's position in the source's history, from 0.
    pub ordinal: u64,
    /// The stored bytes, which versions with equal content share.
    pub blob_id: BlobId,
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content.
    pub size_bytes: u64,
    /// The length of the blob's stored form.
    pub stored_bytes: u64,
    /// The file name from the response or from the address; one safe part of a path.
    pub name: String,
    /// The media type from the response.
    pub media_type: Option<String>,
    /// The time of the last change, as the server gave it.
    pub last_modified: Option<LastModified>,
    /// When the version was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The state that its verdicts give it.
    pub state: VersionState,
    /// The revision of the policy under which the state was derived; nothing before a policy was adopted.
    pub policy_revision: Option<i64>,
}

/// A server's `Last-Modified` (RFC 9110 §8.8.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastModified {
    /// A time.
    At(DateTime<Utc>),
    /// A value that is no time, shortened to one line.
    Unreadable(String),
}

impl LastModified {
    /// Returns the time, if it could be read.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::At(time) => Some(*time),
            Self::Unreadable(_) => None,
        }
    }
}

/// How an operator names a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionRef {
    /// `217`: by its id.
    Id(VersionId),
    /// `SOURCE~N`: the N-th version before the newest; `SOURCE~0` equals `SOURCE`, the newest.
    Back {
        /// Id, name or address.
        source: String,
        /// The number of versions before the newest.
        steps: u64,
    },
    /// `SOURCE@TIME`: the newest version fetched by that time; a day counts to its end.
    At {
        /// Id, name or address.
        source: String,
        /// The time.
        moment: Moment,
    },
    /// `SOURCE:published`: the version that consumers see now; `SOURCE:published@TIME`: the one that they saw then.
    Published {
        /// Id, name or address.
        source: String,
        /// The time; `None` for now.
        moment: Option<Moment>,
    },
}

impl VersionRef {
    /// Returns the source's id, name or address, unless the version is named by its id.
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Back { source, .. }
            | Self::At { source, .. }
            | Self::Published { source, .. } => Some(source),
        }
    }
}

/// The suffix of a source that stands for its published version.
const PUBLISHED: &str = ":published";

/// A text that names no version. The message states what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` does not name a version: give its id, SOURCE, SOURCE~N (N versions back), SOURCE@TIME (such as SOURCE@2h or SOURCE@2026-01-31T12:00) or SOURCE:published"
)]
pub struct VersionRefError(pub String);

impl FromStr for VersionRef {
    type Err = VersionRefError;

    fn from_str(text: &str) -> Result<Self, VersionRefError> {
        let bad = || VersionRefError(masked(text));
        // No name or address begins with a dash.
        if text.is_empty() || text.starts_with('-') {
            return Err(bad());
        }
        // `v217` is how the dashboard and the log print a version.
        let digits = text.strip_prefix('v').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()) {
            let id = parse_id(digits).ok_or_else(bad)?;
            return Ok(Self::Id(VersionId(id)));
        }
        Self::of_source(text)
    }
}

impl VersionRef {
    /// Reads a source with or without a suffix.
    fn of_source(text: &str) -> Result<Self, VersionRefError> {
        // A name or an address may hold `~`, `@` or `:` itself: only a suffix that parses counts.
        let named = |source: &str| {
            (!source.is_empty())
                .then(|| source.to_owned())
                .ok_or_else(|| VersionRefError(masked(text)))
        };
        if let Some((source, suffix)) = text.rsplit_once('@')
            && let Ok(moment) = suffix.parse()
        {
            return Ok(match source.strip_suffix(PUBLISHED) {
                Some(source) => Self::Published {
                    source: named(source)?,
                    moment: Some(moment),
                },
                None => Self::At {
                    source: named(source)?,
                    moment,
                },
            });
        }
        if let Some(source) = text.strip_suffix(PUBLISHED) {
            let (source, moment) = (named(source)?, None);
            return Ok(Self::Published { source, moment });
        }
        if let Some((source, suffix)) = text.rsplit_once('~')
            && let Some(steps) = parse_number(suffix)
        {
            let source = named(source)?;
            return Ok(Self::Back { source, steps });
        }
        Ok(Self::Back {
            source: text.to_owned(),
            steps: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_way_to_name_a_version() {
        let moment = |text: &str| text.parse().expect("a moment");
        let back = |source: &str, steps| VersionRef::Back {
            source: source.to_owned(),
            steps,
        };
        let at = |source: &str, text: &str| VersionRef::At {
            source: source.to_owned(),
            moment: moment(text),
        };
        let published = |source: &str, text: Option<&str>| VersionRef::Published {
            source: source.to_owned(),
            moment: text.map(moment),
        };
        for (text, expected) in [
            ("217", VersionRef::Id(VersionId(217))),
            ("v217", VersionRef::Id(VersionId(217))),
            ("prices", back("prices", 0)),
            ("prices~3", back("prices", 3)),
            ("a~b", back("a~b", 0)),
            ("https://h/~joe/a@b", back("https://h/~joe/a@b", 0)),
            ("prices@2026-01-31T12:00", at("prices", "2026-01-31T12:00")),
            ("prices@2h", at("prices", "2h")),
            ("prices@yesterday", at("prices", "yesterday")),
            ("prices:published", published("prices", None)),
            ("prices:published@3d", published("prices", Some("3d"))),
            ("https://h/a:published", published("https://h/a", None)),
            ("prices:publish", back("prices:publish", 0)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "0",
            "-4",
            "~1",
            "@2026-01-31",
            ":published",
            ":published@2h",
        ] {
            assert!(text.parse::<VersionRef>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<VersionRef>();
        }
    }
}
