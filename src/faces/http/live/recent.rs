//! The last events, bounded in bytes, in the order of their ids.

use std::collections::VecDeque;

use axum::extract::ws::Utf8Bytes;

use crate::domain::{Event, EventId};
use crate::faces::json::EventJson;

/// The bytes of JSON that are kept: several times the lag at which a client is closed.
const MAX_BYTES: u64 = 8 << 20;

/// An event and its JSON.
#[derive(Debug)]
pub(super) struct LiveEvent {
    pub(super) event: Event,
    pub(super) json: Utf8Bytes,
    /// The bytes of JSON of all events up to this one.
    pub(super) position: u64,
}

impl LiveEvent {
    pub(super) fn new(event: Event, before: u64) -> Self {
        let json = serde_json::to_string(&EventJson::new(&event)).unwrap_or_default();
        Self {
            event,
            position: before + json.len() as u64,
            json: json.into(),
        }
    }
}

/// The last events.
#[derive(Debug)]
pub(super) struct Recent {
    events: VecDeque<std::sync::Arc<LiveEvent>>,
    /// The id of the last event that was dropped, or before which none was read.
    pub(super) before: EventId,
    /// The bytes of JSON of all events so far.
    pub(super) position: u64,
}

impl Recent {
    /// Returns an empty queue of the events after this one.
    pub(super) fn after(before: EventId) -> Self {
        Self {
            events: VecDeque::new(),
            before,
            position: 0,
        }
    }

    /// Returns the id of the newest event.
    pub(super) fn newest(&self) -> EventId {
        self.events.back().map_or(self.before, |last| last.event.id)
    }

    /// Adds an event, and drops the oldest ones beyond the bound.
    pub(super) fn push(&mut self, event: Event) {
        let event = LiveEvent::new(event, self.position);
        self.position = event.position;
        self.events.push_back(event.into());
        while let Some(first) = self.events.front()
            && self.position - first.position > MAX_BYTES
        {
            self.before = first.event.id;
            self.events.pop_front();
        }
    }

    /// Returns the events after this one, at most `limit`; `None` when some of them were dropped already.
    pub(super) fn read_after(
        &self,
        after: EventId,
        limit: usize,
    ) -> Option<Vec<std::sync::Arc<LiveEvent>>> {
        if after < self.before {
            return None;
        }
        let from = self.events.partition_point(|one| one.event.id <= after);
        Some(self.events.range(from..).take(limit).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Action, Actor, NewEvent, Stamp};

    fn event(id: i64, detail: &str) -> Event {
        Event {
            id: EventId(id),
            stamp: Stamp {
                at: chrono::DateTime::UNIX_EPOCH,
                actor: Actor("test".to_owned()),
            },
            event: NewEvent::of(Action::PassStarted).detail(detail.to_owned()),
            source_name: None,
        }
    }

    #[test]
    fn what_was_dropped_is_not_passed_over() {
        let mut recent = Recent::after(EventId(5));
        assert_eq!(recent.newest(), EventId(5));
        assert!(recent.read_after(EventId(4), 9).is_none());
        assert_eq!(
            recent.read_after(EventId(5), 9).map(|events| events.len()),
            Some(0)
        );
        let long = "x".repeat(1 << 20);
        for id in 6..26 {
            recent.push(event(id, &long));
        }
        assert_eq!(recent.newest(), EventId(25));
        assert!(recent.before > EventId(6), "{:?}", recent.before);
        let ids = |after: i64, limit| {
            let events = recent.read_after(EventId(after), limit)?;
            Some(events.iter().map(|one| one.event.id.0).collect::<Vec<_>>())
        };
        assert_eq!(ids(6, 9), None);
        assert_eq!(ids(23, 9), Some(vec![24, 25]));
        assert_eq!(ids(23, 1), Some(vec![24]));
        assert_eq!(ids(25, 9), Some(vec![]));
    }
}
