//! A strip of outcomes: a cell for each attempt, with a colour, a sign and words.
//!
//! Never leaves a failure out: where attempts share a cell, the worst outcome shows.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::frame::{WIDTH, nothing, picture, rectangle, unit};
use crate::config::Zone;
use crate::domain::AttemptOutcome;
use crate::faces::text::{clean, count};

/// The cells of a row.
const COLUMNS: usize = 25;
/// More rows than this are not drawn: attempts share cells then.
const MOST_ROWS: usize = 5;
/// The height of a cell.
const HEIGHT: f64 = 18.0;
/// The room between cells.
const GAP: f64 = 2.0;

/// An attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// When it began.
    pub(crate) at: DateTime<Utc>,
    /// How it ended.
    pub(crate) outcome: AttemptOutcome,
    /// More about it, such as the reason of a failure; may be empty.
    pub(crate) words: String,
}

/// Returns the strip of these attempts, given oldest first.
pub(crate) fn strip(title: &str, cells: &[Cell], zone: &Zone) -> Markup {
    let (Some(first), Some(last)) = (cells.first(), cells.last()) else {
        return nothing(title, "no attempts yet");
    };
    let shared = cells.len().div_ceil(COLUMNS * MOST_ROWS).max(1);
    let rows: Vec<_> = cells.chunks(shared * COLUMNS).collect();
    let width = WIDTH / f64::from(u16::try_from(COLUMNS).unwrap_or(u16::MAX));
    let place =
        |index: usize, size: f64| f64::from(u16::try_from(index).unwrap_or(u16::MAX)) * size;
    let content = html! {
        @for (row, cells) in rows.iter().enumerate() {
            @for (column, cells) in cells.chunks(shared).enumerate() {
                (cell(cells, place(column, width), place(row, HEIGHT + GAP), width - GAP, zone))
            }
        }
    };
    let of = |outcome| cells.iter().filter(|cell| cell.outcome == outcome).count();
    let words = format!(
        "{} from {} to {} ({}): {} new, {} unchanged, {} failed; the last: {}",
        count(cells.len(), "attempt"),
        zone.minute(first.at),
        zone.minute(last.at),
        zone.name(),
        of(AttemptOutcome::New),
        of(AttemptOutcome::Unchanged),
        of(AttemptOutcome::Failed),
        last.outcome
    );
    picture(
        place(rows.len(), HEIGHT + GAP) - GAP,
        title,
        &words,
        &content,
    )
}

/// Draws a cell of one attempt, or of several that follow each other.
fn cell(cells: &[Cell], x: f64, y: f64, width: f64, zone: &Zone) -> Markup {
    let Some(worst) = cells.iter().max_by_key(|cell| badness(cell.outcome)) else {
        return Markup::default();
    };
    let (class, sign) = match worst.outcome {
        AttemptOutcome::New => ("plot-new", "✱"),
        AttemptOutcome::Unchanged => ("plot-unchanged", "✓"),
        AttemptOutcome::Failed => ("plot-failed", "✗"),
        AttemptOutcome::Absent => ("plot-unchanged", "◌"),
    };
    let (middle, base) = (x + width / 2.0, y + HEIGHT * 0.7);
    html! {
        g {
            title { (words(cells, worst, zone)) }
            (rectangle(class, x, y, width, HEIGHT))
            text.plot-glyph x=(unit(middle)) y=(unit(base)) text-anchor="middle" { (sign) }
        }
    }
}

fn badness(outcome: AttemptOutcome) -> u8 {
    match outcome {
        AttemptOutcome::Absent => 0,
        AttemptOutcome::Unchanged => 1,
        AttemptOutcome::New => 2,
        AttemptOutcome::Failed => 3,
    }
}

fn words(cells: &[Cell], worst: &Cell, zone: &Zone) -> String {
    let gap = if worst.words.is_empty() { "" } else { ": " };
    let one = format!(
        "{} {}{gap}{}",
        zone.minute(worst.at),
        worst.outcome,
        worst.words
    );
    let words = if cells.len() > 1 {
        format!("{}, such as {one}", count(cells.len(), "attempt"))
    } else {
        one
    };
    clean(&words).into_owned()
}
