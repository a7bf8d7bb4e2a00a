//! Values of single arguments that are no domain words: headers, sizes with a default, moments in the past.

use std::str::FromStr;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::domain::parse_size;

/// `--max-size`: a size, or back to the configuration's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxSize {
    /// What the configuration says.
    Default,
    /// This many bytes.
    Bytes(u64),
}

impl FromStr for MaxSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self::Default);
        }
        parse_size(text).map(Self::Bytes)
    }
}

/// `--since`: a moment, or how long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// At this moment.
    At(DateTime<Utc>),
    /// So long before now.
    Ago(Duration),
}

impl Since {
    /// Returns the moment, given what time it is.
    pub fn moment(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            Self::Ago(age) => now
                .checked_sub_signed(age)
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

impl FromStr for Since {
    type Err = String;

    /// Reads an RFC 3339 time, one without zone (UTC then) or seconds, a date (its start), or an age such as `2h`.
    fn from_str(text: &str) -> Result<Self, String> {
        age(text)
            .map(Self::Ago)
            .or_else(|| moment(text).map(Self::At))
            .ok_or_else(|| {
                format!(
                    "`{text}` is not a time: give an age such as 30m, 2h or 7d, a date such as 2026-01-31, or a time such as 2026-01-31T12:00Z"
                )
            })
    }
}

fn age(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let count = digits.parse().ok()?;
    match unit {
        'm' => Duration::try_minutes(count),
        'h' => Duration::try_hours(count),
        'd' => Duration::try_days(count),
        _ => None,
    }
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let plain = text.strip_suffix('Z').unwrap_or(text);
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(plain, format) {
            return Some(time.and_utc());
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// Reads `NAME: VALUE`; the name is a token (RFC 9110 §5.6.2), the value has no line break.
pub(super) fn parse_header(text: &str) -> Result<(String, String), String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let (name, value) = text
        .split_once(':')
        // The value is not repeated: somebody may have put a secret there.
        .ok_or("a header is `NAME: VALUE`, such as 'Authorization: Bearer ${TOKEN}'")?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(format!("`{name}` is not the name of a header"));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(format!(
            "the value of header `{name}` holds a control character"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads the earlier program's `True` and `False`, in any case.
pub(super) fn parse_truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("`{text}` is neither True nor False")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_reads_ages_dates_and_times() {
        let now = "2026-01-31T12:00:00Z"
            .parse::<DateTime<Utc>>()
            .expect("a time");
        for (text, expected) in [
            ("2h", "2026-01-31T10:00:00Z"),
            ("7d", "2026-01-24T12:00:00Z"),
            ("30m", "2026-01-31T11:30:00Z"),
            ("2026-01-30", "2026-01-30T00:00:00Z"),
            ("2026-01-30T08:15", "2026-01-30T08:15:00Z"),
            ("2026-01-30T08:15:01+01:00", "2026-01-30T07:15:01Z"),
        ] {
            let since: Since = text.parse().expect(text);
            assert_eq!(
                since.moment(now),
                expected.parse::<DateTime<Utc>>().expect("a time"),
                "{text}"
            );
        }
        let long_ago: Since = "9999999d".parse().expect("a long age");
        assert!(long_ago.moment(now) < now);
        for text in [
            "",
            "h",
            "-2h",
            "2y",
            "2ü",
            "yesterday",
            "99999999999999999999d",
        ] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
    }

    #[test]
    fn headers_are_a_name_and_a_value() {
        assert_eq!(
            parse_header("Authorization: Bearer ${TOKEN}"),
            Ok(("Authorization".to_owned(), "Bearer ${TOKEN}".to_owned()))
        );
        assert_eq!(
            parse_header("X-Time: 12:00"),
            Ok(("X-Time".to_owned(), "12:00".to_owned()))
        );
        for text in ["", "Authorization", ": x", "A B: x", "A: x\r\nB: y"] {
            assert!(parse_header(text).is_err(), "{text}");
        }
        let error = parse_header("hunter2").expect_err("no colon");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
