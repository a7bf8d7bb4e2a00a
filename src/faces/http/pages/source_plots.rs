//! The plots of a source: how long fetches took, how large the content was, and how attempts ended.

use maud::{Markup, html};

use super::visit::Visit;
use crate::domain::{Attempt, AttemptOutcome, Source};
use crate::faces::http::plot::{Cell, Point, Series, Unit, line, strip};
use crate::faces::http::problem::Problem;

/// The newest attempts that are drawn.
const ATTEMPTS: usize = 200;

/// Shows the plots of a source; nothing before its second attempt.
pub(super) async fn plots(visit: &Visit, source: &Source) -> Result<Markup, Problem> {
    let app = visit.app();
    let mut attempts = app.attempts_before(source.id, None, ATTEMPTS).await?;
    if attempts.len() < 2 {
        return Ok(html! {});
    }
    attempts.reverse();
    let zone = &app.config().zone;
    let series = |title, unit| Series {
        title,
        noun: "attempt",
        unit,
        longest_gap: None,
        least_letters: 0,
    };
    let millis = |one: &Attempt| u64::try_from(one.duration.as_millis()).ok();
    let times = points(&attempts, millis);
    let sizes = sizes(&attempts);
    let cells: Vec<_> = attempts.iter().map(cell).collect();
    Ok(html! {
        section aria-labelledby="plots" {
            h2 #plots { "The last " (attempts.len()) " attempts" }
            div.plots {
                figure { figcaption { "Outcomes" } (strip("Outcomes", &cells, zone)) }
                figure { figcaption { "Time taken" } (line(series("Time taken", Unit::Milliseconds), &times, zone)) }
                figure { figcaption { "Size" } (line(series("Size", Unit::Bytes), &sizes, zone)) }
            }
        }
    })
}

fn points(attempts: &[Attempt], value: impl Fn(&Attempt) -> Option<u64>) -> Vec<Point> {
    let point = |one: &Attempt| Point {
        at: one.started_at,
        value: value(one),
        is_failed: one.outcome == AttemptOutcome::Failed,
    };
    attempts.iter().map(point).collect()
}

/// Returns the sizes of the content. An attempt that found it unchanged may not have received it: the size is the one before.
fn sizes(oldest_first: &[Attempt]) -> Vec<Point> {
    let mut last = None;
    let mut sizes = points(oldest_first, |one| one.size_bytes);
    for (point, attempt) in sizes.iter_mut().zip(oldest_first) {
        if attempt.outcome == AttemptOutcome::Unchanged {
            point.value = point.value.or(last);
        }
        last = if attempt.outcome == AttemptOutcome::Failed {
            last
        } else {
            point.value
        };
    }
    sizes
}

fn cell(attempt: &Attempt) -> Cell {
    Cell {
        at: attempt.started_at,
        outcome: attempt.outcome,
        words: attempt.error.clone().unwrap_or_default(),
    }
}
