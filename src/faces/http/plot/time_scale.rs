//! The scale of times: ticks at round times of the computer's zone, and spans in words.
//!
//! Never reads a clock.

use chrono::{
    DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike as _, Utc,
};

use crate::config::Zone;

const DAY: i64 = 86_400;

/// The steps between ticks of up to some weeks, in seconds.
const STEPS: [i64; 13] = [
    60,
    300,
    900,
    1800,
    3600,
    2 * 3600,
    3 * 3600,
    6 * 3600,
    12 * 3600,
    DAY,
    2 * DAY,
    4 * DAY,
    7 * DAY,
];

/// The steps between ticks of longer spans, in months.
const MONTHS: [i32; 8] = [1, 3, 6, 12, 24, 60, 120, 1200];

/// There are at most so many steps.
const MOST_STEPS: i64 = 4;

/// A scale of times.
#[derive(Clone, Debug)]
pub(super) struct TimeScale<'a> {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    zone: &'a Zone,
}

impl<'a> TimeScale<'a> {
    /// Returns the scale of a span; of a single time, with half an hour on both sides.
    pub(super) fn new(from: DateTime<Utc>, until: DateTime<Utc>, zone: &'a Zone) -> Self {
        let half = TimeDelta::minutes(30);
        if from < until {
            Self { from, until, zone }
        } else {
            let (from, until) = (from - half, from + half);
            Self { from, until, zone }
        }
    }

    /// Returns the share of the width at which a time stands.
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    pub(super) fn share(&self, at: DateTime<Utc>) -> f64 {
        let ms = |length: TimeDelta| length.num_milliseconds() as f64;
        (ms(at - self.from) / ms(self.until - self.from).max(1.0)).clamp(0.0, 1.0)
    }

    /// Returns the ticks, from the left: a share of the width, and a label.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let seconds = (self.until - self.from).num_seconds();
        let found = STEPS.iter().find(|step| seconds / **step <= MOST_STEPS);
        let walls = match found {
            Some(step) => self.steps(*step),
            None => self.months(seconds),
        };
        let places = walls.into_iter().map(|(wall, format)| {
            let at = self.zone.instant(wall);
            (at, wall.format(format).to_string())
        });
        let shown = places.filter(|(at, _)| (self.from..=self.until).contains(at));
        shown.map(|(at, label)| (self.share(at), label)).collect()
    }

    /// Returns local times a step apart, each with the format of its label.
    fn steps(&self, step: i64) -> Vec<(NaiveDateTime, &'static str)> {
        let begin = self.zone.wall(self.from).and_utc().timestamp();
        let first = begin.div_euclid(step) * step;
        let times = (0..=MOST_STEPS + 2).filter_map(|count| {
            let wall = DateTime::from_timestamp(first + count * step, 0)?.naive_utc();
            // Midnight is the beginning of its day.
            let is_day = wall.num_seconds_from_midnight() == 0;
            Some((wall, if is_day { "%b %-d" } else { "%H:%M" }))
        });
        times.collect()
    }

    /// Returns the beginnings of months for a span of so many seconds, each with the format of its label.
    fn months(&self, seconds: i64) -> Vec<(NaiveDateTime, &'static str)> {
        let months = i32::try_from(seconds / (30 * DAY)).unwrap_or(i32::MAX);
        let found = MONTHS
            .iter()
            .find(|step| i64::from(months / **step) <= MOST_STEPS);
        let step = found.copied().unwrap_or(months / 4);
        let format = if step < 12 { "%b %Y" } else { "%Y" };
        let begin = self.zone.wall(self.from).date();
        let first = (begin.year() * 12 + begin.month0().cast_signed()).div_euclid(step) * step;
        let times = (0..=6).filter_map(|count| {
            let month = first.checked_add(step.checked_mul(count)?)?;
            let number = u32::try_from(month.rem_euclid(12)).ok()? + 1;
            let day = NaiveDate::from_ymd_opt(month.div_euclid(12), number, 1)?;
            Some((day.and_time(NaiveTime::MIN), format))
        });
        times.collect()
    }

    /// Prints a time to the minute.
    pub(super) fn minute(&self, at: DateTime<Utc>) -> String {
        self.zone.minute(at)
    }

    /// Prints a span, with the zone.
    pub(super) fn span(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> String {
        let (begin, zone) = (self.minute(from), self.zone.name());
        if from == until {
            format!("at {begin} ({zone})")
        } else {
            format!("from {begin} to {} ({zone})", self.minute(until))
        }
    }
}
