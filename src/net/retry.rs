//! Which failures are retried, and after how long; parsers for `Retry-After` and dates in HTTP.
//!
//! Never sleeps and never reads a clock: times are arguments.

use std::time::Duration;

use chrono::{DateTime, Datelike as _, NaiveDateTime, TimeDelta, Utc};
use reqwest::StatusCode;

use crate::domain::LONGEST_RETRY_AFTER;

const BASE: Duration = Duration::from_millis(500);
const CAP: Duration = Duration::from_secs(10);

/// Longest wait within an attempt; if a server asks for more, the attempt ends.
pub(super) const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(60);

/// Delays with full jitter: each is drawn from zero to a bound that doubles from 500 ms to 10 s.
pub(super) struct Delays {
    bound: Duration,
}

impl Delays {
    pub(super) fn new() -> Self {
        Self { bound: BASE }
    }

    pub(super) fn next(&mut self) -> Duration {
        let delay = self.bound.mul_f64(fastrand::f64());
        self.bound = CAP.min(self.bound * 2);
        delay
    }
}

/// Returns whether a status means "not now" rather than "no".
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds or a date, at most 24 h from now, never in the past. Fractions of a
/// second, which some servers send, are rounded up.
pub(super) fn retry_after(field: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let field = field.trim();
    let wait = match seconds(field) {
        Some(wait) => wait,
        None => http_date(field, now)? - now,
    };
    Some(within_bounds(wait, now))
}

/// Reads when a rate limit resets: seconds from now, or since 1970 in seconds or milliseconds. Services use all three
/// under the same few field names.
pub(super) fn rate_limit_reset(field: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    /// A larger number counts from 1970: no wait is that long.
    const LEAST_EPOCH: TimeDelta = TimeDelta::seconds(1_000_000_000);
    const LEAST_EPOCH_MS: TimeDelta = TimeDelta::seconds(1_000_000_000_000);
    let number = seconds(field.trim())?;
    let wait = if number >= LEAST_EPOCH_MS {
        TimeDelta::milliseconds(number.num_seconds()) - (now - DateTime::UNIX_EPOCH)
    } else if number >= LEAST_EPOCH {
        number - (now - DateTime::UNIX_EPOCH)
    } else {
        number
    };
    Some(within_bounds(wait, now))
}

fn within_bounds(wait: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
    now + wait.clamp(TimeDelta::zero(), LONGEST_RETRY_AFTER)
}

/// Reads a number of seconds; a fraction is rounded up.
fn seconds(field: &str) -> Option<TimeDelta> {
    let (whole, fraction) = field.split_once('.').unwrap_or((field, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    // A number with too many digits exceeds any bound.
    let seconds = whole.parse::<i64>().unwrap_or(i64::MAX).min(1 << 50);
    let more = i64::from(fraction.bytes().any(|digit| digit != b'0'));
    TimeDelta::try_seconds(seconds + more)
}

/// Reads a date in any of the three forms of RFC 9110 §5.6.7. The day's name is not checked: some servers get it
/// wrong.
pub(super) fn http_date(field: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let parse = |text: &str, format: &str| NaiveDateTime::parse_from_str(text.trim(), format).ok();
    let Some((_, rest)) = field.split_once(',') else {
        let (_, rest) = field.trim().split_once(' ')?;
        return parse(rest, "%b %e %H:%M:%S %Y").map(|time| time.and_utc());
    };
    let rest = rest.trim().strip_suffix("GMT")?;
    // The common form first, by a parser that needs no pattern.
    if let Ok(time) = DateTime::parse_from_rfc2822(field.trim()) {
        return Some(time.to_utc());
    }
    if let Some(time) = parse(rest, "%d %b %Y %H:%M:%S") {
        return Some(time.and_utc());
    }
    let mut time = parse(rest, "%d-%b-%y %H:%M:%S")?;
    // A two-digit year that seems more than 50 years ahead means the past one (RFC 9110 §5.6.7).
    let ahead = time.year() - now.year();
    if ahead > 50 {
        time = time.with_year(time.year() - 100)?;
    } else if ahead < -50 {
        time = time.with_year(time.year() + 100)?;
    }
    Some(time.and_utc())
}

/// Unambiguous names of time zones, with their offsets. The parser knows those of North America.
const ZONES: [(&str, &str); 11] = [
    ("GMT", "+0000"),
    ("UTC", "+0000"),
    ("Z", "+0000"),
    ("WET", "+0000"),
    ("WEST", "+0100"),
    ("CET", "+0100"),
    ("CEST", "+0200"),
    ("EET", "+0200"),
    ("EEST", "+0300"),
    ("MSK", "+0300"),
    ("JST", "+0900"),
];

/// Reads a date as [`http_date`] does, and in the other forms that servers use: with another zone or none, without the
/// day's name (RFC 5322 §3.3), with dashes as in cookies, by RFC 3339, or in seconds or milliseconds since 1970.
pub(super) fn file_date(field: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let field = field.trim();
    http_date(field, now)
        .or_else(|| mail_date(field))
        .or_else(|| Some(DateTime::parse_from_rfc3339(field).ok()?.to_utc()))
        .or_else(|| epoch(field))
}

/// Reads a date as in mail, more leniently.
fn mail_date(field: &str) -> Option<DateTime<Utc>> {
    // The day's name is ignored: a wrong one does not make the date unreadable.
    let text = field.split_once(',').map_or(field, |(_, rest)| rest).trim();
    let mut words: Vec<_> = text.split_ascii_whitespace().collect();
    let day = words.first()?.replacen('-', " ", 2);
    words[0] = &day;
    let zone = ZONES.iter().find(|(name, _)| words.last() == Some(name));
    match zone {
        Some((_, offset)) => *words.last_mut()? = offset,
        // Without a zone: all times in HTTP are UTC.
        None if words.last()?.contains(':') => words.push("+0000"),
        None => {}
    }
    Some(
        DateTime::parse_from_rfc2822(&words.join(" "))
            .ok()?
            .to_utc(),
    )
}

/// Reads seconds of 9 or 10 digits, from 1973 to 2286, or milliseconds with three more digits.
fn epoch(field: &str) -> Option<DateTime<Utc>> {
    let digits = field.bytes().all(|byte| byte.is_ascii_digit());
    let number = field.parse().ok().filter(|_| digits)?;
    match field.len() {
        9 | 10 => DateTime::from_timestamp(number, 0),
        12 | 13 => DateTime::from_timestamp_millis(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_of_a_file_in_other_zones() {
        let now = at("2026-01-31T12:00:00Z");
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 -0000",
            "Sun, 06 Nov 1994 10:49:37 +0200",
            "Sun, 06 Nov 1994 03:49:37 EST",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 UT",
            "06 Nov 1994 08:49:37 +0000",
            "Mon, 06 Nov 1994 08:49:37 +0000",
            "1994-11-06T08:49:37Z",
            "1994-11-06T09:49:37+01:00",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "06-Nov-1994 09:49:37 +0100",
            "Sun, 06 Nov 1994 09:49:37 CET",
            "Sun, 06 Nov 1994 10:49:37 CEST",
            "Sun, 06 Nov 1994 17:49:37 JST",
            "Sun, 06 Nov 1994 08:49:37",
            "784111777",
            "784111777000",
        ] {
            assert_eq!(
                file_date(text, now),
                Some(at("1994-11-06T08:49:37Z")),
                "{text}"
            );
        }
        for text in [
            "",
            "now",
            "Sun, 06 Nov",
            "Sun, 31 Feb 1994 08:49:37 +0000",
            "12345",
            "yesterday",
            "-784111777",
            "78411177700000",
            "Sun, 06 Nov 1994 08:49:37 XYZ",
            "06/11/1994 08:49:37",
        ] {
            assert_eq!(file_date(text, now), None, "{text}");
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn reads_the_three_forms_of_a_date() {
        let now = at("2026-01-31T12:00:00Z");
        let [in_1994, in_2060] = ["1994-11-06T08:49:37Z", "2060-11-06T08:49:37Z"].map(Some);
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", in_1994),
            ("Sunday, 06-Nov-94 08:49:37 GMT", in_1994),
            ("Sun Nov  6 08:49:37 1994", in_1994),
            ("Sunday, 06-Nov-60 08:49:37 GMT", in_2060),
            ("Mon, 06 Nov 1994 08:49:37 GMT", in_1994),
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
            ("1.5", Some("2026-01-31T12:00:02Z")),
            ("30.0", Some("2026-01-31T12:00:30Z")),
            ("0.001", Some("2026-01-31T12:00:01Z")),
            ("-1", None),
            (".5", None),
            ("1.5.2", None),
            ("1.5s", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), expected.map(at), "{text}");
        }
    }

    #[test]
    fn reads_the_end_of_a_rate_limit() {
        let now = at("2026-01-31T12:00:00Z");
        let epoch = now.timestamp();
        for (text, expected) in [
            ("30".to_owned(), Some("2026-01-31T12:00:30Z")),
            ((epoch + 90).to_string(), Some("2026-01-31T12:01:30Z")),
            (format!("{}.25", epoch + 90), Some("2026-01-31T12:01:31Z")),
            (
                ((epoch + 90) * 1000).to_string(),
                Some("2026-01-31T12:01:30Z"),
            ),
            ((epoch - 90).to_string(), Some("2026-01-31T12:00:00Z")),
            ((epoch + 999_999).to_string(), Some("2026-02-01T12:00:00Z")),
            ("9".repeat(40), Some("2026-02-01T12:00:00Z")),
            ("soon".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(rate_limit_reset(&text, now), expected.map(at), "{text}");
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
