//! A line of values over time, interrupted by failures, which have marks of their own.
//!
//! Never draws more points than can be seen: of many, the least and the most of each column stay.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::frame::{Area, nothing, plot, unit};
use super::scale::{Scale, Unit};
use super::time_scale::TimeScale;
use crate::config::Zone;
use crate::faces::text::count;

/// The columns into which many points are thinned.
const COLUMNS: u8 = 180;

/// Up to so many values have a dot each, with their words.
const MOST_DOTS: usize = 60;

/// Half of the size of the mark of a failure.
const MARK: f64 = 3.5;

/// What a line shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series<'a> {
    /// The title.
    pub(crate) title: &'a str,
    /// The name of one point: `attempt`, `version`.
    pub(crate) noun: &'a str,
    /// The unit of the values.
    pub(crate) unit: Unit,
    /// The line is interrupted where two points are further apart; never without.
    pub(crate) longest_gap: Option<TimeDelta>,
    /// The letters for which the labels of the values have room at least: plots that stand together begin at one place.
    pub(crate) least_letters: usize,
}

/// A value at a time, or a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// The value; `None` for one that is not known, as the size of a failed attempt.
    pub(crate) value: Option<u64>,
    /// Whether the point is a failure, which is marked, and no part of the line.
    pub(crate) is_failed: bool,
}

/// A point that is drawn.
struct Drawn {
    x: f64,
    y: f64,
    /// How many points it stands for.
    points: usize,
    words: String,
}

/// Returns the plot of these points, in any order.
pub(crate) fn line(series: Series<'_>, points: &[Point], zone: &Zone) -> Markup {
    let mut points = points.to_vec();
    points.sort_by_key(|point| point.at);
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return nothing(series.title, &format!("no {}s yet", series.noun));
    };
    let times = TimeScale::new(first.at, last.at, zone);
    let values = || points.iter().filter_map(|point| point.value);
    let (low, high) = (values().min(), values().max());
    let scale = Scale::new(
        series.unit,
        low.unwrap_or_default(),
        high.unwrap_or_default(),
    );
    let area = Area::beside(&scale, series.least_letters);
    let axes = Axes {
        area: &area,
        scale: &scale,
        times: &times,
        unit: series.unit,
    };
    let content = html! {
        (area.axes(&scale, &times.ticks()))
        @for run in runs(&points, series.longest_gap) { (axes.run(&run, points.len() <= MOST_DOTS)) }
        @for failure in axes.failures(&points) { (mark(&failure)) }
    };
    let words = description(series, &points, &times.span(first.at, last.at));
    plot(series.title, &words, &content)
}

struct Axes<'a> {
    area: &'a Area,
    scale: &'a Scale,
    times: &'a TimeScale<'a>,
    unit: Unit,
}

impl Axes<'_> {
    fn place(&self, point: &Point, value: u64) -> (f64, f64) {
        let x = self.area.x(self.times.share(point.at));
        (x, self.area.y(self.scale.share(value)))
    }

    /// Draws the values between two failures.
    fn run(&self, run: &[Valued], has_dots: bool) -> Markup {
        let places: Vec<_> = run
            .iter()
            .map(|(point, value)| self.place(point, *value))
            .collect();
        let path: Vec<_> = places
            .iter()
            .map(|(x, y)| format!("{},{}", unit(*x), unit(*y)))
            .collect();
        html! {
            @if run.len() > 1 { polyline.plot-line fill="none" stroke-width="1.5" stroke-linejoin="round" points=(path.join(" ")) {} }
            @if has_dots || run.len() == 1 {
                @for ((x, y), (point, value)) in places.iter().zip(run) {
                    circle.plot-point cx=(unit(*x)) cy=(unit(*y)) r="2" {
                        title { (self.times.minute(point.at)) ": " (self.unit.words(*value)) }
                    }
                }
            }
        }
    }

    /// Returns the marks of failures: one in each column, with the words of its first.
    fn failures(&self, points: &[Point]) -> Vec<Drawn> {
        let mut marks: Vec<Drawn> = Vec::new();
        for point in points.iter().filter(|point| point.is_failed) {
            let (x, y) = match point.value {
                Some(value) => self.place(point, value),
                None => (self.area.x(self.times.share(point.at)), self.area.y(0.0)),
            };
            let words = format!("{}: failed", self.times.minute(point.at));
            match marks.last_mut().filter(|last| x - last.x < MARK) {
                Some(last) => {
                    last.points += 1;
                    // The highest mark is seen of a value that was extreme.
                    last.y = last.y.min(y);
                }
                None => marks.push(Drawn {
                    x,
                    y,
                    points: 1,
                    words,
                }),
            }
        }
        marks
    }
}

/// Draws a cross, with words.
fn mark(drawn: &Drawn) -> Markup {
    let (left, right) = (unit(drawn.x - MARK), unit(drawn.x + MARK));
    let (top, bottom) = (unit(drawn.y - MARK), unit(drawn.y + MARK));
    let others = drawn.points - 1;
    html! {
        path.plot-mark d={ "M" (left) " " (top) "L" (right) " " (bottom) "M" (left) " " (bottom) "L" (right) " " (top) }
            stroke-width="1.5" {
            title { (drawn.words) @if others > 0 { ", and " (others) " more" } }
        }
    }
}

/// A value with its point.
type Valued = (Point, u64);

/// Returns the values between failures and long gaps, thinned if they are many.
fn runs(points: &[Point], longest_gap: Option<TimeDelta>) -> Vec<Vec<Valued>> {
    let runs = if points.len() <= usize::from(COLUMNS) * 2 {
        let runs = points.split(|point| valued(point).is_none());
        runs.map(|run| run.iter().filter_map(valued).collect())
            .collect()
    } else {
        thinned(points)
    };
    let Some(gap) = longest_gap else {
        return runs.into_iter().filter(|run| !run.is_empty()).collect();
    };
    // Of thinned points, the kept ones of two columns may be that far apart.
    let gap = gap.max(column_length(points) * 2);
    let parts = runs.iter().flat_map(|run| {
        let parts = run.chunk_by(|(a, _), (b, _)| b.at - a.at <= gap);
        parts.map(<[Valued]>::to_vec)
    });
    parts.collect()
}

fn valued(point: &Point) -> Option<Valued> {
    let value = point.value.filter(|_| !point.is_failed);
    value.map(|value| (*point, value))
}

/// Returns the extremes of each column; only a column in which everything failed interrupts the line.
fn thinned(points: &[Point]) -> Vec<Vec<Valued>> {
    let (mut runs, mut run) = (Vec::new(), Vec::new());
    for column in columns(points) {
        let values: Vec<_> = column.iter().filter_map(valued).collect();
        if values.is_empty() {
            runs.push(std::mem::take(&mut run));
        } else {
            run.extend(extremes(&values));
        }
    }
    runs.push(run);
    runs
}

fn column_length(points: &[Point]) -> TimeDelta {
    let ends = points.first().zip(points.last());
    let length = ends.map_or(TimeDelta::zero(), |(first, last)| last.at - first.at);
    (length / i32::from(COLUMNS)).max(TimeDelta::milliseconds(1))
}

/// Returns the points of each column that has some, from the left.
fn columns(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    let first = points.first().map(|point| point.at).unwrap_or_default();
    let length = column_length(points).num_milliseconds();
    let column = move |point: &Point| (point.at - first).num_milliseconds() / length;
    points.chunk_by(move |a, b| column(a) == column(b))
}

/// Returns first, least, most and last, each once, in their order.
fn extremes(values: &[Valued]) -> impl Iterator<Item = Valued> {
    let places = 0..values.len();
    let least = places.clone().min_by_key(|place| values[*place].1);
    let most = places.clone().max_by_key(|place| values[*place].1);
    let mut kept: Vec<_> = [places.clone().next(), least, most, places.last()]
        .into_iter()
        .flatten()
        .collect();
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|place| values[place])
}

fn description(series: Series<'_>, points: &[Point], span: &str) -> String {
    let values = || points.iter().filter_map(valued).map(|(_, value)| value);
    let failed = points.iter().filter(|point| point.is_failed).count();
    let ends = [
        ("least", values().min()),
        ("most", values().max()),
        ("last", values().next_back()),
    ];
    let ends = ends.map(|(word, value)| {
        let value = value.map(|value| series.unit.words(value));
        value.map(|value| format!("{word} {value}"))
    });
    let ends: Vec<_> = ends.into_iter().flatten().collect();
    let gap = if ends.is_empty() { "" } else { "; " };
    let ends = ends.join(", ");
    format!(
        "{} {span}{gap}{ends}; {failed} failed",
        count(points.len(), series.noun)
    )
}
