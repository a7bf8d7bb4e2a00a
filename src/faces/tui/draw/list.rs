//! The history pane and the verdicts pane, and the lists that pages share with them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{boxed, pane_border, put_all, put_fitting, restyle};
use super::plot::{Bar, bars};
use crate::config::Zone;
use crate::domain::{Attempt, AttemptOutcome, format_size};
use crate::faces::text::clean;
use crate::faces::tui::format::{verdict_outcome, version_state};
use crate::faces::tui::history::{HistoryView, Listing};
use crate::faces::tui::layout::below_plot;
use crate::faces::tui::model::{Model, Pane};
use crate::faces::tui::scroll::rows_of;
use crate::faces::tui::theme::Theme;
use crate::faces::tui::verdict_lines::{VerdictLine, verdict_lines};

pub(crate) fn draw_history(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let style = pane_border(model, Pane::History, theme);
    let name = model
        .table
        .selected()
        .map(|source| source.settings.name.clone());
    let title = name.map_or_else(|| "History".to_owned(), |name| format!("History: {name}"));
    let inner = boxed(buffer, area, &title, "", style);
    let Some(view) = &model.history else {
        return;
    };
    if view.history.attempts.is_empty() {
        let words = "Not fetched yet: it is when it is due, or when you press f.";
        put_all(buffer, inner, 0, &[(words, theme.dim)]);
        return;
    }
    let list = below_plot(inner);
    if list.height < inner.height {
        let plot = Rect { height: 1, ..inner };
        bars(buffer, plot, &latencies(view, theme));
    }
    let has_focus = model.pane == Pane::History;
    draw_list(view, &model.zone, theme, list, has_focus, buffer);
}

/// Returns a bar for each attempt, newest first.
pub(crate) fn latencies(view: &HistoryView, theme: &Theme) -> Vec<Bar> {
    let bar = |attempt: &Attempt| match attempt.outcome {
        AttemptOutcome::Failed => (None, theme.bad),
        AttemptOutcome::New => (Some(millis(attempt)), theme.accent),
        AttemptOutcome::Unchanged => (Some(millis(attempt)), theme.good),
        AttemptOutcome::Absent => (Some(millis(attempt)), theme.dim),
    };
    view.history.attempts.iter().map(bar).collect()
}

fn millis(attempt: &Attempt) -> u64 {
    u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX)
}

/// Draws the attempts or versions of a history, below a line that names damaged rows.
pub(crate) fn draw_list(
    view: &HistoryView,
    zone: &Zone,
    theme: &Theme,
    area: Rect,
    has_focus: bool,
    buffer: &mut Buffer,
) {
    if let Some(damage) = &view.damage {
        put_fitting(buffer, area, 0, &[(damage, theme.bad)]);
    }
    let area = rows_of(view, area);
    for (line, at) in (0..area.height).zip(view.top..view.len()) {
        let pieces = match view.listing {
            Listing::Attempts => attempt_pieces(view, at, zone, theme),
            Listing::Versions => version_pieces(view, at, zone, theme),
        };
        let pieces: Vec<_> = pieces
            .iter()
            .map(|(text, style)| (text.as_str(), *style))
            .collect();
        put_fitting(buffer, area, line, &pieces);
        if at == view.cursor() && has_focus {
            let row = Rect::new(area.x, area.y + line, area.width, 1);
            restyle(buffer, row, theme.selected);
        }
    }
}

fn sign(view: &HistoryView, at: usize) -> &'static str {
    let id = view.version_at(at).map(|(version, _)| version.id);
    if id.is_some_and(|id| view.marks.contains(&id)) {
        "▸"
    } else {
        " "
    }
}

/// Returns the words for an attempt that brought nothing and did not fail.
fn nothing_new(attempt: &Attempt) -> String {
    let word = match attempt.outcome {
        AttemptOutcome::Absent => "not there yet",
        _ => "unchanged",
    };
    let status = attempt.http_status.map(|status| format!(" ({status})"));
    format!("{word}{}", status.unwrap_or_default())
}

fn attempt_pieces(
    view: &HistoryView,
    at: usize,
    zone: &Zone,
    theme: &Theme,
) -> Vec<(String, Style)> {
    let Some(attempt) = view.history.attempts.get(at) else {
        return Vec::new();
    };
    let time = zone.wall(attempt.started_at).format("%m-%d %H:%M");
    let mut pieces = vec![(format!("{}{time} ", sign(view, at)), theme.dim)];
    let took = format!("  {} ms", millis(attempt));
    match attempt.outcome {
        AttemptOutcome::Failed => {
            let why = attempt.error.as_deref().unwrap_or("no reason was recorded");
            pieces.push((format!("failed: {}", clean(why)), theme.bad));
            let tries = || (format!("  {} tries", attempt.tries), theme.dim);
            pieces.extend((attempt.tries > 1).then(tries));
        }
        AttemptOutcome::Unchanged | AttemptOutcome::Absent => {
            pieces.push((nothing_new(attempt), theme.text));
            pieces.push((took, theme.dim));
        }
        AttemptOutcome::New => {
            if let Some((version, _)) = view.version_at(at) {
                let (word, style) = version_state(Some(version.state), theme);
                let size = format_size(version.size_bytes);
                pieces.push((format!("new v{}  ", version.id), theme.accent));
                pieces.push((word.to_owned(), style));
                pieces.push((format!("  {size}"), theme.text));
            } else {
                pieces.push(("new".to_owned(), theme.accent));
            }
            pieces.push((took, theme.dim));
        }
    }
    pieces
}

fn version_pieces(
    view: &HistoryView,
    at: usize,
    zone: &Zone,
    theme: &Theme,
) -> Vec<(String, Style)> {
    let Some((version, _)) = view.history.versions.get(at) else {
        return Vec::new();
    };
    let (word, style) = version_state(Some(version.state), theme);
    let published = view.history.source.state.served() == Some(version.id);
    let time = zone.minute(version.fetched_at);
    let name = format!("{}v{:<7}", sign(view, at), version.id);
    let size = format!("{time}  {:>10}  ", format_size(version.size_bytes));
    let kept = format!("kept in {:<10}  ", format_size(version.stored_bytes));
    let published = if published { "  published" } else { "" };
    vec![
        (name, theme.accent),
        (size, theme.text),
        (kept, theme.dim),
        (format!("{word:<10}"), style),
        (published.to_owned(), theme.good),
    ]
}

pub(crate) fn draw_verdicts(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let style = pane_border(model, Pane::Verdicts, theme);
    let view = model.history.as_ref();
    let found = view.and_then(|view| Some((view, view.selected_version()?)));
    let title = found.map_or_else(
        || "Verdicts".to_owned(),
        |(_, (version, _))| format!("Verdicts: v{}", version.id),
    );
    let inner = boxed(buffer, area, &title, "", style);
    if let Some((view, (_, verdicts))) = found {
        let lines = verdict_lines(&view.history.source, view.set_failure(), verdicts);
        write_verdicts(&lines, model.verdicts_top, theme, inner, buffer);
    }
}

/// Writes the lines of verdicts, from a given line on.
pub(crate) fn write_verdicts(
    lines: &[VerdictLine],
    top: usize,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    for (line, shown) in (0..area.height).zip(lines.iter().skip(top)) {
        let ((word, style), (text, text_style)) = match shown {
            VerdictLine::SetFailure(why) => (("set", theme.bad), (why.as_str(), theme.text)),
            VerdictLine::Verdict(outcome, words) => (
                verdict_outcome(*outcome, theme),
                (words.as_str(), theme.text),
            ),
            VerdictLine::Output(text) => (("", theme.dim), (text.as_str(), theme.dim)),
            VerdictLine::None(words) => {
                put_fitting(buffer, area, line, &[(words, theme.dim)]);
                continue;
            }
        };
        let pieces = [(&*format!("{word:<6}"), style), (text, text_style)];
        put_fitting(buffer, area, line, &pieces);
    }
}
