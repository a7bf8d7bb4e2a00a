//! What lies above all: help, palette, forms, questions, toasts.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Clear, Widget as _};
use tui_input::Input;
use unicode_width::UnicodeWidthStr as _;

use super::canvas::{boxed, dialog, paint, put, put_all, scrolled};
use crate::faces::standing::StateWord;
use crate::faces::text::{clean, wrap};
use crate::faces::tui::form::{Form, Value};
use crate::faces::tui::keymap::Context;
use crate::faces::tui::model::{Model, Overlay};
use crate::faces::tui::theme::Theme;

/// Columns of the help, its border included.
const HELP_WIDTH: u16 = 76;

/// Draws what is open; returns where the cursor stands in an input.
pub(crate) fn draw(model: &mut Model, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let keymap = &model.keymap;
    match model.overlay.as_mut()? {
        Overlay::Help { top } => {
            let mut lines: Vec<(String, String, Style)> = Vec::new();
            for (context, title) in Context::ALL {
                lines.push((title.to_owned(), String::new(), theme.accent));
                for binding in keymap.of(context) {
                    let key = format!("  {:<20}", binding.shown());
                    lines.push((key, binding.action.about().to_owned(), theme.text));
                }
            }
            lines.push(("States of sources".to_owned(), String::new(), theme.accent));
            for (_, _, word, meaning) in StateWord::ALL {
                lines.push((format!("  {word:<20}"), meaning.to_owned(), theme.text));
            }
            let all = *buffer.area();
            let width = usize::from(all.width.min(HELP_WIDTH).saturating_sub(2));
            let lines = wrapped(&lines, width);
            let height = usize::from(all.height.saturating_sub(2));
            *top = (*top).min(lines.len().saturating_sub(height));
            let last = (*top + height).min(lines.len());
            let title = format!("Keys {}-{last} of {} (esc closes)", *top + 1, lines.len());
            let inner = dialog(buffer, (HELP_WIDTH, u16::MAX), &title, theme.focus);
            for (line, (key, about, style)) in (0..inner.height).zip(&lines[*top..]) {
                put_all(buffer, inner, line, &[(key, *style), (about, theme.text)]);
            }
            None
        }
        Overlay::Palette { input, cursor } => {
            let actions = Model::palette(input.value());
            let inner = dialog(buffer, (72, 18), "What to do", theme.focus);
            let at = put_input(buffer, inner, 0, ": ", input, theme);
            let height = usize::from(inner.height.saturating_sub(1));
            let top = scrolled(0, *cursor, height, actions.len());
            for (line, place) in (1..inner.height).zip(top..actions.len()) {
                let name = format!("{:<16}", actions[place].name());
                put_all(
                    buffer,
                    inner,
                    line,
                    &[(&name, theme.accent), (actions[place].about(), theme.text)],
                );
                if place == *cursor {
                    paint(
                        buffer,
                        Rect::new(inner.x, inner.y + line, inner.width, 1),
                        theme.selected,
                    );
                }
            }
            Some(at)
        }
        Overlay::Form(form) => draw_form(form, theme, buffer),
        Overlay::Question { text, .. } => {
            let width = text
                .iter()
                .map(|line| line.width())
                .max()
                .unwrap_or(0)
                .max(30)
                + 4;
            let height = u16::try_from(text.len()).unwrap_or(1) + 4;
            let size = (u16::try_from(width).unwrap_or(u16::MAX), height);
            let inner = dialog(buffer, size, "", theme.warning);
            for (line, text) in (0..).zip(text.iter()) {
                put_all(buffer, inner, line, &[(text, theme.text)]);
            }
            let last = inner.height.saturating_sub(1);
            put_all(
                buffer,
                inner,
                last,
                &[("[ No ]", theme.selected), ("   y yes   n no", theme.text)],
            );
            None
        }
        // It lies in the footer.
        Overlay::Filter { .. } => None,
    }
}

/// Parts what stands behind each key into lines that fit, the further ones under the first.
fn wrapped(lines: &[(String, String, Style)], width: usize) -> Vec<(String, String, Style)> {
    let mut parted = Vec::new();
    for (key, about, style) in lines {
        let room = width.saturating_sub(key.width());
        for (at, part) in wrap(about, room).into_iter().enumerate() {
            let key = if at == 0 {
                key.clone()
            } else {
                " ".repeat(key.width())
            };
            parted.push((key, part, *style));
        }
    }
    parted
}

/// Writes an input behind a label; returns where its cursor stands.
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
    if line < area.height {
        put(
            buffer,
            (area.x + used, area.y + line),
            area.width.saturating_sub(used),
            &shown,
            theme.text,
        );
    }
    let column = input.visual_cursor().saturating_sub(scroll).min(room);
    Position::new(
        area.x + used + u16::try_from(column).unwrap_or(0),
        area.y + line,
    )
}

fn draw_form(form: &Form, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let height = u16::try_from(form.fields.len()).unwrap_or(1) + 5;
    let inner = dialog(buffer, (78, height), &form.title(), theme.focus);
    let (words, style) = words_below(form, theme, usize::from(inner.width).max(1));
    // Two lines are always theirs, so that nothing moves while one types.
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
        match &field.value {
            Value::Text(_) if at == 0 && !form.pasted.is_empty() => {
                let text = format!("{} addresses: {} …", form.pasted.len(), form.pasted[0]);
                put_all(
                    buffer,
                    inner,
                    line,
                    &[(&label, theme.accent), (&text, theme.text)],
                );
            }
            Value::Text(input) => {
                let position = put_input(buffer, inner, line, &label, input, theme);
                cursor = if has_focus { Some(position) } else { cursor };
            }
            Value::Switch(on) => {
                let text = if *on { "[x]" } else { "[ ]" };
                put_all(
                    buffer,
                    inner,
                    line,
                    &[(&label, theme.accent), (text, theme.text)],
                );
            }
            Value::Publish(policy) => {
                put_all(
                    buffer,
                    inner,
                    line,
                    &[(&label, theme.accent), (policy.as_str(), theme.text)],
                );
            }
        }
    }
    for (line, part) in (said..inner.height).zip(&words) {
        put_all(buffer, inner, line, &[(part, style)]);
    }
    cursor
}

/// Returns what is wrong with the form, else what its focused field accepts, in lines of this width.
fn words_below(form: &Form, theme: &Theme, width: usize) -> (Vec<String>, Style) {
    let problem = form.trouble();
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
