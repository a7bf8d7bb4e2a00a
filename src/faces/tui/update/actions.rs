//! Runs an action of the operator: closes, opens and arranges here, and hands the others to their modules.

use tui_input::Input;

use super::filter::filter;
use super::messages;
use super::navigation::navigate;
use super::overlay::overlay_action;
use super::pages::{copy, open_diff, open_selected};
use super::screen::{open_filter_of, open_overlay, show_selected, toast};
use super::source_actions::source_action;
use crate::faces::tui::form::Form;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{FilterTarget, Model, Overlay, Page, Pane};
use crate::faces::tui::user_action::UserAction;

pub(super) fn run_action(model: &mut Model, action: UserAction) -> Vec<Effect> {
    if action == UserAction::QuitNow {
        return quit(model);
    }
    if action == UserAction::Suspend {
        return vec![Effect::Suspend];
    }
    if model.overlay.is_some() {
        return overlay_action(model, action);
    }
    if action.changes() && model.mode.read_only {
        model.toast_error(format!(
            "{}: this dashboard is read-only (--read-only)",
            action.name()
        ));
        return Vec::new();
    }
    navigate(model, action).unwrap_or_else(|| act(model, action))
}

/// Runs an action that neither navigates nor needs an open overlay.
fn act(model: &mut Model, action: UserAction) -> Vec<Effect> {
    if let Some(effects) = messages::act(model, action) {
        return effects;
    }
    match action {
        UserAction::Quit if model.pages.is_empty() => quit(model),
        UserAction::Quit | UserAction::Close => close(model),
        UserAction::Help => open_overlay(model, Overlay::Help { top: 0 }),
        UserAction::Palette => open_overlay(
            model,
            Overlay::Palette {
                input: Input::default(),
                cursor: 0,
            },
        ),
        UserAction::Sources => show_sources(model),
        UserAction::Messages => messages::open(model),
        UserAction::Filter => open_filter(model),
        UserAction::NextPane => turn_pane(model, 1),
        UserAction::PreviousPane => turn_pane(model, Pane::ALL.len() - 1),
        UserAction::Sort | UserAction::Reverse | UserAction::Level | UserAction::OnlySource => {
            arrange(model, action)
        }
        UserAction::Freeze => freeze(model),
        UserAction::Mark | UserAction::Unmark => mark(model, action),
        UserAction::Open => open_selected(model),
        UserAction::Diff => open_diff(model),
        UserAction::Hex => {
            if let Some(Page::Version(page)) = model.pages.last_mut()
                && let Some(viewer) = &mut page.viewer
            {
                viewer.toggle_hex();
            }
            Vec::new()
        }
        UserAction::Copy => copy(model),
        UserAction::Add => open_overlay(model, Overlay::Form(Box::new(Form::add()))),
        _ => source_action(model, action),
    }
}

fn show_sources(model: &mut Model) -> Vec<Effect> {
    model.pages.clear();
    show_selected(model, true)
}

fn quit(model: &mut Model) -> Vec<Effect> {
    model.quitting = true;
    vec![Effect::Quit]
}

/// Closes one layer: an error, a page, marks, or a filter.
fn close(model: &mut Model) -> Vec<Effect> {
    if let Some(at) = model.toasts.iter().rposition(|toast| toast.is_error) {
        model.toasts.remove(at);
    } else if model.pages.pop().is_some() {
        return show_selected(model, true);
    } else if !model.table.marks.is_empty() {
        model.table.marks.clear();
    } else if model.pane == Pane::Log && !model.log.filter_text().is_empty() {
        model.log.filter("");
    } else if model.pane == Pane::Log && model.log.only_source().is_some() {
        model.log.only(None);
    } else if !model.table.filter_text().is_empty() {
        return filter(model, FilterTarget::Sources, "");
    }
    Vec::new()
}

fn open_filter(model: &mut Model) -> Vec<Effect> {
    if !model.pages.is_empty() {
        return toast(
            model,
            "a filter is for the main screen: esc leads back to it",
        );
    }
    let (what, before) = if model.pane == Pane::Log {
        (FilterTarget::Log, model.log.filter_text().to_owned())
    } else {
        (FilterTarget::Sources, model.table.filter_text().to_owned())
    };
    open_filter_of(model, what, before)
}

fn turn_pane(model: &mut Model, by: usize) -> Vec<Effect> {
    match model.pages.last_mut() {
        Some(Page::Source(page)) => {
            if let Some(view) = &mut page.view {
                view.switch_listing();
            }
        }
        Some(Page::Version(page)) => page.shows_verdicts = !page.shows_verdicts,
        Some(Page::Diff(_) | Page::Messages | Page::Message(_)) => {}
        None => {
            let at = Pane::ALL
                .iter()
                .position(|pane| *pane == model.pane)
                .unwrap_or(0);
            model.pane = Pane::ALL[(at + by) % Pane::ALL.len()];
        }
    }
    Vec::new()
}

fn arrange(model: &mut Model, action: UserAction) -> Vec<Effect> {
    match action {
        UserAction::Sort => model.table.sort_by_next(),
        UserAction::Reverse => model.table.reverse(),
        UserAction::Level => model.log.next_level(),
        _ => {
            let selected = model.table.selected().map(|source| source.id);
            let only = if model.log.only_source().is_some() {
                None
            } else {
                selected
            };
            model.log.only(only);
        }
    }
    show_selected(model, false)
}

fn freeze(model: &mut Model) -> Vec<Effect> {
    model.frozen = !model.frozen;
    if model.frozen {
        Vec::new()
    } else {
        vec![Effect::Resync]
    }
}

fn mark(model: &mut Model, action: UserAction) -> Vec<Effect> {
    let in_history = model.pane == Pane::History;
    let view = match model.pages.last_mut() {
        Some(Page::Source(page)) => page.view.as_mut(),
        Some(_) => return Vec::new(),
        None if in_history => model.history.as_mut(),
        None => {
            if action == UserAction::Mark {
                model.table.toggle_mark();
            } else {
                model.table.marks.clear();
            }
            return show_selected(model, false);
        }
    };
    if let Some(view) = view {
        if action == UserAction::Mark {
            view.toggle_mark();
        } else {
            view.marks.clear();
        }
    }
    Vec::new()
}
