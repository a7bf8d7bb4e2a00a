//! Points in time as people write them: exact, local, a day, or an age.
//!
//! Never reads a clock or knows a time zone: the caller, who has both, resolves a [`Moment`].

use std::str::FromStr;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};

use super::parse_number;

/// A moment in the past, as an operator writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A time with its zone: `2026-01-31T12:00Z`, `2026-01-31T12:00:30+01:00`.
    At(DateTime<Utc>),
    /// A local time: `2026-01-31T12:00`.
    Wall(NaiveDateTime),
    /// A whole day: `2026-01-31`.
    Day(NaiveDate),
    /// A whole day, this many days ago: `today`, `yesterday`.
    DaysAgo(u64),
    /// An age: `30m`, `2h`, `3d`.
    Ago(Duration),
}

/// A text that is no moment. The message states what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time: give an age such as 30m, 2h or 7d, a date such as 2026-01-31, today or yesterday, or a time such as 2026-01-31T12:00 (local) or 2026-01-31T12:00Z (UTC)"
)]
pub struct MomentError(pub String);

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        match text {
            "today" => return Ok(Self::DaysAgo(0)),
            "yesterday" => return Ok(Self::DaysAgo(1)),
            _ => {}
        }
        age(text)
            .map(Self::Ago)
            .or_else(|| exact(text).map(Self::At))
            .or_else(|| wall(text).map(Self::Wall))
            .or_else(|| {
                let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
                Some(Self::Day(day))
            })
            .ok_or_else(|| MomentError(text.to_owned()))
    }
}

/// Parses an age: `30m`, `2h`, `3d`, `1w`.
pub(super) fn age(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    let count = parse_number(digits)?;
    match unit {
        'm' => Duration::try_minutes(count),
        'h' => Duration::try_hours(count),
        'd' => Duration::try_days(count),
        'w' => Duration::try_weeks(count),
        _ => None,
    }
}

/// Parses an RFC 3339 time, with or without seconds.
fn exact(text: &str) -> Option<DateTime<Utc>> {
    if let Some(plain) = text.strip_suffix(['Z', 'z']) {
        return wall(plain).map(|time| time.and_utc());
    }
    let exact = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M%:z"));
    exact.ok().map(|time| time.with_timezone(&Utc))
}

fn wall(text: &str) -> Option<NaiveDateTime> {
    const FORMATS: [&str; 4] = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ];
    let read = |format| NaiveDateTime::parse_from_str(text, format).ok();
    FORMATS.into_iter().find_map(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_way_to_name_a_moment() {
        let at = |text: &str| Moment::At(text.parse().expect("a time"));
        let wall = |text: &str| Moment::Wall(text.parse().expect("a time"));
        for (text, expected) in [
            ("30m", Moment::Ago(Duration::minutes(30))),
            ("2h", Moment::Ago(Duration::hours(2))),
            ("7d", Moment::Ago(Duration::days(7))),
            ("2w", Moment::Ago(Duration::weeks(2))),
            ("today", Moment::DaysAgo(0)),
            ("yesterday", Moment::DaysAgo(1)),
            (
                "2026-01-31",
                Moment::Day("2026-01-31".parse().expect("a day")),
            ),
            ("2026-01-31T12:00", wall("2026-01-31T12:00:00")),
            ("2026-01-31 12:00", wall("2026-01-31T12:00:00")),
            ("2026-01-31T12:00:30", wall("2026-01-31T12:00:30")),
            ("2026-01-31T12:00Z", at("2026-01-31T12:00:00Z")),
            ("2026-01-31T12:00:30Z", at("2026-01-31T12:00:30Z")),
            ("2026-01-31T12:00:30+01:00", at("2026-01-31T11:00:30Z")),
            ("2026-01-31T12:00+01:00", at("2026-01-31T11:00:00Z")),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "h",
            "-2h",
            "2y",
            "2ü",
            "tomorrow",
            "2026-02-30",
            "99999999999999999999d",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<Moment>();
        }
    }
}
