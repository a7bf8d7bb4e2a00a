//! The view of messages: the list, a message in full, and dead messages. `queues` draws the queues.

use std::ops::Range;

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{boxed, pad, put_all, put_fitting, put_right, restyle};
use super::queues;
use crate::domain::{VersionState, format_size};
use crate::faces::queue_words::length;
use crate::faces::text::{clean, count, wrap};
use crate::faces::tui::format::{grouped, verdict_outcome, version_state};
use crate::faces::tui::messages::ask::{DeadRow, MessageRef, MessageRow, VerdictRow, WholeMessage};
use crate::faces::tui::messages::layout::{area_of, below_message_facts};
use crate::faces::tui::messages::parts::MessagePane;
use crate::faces::tui::messages::view::{HELD, OpenMessage};
use crate::faces::tui::model::Model;
use crate::faces::tui::theme::Theme;

/// Columns of a list from which on it has the names of queues, and of senders.
const WITH_QUEUE: u16 = 36;
const WITH_SENDER: u16 = 80;
/// Columns of a state, and of the gap behind it.
const STATE_COLUMNS: usize = 9;

pub(crate) fn draw(model: &Model, theme: &Theme, body: Rect, buffer: &mut Buffer) {
    let view = &model.messages;
    for pane in MessagePane::ALL {
        let Some(area) = area_of(body, view.pane, view.parts(), pane) else {
            continue;
        };
        let border = if pane == view.pane {
            theme.focus
        } else {
            theme.border
        };
        match pane {
            MessagePane::List => draw_list(model, theme, (area, border), buffer),
            MessagePane::Body => draw_body(model, theme, (area, border), buffer),
            MessagePane::Dead => draw_dead(model, theme, (area, border), buffer),
            MessagePane::Queues => queues::draw(model, theme, (area, border), buffer),
        }
    }
}

fn draw_list(model: &Model, theme: &Theme, (area, border): (Rect, Style), buffer: &mut Buffer) {
    let view = &model.messages;
    let right = match (view.is_following(), view.missed()) {
        (true, _) => "follow".to_owned(),
        (false, (0, _)) => "paused".to_owned(),
        (false, (missed, is_least)) => {
            let more = if is_least { "+" } else { "" };
            format!("↑ {}{more} new", grouped(missed as u64))
        }
    };
    let inner = boxed(buffer, area, &list_title(model), &right, border);
    if view.rows().is_empty() {
        draw_empty(model, theme, inner, buffer);
        return;
    }
    let has_focus = match view.pane {
        MessagePane::List => true,
        MessagePane::Body => !view.shows_dead(),
        MessagePane::Dead | MessagePane::Queues => false,
    };
    let rows = view.rows().iter().enumerate().skip(view.top);
    for (line, (at, row)) in (0..inner.height).zip(rows) {
        draw_row(row, model, theme, (inner, line), buffer);
        if at == view.cursor() && has_focus {
            let row = Rect::new(inner.x, inner.y + line, inner.width, 1);
            restyle(buffer, row, theme.selected);
        }
    }
}

fn list_title(model: &Model) -> String {
    let view = &model.messages;
    let mut title = "Messages".to_owned();
    if view.is_loaded() {
        let rows = view.rows().len();
        // There may be older ones.
        let more = if rows >= HELD { "+" } else { "" };
        title = format!("Messages {}{more}", grouped(rows as u64));
    }
    if !view.filter_text().is_empty() {
        title = format!("{title}  /{}", view.filter_text());
    }
    title
}

fn draw_empty(model: &Model, theme: &Theme, inner: Rect, buffer: &mut Buffer) {
    let view = &model.messages;
    let waiting = view.queues.waiting();
    let wait = format!("{} on the way to the store.", count(waiting, "message"));
    let trouble = view.queue_trouble.as_deref().unwrap_or_default();
    let lines: &[&str] = if !view.is_loaded() {
        &["Reading the messages…"]
    } else if !trouble.is_empty() {
        &[trouble]
    } else if !view.filter_text().is_empty() {
        &["No message matches: esc clears the filter."]
    } else if waiting > 0 && !model.mode.has_worker {
        &[&wait, "No worker is here: `gannet consume` persists them."]
    } else if waiting > 0 {
        &[&wait]
    } else {
        &[
            "No messages yet. Send one:",
            "",
            "gannet messages send '{\"n\": 1}'",
            "",
            "or POST it to /api/v1/messages of `gannet serve`: `gannet help queues`.",
        ]
    };
    let width = usize::from(inner.width);
    let wrapped = lines.iter().flat_map(|text| wrap(text, width));
    for (line, text) in (0..).zip(wrapped) {
        put_all(buffer, inner, line, &[(&text, theme.text)]);
    }
}

fn draw_row(
    row: &MessageRow,
    model: &Model,
    theme: &Theme,
    (area, line): (Rect, u16),
    buffer: &mut Buffer,
) {
    let time = second(row.received_at, model);
    let queue = pad(row.queue.as_str(), queue_columns(area)) + "  ";
    let sender = pad(&row.sender, 16) + "  ";
    let is_one_queue = model.messages.filter_in_force().queue.is_some();
    let mut pieces = vec![(&*time, theme.dim)];
    let (state, style) = state_of(row.state, theme);
    let state = pad(state, STATE_COLUMNS);
    if model.messages.has_judged() {
        pieces.push((&state, style));
    }
    if area.width >= WITH_QUEUE && !is_one_queue {
        pieces.push((&queue, theme.accent));
    }
    if area.width >= WITH_SENDER {
        pieces.push((&sender, theme.dim));
    }
    pieces.push((&row.text, theme.text));
    put_fitting(buffer, area, line, &pieces);
}

fn queue_columns(area: Rect) -> usize {
    if area.width >= WITH_SENDER { 14 } else { 8 }
}

/// Prints the time of a message of today, else day and time.
fn second(time: DateTime<Utc>, model: &Model) -> String {
    let (time, now) = (model.zone.wall(time), model.zone.wall(model.now));
    let format = if time.date() == now.date() {
        "%H:%M:%S  "
    } else {
        "%m-%d %H:%M  "
    };
    time.format(format).to_string()
}

fn draw_body(model: &Model, theme: &Theme, (area, border): (Rect, Style), buffer: &mut Buffer) {
    let open = model.messages.body();
    let title = open.map_or_else(|| "Message".to_owned(), |open| title_of(open.of));
    let inner = boxed(buffer, area, &title, "", border);
    if let Some(open) = open {
        draw_open(open, model, theme, inner, buffer);
    }
}

fn title_of(of: MessageRef) -> String {
    match of {
        MessageRef::Persisted(id) => format!("Message {id}"),
        MessageRef::Dead(id) => format!("Dead {id}"),
    }
}

/// Draws the page of a message.
pub(crate) fn draw_page(
    open: &OpenMessage,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let inner = boxed(buffer, area, &title_of(open.of), "", theme.focus);
    draw_open(open, model, theme, inner, buffer);
}

fn draw_open(open: &OpenMessage, model: &Model, theme: &Theme, inner: Rect, buffer: &mut Buffer) {
    if let Some(problem) = &open.problem {
        let pieces = [("It cannot be shown: ", theme.text), (problem, theme.bad)];
        put_fitting(buffer, inner, 0, &pieces);
        return;
    }
    let Some(whole) = &open.whole else {
        put_all(buffer, inner, 0, &[("Reading…", theme.dim)]);
        return;
    };
    let body = below_message_facts(inner, whole.verdicts.len());
    if body.height < inner.height {
        draw_facts(whole, model, theme, inner, buffer);
        let lines = 2..inner.height - body.height;
        draw_verdicts(&whole.verdicts, theme, (inner, lines), buffer);
    }
    for (line, text) in (0..).zip(open.viewer.page(usize::from(body.height))) {
        let text: String = text.chars().skip(open.viewer.left).collect();
        put_all(buffer, body, line, &[(&text, theme.text)]);
    }
}

fn draw_facts(whole: &WholeMessage, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let size = format_size(whole.size_bytes);
    let facts = format!("  {size} from {}", clean(&whole.sender));
    let (state, style) = state_of(whole.state, theme);
    let state = format!("{state}  ");
    let pieces = [
        (&*state, style),
        (whole.queue.as_str(), theme.accent),
        (&*facts, theme.text),
    ];
    let from = usize::from(whole.state.is_none());
    put_fitting(buffer, area, 0, &pieces[from..]);
    if let Some(reason) = &whole.reason {
        put_fitting(buffer, area, 1, &[(reason, theme.bad)]);
        return;
    }
    let (time, now) = (
        model.zone.wall(whole.received_at),
        model.zone.wall(model.now),
    );
    let format = if time.date() == now.date() {
        "%H:%M:%S%.3f"
    } else {
        "%Y-%m-%d %H:%M:%S%.3f"
    };
    let after = whole.persisted_at.map_or_else(
        || ", not persisted yet".to_owned(),
        |at| {
            let took = (at - whole.received_at).num_milliseconds();
            let took = length(u64::try_from(took).unwrap_or(0));
            format!(", persisted {took} later")
        },
    );
    let times = format!("{}{after}", time.format(format));
    put_fitting(buffer, area, 1, &[(&times, theme.dim)]);
}

/// Draws what the verifiers say on these lines of the area; the last one says how many have no room.
fn draw_verdicts(
    verdicts: &[VerdictRow],
    theme: &Theme,
    (area, lines): (Rect, Range<u16>),
    buffer: &mut Buffer,
) {
    let room = lines.len();
    for (line, (at, one)) in lines.zip(verdicts.iter().enumerate()) {
        let more = verdicts.len() - at;
        if at + 1 == room && more > 1 {
            let text = format!("… {more} more verifiers");
            put_fitting(buffer, area, line, &[(&text, theme.dim)]);
            return;
        }
        let (word, style) = verdict_outcome(one.outcome, theme);
        let pieces = [(word, style), ("  ", theme.text), (&one.words, theme.text)];
        put_fitting(buffer, area, line, &pieces);
    }
}

/// Returns the word and the style of a message's state; no word when nothing is required of it.
fn state_of(state: Option<VersionState>, theme: &Theme) -> (&'static str, Style) {
    state.map_or(("", theme.text), |state| version_state(Some(state), theme))
}

fn draw_dead(model: &Model, theme: &Theme, (area, border): (Rect, Style), buffer: &mut Buffer) {
    let view = &model.messages;
    let title = format!("Dead {}", grouped(view.queues.dead()));
    let inner = boxed(buffer, area, &title, "", border);
    let has_focus = match view.pane {
        MessagePane::Dead => true,
        MessagePane::Body => view.shows_dead(),
        MessagePane::List | MessagePane::Queues => false,
    };
    let rows = view.dead().iter().enumerate().skip(view.dead_top);
    for (line, (at, row)) in (0..inner.height).zip(rows) {
        draw_dead_row(row, model, theme, (inner, line), buffer);
        if at == view.dead_cursor() && has_focus {
            let row = Rect::new(inner.x, inner.y + line, inner.width, 1);
            restyle(buffer, row, theme.selected);
        }
    }
}

fn draw_dead_row(
    row: &DeadRow,
    model: &Model,
    theme: &Theme,
    (area, line): (Rect, u16),
    buffer: &mut Buffer,
) {
    let time = second(row.died_at, model);
    let queue = pad(row.message.queue.as_str(), queue_columns(area)) + "  ";
    let is_acting = model.messages.acting.contains(&row.message.id);
    let pieces = [
        (&*time, theme.dim),
        (&queue, theme.accent),
        (&row.reason, theme.bad),
        ("  ", theme.text),
        (&row.message.text, theme.dim),
    ];
    put_fitting(buffer, area, line, &pieces);
    if is_acting {
        put_right(buffer, area, line, " … ", theme.warning);
    }
}
