//! Typing ahead: queues input while a result is pending on which the input depends. So an action never hits another
//! source than the operator means.

use super::actions::run_action;
use super::input;
use crate::domain::SourceId;
use crate::faces::tui::message::{Change, Effect, verify_target};
use crate::faces::tui::model::{Model, Page, Pane, Pending, UserInput};
use crate::faces::tui::user_action::UserAction;

/// Most keys and pastes in the queue: more than an operator types ahead.
const MOST: usize = 256;

/// Puts input into the queue, which `run_ready` empties. Quitting and suspending do not wait.
pub(super) fn enqueue(model: &mut Model, input: UserInput) -> Vec<Effect> {
    if let UserInput::Key(key, _) = &input
        && let Some(action @ (UserAction::QuitNow | UserAction::Suspend)) =
            model.keymap.action(model.contexts(), *key)
    {
        return run_action(model, action);
    }
    if model.queued_input.len() < MOST {
        model.queued_input.push_back(input);
    }
    Vec::new()
}

/// Runs the queued input, up to the first that must still wait.
pub(super) fn run_ready(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    while let Some(input) = model.queued_input.front() {
        let action = match input {
            UserInput::Key(key, _) => model.keymap.action(model.contexts(), *key),
            UserInput::Action(action) => Some(*action),
            UserInput::Paste(_) => None,
        };
        // The outcome of a form may open the form again.
        if model.pending.form_outcome || action.is_some_and(|action| must_wait(model, action)) {
            break;
        }
        let more = match (model.queued_input.pop_front(), action) {
            (_, Some(action)) => run_action(model, action),
            (Some(UserInput::Key(_, event)), None) => input::typed(model, event),
            (Some(UserInput::Paste(text)), None) => input::pasted(model, &text),
            (Some(UserInput::Action(_)) | None, None) => Vec::new(),
        };
        track(model, &more);
        clear_marks(model, &more);
        effects.extend(more);
    }
    effects
}

/// Records the results of these effects as pending.
pub(super) fn track(model: &mut Model, effects: &[Effect]) {
    for effect in effects {
        match effect {
            Effect::ReadHistory(id, Some(_)) => model.pending.pane_history = Some(*id),
            Effect::ReadHistory(id, None) => model.pending.page_history = Some(*id),
            Effect::ReadMessages(_) => model.pending.messages = !model.messages.is_loaded(),
            Effect::ActOnDead(_, id) => {
                model.messages.acting.insert(*id);
            }
            Effect::Change(change) => {
                let origin = change.origin();
                model.pending.form_outcome |= origin.is_form;
                model.pending.changes += usize::from(origin.moves);
            }
            Effect::Fetch(ids) => model.under_way.fetches.extend(ids),
            Effect::Verify(versions) => {
                let verifies = versions.iter().map(verify_target);
                model.under_way.verifies.extend(verifies);
            }
            _ => {}
        }
    }
}

/// Unmarks the sources on which these effects act: the next action is about others.
fn clear_marks(model: &mut Model, effects: &[Effect]) {
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

/// Returns whether an action depends on a pending result.
fn must_wait(model: &Model, action: UserAction) -> bool {
    let is_about_nothing = match action {
        UserAction::Close
        | UserAction::Quit
        | UserAction::Help
        | UserAction::Palette
        | UserAction::Freeze => true,
        UserAction::NextPane | UserAction::PreviousPane => model.pages.is_empty(),
        _ => false,
    };
    if is_about_nothing || model.overlay.is_some() {
        return false;
    }
    let Pending {
        initial_load,
        pane_history,
        page_history,
        changes,
        ..
    } = model.pending;
    let selected = model.table.selected().map(|source| source.id);
    let awaits_history =
        pane_history.is_some() && pane_history == selected && model.selected_history().is_none();
    let is_unready = match (model.pages.last(), model.pane) {
        (Some(Page::Source(page)), _) => page.view.is_none() && page_history == Some(page.id),
        (Some(Page::Messages), _) => model.pending.messages && action != UserAction::Sources,
        (Some(_), _) | (None, Pane::Log) => false,
        (None, Pane::History | Pane::Verdicts) => awaits_history,
        (None, Pane::Sources) if initial_load => {
            let is_about_all = matches!(
                action,
                UserAction::Bottom | UserAction::Sort | UserAction::Reverse | UserAction::Filter
            );
            is_about_all || model.table.total() == 0
        }
        (None, Pane::Sources) => action == UserAction::Diff && awaits_history,
    };
    changes > 0 || is_unready
}
