//! The queues of messages: a table, and plots of what waited, what went through, and how long that took.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{boxed, pad, put_all, put_fitting, restyle};
use super::plot::{Bar, bars};
use crate::app::{QueueStep, RATE_SECONDS};
use crate::faces::queue_words::{lag, length, number, rate};
use crate::faces::text::count;
use crate::faces::tui::format::{grouped, short, since};
use crate::faces::tui::layout::{below_heading, skip};
use crate::faces::tui::messages::layout::queue_parts;
use crate::faces::tui::messages::parts::MessagePane;
use crate::faces::tui::messages::queue_list::{QueueRow, STEPS};
use crate::faces::tui::model::Model;
use crate::faces::tui::theme::Theme;

/// Columns of the numbers of a queue, and how many of them there are.
const NUMBER: usize = 8;
const HEADINGS: [&str; 6] = ["WAITING", "OLDEST", "IN", "OUT", "LAG", "DEAD"];
/// Least columns of a plot.
const MIN_PLOT: u16 = 18;
/// Least columns for all plots, instead of the first three.
const MIN_ALL_PLOTS: u16 = 96;

pub(crate) fn draw(
    model: &Model,
    theme: &Theme,
    (area, border): (Rect, Style),
    buffer: &mut Buffer,
) {
    let queues = &model.messages.queues;
    let inner = draw_box(model, theme, (area, border), buffer);
    let (table, plots) = queue_parts(inner);
    let rows = below_heading(table);
    if rows.height < table.height {
        let mut heading = pad("  QUEUE", name_columns(table));
        for title in HEADINGS {
            let _ = write!(heading, "{title:>NUMBER$}");
        }
        put_all(buffer, table, 0, &[(&heading, theme.dim)]);
    }
    for (line, at) in (0..rows.height).zip(queues.top..queues.len()) {
        let Some(row) = queues.row(at, model.now) else {
            break;
        };
        let is_selected = at == queues.cursor();
        draw_row(&row, is_selected, model, theme, (rows, line), buffer);
        if is_selected && model.messages.pane == MessagePane::Queues {
            let row = Rect::new(rows.x, rows.y + line, rows.width, 1);
            restyle(buffer, row, theme.selected);
        }
    }
    draw_plots(model, theme, plots, buffer);
}

/// Draws the box, with the trouble of the server on which messages wait, and returns what is within.
fn draw_box(
    model: &Model,
    theme: &Theme,
    (area, border): (Rect, Style),
    buffer: &mut Buffer,
) -> Rect {
    let mut title = format!("Queues {}", grouped(model.messages.queues.count() as u64));
    let left = model.messages.queues.left(model.now);
    let trouble = model.messages.queue_trouble.as_deref();
    if let Some(trouble) = trouble.or(left.as_deref()) {
        let _ = write!(title, " · {trouble}");
    }
    let inner = boxed(buffer, area, &title, "", border);
    if trouble.is_some() {
        let height = area.height.min(1);
        restyle(buffer, Rect { height, ..area }, theme.bad);
    }
    inner
}

fn name_columns(table: Rect) -> usize {
    usize::from(table.width)
        .saturating_sub(HEADINGS.len() * NUMBER)
        .max(8)
}

fn draw_row(
    row: &QueueRow<'_>,
    is_selected: bool,
    model: &Model,
    theme: &Theme,
    (area, line): (Rect, u16),
    buffer: &mut Buffer,
) {
    let all = || format!("all {}", model.messages.queues.count());
    let name = row.name.map_or_else(all, ToString::to_string);
    let sign = if is_selected { "▸ " } else { "  " };
    let name = pad(&format!("{sign}{name}"), name_columns(area));
    // What is tried again holds its queue up, as what nobody takes.
    let stands = if row.tries > 0 || row.is_left {
        theme.warning
    } else {
        theme.text
    };
    let dead = if row.dead > 0 { theme.bad } else { theme.dim };
    let cells = [
        (short(row.waiting), stands),
        (since(row.oldest_at, model.now), stands),
        (rate(row.lately.in_per_second), theme.text),
        (rate(row.lately.out_per_second), theme.text),
        (lag(row.lately.lag_ms), stands),
        (short(row.dead), dead),
    ];
    let cells = cells.map(|(text, style)| (format!("{text:>NUMBER$}"), style));
    let mut pieces = vec![(&*name, theme.accent)];
    pieces.extend(cells.iter().map(|(text, style)| (&**text, *style)));
    put_fitting(buffer, area, line, &pieces);
}

/// A value over time.
struct Plot {
    title: &'static str,
    value: fn(&QueueStep) -> u64,
    /// Prints a value.
    words: fn(u64) -> String,
    /// Behind the value.
    unit: &'static str,
}

const PLOTS: [Plot; 4] = [
    Plot {
        title: "waiting",
        value: |step| step.waiting,
        words: short,
        unit: "",
    },
    Plot {
        title: "in",
        value: |step| step.queued,
        words: per_second,
        unit: "/s",
    },
    Plot {
        title: "lag",
        value: |step| step.lag_ms,
        words: length,
        unit: "",
    },
    Plot {
        title: "out",
        value: |step| step.persisted,
        words: per_second,
        unit: "/s",
    },
];

fn per_second(step: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits"
    )]
    let per_second = step as f64 / RATE_SECONDS as f64;
    number(per_second)
}

/// Draws three plots side by side, or all four where there is room.
fn draw_plots(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 || area.width < MIN_PLOT {
        return;
    }
    let most = if area.width >= MIN_ALL_PLOTS { 4 } else { 3 };
    let number = (area.width / MIN_PLOT).clamp(1, most);
    let steps = model.messages.queues.steps(model.now);
    let width = area.width / number;
    for (at, plot) in (0..number).zip(&PLOTS) {
        let area = Rect {
            x: area.x + at * width,
            width: width - 1,
            ..area
        };
        draw_plot(plot, &steps, theme, area, buffer);
    }
}

fn draw_plot(plot: &Plot, steps: &[QueueStep], theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let shown = usize::from(area.width).min(STEPS).min(steps.len());
    let values: Vec<u64> = steps[..shown].iter().map(plot.value).collect();
    let now = values.first().copied().unwrap_or(0);
    let least = values.iter().copied().min().unwrap_or(0);
    let most = values.iter().copied().max().unwrap_or(0);
    let (words, unit) = (plot.words, plot.unit);
    let range = format!(" {}{unit}", words(now));
    let least = if least == 0 {
        "0".to_owned()
    } else {
        words(least)
    };
    let span = format!("  {least}–{}{unit}", words(most));
    let pieces = [
        (plot.title, theme.accent),
        (&*range, theme.text),
        (&*span, theme.dim),
    ];
    put_fitting(buffer, area, 0, &pieces);
    let below = skip(area, 1);
    let (axis, drawn) = if below.height > 2 {
        let height = below.height - 1;
        (Some(skip(below, height)), Rect { height, ..below })
    } else {
        (None, below)
    };
    let bar = |value: &u64| -> Bar {
        let style = if *value > 0 { theme.good } else { theme.dim };
        (Some(*value), style)
    };
    let drawn_bars: Vec<_> = values.iter().map(bar).collect();
    bars(buffer, drawn, &drawn_bars);
    if let Some(axis) = axis {
        let seconds = shown as u64 * RATE_SECONDS.unsigned_abs();
        let text = format!("the last {}", count(seconds / 60, "minute"));
        put_all(buffer, axis, 0, &[(&text, theme.dim)]);
    }
}
