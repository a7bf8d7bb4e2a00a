//! Navigation: moves the cursor or scrolls in the focused list or text, by lines, by pages, to the ends.

use super::messages;
use super::screen::show_selected;
use super::step::Step;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{Model, Overlay, Page, Pane};
use crate::faces::tui::scroll::focused_height;
use crate::faces::tui::user_action::UserAction;

/// Columns that one step to the left or right scrolls.
const SIDE: usize = 8;

/// Runs an action that is a movement; returns none for any other action.
pub(super) fn navigate(model: &mut Model, action: UserAction) -> Option<Vec<Effect>> {
    if matches!(action, UserAction::Left | UserAction::Right) {
        aside(model, action);
        return Some(Vec::new());
    }
    let height = focused_height(model).max(1);
    let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    let half = isize::try_from((height / 2).max(1)).unwrap_or(1);
    let step = match action {
        UserAction::Down => Step::By(1),
        UserAction::Up => Step::By(-1),
        UserAction::PageDown => Step::By(page),
        UserAction::PageUp => Step::By(-page),
        UserAction::HalfDown => Step::By(half),
        UserAction::HalfUp => Step::By(-half),
        UserAction::Top => Step::Top,
        UserAction::Bottom => Step::Bottom,
        _ => return None,
    };
    if let Some(Overlay::Help { top }) = &mut model.overlay {
        *top = step.from(*top, usize::from(u16::MAX));
        return Some(Vec::new());
    }
    Some(match model.pages.last_mut() {
        Some(Page::Messages) => messages::navigate(model, step, height),
        Some(page) => in_page(page, step, height),
        None => in_pane(model, step, height),
    })
}

fn in_page(page: &mut Page, step: Step, height: usize) -> Vec<Effect> {
    match page {
        Page::Source(page) => {
            if let Some(view) = &mut page.view {
                view.select(step.from(view.cursor(), usize::MAX));
            }
        }
        Page::Version(page) if page.shows_verdicts => {
            page.top = step.from(page.top, usize::from(u16::MAX));
        }
        Page::Version(page) => {
            if let Some(viewer) = &mut page.viewer {
                step.scroll(viewer, height);
                return page.window().into_iter().collect();
            }
        }
        Page::Diff(page) => {
            let lines = page.diff.as_ref().map_or(0, |diff| diff.lines.len());
            page.top = step.from(page.top, lines.saturating_sub(height));
        }
        Page::Message(open) => step.scroll(&mut open.viewer, height),
        Page::Messages => {}
    }
    Vec::new()
}

fn in_pane(model: &mut Model, step: Step, height: usize) -> Vec<Effect> {
    match model.pane {
        Pane::Sources => {
            let at = step.from(model.table.cursor(), usize::MAX);
            model.table.select(at);
            return show_selected(model, false);
        }
        Pane::History => {
            if let Some(view) = &mut model.history {
                view.select(step.from(view.cursor(), usize::MAX));
                model.verdicts_top = 0;
            }
        }
        Pane::Verdicts => {
            model.verdicts_top = step.from(model.verdicts_top, usize::from(u16::MAX));
        }
        Pane::Log => {
            let lines = match step {
                Step::By(lines) => lines,
                Step::Top => isize::MIN / 2,
                Step::Bottom => isize::MAX / 2,
            };
            model.log.scroll(lines, height);
        }
    }
    Vec::new()
}

fn aside(model: &mut Model, action: UserAction) {
    let left = match model.pages.last_mut() {
        Some(Page::Version(page)) => page.viewer.as_mut().map(|viewer| &mut viewer.left),
        Some(Page::Diff(page)) => Some(&mut page.left),
        Some(Page::Message(open)) => Some(&mut open.viewer.left),
        Some(Page::Messages) => model.messages.body_mut().map(|open| &mut open.viewer.left),
        _ => None,
    };
    if let Some(left) = left {
        *left = if action == UserAction::Right {
            (*left + SIDE).min(4096)
        } else {
            left.saturating_sub(SIDE)
        };
    }
}
