//! Narrows what is shown as it is typed.

use super::screen::show_selected;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{Filtered, Model};

/// Narrows what is shown as it is typed.
pub(super) fn filter(model: &mut Model, what: Filtered, text: &str) -> Vec<Effect> {
    match what {
        Filtered::Log => {
            model.log.filter(text);
            Vec::new()
        }
        Filtered::Sources => {
            model.table.filter(text);
            show_selected(model, false)
        }
    }
}
