//! The layout, from the size of the screen alone: four panes, one pane on a small screen, one line on a tiny one.
//!
//! Pure: `scroll` and `draw` both call these functions.

use ratatui::layout::Rect;

use super::model::Pane;

/// Least columns and lines for four panes.
const MIN_FOUR_PANES: (u16, u16) = (60, 15);
/// Least columns and lines for one pane; with fewer there is one line.
const MIN_PANES: (u16, u16) = (20, 5);
/// Least columns for a page in two columns.
const MIN_TWO_COLUMNS: u16 = 100;
/// Lines of a source's settings on its page.
const SETTINGS: u16 = 9;
/// Columns of the help, borders included.
const HELP: u16 = 76;

/// The parts of the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Areas {
    /// None if there is room for one line only.
    pub(crate) header: Option<Rect>,
    pub(crate) body: Rect,
    pub(crate) footer: Option<Rect>,
    panes: [Option<Rect>; 4],
}

impl Areas {
    /// Returns the parts of a screen with this many columns and lines, on which this pane has the focus.
    pub(crate) fn of((width, height): (u16, u16), focus: Pane) -> Self {
        let all = Rect::new(0, 0, width, height);
        if width < MIN_PANES.0 || height < MIN_PANES.1 {
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
        if width < MIN_FOUR_PANES.0 || height < MIN_FOUR_PANES.1 {
            areas.panes[focus as usize] = Some(body);
        } else {
            areas.panes = four_panes(body);
        }
        areas
    }

    /// Returns the area of a pane, borders included, when it is shown.
    pub(crate) fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes[pane as usize]
    }
}

/// Sources on the left, history above verdicts on the right, the log below all.
fn four_panes(body: Rect) -> [Option<Rect>; 4] {
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

/// Returns the area inside a border.
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

/// Returns the area of the rows of the table of sources: below the heading, if there is room for a heading.
pub(crate) fn below_heading(inner: Rect) -> Rect {
    skip(inner, u16::from(inner.height > 1))
}

/// Returns the area of the list of the history pane: below the plot, if there is room for a plot.
pub(crate) fn below_plot(inner: Rect) -> Rect {
    if inner.height > 4 {
        skip(inner, 1)
    } else {
        inner
    }
}

/// Returns the area of the content on a version's page: below the facts.
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

/// Returns the areas of settings, plots and list on a source's page.
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
    if inner.width < MIN_TWO_COLUMNS {
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

/// Returns the area of a centred dialog with these columns and lines, borders included, cut to the screen.
pub(crate) fn centered(screen: Rect, (width, height): (u16, u16)) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect::new(
        screen.x + (screen.width - width) / 2,
        screen.y + (screen.height - height) / 2,
        width,
        height,
    )
}

/// Returns the area of the help, borders included.
pub(crate) fn help(screen: Rect) -> Rect {
    centered(screen, (HELP, u16::MAX))
}

/// Returns whether two texts fit side by side.
pub(crate) fn is_wide(area: Rect) -> bool {
    area.width >= MIN_TWO_COLUMNS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_its_parts() {
        const HIDDEN: Option<(u16, u16, u16, u16)> = None;
        let rect = |area: Rect| (area.x, area.y, area.width, area.height);
        for (size, body, [sources, history, verdicts, log]) in [
            // One line.
            ((19, 24), (0, 0, 19, 1), [HIDDEN; 4]),
            ((80, 4), (0, 0, 80, 1), [HIDDEN; 4]),
            ((0, 0), (0, 0, 0, 0), [HIDDEN; 4]),
            // One pane, that with the focus.
            (
                (20, 5),
                (0, 1, 20, 3),
                [HIDDEN, Some((0, 1, 20, 3)), HIDDEN, HIDDEN],
            ),
            (
                (59, 40),
                (0, 1, 59, 38),
                [HIDDEN, Some((0, 1, 59, 38)), HIDDEN, HIDDEN],
            ),
            (
                (200, 14),
                (0, 1, 200, 12),
                [HIDDEN, Some((0, 1, 200, 12)), HIDDEN, HIDDEN],
            ),
            // Four.
            (
                (60, 15),
                (0, 1, 60, 13),
                [
                    Some((0, 1, 36, 9)),
                    Some((36, 1, 24, 5)),
                    Some((36, 6, 24, 4)),
                    Some((0, 10, 60, 4)),
                ],
            ),
            (
                (200, 50),
                (0, 1, 200, 48),
                [
                    Some((0, 1, 110, 36)),
                    Some((110, 1, 90, 24)),
                    Some((110, 25, 90, 12)),
                    Some((0, 37, 200, 12)),
                ],
            ),
        ] {
            let areas = Areas::of(size, Pane::History);
            assert_eq!(rect(areas.body), body, "{size:?}");
            let has_frame = areas.header.is_some() && areas.footer.is_some();
            assert_eq!(has_frame, size.0 >= 20 && size.1 >= 5, "{size:?}");
            let panes = Pane::ALL.map(|pane| areas.pane(pane).map(rect));
            assert_eq!(panes, [sources, history, verdicts, log], "{size:?}");
        }
    }

    #[test]
    fn the_parts_of_a_page_lie_within_it() {
        for (width, height, settings, plots, list) in [
            (78, 20, 9, 0, 11),
            (118, 36, 9, 8, 27),
            (118, 12, 0, 0, 12),
            (0, 0, 0, 0, 0),
        ] {
            let page = Rect::new(1, 2, width, height);
            let areas = source_page(page);
            let plotted: u16 = areas.plots.iter().map(|plot| plot.height).sum();
            let heights = (areas.settings.height, plotted, areas.list.height);
            assert_eq!(heights, (settings, plots, list), "{width} x {height}");
            for part in [areas.settings, areas.plots[0], areas.plots[1], areas.list] {
                assert_eq!(part.intersection(page), part, "{width} x {height}");
            }
        }
    }

    #[test]
    fn dialogs_lie_in_the_middle() {
        for (screen, wanted, expected) in [
            ((80, 24), (40, 10), (20, 7, 40, 10)),
            ((80, 24), (76, u16::MAX), (2, 0, 76, 24)),
            ((30, 6), (76, 10), (0, 0, 30, 6)),
        ] {
            let area = centered(Rect::new(0, 0, screen.0, screen.1), wanted);
            assert_eq!(
                (area.x, area.y, area.width, area.height),
                expected,
                "{screen:?}"
            );
        }
    }
}
