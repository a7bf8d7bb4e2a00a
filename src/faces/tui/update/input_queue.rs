//! Typing ahead: input that needs what is still under way waits for it, and what comes after it too, so that none of it
//! does what it says to another source than the one that is meant.

use super::actions::act;
use super::input;
use crate::domain::SourceId;
use crate::faces::tui::action::Action;
use crate::faces::tui::message::{Change, Effect, verified};
use crate::faces::tui::model::{Input, Model, Page, Pane, Pending};

/// More input than anyone gives ahead.
const MOST: usize = 256;

/// Takes input; `go_on` follows.
pub(super) fn given(model: &mut Model, input: Input) -> Vec<Effect> {
    if let Input::Key(key, _) = &input
        && let Some(action @ (Action::QuitNow | Action::Suspend)) =
            model.keymap.action(model.contexts(), *key)
    {
        return act(model, action);
    }
    if model.queued_input.len() < MOST {
        model.queued_input.push_back(input);
    }
    Vec::new()
}

/// Does what the input says that need not wait any longer.
pub(super) fn go_on(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    while let Some(input) = model.queued_input.front() {
        let action = match input {
            Input::Key(key, _) => model.keymap.action(model.contexts(), *key),
            Input::Action(action) => Some(*action),
            Input::Paste(_) => None,
        };
        // The outcome of a form may bring it back.
        if model.pending.of_form || action.is_some_and(|action| waits(model, action)) {
            break;
        }
        let more = match (model.queued_input.pop_front(), action) {
            (_, Some(action)) => act(model, action),
            (Some(Input::Key(_, event)), None) => input::typed(model, event),
            (Some(Input::Paste(text)), None) => input::pasted(model, &text),
            (Some(Input::Action(_)) | None, None) => Vec::new(),
        };
        note(model, &more);
        unmark(model, &more);
        effects.extend(more);
    }
    effects
}

/// Notes what these effects bring, to be waited for.
pub(super) fn note(model: &mut Model, effects: &[Effect]) {
    for effect in effects {
        match effect {
            Effect::ReadHistory(id, Some(_)) => model.pending.in_pane = Some(*id),
            Effect::ReadHistory(id, None) => model.pending.on_page = Some(*id),
            Effect::Change(change) => {
                let origin = change.origin();
                model.pending.of_form |= origin.is_form;
                model.pending.changes += usize::from(origin.moves);
            }
            Effect::Fetch(ids) => model.under_way.fetches.extend(ids),
            Effect::Verify(versions) => {
                let verifies = versions.iter().map(verified);
                model.under_way.verifies.extend(verifies);
            }
            _ => {}
        }
    }
}

/// Takes the marks away from what was acted on: the next action is about something else.
fn unmark(model: &mut Model, effects: &[Effect]) {
    for effect in effects {
        let acted_on: Vec<SourceId> = match effect {
            Effect::Change(Change::Edit(ids, _) | Change::Toggle(ids) | Change::Remove(ids))
            | Effect::Fetch(ids) => ids.clone(),
            Effect::Verify(versions) => versions.iter().map(|(source, _)| source.id).collect(),
            _ => Vec::new(),
        };
        for id in acted_on {
            model.table.marks.remove(&id);
        }
    }
}

/// Tells whether an action is about what is under way.
fn waits(model: &Model, action: Action) -> bool {
    let is_about_nothing = match action {
        Action::Close | Action::Quit | Action::Help | Action::Palette | Action::Freeze => true,
        Action::NextPane | Action::PreviousPane => model.pages.is_empty(),
        _ => false,
    };
    if is_about_nothing || model.overlay.is_some() {
        return false;
    }
    let Pending {
        is_first,
        in_pane,
        on_page,
        changes,
        ..
    } = model.pending;
    let selected = model.table.selected().map(|source| source.id);
    let awaits_history =
        in_pane.is_some() && in_pane == selected && model.selected_history().is_none();
    let is_unready = match (model.pages.last(), model.pane) {
        (Some(Page::Source(page)), _) => page.view.is_none() && on_page == Some(page.id),
        (Some(_), _) | (None, Pane::Log) => false,
        (None, Pane::History | Pane::Verdicts) => awaits_history,
        (None, Pane::Sources) if is_first => {
            let is_about_all = matches!(
                action,
                Action::Bottom | Action::Sort | Action::Reverse | Action::Filter
            );
            is_about_all || model.table.total() == 0
        }
        (None, Pane::Sources) => action == Action::Diff && awaits_history,
    };
    changes > 0 || is_unready
}
