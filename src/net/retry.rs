//! When a try is made again, and after how long; what `Retry-After` and the dates of HTTP say.
//!
//! Never sleeps and never reads a clock: times come in as arguments.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use chrono::{DateTime, Datelike as _, NaiveDateTime, TimeDelta, Utc};
use reqwest::StatusCode;

use crate::domain::LONGEST_RETRY_AFTER;

const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(10);

/// The longest wait inside an attempt; a server that asks for more is left until later.
pub(super) const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(60);

/// Delays with full jitter: each is drawn from nought to a bound that doubles from 500 ms to 10 s.
pub(super) struct Delays {
    bounds: ExponentialBackoff,
    jittered: ExponentialBackoff,
}

impl Delays {
    pub(super) fn new() -> Self {
        let plain = ExponentialBuilder::new()
            .with_min_delay(BASE)
            .with_max_delay(CAP)
            .without_max_times();
        Self {
            bounds: plain.build(),
            jittered: plain.with_jitter().build(),
        }
    }

    /// Returns the next delay.
    pub(super) fn next(&mut self) -> Duration {
        // The crate's jitter is added on top of the delay, drawn from nought to the delay: what was added is full jitter.
        match (self.bounds.next(), self.jittered.next()) {
            (Some(bound), Some(jittered)) => jittered.saturating_sub(bound),
            _ => CAP,
        }
    }
}

/// Tells whether a status says "not now" rather than "no".
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds or a date, at most 24 h from now, never in the past.
pub(super) fn retry_after(field: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let field = field.trim();
    let wait = if !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than a day.
        let seconds = field.parse().unwrap_or(u32::MAX);
        TimeDelta::seconds(i64::from(seconds))
    } else {
        http_date(field, now)? - now
    };
    Some(now + wait.clamp(TimeDelta::zero(), LONGEST_RETRY_AFTER))
}

/// Reads a date in any of the three forms of RFC 9110 §5.6.7. The name of the day is not checked: some servers get
/// it wrong, and nothing depends on it.
pub(super) fn http_date(field: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let parse = |text: &str, format: &str| NaiveDateTime::parse_from_str(text.trim(), format).ok();
    let Some((_, rest)) = field.split_once(',') else {
        let (_, rest) = field.trim().split_once(' ')?;
        return parse(rest, "%b %e %H:%M:%S %Y").map(|time| time.and_utc());
    };
    let rest = rest.trim().strip_suffix("GMT")?;
    if let Some(time) = parse(rest, "%d %b %Y %H:%M:%S") {
        return Some(time.and_utc());
    }
    let mut time = parse(rest, "%d-%b-%y %H:%M:%S")?;
    // A year of two digits that seems more than 50 years ahead is the last one that ends so.
    let ahead = time.year() - now.year();
    if ahead > 50 {
        time = time.with_year(time.year() - 100)?;
    } else if ahead < -50 {
        time = time.with_year(time.year() + 100)?;
    }
    Some(time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn reads_the_three_forms_of_a_date() {
        let now = at("2026-01-31T12:00:00Z");
        for (text, expected) in [
            (
                "Sun, 06 Nov 1994 08:49:37 GMT",
                Some("1994-11-06T08:49:37Z"),
            ),
            (
                "Sunday, 06-Nov-94 08:49:37 GMT",
                Some("1994-11-06T08:49:37Z"),
            ),
            ("Sun Nov  6 08:49:37 1994", Some("1994-11-06T08:49:37Z")),
            (
                "Sunday, 06-Nov-60 08:49:37 GMT",
                Some("2060-11-06T08:49:37Z"),
            ),
            (
                "Mon, 06 Nov 1994 08:49:37 GMT",
                Some("1994-11-06T08:49:37Z"),
            ),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None),
            ("1994-11-06T08:49:37Z", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(http_date(text, now), expected.map(at), "{text}");
        }
    }

    #[test]
    fn reads_retry_after() {
        let now = at("2026-01-31T12:00:00Z");
        for (text, expected) in [
            ("120", Some("2026-01-31T12:02:00Z")),
            (" 0 ", Some("2026-01-31T12:00:00Z")),
            ("9999999", Some("2026-02-01T12:00:00Z")),
            ("99999999999999999999", Some("2026-02-01T12:00:00Z")),
            (
                "Sat, 31 Jan 2026 13:00:00 GMT",
                Some("2026-01-31T13:00:00Z"),
            ),
            (
                "Sat, 31 Jan 2026 11:00:00 GMT",
                Some("2026-01-31T12:00:00Z"),
            ),
            (
                "Sat, 31 Jan 2099 11:00:00 GMT",
                Some("2026-02-01T12:00:00Z"),
            ),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), expected.map(at), "{text}");
        }
    }

    #[test]
    fn delays_stay_under_their_bound() {
        for _ in 0..50 {
            let mut delays = Delays::new();
            for bound in [500, 1000, 2000, 4000, 8000, 10_000, 10_000] {
                assert!(delays.next() <= Duration::from_millis(bound));
            }
        }
    }
}
