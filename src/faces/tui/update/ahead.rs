//! Typing ahead: a key that needs what is still being read waits for it, and those after it, so that none of them does
//! what it says to another source than the one that is meant.

use crokey::KeyCombination;
use crossterm::event::KeyEvent;

use super::act::act;
use super::input;
use crate::faces::tui::action::Action;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{Model, Page, Pane};

/// More keys than anyone types ahead.
const MOST: usize = 256;

pub(super) fn pressed(model: &mut Model, key: KeyCombination, event: KeyEvent) -> Vec<Effect> {
    let action = model.keymap.action(model.contexts(), key);
    if let Some(action @ (Action::QuitNow | Action::Suspend)) = action {
        return act(model, action);
    }
    if model.ahead.len() < MOST {
        model.ahead.push_back((key, event));
    }
    go_on(model)
}

/// Does what the keys say that need not wait any longer.
pub(super) fn go_on(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    while let Some((key, event)) = model.ahead.front().copied() {
        let action = model.keymap.action(model.contexts(), key);
        if action.is_some_and(|action| waits(model, action)) {
            break;
        }
        model.ahead.pop_front();
        effects.extend(match action {
            Some(action) => act(model, action),
            None => input::typed(model, event),
        });
    }
    effects
}

/// Tells whether an action is about what is not there yet.
fn waits(model: &Model, action: Action) -> bool {
    let is_about_nothing = matches!(
        action,
        Action::Close
            | Action::Quit
            | Action::Help
            | Action::Palette
            | Action::Add
            | Action::Undo
            | Action::Freeze
    );
    // What could not be read is not waited for.
    if is_about_nothing || model.overlay.is_some() || model.has_error() {
        return false;
    }
    let has_history = model.table.selected().is_none() || model.selected_history().is_some();
    match (model.pages.last(), model.pane) {
        (Some(Page::Source(page)), _) => page.view.is_none(),
        (Some(_), _) | (None, Pane::Log) => false,
        (None, Pane::History | Pane::Verdicts) => !has_history,
        (None, Pane::Sources) if !model.loaded => {
            let about_all = matches!(
                action,
                Action::Bottom | Action::Sort | Action::Reverse | Action::Filter
            );
            about_all || model.table.total() == 0
        }
        (None, Pane::Sources) => action == Action::Diff && !has_history,
    }
}
