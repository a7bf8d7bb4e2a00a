//! The history and the verdicts of what is selected.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::{boxed, paint, put_all, put_fitting, scrolled};
use super::plot::{Bar, bars};
use super::words::{verdict, verified};
use crate::config::Zone;
use crate::domain::{Attempt, AttemptOutcome, Verdict, format_size, with_origin};
use crate::faces::text::{clean, fit};
use crate::faces::tui::history::{HistoryView, Listing};
use crate::faces::tui::layout::{below_plot, skip};
use crate::faces::tui::model::{Model, Pane};
use crate::faces::tui::theme::Theme;

pub(crate) fn draw_history(model: &mut Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let style = if model.pane == Pane::History {
        theme.focus
    } else {
        theme.border
    };
    let name = model
        .table
        .selected()
        .map(|source| source.settings.name.clone());
    let title = name.map_or_else(|| "History".to_owned(), |name| format!("History: {name}"));
    let inner = boxed(buffer, area, &title, "", style);
    let Some(view) = &mut model.history else {
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
    };
    view.history.attempts.iter().map(bar).collect()
}

fn millis(attempt: &Attempt) -> u64 {
    u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX)
}

/// Draws attempts or versions, the selected one among them, below what is damaged.
pub(crate) fn draw_list(
    view: &mut HistoryView,
    zone: &Zone,
    theme: &Theme,
    area: Rect,
    has_focus: bool,
    buffer: &mut Buffer,
) {
    let mut area = area;
    if let Some(damage) = &view.damage {
        put_fitting(buffer, area, 0, &[(damage, theme.bad)]);
        area = skip(area, 1);
    }
    let height = usize::from(area.height);
    view.top = scrolled(view.top, view.cursor(), height, view.len());
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
            paint(buffer, row, theme.selected);
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

fn attempt_pieces(
    view: &HistoryView,
    at: usize,
    zone: &Zone,
    theme: &Theme,
) -> Vec<(String, Style)> {
    let Some(attempt) = view.history.attempts.get(at) else {
        return Vec::new();
    };
    let time = zone.wall(attempt.started_at);
    let time = time.format("%m-%d %H:%M").to_string();
    let mut pieces = vec![(format!("{}{time} ", sign(view, at)), theme.dim)];
    let took = format!("  {} ms", millis(attempt));
    match attempt.outcome {
        AttemptOutcome::Failed => {
            let why = attempt.error.as_deref().unwrap_or("no reason was recorded");
            pieces.push((format!("failed: {}", clean(why)), theme.bad));
            if attempt.tries > 1 {
                pieces.push((format!("  {} tries", attempt.tries), theme.dim));
            }
        }
        AttemptOutcome::Unchanged => {
            let status = attempt
                .http_status
                .map(|status| format!(" ({status})"))
                .unwrap_or_default();
            pieces.push((format!("unchanged{status}"), theme.text));
            pieces.push((took, theme.dim));
        }
        AttemptOutcome::New => {
            if let Some((version, _)) = view.version_at(at) {
                let (word, style) = verified(Some(version.state), theme);
                let size = format_size(version.size_bytes);
                pieces.push((format!("new v{}  ", version.id), theme.accent));
                pieces.push((word.to_owned(), style));
                pieces.push((format!("  {size}"), theme.text));
                pieces.push((took, theme.dim));
            } else {
                pieces.push(("new".to_owned(), theme.accent));
                pieces.push((took, theme.dim));
            }
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
    let (word, style) = verified(Some(version.state), theme);
    let published = view.history.source.state.served() == Some(version.id);
    let time = zone.minute(version.fetched_at);
    vec![
        (
            format!("{}v{:<7}", sign(view, at), version.id),
            theme.accent,
        ),
        (
            format!("{time}  {:>10}  ", format_size(version.size_bytes)),
            theme.text,
        ),
        (
            format!("kept in {:<10}  ", format_size(version.stored_bytes)),
            theme.dim,
        ),
        (format!("{word:<10}"), style),
        (
            if published { "  published" } else { "" }.to_owned(),
            theme.good,
        ),
    ]
}

pub(crate) fn draw_verdicts(model: &mut Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let style = if model.pane == Pane::Verdicts {
        theme.focus
    } else {
        theme.border
    };
    let found = model
        .history
        .as_ref()
        .and_then(HistoryView::selected_version);
    let title = found.map_or_else(
        || "Verdicts".to_owned(),
        |(version, _)| format!("Verdicts: v{}", version.id),
    );
    let inner = boxed(buffer, area, &title, "", style);
    if let Some((version, verdicts)) = found {
        let history = model.history.as_ref().map(|view| &view.history);
        let newest = history.filter(|one| one.source.state.version_id == Some(version.id));
        let set_fails = newest.and_then(|history| {
            let set = history.source.state.set.as_ref()?;
            Some(format!("{set}  {}", history.set_failure.as_ref()?))
        });
        let first = set_fails.as_deref();
        model.verdicts_top =
            write_verdicts(first, verdicts, theme, inner, model.verdicts_top, buffer);
    }
}

/// Writes each verdict with its output from a line on, below what was said of the set, if that fails; returns the line, held
/// within what there is.
pub(crate) fn write_verdicts(
    set_fails: Option<&str>,
    verdicts: &[Verdict],
    theme: &Theme,
    area: Rect,
    top: usize,
    buffer: &mut Buffer,
) -> usize {
    let mut lines: Vec<(String, String, Style)> = Vec::new();
    lines.extend(set_fails.map(|words| ("set   ".to_owned(), words.to_owned(), theme.bad)));
    for verdict_ in verdicts.iter().rev() {
        let given = &verdict_.verdict;
        let (word, style) = verdict(given.judgement.outcome, theme);
        let took = given.duration.as_millis();
        let given_on = verdict_.given_on.map(|id| format!("v{id}"));
        let detail = with_origin(&given.judgement.detail, given_on);
        let judge = given.judge_words();
        let text = format!("{judge}  {took} ms  {detail}");
        lines.push((format!("{word:<6}"), text, style));
        let output = given.judgement.output.lines();
        lines.extend(output.map(|line| ("      ".to_owned(), line.to_owned(), theme.dim)));
    }
    if lines.is_empty() {
        let words = "No verdicts: no verifier applies, or none has run yet.".to_owned();
        lines.push((String::new(), words, theme.dim));
    }
    let top = top.min(lines.len().saturating_sub(usize::from(area.height).max(1)));
    for (line, (word, text, style)) in (0..area.height).zip(&lines[top..]) {
        let text_style = if word.trim().is_empty() {
            theme.dim
        } else {
            theme.text
        };
        let room = usize::from(area.width).saturating_sub(word.len());
        let text = clean(text);
        put_all(
            buffer,
            area,
            line,
            &[(word, *style), (&fit(&text, room), text_style)],
        );
    }
    top
}
