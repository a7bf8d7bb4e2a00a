//! What lies above everything else takes every action while it is open: help, palette, forms, questions, filters.

use super::filter::filter;
use super::navigation::walk;
use super::screen::{ask, chosen, open};
use crate::faces::text::count;
use crate::faces::tui::action::Action;
use crate::faces::tui::form::{Form, Wanted};
use crate::faces::tui::message::{Change, Effect};
use crate::faces::tui::model::{Model, Overlay};

pub(super) fn in_overlay(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(overlay) = model.overlay.take() else {
        return Vec::new();
    };
    match (overlay, action) {
        (Overlay::Help { .. }, Action::Close | Action::Quit | Action::Help) => Vec::new(),
        (help @ Overlay::Help { .. }, action) => {
            model.overlay = Some(help);
            walk(model, action).unwrap_or_default()
        }
        (Overlay::Palette { input, cursor }, Action::Accept) => {
            let actions = Model::palette(input.value());
            actions
                .get(cursor)
                .map(|action| chosen(model, *action))
                .unwrap_or_default()
        }
        (Overlay::Palette { input, cursor }, Action::NextItem | Action::PreviousItem) => {
            let last = Model::palette(input.value()).len().saturating_sub(1);
            let cursor = match action {
                Action::NextItem => (cursor + 1).min(last),
                _ => cursor.saturating_sub(1),
            };
            open(model, Overlay::Palette { input, cursor })
        }
        (Overlay::Question { effect, form, .. }, Action::Accept) => {
            model.last_form = form;
            vec![effect]
        }
        (Overlay::Question { form, .. }, _) => {
            model.overlay = form.map(Overlay::Form);
            Vec::new()
        }
        (Overlay::Form(mut form), Action::NextField | Action::PreviousField) => {
            match action {
                Action::NextField => form.next(),
                _ => form.previous(),
            }
            open(model, Overlay::Form(form))
        }
        (Overlay::Form(form), Action::Accept) => accept(model, form),
        (Overlay::Filter { what, before, .. }, Action::Close) => filter(model, what, &before),
        _ => Vec::new(),
    }
}

fn accept(model: &mut Model, mut form: Box<Form>) -> Vec<Effect> {
    match form.wanted() {
        Err(problem) => {
            form.refuse_field(&problem);
            open(model, Overlay::Form(form))
        }
        Ok(Wanted::Add(new)) if new.len() > 1 => {
            let text = vec![format!("Add {}?", count(new.len(), "source"))];
            ask(model, text, Effect::Change(Change::Add(new)), Some(form))
        }
        Ok(Wanted::Add(new)) => {
            model.last_form = Some(form);
            vec![Effect::Change(Change::Add(new))]
        }
        Ok(Wanted::Edit(ids, edit)) => {
            model.last_form = Some(form);
            vec![Effect::Change(Change::Edit(ids, edit))]
        }
    }
}
