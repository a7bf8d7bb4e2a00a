//! Puts typed and pasted text into the open form, palette or filter. With none of them open, text is dropped.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use super::filter::filter;
use crate::faces::tui::form::pasted_lines;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{Model, Overlay};

/// Most bytes of a filter, name or address.
const MAX_TYPED: usize = 8192;

pub(super) fn typed(model: &mut Model, event: KeyEvent) -> Vec<Effect> {
    let Some(request) = request(event) else {
        return Vec::new();
    };
    match &mut model.overlay {
        Some(Overlay::Form(form)) => form.typed(request),
        Some(Overlay::Palette { input, cursor }) => {
            edit(input, request);
            *cursor = 0;
        }
        Some(Overlay::Filter { what, input, .. }) => {
            edit(input, request);
            let (what, text) = (*what, input.value().to_owned());
            return filter(model, what, &text);
        }
        _ => {}
    }
    Vec::new()
}

pub(super) fn pasted(model: &mut Model, text: &str) -> Vec<Effect> {
    match &mut model.overlay {
        Some(Overlay::Form(form)) => {
            form.paste(text);
            Vec::new()
        }
        Some(Overlay::Palette { input, .. }) => {
            insert(input, text);
            Vec::new()
        }
        Some(Overlay::Filter { what, input, .. }) => {
            insert(input, text);
            let (what, text) = (*what, input.value().to_owned());
            filter(model, what, &text)
        }
        // Pasted text must not run as keys.
        _ => {
            model.toast("pasted text goes into the form that `a` opens");
            Vec::new()
        }
    }
}

fn insert(input: &mut Input, text: &str) {
    // Line breaks become spaces, so that words stay apart.
    let line = pasted_lines(text).collect::<Vec<_>>().join(" ");
    for character in line.chars().filter(|c| !c.is_control()).take(MAX_TYPED) {
        edit(input, InputRequest::InsertChar(character));
    }
}

fn edit(input: &mut Input, request: InputRequest) {
    if input.value().len() < MAX_TYPED || !matches!(request, InputRequest::InsertChar(_)) {
        input.handle(request);
    }
}

/// Returns the edit that a key makes in a line of text, as in a shell.
fn request(event: KeyEvent) -> Option<InputRequest> {
    let plain = event.modifiers - KeyModifiers::SHIFT;
    Some(match (event.code, plain) {
        (KeyCode::Char(character), KeyModifiers::NONE) => InputRequest::InsertChar(character),
        (KeyCode::Backspace, KeyModifiers::NONE) | (KeyCode::Char('h'), KeyModifiers::CONTROL) => {
            InputRequest::DeletePrevChar
        }
        (KeyCode::Delete, KeyModifiers::NONE) => InputRequest::DeleteNextChar,
        (KeyCode::Left, KeyModifiers::NONE) | (KeyCode::Char('b'), KeyModifiers::CONTROL) => {
            InputRequest::GoToPrevChar
        }
        (KeyCode::Right, KeyModifiers::NONE) | (KeyCode::Char('f'), KeyModifiers::CONTROL) => {
            InputRequest::GoToNextChar
        }
        (KeyCode::Left, _) => InputRequest::GoToPrevWord,
        (KeyCode::Right, _) => InputRequest::GoToNextWord,
        (KeyCode::Home, _) | (KeyCode::Char('a'), KeyModifiers::CONTROL) => InputRequest::GoToStart,
        (KeyCode::End, _) | (KeyCode::Char('e'), KeyModifiers::CONTROL) => InputRequest::GoToEnd,
        (KeyCode::Char('w'), KeyModifiers::CONTROL) | (KeyCode::Backspace, _) => {
            InputRequest::DeletePrevWord
        }
        (KeyCode::Char('u'), KeyModifiers::CONTROL) => InputRequest::DeleteLine,
        (KeyCode::Char('k'), KeyModifiers::CONTROL) => InputRequest::DeleteTillEnd,
        _ => return None,
    })
}
