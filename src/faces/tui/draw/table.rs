//! The table of sources: only the rows on the screen are formatted, however many there are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{boxed, pad, pane_border, put, put_all, restyle};
use crate::domain::Source;
use crate::faces::text::clean;
use crate::faces::tui::columns::{self, CellContext};
use crate::faces::tui::format::{grouped, source_state};
use crate::faces::tui::layout::below_heading;
use crate::faces::tui::model::{Model, Pane};
use crate::faces::tui::theme::Theme;

/// Columns left of the first cell, for mark and glyph.
const SIGNS: u16 = 3;

/// Draws the table; returns the number of rows built.
pub(crate) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) -> usize {
    let (sort, reversed) = model.table.sorting();
    let arrow = if reversed { "↑" } else { "↓" };
    let order = format!("{arrow} {}", sort.heading.to_lowercase());
    let style = pane_border(model, Pane::Sources, theme);
    let inner = boxed(buffer, area, &title(model), &order, style);
    if model.table.total() == 0 || (!model.loaded && model.table.len() == 0) {
        empty(model, theme, inner, buffer);
        return 0;
    }
    if model.table.len() == 0 {
        let pieces = [("No source matches the filter.", theme.dim)];
        put_all(buffer, inner, 1, &pieces);
    }
    // With one line the selected source is shown instead of the heading.
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
            restyle(buffer, area, theme.selected);
        }
    }
    built
}

fn title(model: &Model) -> String {
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
    title
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

fn heading(theme: &Theme, inner: Rect, buffer: &mut Buffer) {
    let mut line = " ".repeat(usize::from(SIGNS));
    for (column, width) in columns::shown(inner.width, SIGNS) {
        line.push_str(&pad(column.heading, usize::from(width)));
        line.push_str(column.gap());
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
    let context = CellContext {
        theme,
        now: model.now,
        zone: &model.zone,
    };
    let (glyph, state_style) = source_state(source, theme);
    let mark = if is_marked { "▸" } else { " " };
    let signs = [(mark, theme.accent), (&*format!("{glyph} "), state_style)];
    let mut used = put_all(buffer, area, 0, &signs);
    for (column, width) in columns::shown(area.width, SIGNS) {
        let (text, style) = (column.cell)(source, context);
        let text = pad(&clean(&text), usize::from(width)) + column.gap();
        let at = (area.x + used, area.y);
        used += put(buffer, at, area.width.saturating_sub(used), &text, style);
    }
}
