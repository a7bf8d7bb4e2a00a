//! Applies a filter to its list while the operator types the filter.

use super::screen::show_selected;
use crate::faces::tui::message::Effect;
use crate::faces::tui::model::{FilterTarget, Model};

/// Applies a filter to its list.
pub(super) fn filter(model: &mut Model, what: FilterTarget, text: &str) -> Vec<Effect> {
    match what {
        FilterTarget::Log => {
            model.log.filter(text);
            Vec::new()
        }
        FilterTarget::Messages => {
            let ask = model.messages.filter(text);
            ask.map(Effect::ReadMessages).into_iter().collect()
        }
        FilterTarget::Sources => {
            model.table.filter(text);
            show_selected(model, false)
        }
    }
}
