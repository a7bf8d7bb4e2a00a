//! Actions while an overlay is open: help, palette, form, question or filter handles every action.

use tui_input::Input;

use super::filter::filter;
use super::navigation::navigate;
use super::screen::{ask, open_overlay, run_chosen};
use crate::faces::text::count;
use crate::faces::tui::form::{Form, Submission};
use crate::faces::tui::message::{Change, Effect};
use crate::faces::tui::model::{Model, Overlay};
use crate::faces::tui::user_action::UserAction;

pub(super) fn overlay_action(model: &mut Model, action: UserAction) -> Vec<Effect> {
    let Some(overlay) = model.overlay.take() else {
        return Vec::new();
    };
    match (overlay, action) {
        (Overlay::Help { .. }, UserAction::Close | UserAction::Quit | UserAction::Help) => {
            Vec::new()
        }
        (help @ Overlay::Help { .. }, action) => {
            model.overlay = Some(help);
            navigate(model, action).unwrap_or_default()
        }
        (Overlay::Palette { input, cursor }, action) => {
            palette_action(model, input, cursor, action)
        }
        (Overlay::Question { effect, form, .. }, UserAction::Accept) => {
            model.last_form = form;
            vec![effect]
        }
        (Overlay::Question { form, .. }, _) => {
            model.overlay = form.map(Overlay::Form);
            Vec::new()
        }
        (Overlay::Form(mut form), UserAction::NextField | UserAction::PreviousField) => {
            match action {
                UserAction::NextField => form.next(),
                _ => form.previous(),
            }
            open_overlay(model, Overlay::Form(form))
        }
        (Overlay::Form(form), UserAction::Accept) => accept(model, form),
        (Overlay::Filter { what, before, .. }, UserAction::Close) => filter(model, what, &before),
        _ => Vec::new(),
    }
}

fn palette_action(
    model: &mut Model,
    input: Input,
    cursor: usize,
    action: UserAction,
) -> Vec<Effect> {
    let actions = Model::palette(input.value());
    let cursor = match action {
        UserAction::Accept => {
            let chosen = actions.get(cursor).copied();
            return chosen.map_or_else(Vec::new, |chosen| run_chosen(model, chosen));
        }
        UserAction::NextItem => (cursor + 1).min(actions.len().saturating_sub(1)),
        UserAction::PreviousItem => cursor.saturating_sub(1),
        _ => return Vec::new(),
    };
    open_overlay(model, Overlay::Palette { input, cursor })
}

fn accept(model: &mut Model, mut form: Box<Form>) -> Vec<Effect> {
    match form.submission() {
        Err(problem) => {
            form.refuse_field(&problem);
            open_overlay(model, Overlay::Form(form))
        }
        Ok(Submission::Add(new)) if new.len() > 1 => {
            let text = vec![format!("Add {}?", count(new.len(), "source"))];
            ask(model, text, Effect::Change(Change::Add(new)), Some(form))
        }
        Ok(Submission::Add(new)) => {
            model.last_form = Some(form);
            vec![Effect::Change(Change::Add(new))]
        }
        Ok(Submission::Edit(ids, edit)) => {
            model.last_form = Some(form);
            vec![Effect::Change(Change::Edit(ids, edit))]
        }
    }
}
