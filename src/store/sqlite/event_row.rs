//! Appends events, and keeps them for the subscribers until they are committed.

use rusqlite::params;

use super::row::millis;
use super::transaction::Transaction;
use crate::domain::{About, Action, CommittedEvent, EventId, NewEvent, SourceId, Stamp, VersionId};

/// Appends one event to the log.
pub(super) fn insert_event(
    transaction: &Transaction<'_>,
    stamp: &Stamp,
    action: Action,
    source: Option<SourceId>,
    version: Option<VersionId>,
    detail: Option<&str>,
) -> rusqlite::Result<EventId> {
    let event = NewEvent {
        source_id: source,
        version_id: version,
        detail: detail.map(str::to_owned),
        ..NewEvent::of(action)
    };
    insert_event_under(transaction, stamp, None, event)
}

/// Appends an event about a verdict or a state, with the revision of the policy under which it counts.
pub(super) fn insert_event_under(
    transaction: &Transaction<'_>,
    stamp: &Stamp,
    policy_revision: Option<i64>,
    event: NewEvent,
) -> rusqlite::Result<EventId> {
    insert_event_of_verdict(transaction, stamp, policy_revision, None, event)
}

/// Appends an event about a verdict, with whether a person gave that in the place of a verifier.
pub(super) fn insert_event_of_verdict(
    transaction: &Transaction<'_>,
    stamp: &Stamp,
    policy_revision: Option<i64>,
    by_hand: Option<bool>,
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
            policy_revision,
            by_hand,
            event.about.map(About::id)
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
