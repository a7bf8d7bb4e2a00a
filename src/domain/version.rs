//! A version: one kept state of a source's file, and how operators refer to one.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::{BlobId, Digest, SourceId, VersionId, masked};

/// What the verdicts on a version say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionState {
    /// Every required verifier passed it.
    Passed,
    /// At least one required verifier failed it.
    Failed,
    /// None failed it, and at least one could not judge it; it is tried again.
    Error,
    /// Not every required verifier has answered yet.
    Pending,
    /// No required verifier applies.
    Unverified,
}

impl VersionState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Passed,
        Self::Failed,
        Self::Error,
        Self::Pending,
        Self::Unverified,
    ];

    /// Returns the word that stands for it everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Pending => "pending",
            Self::Unverified => "unverified",
        }
    }
}

impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for VersionState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| {
                format!(
                    "`{text}` is not a state: expected passed, failed, error, pending or unverified"
                )
            })
    }
}

/// A version as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Which version.
    pub id: VersionId,
    /// Of which source.
    pub source_id: SourceId,
    /// Its place in the source's history, from 0.
    pub ordinal: u64,
    /// Which stored bytes; versions with the same content share them.
    pub blob_id: BlobId,
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content.
    pub size_bytes: u64,
    /// The length of its stored form.
    pub stored_bytes: u64,
    /// The file name that the server gave, or the address did; one safe path part.
    pub name: String,
    /// The media type that the server gave.
    pub media_type: Option<String>,
    /// The server's own time for it.
    pub last_modified: Option<DateTime<Utc>>,
    /// When it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// What its verdicts say.
    pub state: VersionState,
    /// The revision of the policy under which the state was derived; nothing before a policy was adopted.
    pub policy_revision: Option<i64>,
}

/// How an operator names a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionRef {
    /// `217`: by its id.
    Id(VersionId),
    /// `SOURCE~N`: the N-th before the newest; `SOURCE~0`, like `SOURCE` alone, is the newest.
    Back {
        /// Id, name or address.
        source: String,
        /// How many versions back.
        steps: u64,
    },
    /// `SOURCE@TIME`: the newest that was fetched by then.
    At {
        /// Id, name or address.
        source: String,
        /// The moment, UTC.
        time: DateTime<Utc>,
    },
}

/// A text that does not name a version, with what does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` does not name a version: give its id, SOURCE, SOURCE~N (N versions back) or SOURCE@TIME (such as SOURCE@2026-01-31T12:00)"
)]
pub struct VersionRefError(pub String);

impl FromStr for VersionRef {
    type Err = VersionRefError;

    fn from_str(text: &str) -> Result<Self, VersionRefError> {
        let bad = || VersionRefError(masked(text));
        if text.is_empty() {
            return Err(bad());
        }
        // `v217` is how the dashboard and the log print a version.
        if let Ok(id) = text.strip_prefix('v').unwrap_or(text).parse::<i64>() {
            return if id > 0 {
                Ok(Self::Id(VersionId(id)))
            } else {
                Err(bad())
            };
        }
        // A name or an address may itself hold `~` or `@`: only a suffix that reads as a number or a time counts.
        if let Some((source, suffix)) = text.rsplit_once('@')
            && let Some(time) = parse_time(suffix)
        {
            let source = source.to_owned();
            return if source.is_empty() {
                Err(bad())
            } else {
                Ok(Self::At { source, time })
            };
        }
        if let Some((source, suffix)) = text.rsplit_once('~')
            && let Ok(steps) = suffix.parse()
        {
            let source = source.to_owned();
            return if source.is_empty() {
                Err(bad())
            } else {
                Ok(Self::Back { source, steps })
            };
        }
        Ok(Self::Back {
            source: text.to_owned(),
            steps: 0,
        })
    }
}

/// Reads an RFC 3339 time, or one without seconds, zone (UTC then) or time of day (its end then).
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let plain = text.strip_suffix('Z').unwrap_or(text);
    for format in [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ] {
        if let Ok(time) = NaiveDateTime::parse_from_str(plain, format) {
            return Some(time.and_utc());
        }
    }
    let day = NaiveDate::parse_from_str(plain, "%Y-%m-%d").ok()?;
    day.and_hms_milli_opt(23, 59, 59, 999)
        .map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_way_to_name_a_version() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        let back = |source: &str, steps| VersionRef::Back {
            source: source.to_owned(),
            steps,
        };
        let time = |source: &str, text: &str| VersionRef::At {
            source: source.to_owned(),
            time: at(text),
        };
        for (text, expected) in [
            ("217", VersionRef::Id(VersionId(217))),
            ("v217", VersionRef::Id(VersionId(217))),
            ("prices", back("prices", 0)),
            ("prices~3", back("prices", 3)),
            ("a~b", back("a~b", 0)),
            ("https://h/~joe/a@b", back("https://h/~joe/a@b", 0)),
            (
                "prices@2026-01-31T12:00",
                time("prices", "2026-01-31T12:00:00Z"),
            ),
            (
                "prices@2026-01-31T12:00:30+01:00",
                time("prices", "2026-01-31T11:00:30Z"),
            ),
            (
                "prices@2026-01-31",
                time("prices", "2026-01-31T23:59:59.999Z"),
            ),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "0", "-4", "~1", "@2026-01-31"] {
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
