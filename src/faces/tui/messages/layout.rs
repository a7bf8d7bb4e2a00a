//! The layout of the view of messages: queues above, messages beside the body of the selected one, dead messages below;
//! one of these parts on a small screen.
//!
//! Pure: `scroll` and `draw` both call these functions.

use ratatui::layout::Rect;

use super::parts::{MessagePane, Parts};
use crate::faces::tui::layout::skip;

/// Least columns and lines for all parts.
const MIN_ALL: (u16, u16) = (60, 13);
/// Least columns for plots beside the queues.
const MIN_BESIDE: u16 = 100;
/// Most columns of the table of queues beside plots.
const MAX_TABLE: u16 = 76;
/// Lines of plots below the queues: a heading and the bars.
const PLOTS: u16 = 3;

/// Returns the area of a part, borders included, when it is shown; this one has the focus.
pub(crate) fn area_of(
    body: Rect,
    focus: MessagePane,
    parts: Parts,
    pane: MessagePane,
) -> Option<Rect> {
    if body.width < MIN_ALL.0 || body.height < MIN_ALL.1 {
        return (pane == focus).then_some(body);
    }
    let queues = queues_height(body, parts);
    let rest = skip(body, queues);
    let dead = dead_height(rest, parts);
    let middle = Rect {
        height: rest.height - dead,
        ..rest
    };
    let list = if body.width >= 160 {
        middle.width * 11 / 20
    } else {
        middle.width * 3 / 5
    };
    let area = match pane {
        MessagePane::Queues => Rect {
            height: queues,
            ..body
        },
        MessagePane::List => Rect {
            width: list,
            ..middle
        },
        MessagePane::Body => Rect {
            x: middle.x + list,
            width: middle.width - list,
            ..middle
        },
        MessagePane::Dead => skip(rest, middle.height),
    };
    (area.height > 0).then_some(area)
}

/// A third of the screen at most.
fn queues_height(body: Rect, parts: Parts) -> u16 {
    if parts.queues == 0 {
        return 0;
    }
    let rows = u16::try_from(parts.queues).unwrap_or(u16::MAX);
    if body.width >= MIN_BESIDE {
        let most = (body.height / 5).max(4);
        return rows.saturating_add(1).clamp(4, most) + 2;
    }
    let most = (body.height / 8).max(1);
    rows.min(most) + 1 + PLOTS + 2
}

/// A third of the rest at most.
fn dead_height(rest: Rect, parts: Parts) -> u16 {
    if parts.dead == 0 {
        return 0;
    }
    let rows = u16::try_from(parts.dead).unwrap_or(u16::MAX);
    rows.saturating_add(2).min((rest.height / 3).max(3))
}

/// Returns the areas of the table of queues, heading included, and of the plots, within the borders of both.
pub(crate) fn queue_parts(inner: Rect) -> (Rect, Rect) {
    if inner.width + 2 >= MIN_BESIDE {
        let table = (inner.width / 2).min(MAX_TABLE);
        let plots = Rect {
            x: inner.x + table + 1,
            width: inner.width - table - 1,
            ..inner
        };
        return (
            Rect {
                width: table,
                ..inner
            },
            plots,
        );
    }
    if inner.height < 1 + 1 + PLOTS {
        return (inner, Rect { height: 0, ..inner });
    }
    let table = inner.height - PLOTS;
    (
        Rect {
            height: table,
            ..inner
        },
        skip(inner, table),
    )
}

/// Returns the area of the body of a message: below its facts, and below what so many verifiers say of it, as far as there
/// is room.
pub(crate) fn below_message_facts(inner: Rect, verdicts: usize) -> Rect {
    if inner.height <= 4 {
        return inner;
    }
    let verdicts = u16::try_from(verdicts).unwrap_or(u16::MAX);
    skip(inner, 2 + verdicts.min(inner.height / 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_the_screen_without_overlap() {
        for (width, height) in [(60, 13), (80, 22), (120, 38), (200, 48), (100, 13)] {
            for (queues, dead) in [(0, 0), (1, 0), (3, 1), (1_001, 100), (0, 5)] {
                let body = Rect::new(0, 1, width, height);
                let parts = Parts { queues, dead };
                let areas =
                    MessagePane::ALL.map(|pane| area_of(body, MessagePane::List, parts, pane));
                let name = format!("{width} x {height}, {queues} queues, {dead} dead: {areas:?}");
                let cells: u32 = areas.iter().flatten().map(|area| area.area()).sum();
                assert_eq!(cells, body.area(), "{name}");
                for area in areas.iter().flatten() {
                    assert_eq!(area.intersection(body), *area, "{name}");
                    assert!(area.height >= 3, "{name}");
                }
            }
        }
        let small = Rect::new(0, 1, 59, 30);
        for pane in MessagePane::ALL {
            let shown = area_of(small, MessagePane::Dead, Parts::default(), pane);
            assert_eq!(shown.is_some(), pane == MessagePane::Dead);
        }
    }
}
