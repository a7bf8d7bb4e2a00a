//! What each action does to the model.

use tui_input::Input;

use super::filter::filter;
use super::navigation::walk;
use super::overlay::in_overlay;
use super::pages::{compare, copy, open_selected};
use super::screen::{open, say, show_selected};
use super::source_actions::change;
use crate::faces::tui::action::Action;
use crate::faces::tui::form::Form;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{Filtered, Model, Overlay, Page, Pane};

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::QuitNow {
        return quit(model);
    }
    if action == Action::Suspend {
        return vec![Effect::Suspend];
    }
    if model.overlay.is_some() {
        return in_overlay(model, action);
    }
    if action.changes() && model.mode.read_only {
        model.toast_error(format!(
            "{}: this dashboard is read-only (--read-only)",
            action.name()
        ));
        return Vec::new();
    }
    if let Some(effects) = walk(model, action) {
        return effects;
    }
    match action {
        Action::Quit if model.pages.is_empty() => quit(model),
        Action::Quit | Action::Close => close(model),
        Action::Help => open(model, Overlay::Help { top: 0 }),
        Action::Palette => open(
            model,
            Overlay::Palette {
                input: Input::default(),
                cursor: 0,
            },
        ),
        Action::Filter => open_filter(model),
        Action::NextPane => turn_pane(model, 1),
        Action::PreviousPane => turn_pane(model, Pane::ALL.len() - 1),
        Action::Sort | Action::Reverse | Action::Level | Action::OnlySource => {
            arrange(model, action)
        }
        Action::Freeze => freeze(model),
        Action::Mark | Action::Unmark => mark(model, action),
        Action::Open => open_selected(model),
        Action::Diff => compare(model),
        Action::Hex => {
            if let Some(Page::Version(page)) = model.pages.last_mut()
                && let Some(viewer) = &mut page.viewer
            {
                viewer.toggle_hex();
            }
            Vec::new()
        }
        Action::Copy => copy(model),
        Action::Add => open(model, Overlay::Form(Box::new(Form::add()))),
        _ => change(model, action),
    }
}

fn quit(model: &mut Model) -> Vec<Effect> {
    model.quitting = true;
    vec![Effect::Quit]
}

/// Closes one layer: a page, an error, marks, a filter.
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
        return filter(model, Filtered::Sources, "");
    }
    Vec::new()
}

fn open_filter(model: &mut Model) -> Vec<Effect> {
    if !model.pages.is_empty() {
        return say(
            model,
            "a filter is for the main screen: esc leads back to it",
        );
    }
    let (what, before) = if model.pane == Pane::Log {
        (Filtered::Log, model.log.filter_text().to_owned())
    } else {
        (Filtered::Sources, model.table.filter_text().to_owned())
    };
    let input = Input::new(before.clone());
    open(
        model,
        Overlay::Filter {
            what,
            input,
            before,
        },
    )
}

fn turn_pane(model: &mut Model, by: usize) -> Vec<Effect> {
    match model.pages.last_mut() {
        Some(Page::Source(page)) => {
            if let Some(view) = &mut page.view {
                view.switch_listing();
            }
        }
        Some(Page::Version(page)) => page.shows_verdicts = !page.shows_verdicts,
        Some(Page::Diff(_)) => {}
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

fn arrange(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Sort => model.table.sort_by_next(),
        Action::Reverse => model.table.reverse(),
        Action::Level => model.log.next_level(),
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

fn mark(model: &mut Model, action: Action) -> Vec<Effect> {
    let in_history = model.pane == Pane::History;
    let view = match model.pages.last_mut() {
        Some(Page::Source(page)) => page.view.as_mut(),
        Some(_) => return Vec::new(),
        None if in_history => model.history.as_mut(),
        None => {
            if action == Action::Mark {
                model.table.toggle_mark();
            } else {
                model.table.marks.clear();
            }
            return show_selected(model, false);
        }
    };
    if let Some(view) = view {
        if action == Action::Mark {
            view.toggle_mark();
        } else {
            view.marks.clear();
        }
    }
    Vec::new()
}
