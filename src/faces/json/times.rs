//! Times and durations in the JSON.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

/// Prints a time with milliseconds.
pub(crate) fn precise(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Prints a time with whole seconds.
pub(super) fn whole_seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Returns a duration in milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
