//! Bars: the fetches of each hour, failures on top.
//!
//! Never draws more bars than can be seen: hours are summed where there are too many.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::frame::{Area, FONT_SIZE, nothing, plot, rectangle, text_at};
use super::scale::{Scale, Unit};
use super::time_scale::TimeScale;
use crate::config::Zone;

/// More hours than this share bars.
const MOST_BARS: usize = 72;

/// The least height of a bar for anything at all.
const LEAST_HEIGHT: f64 = 2.0;

/// The fetches of an hour, or of several that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hour {
    /// When it begins.
    pub(crate) start: DateTime<Utc>,
    /// How many fetches ended, failed ones too.
    pub(crate) fetches: u64,
    /// How many of them failed.
    pub(crate) failures: u64,
}

/// A bar: its hours together.
struct Bar {
    hours: Hour,
    end: DateTime<Utc>,
}

/// Returns the plot of these hours, given oldest first. Hours that are left out are empty.
pub(crate) fn bars(title: &str, hours: &[Hour], zone: &Zone) -> Markup {
    let bars: Vec<_> = hours
        .chunks(hours.len().div_ceil(MOST_BARS).max(1))
        .filter_map(together)
        .collect();
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else {
        return nothing(title, "no fetches yet");
    };
    let times = TimeScale::new(first.hours.start, last.end, zone);
    let most = bars.iter().map(|bar| bar.hours.fetches).max();
    let scale = Scale::new(Unit::Count, 0, most.unwrap_or_default());
    let area = Area::beside(&scale, 0);
    let content = html! {
        (legend(&area))
        (area.axes(&scale, &times.ticks()))
        @for one in bars.iter().filter(|one| one.hours.fetches > 0) { (bar(one, &area, &scale, &times)) }
    };
    let words = description(&bars, &times.span(first.hours.start, last.end), &times);
    plot(title, &words, &content)
}

fn together(hours: &[Hour]) -> Option<Bar> {
    let (first, last) = (hours.first()?, hours.last()?);
    let sum = |of: fn(&Hour) -> u64| hours.iter().map(of).fold(0, u64::saturating_add);
    let fetches = sum(|hour| hour.fetches);
    Some(Bar {
        hours: Hour {
            start: first.start,
            fetches,
            failures: sum(|hour| hour.failures).min(fetches),
        },
        end: last.start + TimeDelta::hours(1),
    })
}

fn bar(bar: &Bar, area: &Area, scale: &Scale, times: &TimeScale<'_>) -> Markup {
    let hours = &bar.hours;
    let (begin, end) = (times.share(hours.start), times.share(bar.end));
    let (x, width) = (area.x(begin), area.across((end - begin) * 0.85));
    let least = |count: u64, height: f64| {
        if count == 0 {
            0.0
        } else {
            height.max(LEAST_HEIGHT)
        }
    };
    let good = hours.fetches - hours.failures;
    let failed_height = least(hours.failures, area.up(scale.share(hours.failures)));
    let whole = least(hours.fetches, area.up(scale.share(hours.fetches)));
    let good_height = least(good, whole - failed_height);
    let top = area.y(0.0) - good_height;
    html! {
        g {
            title { (words(bar, times)) }
            @if good > 0 { (rectangle("plot-good", x, top, width, good_height)) }
            @if hours.failures > 0 { (rectangle("plot-failed", x, top - failed_height, width, failed_height)) }
        }
    }
}

fn legend(area: &Area) -> Markup {
    let (y, side, gap) = (4.0, FONT_SIZE - 2.0, 4.0);
    let entries = [
        ("plot-good", "fetched", 0.0),
        ("plot-failed", "failed", 70.0),
    ];
    html! {
        @for (class, word, offset) in entries {
            @let x = area.x(0.0) + offset;
            (rectangle(class, x, y, side, side))
            (text_at(x + side + gap, y + side, "start", word))
        }
    }
}

fn words(bar: &Bar, times: &TimeScale<'_>) -> String {
    let hours = &bar.hours;
    let fetches = counted(hours.fetches);
    let (begin, end) = (times.minute(hours.start), times.minute(bar.end));
    format!("{begin} to {end}: {fetches}, {} failed", hours.failures)
}

fn counted(fetches: u64) -> String {
    format!("{fetches} fetch{}", if fetches == 1 { "" } else { "es" })
}

fn description(bars: &[Bar], span: &str, times: &TimeScale<'_>) -> String {
    let sum = |of: fn(&Hour) -> u64| {
        let counts = bars.iter().map(|bar| of(&bar.hours));
        counts.fold(0, u64::saturating_add)
    };
    let (fetches, failures) = (sum(|hour| hour.fetches), sum(|hour| hour.failures));
    let all = counted(fetches);
    // Of several equal bars, the last.
    let most = bars.iter().max_by_key(|bar| bar.hours.fetches);
    let most = most.filter(|_| fetches > 0);
    let most = most.map(|bar| format!("; the most: {}", words(bar, times)));
    format!(
        "{all} {span}, {failures} failed{}",
        most.unwrap_or_default()
    )
}
