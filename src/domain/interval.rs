//! Intervals of whole hours, and the hour slots of the schedule.
//!
//! A source is scheduled by slots, not by times of day. After an attempt in slot `s` it is due again in slot `s +
//! interval`, however late in its hour the attempt ran. So a cron job that drifts by seconds skips nothing, slots
//! missed while the machine slept collapse into one, and daylight saving changes nothing.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::parse_number;

const SECONDS_PER_HOUR: i64 = 3600;
const HOURS_PER_DAY: u32 = 24;

/// A whole number of hours, from one hour to ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interval(u32);

/// A text that is no interval. The message states what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an interval: give whole hours or whole days, such as 1h, 12h, 1d or 7d, from 1h to {max}d",
    max = Interval::MAX_HOURS / HOURS_PER_DAY
)]
pub struct IntervalError(pub String);

impl Interval {
    /// Ten years of 365 days.
    pub const MAX_HOURS: u32 = 3650 * HOURS_PER_DAY;
    /// One day, the interval of a source for which none was given.
    pub const DEFAULT: Self = Self(HOURS_PER_DAY);

    /// Returns the interval of `hours`; `None` out of range.
    pub fn from_hours(hours: u32) -> Option<Self> {
        (1..=Self::MAX_HOURS)
            .contains(&hours)
            .then_some(Self(hours))
    }

    /// Returns the length in hours.
    pub fn hours(self) -> u32 {
        self.0
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let bad = || IntervalError(text.to_owned());
        let (number, hours_per_unit) = if let Some(number) = text.strip_suffix('h') {
            (number, 1)
        } else if let Some(number) = text.strip_suffix('d') {
            (number, HOURS_PER_DAY)
        } else {
            return Err(bad());
        };
        let count: u32 = parse_number(number).ok_or_else(bad)?;
        let hours = count.checked_mul(hours_per_unit).ok_or_else(bad)?;
        Self::from_hours(hours).ok_or_else(bad)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(HOURS_PER_DAY) {
            write!(f, "{}d", self.0 / HOURS_PER_DAY)
        } else {
            write!(f, "{}h", self.0)
        }
    }
}

/// One hour since 1970-01-01T00:00Z, counted from 0: `unix_time / 3600`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub i64);

impl Slot {
    /// The slot of a source that is not due by itself: a day rests until its dated source is due. No clock gets there.
    pub const REST: Self = Self(1 << 40);

    /// Returns the slot that contains `time`.
    pub fn containing(time: DateTime<Utc>) -> Self {
        Self(time.timestamp().div_euclid(SECONDS_PER_HOUR))
    }

    /// Returns the first slot that begins at `time` or later.
    pub fn not_before(time: DateTime<Utc>) -> Self {
        let slot = Self::containing(time);
        Self(slot.0 + i64::from(slot.start() < time))
    }

    /// Returns the moment at which the slot begins.
    pub fn start(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0.saturating_mul(SECONDS_PER_HOUR), 0)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Returns the slot in which a source is due again after a successful attempt in this one.
    #[must_use]
    pub fn after(self, interval: Interval) -> Self {
        Self(self.0 + i64::from(interval.hours()))
    }
}

/// Returns the slot in which a source is due again after an attempt in `slot` that left `failures` failed attempts in
/// a row; 0 after a success.
pub fn next_slot(slot: Slot, interval: Interval, failures: u32) -> Slot {
    match failures {
        0 => slot.after(interval),
        failures => next_slot_after_failure(slot, interval, failures),
    }
}

/// Returns the slot in which a source is due again after its `failures`-th failed attempt in a row, made in `slot`: 1,
/// 2, 4 … hours later, at most its interval.
pub fn next_slot_after_failure(slot: Slot, interval: Interval, failures: u32) -> Slot {
    let backoff = 1_u32
        .checked_shl(failures.saturating_sub(1))
        .unwrap_or(u32::MAX);
    Slot(slot.0 + i64::from(backoff.min(interval.hours())))
}

/// Prints a duration in the largest unit that divides it: `200 ms`, `30 s`, `5 min`, `3 h`, `7 d`.
pub fn duration_words(length: Duration) -> String {
    let units = [
        (86_400_000, " d"),
        (3_600_000, " h"),
        (60_000, " min"),
        (1000, " s"),
        (1, " ms"),
    ];
    in_largest(length, &units)
}

/// Prints a duration in the configuration file's notation: `200ms`, `30s`, `5m`, `24h`.
pub fn duration_setting(length: Duration) -> String {
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];
    in_largest(length, &units)
}

/// Prints a duration in the first unit that divides it; each unit is given with its milliseconds.
fn in_largest(length: Duration, units: &[(u128, &str)]) -> String {
    let ms = length.as_millis();
    let unit = units.iter().find(|unit| ms.is_multiple_of(unit.0));
    unit.map_or_else(String::new, |(ms_per_unit, unit)| {
        format!("{}{unit}", ms / ms_per_unit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accepts_whole_hours_and_days_only() {
        for (text, hours) in [
            ("1h", 1),
            ("12h", 12),
            ("1d", 24),
            ("7d", 168),
            ("36h", 36),
            ("3650d", 87_600),
        ] {
            assert_eq!(
                text.parse::<Interval>().map(Interval::hours),
                Ok(hours),
                "{text}"
            );
        }
        for text in [
            "30m",
            "1.5h",
            "0h",
            "0d",
            "1h30m",
            "-1d",
            "+1d",
            "9999999999d",
            "3651d",
            "",
            "h",
            "1",
            " 1h",
            "1H",
            "1 h",
        ] {
            let error = text.parse::<Interval>().expect_err(text).to_string();
            assert!(error.contains("1h, 12h, 1d or 7d"), "{error}");
        }
    }

    #[test]
    fn drift_skips_nothing_and_missed_slots_collapse() {
        let at = |text: &str| Slot::containing(text.parse::<DateTime<Utc>>().expect("a time"));
        let hourly = "1h".parse::<Interval>().expect("an interval");
        assert_eq!(
            at("2026-01-31T13:59:59Z").after(hourly),
            at("2026-01-31T14:00:00Z")
        );
        assert_eq!(
            at("2026-01-31T13:00:07Z").after(hourly),
            at("2026-01-31T14:00:03Z")
        );
        assert_eq!(
            at("2026-01-31T19:30:00Z").after(hourly),
            at("2026-01-31T20:00:00Z")
        );
        assert_eq!(
            at("2026-01-31T19:30:00Z").start().to_rfc3339(),
            "2026-01-31T19:00:00+00:00"
        );
    }

    #[test]
    fn failures_back_off_up_to_the_interval() {
        let day = Interval::DEFAULT;
        let hours: Vec<_> = (1..=8)
            .map(|n| next_slot_after_failure(Slot(0), day, n).0)
            .collect();
        assert_eq!(hours, [1, 2, 4, 8, 16, 24, 24, 24]);
        assert_eq!(next_slot_after_failure(Slot(0), day, u32::MAX), Slot(24));
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(hours in 1..=Interval::MAX_HOURS) {
            let interval = Interval::from_hours(hours).expect("in range");
            prop_assert_eq!(interval.to_string().parse(), Ok(interval));
        }
    }

    #[test]
    fn the_first_slot_from_a_time_on_is_not_before_it() {
        for (time, expected) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00.001Z", "2026-01-31T13:00:00Z"),
            ("2026-01-31T12:59:59Z", "2026-01-31T13:00:00Z"),
        ] {
            let slot = Slot::not_before(time.parse().expect("a time"));
            assert_eq!(
                slot.start(),
                expected.parse::<DateTime<Utc>>().expect("a time")
            );
        }
    }

    #[test]
    fn the_largest_unit_that_is_exact_is_taken() {
        let all = [
            200,
            1500,
            30_000,
            90_000,
            5_400_000,
            10_800_000,
            86_400_000,
            129_600_000,
        ];
        let words = all.map(|ms| duration_words(Duration::from_millis(ms)));
        let expected = "200 ms, 1500 ms, 30 s, 90 s, 90 min, 3 h, 1 d, 36 h";
        assert_eq!(words.join(", "), expected);
    }
}
