//! Scroll positions of lists: the cursor stays on the screen, whatever was moved, resized or read again.
//!
//! Changes scroll positions only, as the last step of every `update`.

use ratatui::layout::Rect;

use super::help::help_lines;
use super::history::HistoryView;
use super::layout::{
    self, Areas, below_facts, below_heading, below_plot, inside, skip, source_page,
};
use super::messages::layout::{area_of, below_message_facts, queue_parts};
use super::messages::parts::MessagePane;
use super::messages::view::{MessagesView, OpenMessage};
use super::model::{Model, Overlay, Page, Pane};
use super::verdict_lines::verdict_lines;

/// Scrolls every list on the screen as little as its cursor and its end demand.
pub(crate) fn keep_in_view(model: &mut Model) {
    let areas = Areas::of(model.size, model.pane);
    if areas.header.is_none() {
        // A screen of one line shows no list; scroll positions stay for a larger screen.
        return;
    }
    if let Some(Overlay::Help { top }) = &mut model.overlay {
        let area = inside(layout::help(Rect::new(0, 0, model.size.0, model.size.1)));
        let lines = help_lines(&model.keymap, area.width).len();
        *top = within(*top, lines, area);
    }
    match model.pages.last_mut() {
        Some(Page::Messages) => messages_in_view(&mut model.messages, areas.body),
        Some(page) => page_in_view(page, inside(areas.body)),
        None => panes_in_view(model, areas),
    }
}

fn page_in_view(page: &mut Page, inner: Rect) {
    match page {
        Page::Source(page) => {
            if let Some(view) = &mut page.view {
                list_in_view(view, source_page(inner).list);
            }
        }
        // Only when needed: to count the lines of a long output takes time.
        Page::Version(page) if page.shows_verdicts && page.top > 0 => {
            let lines = verdict_lines(&page.source, None, &page.verdicts).len();
            page.top = within(page.top, lines, below_facts(inner));
        }
        Page::Version(_) | Page::Diff(_) | Page::Messages | Page::Message(_) => {}
    }
}

fn messages_in_view(view: &mut MessagesView, body: Rect) {
    let height = |pane| message_lines(view, body, pane).map(usize::from);
    let heights = [MessagePane::List, MessagePane::Dead, MessagePane::Queues].map(height);
    let [list, dead, queues] = heights;
    if let Some(height) = list {
        view.top = scrolled(view.top, view.cursor(), height, view.rows().len());
    }
    if let Some(height) = dead {
        let (cursor, rows) = (view.dead_cursor(), view.dead().len());
        view.dead_top = scrolled(view.dead_top, cursor, height, rows);
    }
    if let Some(height) = queues {
        let (cursor, rows) = (view.queues.cursor(), view.queues.len());
        view.queues.top = scrolled(view.queues.top, cursor, height, rows);
    }
}

/// Returns the lines of a part of the view of messages, if it is shown.
fn message_lines(view: &MessagesView, body: Rect, pane: MessagePane) -> Option<u16> {
    let inner = inside(area_of(body, view.pane, view.parts(), pane)?);
    let area = match pane {
        MessagePane::List | MessagePane::Dead => inner,
        MessagePane::Body => {
            let verdicts = view.body().map_or(0, OpenMessage::verdicts);
            below_message_facts(inner, verdicts)
        }
        MessagePane::Queues => below_heading(queue_parts(inner).0),
    };
    Some(area.height)
}

fn panes_in_view(model: &mut Model, areas: Areas) {
    if let Some(area) = areas.pane(Pane::Sources) {
        let height = usize::from(below_heading(inside(area)).height);
        let table = &mut model.table;
        table.top = scrolled(table.top, table.cursor(), height, table.len());
    }
    let Some(view) = &mut model.history else {
        return;
    };
    if let Some(area) = areas.pane(Pane::History) {
        list_in_view(view, below_plot(inside(area)));
    }
    if model.verdicts_top > 0
        && let Some(area) = areas.pane(Pane::Verdicts)
        && let Some((_, verdicts)) = view.selected_version()
    {
        let lines = verdict_lines(&view.history.source, view.set_failure(), verdicts).len();
        model.verdicts_top = within(model.verdicts_top, lines, inside(area));
    }
}

fn list_in_view(view: &mut HistoryView, area: Rect) {
    let height = usize::from(rows_of(view, area).height);
    view.top = scrolled(view.top, view.cursor(), height, view.len());
}

/// Returns the area of the rows of a list of attempts or versions: below the line that names damage, if there is one.
pub(crate) fn rows_of(view: &HistoryView, area: Rect) -> Rect {
    skip(area, u16::from(view.damage.is_some()))
}

/// Returns the number of lines on the screen of the list or text that has the focus.
pub(crate) fn focused_height(model: &Model) -> usize {
    let areas = Areas::of(model.size, model.pane);
    let page = inside(areas.body);
    let area = match (model.pages.last(), areas.pane(model.pane), model.pane) {
        (Some(Page::Source(_)), ..) => source_page(page).list,
        (Some(Page::Version(_)), ..) => below_facts(page),
        (Some(Page::Diff(_)), ..) => page,
        (Some(Page::Message(open)), ..) => below_message_facts(page, open.verdicts()),
        (Some(Page::Messages), ..) => {
            let view = &model.messages;
            return message_lines(view, areas.body, view.pane).map_or(1, usize::from);
        }
        (None, None, _) => return 1,
        (None, Some(area), Pane::Sources) => skip(inside(area), 1),
        (None, Some(area), Pane::History) => below_plot(inside(area)),
        (None, Some(area), Pane::Verdicts | Pane::Log) => inside(area),
    };
    usize::from(area.height)
}

/// Returns the first of `lines` to draw: `top`, or an earlier one if the area would not be full.
fn within(top: usize, lines: usize, area: Rect) -> usize {
    top.min(lines.saturating_sub(usize::from(area.height).max(1)))
}

/// Returns the first row to draw such that the cursor is among `height` rows, as near to `top` as possible.
pub(crate) fn scrolled(top: usize, cursor: usize, height: usize, len: usize) -> usize {
    let height = height.max(1);
    let least = (cursor + 1).saturating_sub(height);
    top.clamp(least, cursor.max(least))
        .min(len.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_on_the_screen() {
        for (top, cursor, height, len, expected) in [
            (0, 0, 10, 100, 0),
            (0, 10, 10, 100, 1),
            (50, 20, 10, 100, 20),
            (95, 99, 10, 100, 90),
            (5, 2, 10, 3, 0),
            (0, 5, 0, 10, 5),
        ] {
            assert_eq!(
                scrolled(top, cursor, height, len),
                expected,
                "{top} {cursor} {height}"
            );
        }
    }

    #[test]
    fn text_is_scrolled_to_its_end_at_most() {
        for (top, lines, height, expected) in [
            (0, 0, 5, 0),
            (3, 4, 5, 0),
            (3, 10, 5, 3),
            (9, 10, 5, 5),
            (9, 10, 0, 9),
        ] {
            let area = Rect::new(0, 0, 10, height);
            assert_eq!(within(top, lines, area), expected, "{top} {lines} {height}");
        }
    }
}
