//! The whole screen: header, panes or a page, footer, toasts and overlay.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr as _;

use super::paint::{put_all, put_fitting, put_right};
use super::{content, list, log, messages, overlay, source, table};
use crate::domain::Slot;
use crate::faces::tui::format::{grouped, until};
use crate::faces::tui::hints::{Hint, hints};
use crate::faces::tui::layout::Areas;
use crate::faces::tui::model::{FilterTarget, Model, Overlay, Page, Pane};
use crate::faces::tui::theme::Theme;

/// With fewer columns the header has no date.
const NARROW: u16 = 70;

/// Draws the screen; returns the position of the cursor, if an input is open. The buffer of a terminal that was resized
/// just now differs in size from the model: the next frame fits again.
pub(crate) fn draw(model: &Model, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let size = (buffer.area().width, buffer.area().height);
    let areas = Areas::of(size, model.pane);
    let Some((head, foot)) = areas.header.zip(areas.footer) else {
        let text = format!("gannet {}", status(model));
        put_all(buffer, areas.body, 0, &[(&text, theme.text)]);
        return None;
    };
    header(model, theme, head, buffer);
    match model.pages.last() {
        Some(Page::Source(page)) => source::draw(page, model, theme, areas.body, buffer),
        Some(Page::Version(page)) => {
            content::draw_version(page, &model.zone, theme, areas.body, buffer);
        }
        Some(Page::Diff(page)) => content::draw_diff(page, theme, areas.body, buffer),
        Some(Page::Messages) => messages::draw(model, theme, areas.body, buffer),
        Some(Page::Message(open)) => {
            messages::draw_page(open, model, theme, areas.body, buffer);
        }
        None => panes(model, theme, areas, buffer),
    }
    let in_footer = footer(model, theme, foot, buffer);
    overlay::draw_toasts(model, theme, areas.body, buffer);
    overlay::draw(model, theme, buffer).or(in_footer)
}

fn panes(model: &Model, theme: &Theme, areas: Areas, buffer: &mut Buffer) {
    if let Some(area) = areas.pane(Pane::Sources) {
        table::draw(model, theme, area, buffer);
    }
    if let Some(area) = areas.pane(Pane::History) {
        list::draw_history(model, theme, area, buffer);
    }
    if let Some(area) = areas.pane(Pane::Verdicts) {
        list::draw_verdicts(model, theme, area, buffer);
    }
    if let Some(area) = areas.pane(Pane::Log) {
        log::draw(model, theme, area, buffer);
    }
}

/// Returns the status line: the worker's progress, and the number of sources that need attention.
fn status(model: &Model) -> String {
    let mut parts = Vec::new();
    if model.quitting {
        parts.push("stopping; q again ends at once".to_owned());
    } else if model.pass.running && model.pass.total > 0 {
        parts.push(pass_status(model.pass.summary.attempts, model.pass.total));
    }
    if model.mode.is_demo {
        parts.push("demo: an hour in 6 s".to_owned());
    }
    if !model.mode.has_worker {
        parts.push("no worker here".to_owned());
    }
    if model.mode.read_only {
        parts.push("read-only".to_owned());
    }
    if model.log.keeps_earlier_config() {
        parts.push("config rejected, the earlier is in force".to_owned());
    }
    for job in &model.jobs {
        let (done, total) = (grouped(job.done), grouped(job.total));
        parts.push(format!("{} {done}/{total}", job.what));
    }
    if model.frozen {
        parts.push("FROZEN".to_owned());
    }
    if model.loaded {
        parts.extend(count_parts(model));
    } else {
        // The counts are not complete yet.
        parts.push("reading the catalogue".to_owned());
    }
    parts.join(" · ")
}

fn pass_status(done: u64, total: u64) -> String {
    if done > total {
        // More sources have become due since the pass began.
        return format!("pass {}", grouped(done));
    }
    let bar = progress_bar(done, total);
    format!("pass {bar} {}/{}", grouped(done), grouped(total))
}

fn count_parts(model: &Model) -> Vec<String> {
    let counts = model.table.counts();
    let mut parts = vec![
        format!("down {}", counts.down),
        format!("FAIL {}", counts.failed_verification),
    ];
    let others = [
        ("set FAIL", counts.sets),
        ("unpublished", counts.unpublished),
        ("error", counts.errors),
        ("pending", counts.pending),
    ];
    let some = others.into_iter().filter(|(_, count)| *count > 0);
    parts.extend(some.map(|(word, count)| format!("{word} {count}")));
    let dead = model.messages.dead_count;
    parts.extend((dead > 0).then(|| format!("dead messages {}", grouped(dead))));
    // The next slot comes last: in a narrow header the counts matter more.
    let next = counts.next.map(Slot::start);
    parts.extend(next.map(|next| format!("next {}", until(Some(next), model.now))));
    parts
}

fn progress_bar(done: u64, total: u64) -> String {
    const WIDTH: u64 = 8;
    let full = done.saturating_mul(WIDTH) / total.max(1);
    let bar = |part: u64, sign: &str| sign.repeat(usize::try_from(part).unwrap_or(0));
    format!("{}{}", bar(full, "█"), bar(WIDTH.saturating_sub(full), "░"))
}

fn header(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let format = if area.width < NARROW {
        "%H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    let wall = model.zone.wall(model.now).format(format);
    let time = format!("{wall} {}", model.zone.name());
    let taken = u16::try_from(time.len()).unwrap_or(0) + 1;
    let width = area.width.saturating_sub(taken);
    let left = Rect { width, ..area };
    let status = format!(" · {}", status(model));
    let pieces = [("gannet", theme.accent), (&*status, theme.text)];
    put_fitting(buffer, left, 0, &pieces);
    put_right(buffer, area, 0, &time, theme.dim);
}

fn footer(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if let Some(Overlay::Filter { what, input, .. }) = &model.overlay {
        let label = match what {
            FilterTarget::Sources => "filter sources: /",
            FilterTarget::Log => "filter the log: /",
            FilterTarget::Messages => "filter messages, words and queue:NAME: /",
        };
        return Some(overlay::put_input(buffer, area, 0, label, input, theme));
    }
    let hints = hints(model);
    let width =
        |hint: &Hint| u16::try_from(hint.key.width() + hint.word.len() + 3).unwrap_or(u16::MAX);
    // Help and quit are shown, however narrow the footer is.
    let last: u16 = hints.iter().filter(|hint| hint.stays).map(width).sum();
    let (mut at, mut spare) = (area, area.width.saturating_sub(last));
    for hint in hints {
        let needed = width(&hint);
        let room = if hint.stays { at.width } else { spare };
        if needed > room {
            continue;
        }
        spare = spare.saturating_sub(needed);
        let text = format!(" {}  ", hint.word);
        let pieces = [(&*hint.key, theme.accent), (&*text, theme.text)];
        let used = put_all(buffer, at, 0, &pieces);
        at = Rect::new(at.x + used, at.y, at.width - used, 1);
    }
    None
}
