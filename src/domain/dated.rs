//! Dated sources: an address with `{date}` stands for one file a day, each of which is a source of its own, a *day*.
//!
//! Never fetches and never reads a clock: says which days there are, and which of them need not be asked for again.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use super::text_form::{prints_text, reads_text};
use super::{AttemptOutcome, SourceId, StateWord, VersionState};

/// What stands for the day in an address.
pub(super) const PLACE: &str = "{date}";

/// The most days of a window, and the most days until a day is final: ten years.
pub const MAX_DAYS: u32 = 3660;

/// A calendar day in UTC, written as ISO 8601 does: `2020-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(NaiveDate);

prints_text!(Day);
reads_text!(Day);

/// A text that is no day. The message states what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a date: expected year, month and day, such as 2020-01-31", .0.escape_debug())]
pub struct DayError(pub String);

impl Day {
    /// Returns the date of the day.
    pub fn date(self) -> NaiveDate {
        self.0
    }

    /// Returns the day that contains `time`.
    pub fn containing(time: DateTime<Utc>) -> Self {
        Self(time.date_naive())
    }

    /// Returns the moment at which the day begins.
    pub fn start(self) -> DateTime<Utc> {
        self.0.and_time(NaiveTime::MIN).and_utc()
    }

    /// Returns the day so many days before this one; the first day of the calendar if there is none.
    #[must_use]
    pub fn before(self, days: u32) -> Self {
        let before = self.0.checked_sub_days(Days::new(days.into()));
        Self(before.unwrap_or(NaiveDate::MIN))
    }

    /// Returns the days from this one to `last`, oldest first.
    pub fn to(self, last: Self) -> impl Iterator<Item = Self> {
        self.0
            .iter_days()
            .map(Self)
            .take_while(move |day| *day <= last)
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let bad = || DayError(text.to_owned());
        let is_digit = |(place, byte): (usize, u8)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        // The calendar's parser also takes `2020-1-31`, and names for one day must not be several.
        if text.len() != "2020-01-31".len() || !text.bytes().enumerate().all(is_digit) {
            return Err(bad());
        }
        let date = text.parse::<NaiveDate>().map_err(|_| bad())?;
        Ok(Self(date))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%d").fmt(f)
    }
}

/// The days that a dated source keeps asking for: the last so many, today included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub first: Day,
    /// The last day.
    pub last: Day,
}

impl Window {
    /// Returns the last `days` days at a time, of which its own is the last.
    pub fn at(now: DateTime<Utc>, days: u32) -> Self {
        let last = Day::containing(now);
        Self {
            first: last.before(days.saturating_sub(1)),
            last,
        }
    }
}

/// How often days change, and which ones to ask for: the settings of a dated source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatedRules {
    /// The number of days of the window.
    pub days: u32,
    /// How many days after its begin a day is final: its file changes no more.
    pub final_after: u32,
}

impl DatedRules {
    /// The rules of a dated source for which none were given.
    pub const DEFAULT: Self = Self {
        days: 10,
        final_after: 3,
    };

    /// Returns whether the file of a day that is fetched at this time changes no more.
    pub fn is_final(self, day: Day, at: DateTime<Utc>) -> bool {
        let final_from = day
            .start()
            .checked_add_days(Days::new(self.final_after.into()));
        final_from.is_some_and(|from| from <= at)
    }

    /// Returns whether a day need not be asked for again: it has a version that no verifier failed, and its last attempt
    /// succeeded when it was final already.
    pub fn is_settled(self, day: Day, facts: &DayFacts) -> bool {
        let has_succeeded = matches!(
            facts.last_outcome,
            Some(AttemptOutcome::New | AttemptOutcome::Unchanged)
        );
        let has_good = facts
            .version_state
            .is_some_and(|state| state != VersionState::Failed);
        has_good
            && has_succeeded
            && facts
                .last_attempt_at
                .is_some_and(|at| self.is_final(day, at))
    }
}

/// The facts of a day from which it follows whether it is settled.
#[derive(Clone, Copy, Debug, Default)]
pub struct DayFacts {
    /// The state of its newest version; `None` without one, or when its row is damaged.
    pub version_state: Option<VersionState>,
    /// How its last attempt ended.
    pub last_outcome: Option<AttemptOutcome>,
    /// When its last attempt began.
    pub last_attempt_at: Option<DateTime<Utc>>,
}

/// The day of a dated source that a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayOf {
    /// The dated source.
    pub series: SourceId,
    /// The day.
    pub day: Day,
}

/// What is known of the days of a dated source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaysState {
    /// The number of days that have a version.
    pub held: u64,
    /// The first and the last of them.
    pub range: Option<(Day, Day)>,
    /// The days of the window that have no version.
    pub missing: u64,
    /// The days of the window with a problem.
    pub failing: u64,
    /// The gravest state among the days of the window.
    pub worst: StateWord,
    /// The last day in that state.
    pub worst_day: Option<Day>,
}

/// Returns the name of a day: `fixer/2020-01-31`.
pub fn day_name(series: &str, day: Day) -> String {
    format!("{series}/{day}")
}

/// Splits the name of a day into that of its dated source and the day; `None` for other names.
pub fn named_day(name: &str) -> Option<(&str, Day)> {
    let (series, day) = name.rsplit_once('/')?;
    Some((series, day.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn a_day_has_one_spelling() {
        for text in ["2020-01-31", "0001-01-01", "9999-12-31", "2024-02-29"] {
            assert_eq!(day(text).to_string(), text);
        }
        for text in [
            "2020-1-31",
            "2020-02-30",
            "2023-02-29",
            "20200131",
            "2020/01/31",
            "+020-01-31",
            " 2020-01-31",
            "2020-01-31Z",
            "latest",
            "",
        ] {
            let error = text.parse::<Day>().expect_err(text).to_string();
            assert!(error.contains("such as 2020-01-31"), "{error}");
        }
    }

    #[test]
    fn a_window_ends_with_the_day_of_utc() {
        for (now, days, first, last) in [
            ("2026-03-01T00:00:00Z", 1, "2026-03-01", "2026-03-01"),
            ("2026-03-01T23:59:59Z", 3, "2026-02-27", "2026-03-01"),
            ("2024-03-01T01:00:00+02:00", 2, "2024-02-28", "2024-02-29"),
        ] {
            let window = Window::at(at(now), days);
            assert_eq!((window.first, window.last), (day(first), day(last)));
            let all = window.first.to(window.last).count();
            assert_eq!(all, usize::try_from(days).expect("few"));
        }
    }

    #[test]
    fn a_day_is_settled_by_a_success_after_it_is_final() {
        use AttemptOutcome::{Absent, Failed, New, Unchanged};
        let passed = Some(VersionState::Passed);
        for (version_state, last_outcome, last, expected) in [
            (passed, Some(New), "2020-01-04T00:00:00Z", true),
            (passed, Some(Unchanged), "2021-01-01T00:00:00Z", true),
            (passed, Some(New), "2020-01-03T23:59:59Z", false),
            (passed, Some(Failed), "2021-01-01T00:00:00Z", false),
            (passed, None, "2021-01-01T00:00:00Z", false),
            (None, Some(Absent), "2021-01-01T00:00:00Z", false),
            (
                Some(VersionState::Failed),
                Some(New),
                "2021-01-01T00:00:00Z",
                false,
            ),
            (
                Some(VersionState::Pending),
                Some(New),
                "2021-01-01T00:00:00Z",
                true,
            ),
        ] {
            let facts = DayFacts {
                version_state,
                last_outcome,
                last_attempt_at: Some(at(last)),
            };
            let settled = DatedRules::DEFAULT.is_settled(day("2020-01-01"), &facts);
            assert_eq!(settled, expected, "{facts:?}");
        }
        let at_once = DatedRules {
            final_after: 0,
            ..DatedRules::DEFAULT
        };
        assert!(at_once.is_final(day("2020-01-01"), at("2020-01-01T00:00:00Z")));
    }

    #[test]
    fn names_of_days_read_back() {
        let name = day_name("ecb/eurofxref", day("2020-01-31"));
        assert_eq!(named_day(&name), Some(("ecb/eurofxref", day("2020-01-31"))));
        for other in ["2020-01-31", "a/b", "a/2020-01-32"] {
            assert_eq!(named_day(other), None, "{other}");
        }
    }
}
