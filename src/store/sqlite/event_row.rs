//! Appends events, and holds them for the subscribers until the commit.

use rusqlite::params;

use super::row::millis;
use super::transaction::Transaction;
use crate::domain::{About, CommittedEvent, EventId, NewEvent, Stamp};

/// Appends one event to the log.
pub(super) fn insert_event(
    transaction: &Transaction<'_>,
    stamp: &Stamp,
    event: NewEvent,
) -> rusqlite::Result<EventId> {
    let actor = transaction.text_id(&stamp.actor.0)?;
    let action_id = transaction.text_id(event.action.as_str())?;
    let id = transaction.insert(
        "INSERT INTO event (at, actor_id, action_id, source_id, version_id, detail, policy_revision, by_hand, about_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            millis(stamp.at),
            actor,
            action_id,
            event.source_id.map(|id| id.0),
            event.version_id.map(|id| id.0),
            event.detail,
            event.policy_revision,
            event.by_hand,
            event.about.map(About::id),
        ],
    )?;
    let id = EventId(id);
    transaction.announce(CommittedEvent {
        id,
        stamp: stamp.clone(),
        event,
    });
    Ok(id)
}
