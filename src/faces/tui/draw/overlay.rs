//! Overlays: help, palette, form and question; and toasts.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Clear, Widget as _};
use tui_input::Input;
use unicode_width::UnicodeWidthStr as _;

use super::paint::{boxed, dialog, put, put_all, restyle};
use crate::faces::text::clean;
use crate::faces::tui::form::{Form, Value};
use crate::faces::tui::help::help_lines;
use crate::faces::tui::keymap::Keymap;
use crate::faces::tui::layout::{self, centered, inside};
use crate::faces::tui::model::{Model, Overlay};
use crate::faces::tui::scroll::scrolled;
use crate::faces::tui::theme::Theme;

/// Draws the open overlay; returns the position of the cursor in its input, if it has one.
pub(crate) fn draw(model: &Model, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    match model.overlay.as_ref()? {
        Overlay::Help { top } => draw_help(&model.keymap, *top, theme, buffer),
        Overlay::Palette { input, cursor } => {
            return Some(draw_palette(input, *cursor, theme, buffer));
        }
        Overlay::Form(form) => return draw_form(form, theme, buffer),
        Overlay::Question { text, .. } => draw_question(text, theme, buffer),
        // The footer draws the filter.
        Overlay::Filter { .. } => {}
    }
    None
}

fn draw_help(keymap: &Keymap, top: usize, theme: &Theme, buffer: &mut Buffer) {
    let area = layout::help(*buffer.area());
    let room = inside(area);
    let lines = help_lines(keymap, room.width);
    let last = (top + usize::from(room.height)).min(lines.len());
    let title = format!("Keys {}-{last} of {} (esc closes)", top + 1, lines.len());
    let inner = dialog(buffer, area, &title, theme.focus);
    for (line, shown) in (0..inner.height).zip(lines.iter().skip(top)) {
        let style = if shown.is_heading {
            theme.accent
        } else {
            theme.text
        };
        let pieces = [(&*shown.label, style), (&*shown.text, theme.text)];
        put_all(buffer, inner, line, &pieces);
    }
}

fn draw_palette(input: &Input, cursor: usize, theme: &Theme, buffer: &mut Buffer) -> Position {
    let actions = Model::palette(input.value());
    let area = centered(*buffer.area(), (72, 18));
    let inner = dialog(buffer, area, "What to do", theme.focus);
    let at = put_input(buffer, inner, 0, ": ", input, theme);
    let height = usize::from(inner.height.saturating_sub(1));
    let top = scrolled(0, cursor, height, actions.len());
    for (line, place) in (1..inner.height).zip(top..actions.len()) {
        let name = format!("{:<16}", actions[place].name());
        let pieces = [(&*name, theme.accent), (actions[place].about(), theme.text)];
        put_all(buffer, inner, line, &pieces);
        if place == cursor {
            let row = Rect::new(inner.x, inner.y + line, inner.width, 1);
            restyle(buffer, row, theme.selected);
        }
    }
    at
}

fn draw_question(text: &[String], theme: &Theme, buffer: &mut Buffer) {
    let longest = text.iter().map(|line| line.width()).max().unwrap_or(0);
    let width = u16::try_from(longest.max(30) + 4).unwrap_or(u16::MAX);
    let height = u16::try_from(text.len()).unwrap_or(1) + 4;
    let area = centered(*buffer.area(), (width, height));
    let inner = dialog(buffer, area, "", theme.warning);
    for (line, text) in (0..).zip(text) {
        put_all(buffer, inner, line, &[(text, theme.text)]);
    }
    let last = inner.height.saturating_sub(1);
    let answers = [("[ No ]", theme.selected), ("   y yes   n no", theme.text)];
    put_all(buffer, inner, last, &answers);
}

/// Writes an input behind a label; returns the position of its cursor.
pub(crate) fn put_input(
    buffer: &mut Buffer,
    area: Rect,
    line: u16,
    label: &str,
    input: &Input,
    theme: &Theme,
) -> Position {
    let used = put_all(buffer, area, line, &[(label, theme.accent)]);
    let room = usize::from(area.width.saturating_sub(used)).saturating_sub(1);
    let scroll = input.visual_scroll(room.max(1));
    let shown: String = input.value().chars().skip(scroll).collect();
    let (x, y) = (area.x + used, area.y + line);
    if line < area.height {
        let width = area.width.saturating_sub(used);
        put(buffer, (x, y), width, &shown, theme.text);
    }
    let column = input.visual_cursor().saturating_sub(scroll).min(room);
    Position::new(x + u16::try_from(column).unwrap_or(0), y)
}

fn draw_form(form: &Form, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let height = u16::try_from(form.fields.len()).unwrap_or(1) + 5;
    let area = centered(*buffer.area(), (78, height));
    let inner = dialog(buffer, area, &form.title(), theme.focus);
    let (words, style) = words_below(form, theme, usize::from(inner.width).max(1));
    // Two lines are always reserved for help and errors, so that nothing moves while the operator types.
    let lines = u16::try_from(words.len()).unwrap_or(u16::MAX).max(2);
    let said = inner.height.saturating_sub(lines);
    let fields = usize::from(said).max(1);
    let top = scrolled(0, form.focus, fields, form.fields.len());
    let mut cursor = None;
    for (line, at) in (0..).zip(top..form.fields.len().min(top + fields)) {
        let field = &form.fields[at];
        let has_focus = at == form.focus;
        let sign = if has_focus { "▸" } else { " " };
        let label = format!("{sign} {:<14}", field.key.label());
        let text = match &field.value {
            Value::Text(_) if at == 0 && !form.pasted.is_empty() => {
                format!("{} addresses: {} …", form.pasted.len(), form.pasted[0])
            }
            Value::Text(input) => {
                let position = put_input(buffer, inner, line, &label, input, theme);
                cursor = if has_focus { Some(position) } else { cursor };
                continue;
            }
            Value::Switch(on) => if *on { "[x]" } else { "[ ]" }.to_owned(),
            Value::Publish(policy) => policy.to_string(),
        };
        let pieces = [(&*label, theme.accent), (&*text, theme.text)];
        put_all(buffer, inner, line, &pieces);
    }
    for (line, part) in (said..inner.height).zip(&words) {
        put_all(buffer, inner, line, &[(part, style)]);
    }
    cursor
}

/// Returns the form's error, or else the help of its focused field, in lines of this width.
fn words_below(form: &Form, theme: &Theme, width: usize) -> (Vec<String>, Style) {
    let problem = form.error();
    let (text, style) = problem.map_or((form.help().to_owned(), theme.dim), |p| (p, theme.bad));
    let characters: Vec<char> = clean(&text).chars().collect();
    let lines = characters.chunks(width).map(|part| part.iter().collect());
    (lines.collect(), style)
}

/// Draws the toasts above the footer, on the right.
pub(crate) fn draw_toasts(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut bottom = area.bottom();
    for toast in model.toasts.iter().rev() {
        let text = clean(&toast.text);
        let most = area.width.saturating_sub(2).min(90);
        let room = usize::from(most.saturating_sub(2)).max(1);
        let lines = text.width().div_ceil(room).clamp(1, 4);
        let width = u16::try_from(text.width().min(room)).unwrap_or(most) + 2;
        let height = u16::try_from(lines).unwrap_or(1) + 2;
        if bottom < area.y + height || width > area.width {
            return;
        }
        let place = Rect::new(area.right() - width, bottom - height, width, height);
        Clear.render(place, buffer);
        let (title, style) = if toast.is_error {
            ("error (esc)", theme.bad)
        } else {
            ("", theme.good)
        };
        let inner = boxed(buffer, place, title, "", style);
        let characters: Vec<char> = text.chars().collect();
        for (line, part) in (0..).zip(characters.chunks(room)) {
            let part: String = part.iter().collect();
            put_all(buffer, inner, line, &[(&part, theme.text)]);
        }
        bottom -= height;
    }
}
