//! Writes text, pieces of text in a row, boxes with titles. All drawing goes through here, and every text is cleaned.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use crate::faces::text::{clean, fit};
use crate::faces::tui::layout::inside;
use crate::faces::tui::model::{Model, Pane};
use crate::faces::tui::theme::Theme;

/// Writes text at a position, cut to the width; returns the number of columns used.
pub(crate) fn put(
    buffer: &mut Buffer,
    at: (u16, u16),
    width: u16,
    text: &str,
    style: Style,
) -> u16 {
    let (x, y) = at;
    let area = *buffer.area();
    if width == 0 || y >= area.bottom() || x >= area.right() || y < area.y || x < area.x {
        return 0;
    }
    let width = width.min(area.right() - x);
    let (end, _) = buffer.set_stringn(x, y, clean(text), usize::from(width), style);
    end - x
}

/// Writes pieces of text one behind the other in a line of an area; returns the number of columns used.
pub(crate) fn put_all(buffer: &mut Buffer, area: Rect, line: u16, pieces: &[(&str, Style)]) -> u16 {
    if line >= area.height {
        return 0;
    }
    let mut used = 0;
    for (text, style) in pieces {
        let at = (area.x.saturating_add(used), area.y + line);
        used += put(buffer, at, area.width.saturating_sub(used), text, *style);
    }
    used
}

/// Writes pieces of text one behind the other in a line of an area, with `…` where a piece was cut.
pub(crate) fn put_fitting(buffer: &mut Buffer, area: Rect, line: u16, pieces: &[(&str, Style)]) {
    let mut at = area;
    for (text, style) in pieces {
        let text = clean(text);
        let text = fit(&text, usize::from(at.width));
        let used = put_all(buffer, at, line, &[(&text, *style)]);
        at.x = at.x.saturating_add(used);
        at.width = at.width.saturating_sub(used);
    }
}

/// Writes text so that it ends at the right edge.
pub(crate) fn put_right(buffer: &mut Buffer, area: Rect, line: u16, text: &str, style: Style) {
    let width = u16::try_from(clean(text).width()).unwrap_or(u16::MAX);
    let width = width.min(area.width);
    if line < area.height {
        let at = (area.right() - width, area.y + line);
        put(buffer, at, width, text, style);
    }
}

/// Returns the text in exactly this many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    let spaces = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(spaces))
}

/// Lays a style over an area.
pub(crate) fn restyle(buffer: &mut Buffer, area: Rect, style: Style) {
    buffer.set_style(area.intersection(*buffer.area()), style);
}

/// Draws a box with a title, and a word at its right; returns the area inside.
pub(crate) fn boxed(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    right: &str,
    style: Style,
) -> Rect {
    let area = area.intersection(*buffer.area());
    if area.width < 2 || area.height < 2 {
        return Rect { height: 0, ..area };
    }
    Block::bordered().border_style(style).render(area, buffer);
    let room = area.width.saturating_sub(4);
    let title = clean(title);
    let title = fit(&title, usize::from(room));
    let mut used = 0;
    if !title.is_empty() {
        let (at, title) = ((area.x + 1, area.y), format!(" {title} "));
        used = put(buffer, at, room + 2, &title, style);
    }
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
    let width = width.saturating_add(2);
    if !right.is_empty() && width + used < area.width.saturating_sub(2) {
        let x = area.right() - 1 - width;
        put(buffer, (x, area.y), width, &format!(" {right} "), style);
    }
    inside(area)
}

/// Draws a box over the screen; returns the area inside.
pub(crate) fn dialog(buffer: &mut Buffer, area: Rect, title: &str, style: Style) -> Rect {
    Clear.render(area, buffer);
    boxed(buffer, area, title, "", style)
}

/// Returns the style of a pane's border.
pub(crate) fn pane_border(model: &Model, pane: Pane, theme: &Theme) -> Style {
    if model.pane == pane {
        theme.focus
    } else {
        theme.border
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_by_columns() {
        for (text, columns, expected) in [
            ("prices", 6, "prices"),
            ("prices", 5, "pric…"),
            ("東京都", 5, "東京…"),
            ("東京都", 4, "東…"),
            ("x", 0, ""),
        ] {
            assert_eq!(fit(text, columns), expected);
        }
        assert_eq!(pad("東", 4), "東  ");
    }
}
