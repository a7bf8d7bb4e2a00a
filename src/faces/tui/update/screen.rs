//! Steps that many actions share: show a toast, open an overlay, read the history of the selected source.

use tui_input::Input;

use crate::faces::tui::form::Form;
use crate::faces::tui::history::HistoryView;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{FilterTarget, Model, Overlay, UserInput};
use crate::faces::tui::user_action::UserAction;

/// Most attempts and versions in the history pane; the page of a source shows all.
pub(crate) const RECENT: usize = 500;

pub(super) fn toast(model: &mut Model, text: &str) -> Vec<Effect> {
    model.toast(text);
    Vec::new()
}

pub(super) fn open_overlay(model: &mut Model, overlay: Overlay) -> Vec<Effect> {
    model.overlay = Some(overlay);
    Vec::new()
}

/// Opens the input of a filter, which begins with the text in force.
pub(super) fn open_filter_of(model: &mut Model, what: FilterTarget, before: String) -> Vec<Effect> {
    let input = Input::new(before.clone());
    let overlay = Overlay::Filter {
        what,
        input,
        before,
    };
    open_overlay(model, overlay)
}

/// Reads the history of the selected source if the history shown is another source's, or stale.
pub(super) fn show_selected(model: &mut Model, is_stale: bool) -> Vec<Effect> {
    let Some(id) = model.table.selected().map(|source| source.id) else {
        model.history = None;
        return Vec::new();
    };
    let shown = model.history.as_ref().map(HistoryView::source_id);
    if shown == Some(id) && !is_stale {
        return Vec::new();
    }
    if shown != Some(id) {
        model.verdicts_top = 0;
    }
    vec![Effect::ReadHistory(id, Some(RECENT))]
}

/// Opens a question whose Yes runs the effect; No opens the form again, if there was one.
pub(super) fn ask(
    model: &mut Model,
    text: Vec<String>,
    effect: Effect,
    form: Option<Box<Form>>,
) -> Vec<Effect> {
    open_overlay(model, Overlay::Question { text, effect, form })
}

/// Queues the action chosen in the palette as the next input.
pub(super) fn run_chosen(model: &mut Model, action: UserAction) -> Vec<Effect> {
    model.queued_input.push_front(UserInput::Action(action));
    Vec::new()
}
