//! The state word of a source, and when it is due: what follows from its settings and its state.
//!
//! Never reads a clock.

use chrono::{DateTime, Utc};

use super::{Slot, Source, StateFacts, StateWord};

impl StateWord {
    /// Returns the state of a source.
    pub fn of(source: &Source) -> Self {
        let state = &source.state;
        let is_on = source.settings.enabled && source.removed_at.is_none();
        if let Some(days) = state.days.as_ref().filter(|_| is_on) {
            return days.worst;
        }
        Self::from_facts(&StateFacts {
            is_removed: source.removed_at.is_some(),
            is_enabled: source.settings.enabled,
            is_failing: state.failures > 0,
            has_version: state.version_id.is_some(),
            version_state: state.version_state,
            is_unpublished: state.publish_error.is_some(),
            set_fails: state.set_fails,
            last_outcome: state.last_outcome,
        })
    }
}

/// Returns whether the catalogue's row of a source's newest version is damaged or lost; its state is then unknown.
pub fn is_newest_damaged(source: &Source) -> bool {
    source.state.version_id.is_some() && source.state.version_state.is_none()
}

/// Returns when a source is due; `None` if it never is, or rests until its dated source is due.
pub fn next_due(source: &Source) -> Option<DateTime<Utc>> {
    let rests = source.state.next_slot == Slot::REST;
    let watched = source.settings.enabled && source.removed_at.is_none() && !rests;
    watched.then(|| Slot::start(source.state.next_slot))
}
