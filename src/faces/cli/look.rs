//! How results are formatted for people: width, time zone, colours, and ages instead of times.
//!
//! JSON and CSV never depend on it: programs get the same bytes everywhere.

use chrono::{DateTime, Duration, Utc};

use super::Console;
use crate::app::App;
use crate::config::Zone;

/// The formatting for one console.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// The terminal's width in columns, if there is a terminal.
    pub(crate) width: Option<usize>,
    /// Whether the terminal shows colours.
    pub(crate) colours: bool,
    /// The present time.
    pub(crate) now: DateTime<Utc>,
    /// The time zone.
    pub(crate) zone: Zone,
    /// Whether near times are printed as ages, for somebody who reads them now.
    pub(crate) ages: bool,
}

impl Look {
    /// Returns the formatting for this console.
    pub(crate) fn of(app: &App, console: &Console<'_>) -> Self {
        Self {
            width: console.width,
            colours: console.colours,
            now: app.now(),
            zone: app.config().zone.clone(),
            ages: console.is_terminal,
        }
    }

    /// Returns the formatting for a file or a pipe, in UTC.
    #[cfg(test)]
    pub(crate) fn plain(now: DateTime<Utc>) -> Self {
        Self {
            width: None,
            colours: false,
            now,
            zone: Zone::UTC,
            ages: false,
        }
    }

    /// Returns the formatting for a terminal, in UTC.
    #[cfg(test)]
    pub(crate) fn terminal(now: DateTime<Utc>, width: usize) -> Self {
        Self {
            width: Some(width),
            ages: true,
            ..Self::plain(now)
        }
    }

    /// Returns the heading of a column of times, with the zone.
    pub(crate) fn heading(&self, name: &str) -> String {
        format!("{name} ({})", self.zone.name())
    }

    /// Returns the heading of a column of [`Self::ago`].
    pub(crate) fn age_heading(&self, name: &str) -> String {
        if self.ages {
            name.to_owned()
        } else {
            self.heading(name)
        }
    }

    /// Prints a time to the minute, for a column whose heading names the zone.
    pub(crate) fn time(&self, time: DateTime<Utc>) -> String {
        self.zone.minute(time)
    }

    /// Prints a time to the minute, or `-`.
    pub(crate) fn time_or_dash(&self, time: Option<DateTime<Utc>>) -> String {
        time.map_or_else(|| "-".to_owned(), |time| self.time(time))
    }

    /// Prints a time with its zone, or `-`.
    pub(crate) fn zoned_time(&self, time: Option<DateTime<Utc>>) -> String {
        time.map_or_else(
            || "-".to_owned(),
            |time| format!("{} {}", self.time(time), self.zone.name()),
        )
    }

    /// Prints a time to the second, for a line of the log, with `Z` for UTC or the offset behind it.
    pub(crate) fn second(&self, time: DateTime<Utc>) -> String {
        let wall = self.zone.wall(time);
        let offset = wall.and_utc() - time;
        let mark = if offset.is_zero() && self.zone == Zone::UTC {
            "Z".to_owned()
        } else {
            let minutes = offset.num_minutes();
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        };
        format!("{}{mark}", wall.format("%Y-%m-%d %H:%M:%S"))
    }

    /// Prints a past time: `2 min ago` on a terminal.
    pub(crate) fn ago(&self, time: Option<DateTime<Utc>>) -> String {
        let age = time.map(|time| self.now - time);
        match age {
            Some(age) if self.ages && age >= Duration::zero() => match span(age) {
                Some(span) => format!("{span} ago"),
                None => self.time_or_dash(time),
            },
            _ => self.time_or_dash(time),
        }
    }

    /// Prints a future time: `in 14 min` on a terminal, `now` once it is reached.
    pub(crate) fn until(&self, time: Option<DateTime<Utc>>) -> String {
        match time {
            Some(time) if time <= self.now => "now".to_owned(),
            Some(time) if self.ages => {
                span(time - self.now).map_or_else(|| self.time(time), |span| format!("in {span}"))
            }
            _ => self.time_or_dash(time),
        }
    }
}

/// Prints a duration in its largest unit; `None` above 99 days.
fn span(length: Duration) -> Option<String> {
    Some(match length.num_minutes() {
        0 => "1 min".to_owned(),
        minutes @ 1..60 => format!("{minutes} min"),
        minutes @ 60..2880 => format!("{} h", minutes / 60),
        minutes if minutes < 100 * 1440 => format!("{} d", minutes / 1440),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::fixtures::at;

    #[test]
    fn near_times_are_ages_on_a_terminal_only() {
        let now = at("12:00:00");
        let (terminal, pipe) = (Look::terminal(now, 80), Look::plain(now));
        for (minutes, ago, until) in [
            (0, "1 min ago", "now"),
            (2, "2 min ago", "in 2 min"),
            (59, "59 min ago", "in 59 min"),
            (61, "1 h ago", "in 1 h"),
            (47 * 60, "47 h ago", "in 47 h"),
            (48 * 60, "2 d ago", "in 2 d"),
            (100 * 1440, "2025-10-23 12:00", "2026-05-11 12:00"),
        ] {
            let length = Duration::minutes(minutes);
            assert_eq!(terminal.ago(Some(now - length)), ago);
            assert_eq!(terminal.until(Some(now + length)), until);
        }
        assert_eq!(pipe.ago(Some(at("11:58:00"))), "2026-01-31 11:58");
        assert_eq!(pipe.until(Some(at("11:58:00"))), "now");
        assert_eq!(pipe.until(Some(at("12:58:00"))), "2026-01-31 12:58");
        // The clock was set back.
        assert_eq!(terminal.ago(Some(at("12:58:00"))), "2026-01-31 12:58");
        assert_eq!(
            (terminal.ago(None), terminal.until(None)),
            ("-".into(), "-".into())
        );
    }
}
