//! Words for what goes through a queue: the same in a table, on a page and in the dashboard.

use chrono::{DateTime, Utc};

use super::text::short;
use crate::app::QueueFacts;

/// The most queues that are named.
const MAX_NAMED: usize = 3;

/// Prints a number of messages a second; by the minute where that is below 0.1: `0`, `2/min`, `0.2/s`, `1,310/s`, `80k/s`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second > 0.0 && per_second < 0.0995 {
        return format!("{:.0}/min", (per_second * 60.0).max(1.0));
    }
    let number = number(per_second);
    if number == "0" {
        number
    } else {
        format!("{number}/s")
    }
}

/// Prints a number of messages: `0`, `0.2`, `12.5`, `1,310`, `80k`.
pub(crate) fn number(number: f64) -> String {
    if number >= 99.95 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is positive, and small"
        )]
        return short(number.round() as u64);
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    format!("{:.1}", number.max(0.1))
}

/// Prints a length of time: `12 ms`, `1.5 s`, `53 s`, `12 min`, `5 h`, `12 d`.
pub(crate) fn length(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..10_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        10_000..120_000 => format!("{} s", ms / 1000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

/// Prints a length of time in milliseconds, or a dash.
pub(crate) fn lag(ms: Option<u64>) -> String {
    ms.map_or_else(|| "–".to_owned(), length)
}

/// Prints for how long something waits that came at this time, or a dash.
pub(crate) fn age(came_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    let ms = came_at.map(|at| (now - at).num_milliseconds());
    lag(ms.map(|ms| u64::try_from(ms).unwrap_or(0)))
}

/// Says from which queues nobody takes messages; `None` when there is none.
pub(crate) fn left(queues: &[QueueFacts], now: DateTime<Utc>) -> Option<String> {
    let left: Vec<_> = queues
        .iter()
        .filter(|queue| queue.is_left(now))
        .map(|queue| queue.name.as_str())
        .collect();
    let named = left.get(..MAX_NAMED).unwrap_or(&left).join(", ");
    match left.len() {
        0 => None,
        1..=MAX_NAMED => Some(format!("{NOBODY_TAKES} {named}")),
        count => Some(format!(
            "{NOBODY_TAKES} {named} and {} more",
            count - MAX_NAMED
        )),
    }
}

/// What is wrong with a queue whose messages wait.
const NOBODY_TAKES: &str = "no consumer takes from";

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn rates_and_times_are_short() {
        for (per_second, expected) in [
            (0.0, "0"),
            (1.0 / 60.0, "1/min"),
            (5.0 / 60.0, "5/min"),
            (6.0 / 60.0, "0.1/s"),
            (2.04, "2.0/s"),
            (99.94, "99.9/s"),
            (99.96, "100/s"),
            (1_310.4, "1,310/s"),
            (80_123.0, "80k/s"),
        ] {
            assert_eq!(rate(per_second), expected);
        }
        for (ms, expected) in [
            (Some(0), "0 ms"),
            (Some(999), "999 ms"),
            (Some(1_540), "1.5 s"),
            (Some(30_426), "30 s"),
            (Some(720_000), "12 min"),
            (Some(18_000_000), "5 h"),
            (Some(864_000_000), "10 d"),
            (None, "–"),
        ] {
            assert_eq!(lag(ms), expected);
        }
    }

    #[test]
    fn queues_from_which_nobody_takes_are_named() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let queue = |name: &str, waits| QueueFacts {
            oldest_at: Some(now - TimeDelta::seconds(waits)),
            ..QueueFacts::new(name.parse().expect("a name"))
        };
        let queues = [("a", 60), ("b", 1), ("c", 11), ("d", 20), ("e", 60)];
        let queues = queues.map(|(name, waits)| queue(name, waits));
        let words = left(&queues, now).expect("words");
        assert_eq!(words, "no consumer takes from a, c, d and 1 more");
        assert_eq!(
            left(&queues[..2], now).as_deref(),
            Some("no consumer takes from a")
        );
        assert_eq!(left(&queues[1..2], now), None);
        assert_eq!(age(queues[0].oldest_at, now), "60 s");
        assert_eq!(age(None, now), "–");
    }
}
