//! The time zone in which people read and write times: the computer's (`TZ` or `/etc/localtime`), or UTC.
//!
//! It serves what people see and type. Everything stored, logged or written for programs is in UTC.

use std::path::Path;

use chrono::{
    DateTime, Duration, Local, LocalResult, NaiveDateTime, NaiveTime, TimeZone as _, Utc,
};

use super::Environment;
use super::zone_rule::is_rule;
use crate::domain::Moment;

/// The file that gives the system's zone.
const SYSTEM: &str = "/etc/localtime";
const DATABASE: &str = "/usr/share/zoneinfo";

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The value for `TZ`; `None` for UTC.
    local: Option<String>,
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self { local: None };

    /// Returns the computer's zone; UTC, by that name, if the zone is unknown.
    pub fn of(environment: &Environment) -> Self {
        let variable = environment.get("TZ").and_then(|name| name.to_str());
        let name = match variable {
            Some(name) => known(name.trim_start_matches(':')),
            None => system(),
        };
        let is_utc = |name: &String| matches!(name.as_str(), "UTC" | "Etc/UTC" | "UTC0");
        Self {
            local: name.filter(|name| !is_utc(name)),
        }
    }

    /// Returns its name: `UTC`, `Europe/Berlin`.
    pub fn name(&self) -> &str {
        self.local.as_deref().unwrap_or("UTC")
    }

    /// Returns the local time.
    pub fn wall(&self, time: DateTime<Utc>) -> NaiveDateTime {
        match self.local {
            Some(_) => time.with_timezone(&Local).naive_local(),
            None => time.naive_utc(),
        }
    }

    /// Prints the local time to the minute: `2026-01-31 14:07`.
    pub fn minute(&self, time: DateTime<Utc>) -> String {
        self.wall(time).format("%Y-%m-%d %H:%M").to_string()
    }

    /// Prints the local time to the second: `2026-01-31 14:07:09`.
    pub fn second(&self, time: DateTime<Utc>) -> String {
        self.wall(time).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Prints the local time to the millisecond: `2026-01-31 14:07:09.120`.
    pub fn milli(&self, time: DateTime<Utc>) -> String {
        self.wall(time).format("%Y-%m-%d %H:%M:%S%.3f").to_string()
    }

    /// Returns the time at which local clocks show `wall`: the first if they show it twice, and the end of the hour
    /// that summer time skips if they never do.
    pub fn instant(&self, wall: NaiveDateTime) -> DateTime<Utc> {
        if self.local.is_none() {
            return wall.and_utc();
        }
        let mut wall = wall;
        // Clocks are never put forward by more than a day.
        for _ in 0..48 {
            match Local.from_local_datetime(&wall) {
                LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => {
                    return time.with_timezone(&Utc);
                }
                LocalResult::None => wall += Duration::minutes(30),
            }
        }
        wall.and_utc()
    }

    /// Returns the time that a moment means; of a day, its beginning.
    pub fn beginning(&self, moment: Moment, now: DateTime<Utc>) -> DateTime<Utc> {
        self.resolve(moment, now, NaiveTime::MIN)
    }

    /// Returns the time that a moment means; of a day, its end.
    pub fn end(&self, moment: Moment, now: DateTime<Utc>) -> DateTime<Utc> {
        let last = NaiveTime::from_hms_milli_opt(23, 59, 59, 999).unwrap_or(NaiveTime::MIN);
        self.resolve(moment, now, last)
    }

    fn resolve(&self, moment: Moment, now: DateTime<Utc>, of_day: NaiveTime) -> DateTime<Utc> {
        match moment {
            Moment::At(time) => time,
            Moment::Wall(wall) => self.instant(wall),
            Moment::Day(day) => self.instant(day.and_time(of_day)),
            Moment::DaysAgo(days) => {
                let day = self.wall(now).date() - chrono::Days::new(days);
                self.instant(day.and_time(of_day))
            }
            Moment::Ago(age) => now
                .checked_sub_signed(age)
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

/// Returns the name if it is a known zone: one of the database, or a POSIX rule such as `EST5EDT,M3.2.0,M11.1.0`.
fn known(name: &str) -> Option<String> {
    if let Some(path) = name.strip_prefix('/') {
        return Path::new("/").join(path).is_file().then(|| of_path(name));
    }
    let is_there = !name.contains("..") && Path::new(DATABASE).join(name).is_file();
    (is_there || is_rule(name)).then(|| name.to_owned())
}

fn system() -> Option<String> {
    let path = Path::new(SYSTEM);
    let target = path.canonicalize().ok()?;
    Some(of_path(&target.to_string_lossy()))
}

/// Returns the zone's name in a path of the database; `local time` for any other path.
fn of_path(path: &str) -> String {
    path.split_once("zoneinfo/")
        .map_or_else(|| "local time".to_owned(), |(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_is_not_known_is_utc_and_says_so() {
        for (variable, name) in [
            ("UTC", "UTC"),
            (":Etc/UTC", "UTC"),
            ("Nowhere/Atlantis", "UTC"),
            ("../../etc/passwd", "UTC"),
            ("<-05>5", "<-05>5"),
            ("CET-1CEST", "UTC"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ] {
            let zone = Zone::of(&Environment::new([("TZ", variable)], None));
            assert_eq!(zone.name(), name, "{variable}");
        }
    }

    #[test]
    fn a_day_has_a_beginning_and_an_end() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        let now = at("2026-01-31T12:00:00Z");
        for (text, beginning, end) in [
            ("2h", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
            (
                "2026-01-30",
                "2026-01-30T00:00:00Z",
                "2026-01-30T23:59:59.999Z",
            ),
            (
                "yesterday",
                "2026-01-30T00:00:00Z",
                "2026-01-30T23:59:59.999Z",
            ),
            ("today", "2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999Z"),
            (
                "2026-01-30T08:15",
                "2026-01-30T08:15:00Z",
                "2026-01-30T08:15:00Z",
            ),
        ] {
            let moment = text.parse().expect(text);
            assert_eq!(Zone::UTC.beginning(moment, now), at(beginning), "{text}");
            assert_eq!(Zone::UTC.end(moment, now), at(end), "{text}");
        }
        let long_ago = "9999999d".parse().expect("a long age");
        assert!(Zone::UTC.beginning(long_ago, now) < now);
    }
}
