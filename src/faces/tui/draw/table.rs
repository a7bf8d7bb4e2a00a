//! The table of sources: only the rows that are on the screen are looked at.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{boxed, pad, paint, pane_border, put, put_all};
use crate::domain::Source;
use crate::faces::standing::{StateWord, is_newest_damaged, next_due, state_word};
use crate::faces::text::clean;
use crate::faces::tui::format::{grouped, moment, source_state, until, verified};
use crate::faces::tui::layout::below_heading;
use crate::faces::tui::model::{Model, Pane};
use crate::faces::tui::table::SortBy;
use crate::faces::tui::theme::Theme;

/// Columns beside the name, with the least width of the table that shows them.
const COLUMNS: [(SortBy, u16, u16); 5] = [
    (SortBy::State, 9, 20),
    (SortBy::Interval, 9, 58),
    (SortBy::Last, 7, 50),
    (SortBy::Next, 5, 36),
    (SortBy::Verified, 11, 42),
];
/// Mark, glyph, and a space behind each.
const SIGNS: u16 = 3;

/// Draws the table; returns how many rows it built, however many there are.
pub(crate) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) -> usize {
    let table = &model.table;
    let total = if model.loaded {
        grouped(table.total() as u64)
    } else {
        "…".to_owned()
    };
    let mut title = format!("Sources {total}");
    if !table.filter_text().is_empty() {
        let shown = grouped(table.len() as u64);
        title = format!("Sources {shown}/{total}  /{}", table.filter_text());
    }
    if !table.marks.is_empty() {
        title = format!("{title}  {} marked", table.marks.len());
        if let hidden @ 1.. = table.hidden_marks() {
            title = format!("{title}, {hidden} hidden");
        }
    }
    let (sort, reversed) = table.sorting();
    let order = format!(
        "{} {}",
        if reversed { "↑" } else { "↓" },
        sort.heading().to_lowercase()
    );
    let style = pane_border(model, Pane::Sources, theme);
    let inner = boxed(buffer, area, &title, &order, style);
    if model.table.total() == 0 || (!model.loaded && model.table.len() == 0) {
        empty(model, theme, inner, buffer);
        return 0;
    }
    if model.table.len() == 0 {
        put_all(
            buffer,
            inner,
            1,
            &[("No source matches the filter.", theme.dim)],
        );
    }
    // Where there is one line, the selected source says more than a heading.
    let rows = below_heading(inner);
    if rows.height < inner.height {
        heading(theme, inner, buffer);
    }
    let mut built = 0;
    for (line, at) in (rows.y..rows.bottom()).zip(model.table.top..model.table.len()) {
        let Some(row) = model.table.shown(at) else {
            break;
        };
        let area = Rect::new(inner.x, line, inner.width, 1);
        let is_marked = model.table.marks.contains(&row.source.id);
        draw_row(model, &row.source, is_marked, theme, area, buffer);
        built += 1;
        if at == model.table.cursor() {
            paint(buffer, area, theme.selected);
        }
    }
    built
}

fn empty(model: &Model, theme: &Theme, inner: Rect, buffer: &mut Buffer) {
    let lines = if model.loaded {
        [
            "No sources yet. Press a to add one,",
            "or run `gannet add https://…`.",
        ]
    } else {
        ["Reading the catalogue…", ""]
    };
    for (line, text) in (0..).zip(lines) {
        put_all(buffer, inner, line, &[(text, theme.text)]);
    }
}

/// Returns the columns that a table of this width shows, and what is left for the name.
fn columns(width: u16) -> (Vec<(SortBy, u16)>, u16) {
    let shown = COLUMNS.iter().filter(|(_, _, least)| width >= *least);
    let shown: Vec<_> = shown.map(|(by, columns, _)| (*by, *columns)).collect();
    let used: u16 = shown.iter().map(|(_, columns)| columns).sum();
    (shown, width.saturating_sub(SIGNS + used + 1).max(1))
}

fn heading(theme: &Theme, inner: Rect, buffer: &mut Buffer) {
    let (columns, name) = columns(inner.width);
    let mut line = " ".repeat(usize::from(SIGNS));
    let mut named = false;
    for (by, width) in columns {
        if by != SortBy::State && !named {
            line.push_str(&pad(SortBy::Name.heading(), usize::from(name) + 1));
            named = true;
        }
        line.push_str(&pad(by.heading(), usize::from(width)));
    }
    if !named {
        line.push_str(SortBy::Name.heading());
    }
    put(buffer, (inner.x, inner.y), inner.width, &line, theme.dim);
}

fn draw_row(
    model: &Model,
    source: &Source,
    is_marked: bool,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (columns, name_width) = columns(area.width);
    let (glyph, state_style) = source_state(source, theme);
    let name = pad(&clean(&source.settings.name), usize::from(name_width));
    let mut pieces: Vec<(String, Style)> = vec![
        (if is_marked { "▸" } else { " " }.to_owned(), theme.accent),
        (format!("{glyph} "), state_style),
    ];
    let name_style = if source.settings.enabled {
        theme.text
    } else {
        theme.dim
    };
    let mut name = Some((format!("{name} "), name_style));
    for (by, width) in columns {
        let (text, style) = match by {
            SortBy::State => (state_word(source), state_style),
            SortBy::Interval => (source.settings.interval.to_string(), theme.text),
            SortBy::Last => {
                let last = source.state.last_attempt_at;
                (moment(last, model.now, &model.zone), theme.text)
            }
            SortBy::Next => (until(next_due(source), model.now), theme.text),
            SortBy::Verified | SortBy::Name => {
                let (word, style) = match verified(source.state.version_state, theme) {
                    _ if is_newest_damaged(source) => (StateWord::Damaged.shown(), theme.bad),
                    known => known,
                };
                (word.to_owned(), style)
            }
        };
        if by != SortBy::State {
            pieces.extend(name.take());
        }
        pieces.push((pad(&text, usize::from(width)), style));
    }
    pieces.extend(name);
    let pieces: Vec<_> = pieces
        .iter()
        .map(|(text, style)| (text.as_str(), *style))
        .collect();
    put_all(buffer, area, 0, &pieces);
}
