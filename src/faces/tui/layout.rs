//! Where everything lies, from the size alone: four panes, one pane in little room, one line in almost none.

use ratatui::layout::Rect;

use crate::faces::tui::model::{Model, Page, Pane};

/// With fewer columns or lines there is one pane.
const PANES: (u16, u16) = (60, 15);
/// With fewer there is one line.
const LEAST: (u16, u16) = (20, 5);
/// From so many columns on, a page has two columns.
const WIDE: u16 = 100;
/// Lines of a source's settings on its page.
const SETTINGS: u16 = 9;

/// The parts of the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Areas {
    /// Nothing when there is room for one line only.
    pub(crate) header: Option<Rect>,
    pub(crate) body: Rect,
    pub(crate) footer: Option<Rect>,
    panes: [Option<Rect>; 4],
}

impl Areas {
    pub(crate) fn of(model: &Model) -> Self {
        let (width, height) = model.size;
        let all = Rect::new(0, 0, width, height);
        if width < LEAST.0 || height < LEAST.1 {
            let line = Rect {
                height: height.min(1),
                ..all
            };
            return Self {
                header: None,
                body: line,
                footer: None,
                panes: [None; 4],
            };
        }
        let body = Rect::new(0, 1, width, height - 2);
        let mut areas = Self {
            header: Some(Rect { height: 1, ..all }),
            body,
            footer: Some(Rect::new(0, height - 1, width, 1)),
            panes: [None; 4],
        };
        if width < PANES.0 || height < PANES.1 {
            let at = Pane::ALL
                .iter()
                .position(|pane| *pane == model.pane)
                .unwrap_or(0);
            areas.panes[at] = Some(body);
        } else {
            areas.panes = four(body);
        }
        areas
    }

    /// Returns the area of a pane, borders included, when it is shown.
    pub(crate) fn pane(&self, pane: Pane) -> Option<Rect> {
        let at = Pane::ALL.iter().position(|other| *other == pane)?;
        self.panes[at]
    }

    /// Returns how many lines of the list that has the focus are on the screen.
    pub(crate) fn focused_height(&self, model: &Model) -> usize {
        let inner = |area: Rect| usize::from(inside(area).height);
        match model.pages.last() {
            Some(Page::Source(_)) => usize::from(source_page(inside(self.body)).list.height),
            Some(Page::Version(_)) => usize::from(below_facts(inside(self.body)).height),
            Some(Page::Diff(_)) => inner(self.body),
            None => match (self.pane(model.pane), model.pane) {
                (None, _) => 1,
                (Some(area), Pane::Sources) => inner(area).saturating_sub(1),
                (Some(area), Pane::History) => usize::from(below_plot(inside(area)).height),
                (Some(area), Pane::Verdicts | Pane::Log) => inner(area),
            },
        }
    }
}

/// Sources on the left, history above verdicts on the right, the log below all.
fn four(body: Rect) -> [Option<Rect>; 4] {
    let log = (body.height / 4).clamp(4, 14);
    let top = body.height - log;
    let left = if body.width >= 160 {
        body.width * 11 / 20
    } else {
        body.width * 3 / 5
    };
    let right = body.width - left;
    let verdicts = (top / 3).clamp(4, 12);
    let history = top - verdicts;
    [
        Some(Rect::new(body.x, body.y, left, top)),
        Some(Rect::new(body.x + left, body.y, right, history)),
        Some(Rect::new(body.x + left, body.y + history, right, verdicts)),
        Some(Rect::new(body.x, body.y + top, body.width, log)),
    ]
}

/// Returns what lies inside a border.
pub(crate) fn inside(area: Rect) -> Rect {
    Rect::new(
        area.x.saturating_add(1),
        area.y.saturating_add(1),
        area.width.saturating_sub(2),
        area.height.saturating_sub(2),
    )
}

/// Returns the area without its first lines.
pub(crate) fn skip(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect {
        y: area.y + lines,
        height: area.height - lines,
        ..area
    }
}

/// Returns the list of the history pane: below its plot, when there is room for one.
pub(crate) fn below_plot(inner: Rect) -> Rect {
    if inner.height > 4 {
        skip(inner, 1)
    } else {
        inner
    }
}

/// Returns the content of a version's page: below its facts.
pub(crate) fn below_facts(inner: Rect) -> Rect {
    skip(inner, if inner.height > 6 { 3 } else { 0 })
}

/// The parts of a source's page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourceAreas {
    pub(crate) settings: Rect,
    /// Latency and size.
    pub(crate) plots: [Rect; 2],
    pub(crate) list: Rect,
}

/// Returns where a source's settings, plots and list lie on its page.
pub(crate) fn source_page(inner: Rect) -> SourceAreas {
    let none = Rect { height: 0, ..inner };
    if inner.height < SETTINGS + 4 {
        return SourceAreas {
            settings: none,
            plots: [none; 2],
            list: inner,
        };
    }
    let top = Rect {
        height: SETTINGS,
        ..inner
    };
    let list = skip(inner, SETTINGS);
    if inner.width < WIDE {
        return SourceAreas {
            settings: top,
            plots: [none; 2],
            list,
        };
    }
    let half = inner.width / 2;
    let right = Rect::new(inner.x + half, inner.y, inner.width - half, SETTINGS);
    let plot = |row| Rect::new(right.x, right.y + row, right.width, 4);
    SourceAreas {
        settings: Rect {
            width: half - 1,
            ..top
        },
        plots: [plot(0), plot(4)],
        list,
    }
}

/// Tells whether two texts fit side by side.
pub(crate) fn is_wide(area: Rect) -> bool {
    area.width >= WIDE
}
