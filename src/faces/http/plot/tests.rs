//! What the plots draw: few points and many, none, equal and huge ones, and no markup of others' making.

use chrono::{DateTime, TimeDelta, Utc};
use maud::Markup;

use super::scale::Scale;
use super::time_scale::TimeScale;
use super::*;
use crate::config::Zone;
use crate::domain::AttemptOutcome;
use crate::faces::fixtures::at;

const LATENCY: Series<'_> = Series {
    title: "Latency",
    noun: "attempt",
    unit: Unit::Milliseconds,
    longest_gap: None,
    least_letters: 0,
};

fn hours(counts: &[(u64, u64)]) -> Vec<Hour> {
    let hours = (0_u32..).zip(counts);
    let hours = hours.map(|(hour, (fetches, failures))| Hour {
        start: at("00:00:00") + TimeDelta::hours(hour.into()),
        fetches: *fetches,
        failures: *failures,
    });
    hours.collect()
}

/// Points a minute apart; `None` is a failure.
fn points(values: impl IntoIterator<Item = Option<u64>>) -> Vec<Point> {
    let points = (0_i64..).zip(values);
    let points = points.map(|(minute, value)| Point {
        at: at("10:00:00") + TimeDelta::minutes(minute),
        value,
        is_failed: value.is_none(),
    });
    points.collect()
}

fn cells(outcomes: impl IntoIterator<Item = AttemptOutcome>) -> Vec<Cell> {
    let cells = (0_i64..).zip(outcomes);
    let cells = cells.map(|(hour, outcome)| Cell {
        at: at("00:00:00") + TimeDelta::hours(hour),
        outcome,
        words: String::new(),
    });
    cells.collect()
}

/// Returns the markup, an element a line.
fn drawn(markup: Markup) -> String {
    let text = markup.into_string().replace("><", ">\n<");
    assert_is_sound(&text);
    text
}

/// Refuses markup that no page may have: script, styles, numbers that are none, places outside of the picture.
fn assert_is_sound(text: &str) {
    for part in ["<script", "style", "NaN", "inf", "href", "onload"] {
        assert!(!text.contains(part), "{part}: {text}");
    }
    assert!(
        text.starts_with("<svg class=\"plot\" role=\"img\" viewBox=\"0 0 380 "),
        "{text}"
    );
    assert!(
        text.contains("</title>\n<desc>") || text.contains("</title><desc>"),
        "{text}"
    );
    let classes = text.split(" class=\"").skip(1);
    for class in classes.filter_map(|rest| rest.split('"').next()) {
        let page = include_str!("mod.rs");
        assert!(
            page.contains(&format!("`{class}`")),
            "{class} is in the table of classes"
        );
    }
    for name in [
        " x=\"",
        " y=\"",
        " cx=\"",
        " cy=\"",
        "width=\"",
        "height=\"",
    ] {
        for value in text
            .split(name)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            let value: f64 = value.parse().expect("a number");
            assert!((0.0..=380.0).contains(&value), "{name}{value}: {text}");
        }
    }
}

fn times_of(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn hours_are_stacked_bars() {
    let hours = hours(&[(4, 0), (0, 0), (10, 3), (2, 2)]);
    insta::assert_snapshot!(drawn(bars("Fetches & failures", &hours, &Zone::UTC)));
}

#[test]
fn values_are_a_line_that_failures_interrupt() {
    let points = points([Some(120), Some(480), None, Some(90)]);
    insta::assert_snapshot!(drawn(line(LATENCY, &points, &Zone::UTC)));
}

#[test]
fn outcomes_are_cells() {
    use AttemptOutcome::{Failed, New, Unchanged};
    let mut cells = cells([New, Unchanged, Failed]);
    cells[2].words = "503 <b>Service\u{1b} Unavailable</b>".to_owned();
    insta::assert_snapshot!(drawn(strip("Outcomes", &cells, &Zone::UTC)));
}

#[test]
fn without_values_a_plot_says_so() {
    for (markup, words) in [
        (bars("<b>", &[], &Zone::UTC), "no fetches yet"),
        (line(LATENCY, &[], &Zone::UTC), "no attempts yet"),
        (strip("<b>", &[], &Zone::UTC), "no attempts yet"),
    ] {
        let text = drawn(markup);
        assert!(text.contains(&format!("<desc>{words}</desc>")), "{text}");
        assert_eq!(times_of(&text, &format!(">{words}</text>")), 1, "{text}");
        assert!(!text.contains("<b>"), "{text}");
    }
    let text = drawn(bars("Quiet", &hours(&[(0, 0); 24]), &Zone::UTC));
    assert!(text.contains("<desc>0 fetches from"), "{text}");
    assert_eq!(times_of(&text, "<g>"), 0, "{text}");
}

#[test]
fn one_value_is_a_dot() {
    let text = drawn(line(LATENCY, &points([Some(7)]), &Zone::UTC));
    assert_eq!(
        (times_of(&text, "<circle"), times_of(&text, "<polyline")),
        (1, 0)
    );
    assert!(
        text.contains("<desc>1 attempt at 2026-01-31 10:00 (UTC); least 7 ms"),
        "{text}"
    );
    let text = drawn(line(LATENCY, &points([None]), &Zone::UTC));
    assert_eq!(
        (times_of(&text, "<circle"), times_of(&text, "<path")),
        (0, 1)
    );
    assert!(text.contains("(UTC); 1 failed</desc>"), "{text}");
    let text = drawn(bars("One", &hours(&[(1, 1)]), &Zone::UTC));
    assert!(
        text.contains("1 fetch from 2026-01-31 00:00 to 2026-01-31 01:00 (UTC), 1 failed"),
        "{text}"
    );
}

#[test]
fn a_long_gap_interrupts_the_line() {
    let series = |minutes| Series {
        longest_gap: Some(TimeDelta::minutes(minutes)),
        ..LATENCY
    };
    for count in [8, 10_000] {
        let mut asleep = points((0..count).map(|value| Some(value % 5)));
        asleep.drain(3..5);
        let late = TimeDelta::days(30);
        let half = asleep.len() / 2;
        for point in &mut asleep[half..] {
            point.at += late;
        }
        let lines = |minutes| {
            let text = drawn(line(series(minutes), &asleep, &Zone::UTC));
            times_of(&text, "<polyline")
        };
        assert_eq!(lines(60), 2, "{count}");
        assert_eq!(lines(60 * 24 * 40), 1, "{count}");
    }
}

#[test]
fn many_values_are_thinned_and_extremes_stay() {
    let values = (0..10_000).map(|place| match place {
        5_003 => Some(9_000),
        5_004 => Some(1),
        7_000 => None,
        _ => Some(400 + place % 7),
    });
    let text = drawn(line(LATENCY, &points(values), &Zone::UTC));
    let line = text
        .split("points=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let line = line.expect("a line");
    assert_eq!(times_of(&text, "<polyline"), 1, "{text}");
    assert!((180..800).contains(&line.split(' ').count()), "{line}");
    assert!(text.len() < 12_000, "{}", text.len());
    // The most, 9 s, is near the upper edge, the least on the base line; the failure has its mark.
    assert!(line.contains(",33.8 ") && line.contains(",140 "), "{line}");
    assert_eq!(times_of(&text, "<path class=\"plot-mark\""), 1);
    let text = drawn(line_of_failures(10_000));
    assert!(
        times_of(&text, "<path") < 130,
        "{}",
        times_of(&text, "<path")
    );
    assert!(text.contains(" more</title>"), "{text}");
}

fn line_of_failures(count: usize) -> Markup {
    line(LATENCY, &points(vec![None; count]), &Zone::UTC)
}

#[test]
fn many_hours_and_attempts_share_bars_and_cells() {
    let mut counts = vec![(3, 0); 10_000];
    counts[4_321] = (3, 1);
    let text = drawn(bars("Long", &hours(&counts), &Zone::UTC));
    assert!(times_of(&text, "<g>") <= 72, "{}", times_of(&text, "<g>"));
    assert_eq!(times_of(&text, "plot-failed"), 2, "the bar and the legend");
    let outcomes = (0..10_000).map(|place| match place {
        4_321 => AttemptOutcome::Failed,
        4_320 => AttemptOutcome::New,
        _ => AttemptOutcome::Unchanged,
    });
    let text = drawn(strip("Long", &cells(outcomes), &Zone::UTC));
    assert!(times_of(&text, "<g>") <= 125, "{}", times_of(&text, "<g>"));
    assert_eq!((times_of(&text, "✗"), times_of(&text, "✱")), (1, 0));
    assert!(
        text.contains("<title>80 attempts, such as 2026-07-30 01:00 failed</title>"),
        "{text}"
    );
}

#[test]
fn equal_and_huge_values_are_drawn() {
    for value in [0, 1, 500, u64::MAX] {
        for unit in [Unit::Count, Unit::Milliseconds, Unit::Bytes] {
            let series = Series { unit, ..LATENCY };
            let text = drawn(line(series, &points([Some(value); 3]), &Zone::UTC));
            assert_eq!(times_of(&text, "<circle"), 3, "{text}");
        }
    }
    let huge = hours(&[(u64::MAX, u64::MAX), (u64::MAX, 0)]);
    drawn(bars("Huge", &huge, &Zone::UTC));
    // More failures than fetches is a mistake of the caller, and no panic.
    drawn(bars("Odd", &hours(&[(1, 5)]), &Zone::UTC));
}

#[test]
fn a_failure_is_seen_among_many_fetches() {
    let text = drawn(bars("Rare", &hours(&[(100_000, 1)]), &Zone::UTC));
    assert!(text.contains("height=\"2\""), "{text}");
}

#[test]
fn hours_that_are_left_out_leave_a_gap() {
    let mut hours = hours(&[(1, 0); 12]);
    hours.drain(2..10);
    let text = drawn(bars("Asleep", &hours, &Zone::UTC));
    assert_eq!(times_of(&text, "<g>"), 4, "{text}");
}

#[test]
fn ticks_are_round() {
    use Unit::{Bytes, Count, Milliseconds};
    const MIB: u64 = 1 << 20;
    for (unit, least, most, expected) in [
        (Count, 0, 0, "0|1"),
        (Count, 0, 3, "0|1|2|3"),
        (Count, 0, 10, "0|5|10"),
        (Count, 0, 1_234, "0|500|1000|1500"),
        (Milliseconds, 0, 480, "0 ms|200 ms|400 ms|600 ms"),
        (Milliseconds, 0, 900, "0 ms|500 ms|1000 ms"),
        (Milliseconds, 3, 1_900, "0 s|0.5 s|1 s|1.5 s|2 s"),
        (Milliseconds, 0, 150_000, "0 min|1 min|2 min|3 min"),
        (Milliseconds, 0, 86_400_000 * 3, "0 d|1 d|2 d|3 d"),
        (Bytes, 0, 900, "0 B|256 B|512 B|768 B|1024 B"),
        (Bytes, 0, 4_000, "0 B|1024 B|2048 B|3072 B|4096 B"),
        (Bytes, 0, 2 * MIB, "0 MiB|0.5 MiB|1 MiB|1.5 MiB|2 MiB"),
        // Close values far above zero are drawn apart; nearly equal ones are a flat line.
        (Bytes, 90 * MIB, 99 * MIB, "88 MiB|92 MiB|96 MiB|100 MiB"),
        (
            Bytes,
            99 * MIB,
            100 * MIB,
            "0 MiB|32 MiB|64 MiB|96 MiB|128 MiB",
        ),
        (Bytes, 600, 1_000, "0 B|256 B|512 B|768 B|1024 B"),
        (Milliseconds, 5, 9, "0 ms|5 ms|10 ms"),
        (Milliseconds, 500, 500, "0 ms|200 ms|400 ms|600 ms"),
    ] {
        let scale = Scale::new(unit, least, most);
        let labels: Vec<_> = scale
            .ticks
            .iter()
            .map(|(_, label)| label.as_str())
            .collect();
        assert_eq!(labels.join("|"), expected, "{unit:?} {least} to {most}");
        let (first, last) = (scale.ticks.first(), scale.ticks.last());
        assert_eq!(first.map(|(share, _)| *share), Some(0.0));
        assert!(last.is_some_and(|(share, _)| (share - 1.0).abs() < 1e-9));
        assert!(scale.share(least) <= scale.share(most));
    }
}

#[test]
fn times_are_labelled_at_round_times() {
    let time = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
    for (from, until, expected) in [
        (
            "2026-01-31T10:00:00Z",
            "2026-01-31T10:03:00Z",
            "10:00 10:01 10:02 10:03",
        ),
        (
            "2026-01-30T17:20:00Z",
            "2026-01-31T17:20:00Z",
            "18:00,Jan 31,06:00,12:00",
        ),
        (
            "2026-01-30T17:20:00Z",
            "2026-02-02T12:00:00Z",
            "Jan 31,Feb 1,Feb 2",
        ),
        (
            "2025-02-01T00:00:00Z",
            "2026-01-31T00:00:00Z",
            "Apr 2025,Jul 2025,Oct 2025,Jan 2026",
        ),
        (
            "2026-01-31T10:00:00Z",
            "2026-01-31T10:00:00Z",
            "09:30,09:45,10:00,10:15,10:30",
        ),
    ] {
        let scale = TimeScale::new(time(from), time(until), &Zone::UTC);
        let labels: Vec<_> = scale.ticks().into_iter().map(|(_, label)| label).collect();
        let expected: Vec<_> = if expected.contains(',') {
            expected.split(',').collect()
        } else {
            expected.split(' ').collect()
        };
        assert_eq!(labels, expected, "{from} to {until}");
    }
    let ages = TimeScale::new(
        time("1970-01-01T00:00:00Z"),
        time("9999-01-01T00:00:00Z"),
        &Zone::UTC,
    );
    assert!((3..8).contains(&ages.ticks().len()), "{ages:?}");
}
