//! The message of a long-running worker on a terminal: the number of watched sources, and when the next is due.

use chrono::{DateTime, Utc};

use super::Console;
use super::look::Look;
use crate::app::App;
use crate::faces::text::count;

/// Prints the number of watched sources and when the next is due, if that changed; only on a terminal.
pub fn print_outlook(
    app: &App,
    (watched, due, next): (u64, u64, Option<DateTime<Utc>>),
    said: &mut String,
    console: &mut Console<'_>,
) {
    if !console.is_terminal {
        return;
    }
    let line = line(watched, due, next, &Look::of(app, console));
    if *said != line {
        console.note(&line);
        *said = line;
    }
}

fn line(watched: u64, due: u64, next: Option<DateTime<Utc>>, look: &Look) -> String {
    let when = match next {
        _ if due > 0 => format!("{due} due now"),
        Some(time) => format!("next at {}", look.zoned_time(Some(time))),
        None => "none of them is due".to_owned(),
    };
    format!("watching {}, {when}; ^C ends", count(watched, "source"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::fixtures::at;

    #[test]
    fn says_what_comes_next() {
        let look = Look::plain(at("21:00:00"));
        for (watched, due, next, expected) in [
            (
                8,
                0,
                Some(at("22:00:00")),
                "watching 8 sources, next at 2026-01-31 22:00 UTC; ^C ends",
            ),
            (
                8,
                3,
                Some(at("22:00:00")),
                "watching 8 sources, 3 due now; ^C ends",
            ),
            (1, 1, None, "watching 1 source, 1 due now; ^C ends"),
            (
                0,
                0,
                None,
                "watching 0 sources, none of them is due; ^C ends",
            ),
        ] {
            assert_eq!(line(watched, due, next, &look), expected);
        }
    }
}
