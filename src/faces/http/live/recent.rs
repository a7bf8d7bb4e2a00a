//! The last events, bounded in bytes, in the order of their ids. Those that were read together are one chunk, whose
//! frames are made once for all clients.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::{FrameHeader, coding};

use super::deflate::deflated;
use super::event_filter::EventTerms;
use crate::domain::{Event, EventId};
use crate::faces::json::EventJson;

/// The bytes of frames that are kept: several times the lag at which a client is closed.
const MAX_BYTES: u64 = 8 << 20;

/// The bytes of frames from which on they are compressed.
const DEFLATED_FROM: usize = 1 << 10;

/// Events that were read together, one at least, with the frames that tell clients of them.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Each with the place where its frame ends.
    events: Vec<(Event, usize)>,
    frames: Bytes,
    /// The frames, compressed, once a client wants them so; none where compressing failed.
    deflated: OnceLock<Option<Bytes>>,
    /// Whether an event may have changed who may read.
    pub(super) changes_rights: bool,
    /// The bytes of the frames of all chunks up to this one.
    position: u64,
    read_at: Instant,
}

impl Chunk {
    /// Returns a chunk behind so many bytes of frames; `None` without events.
    pub(super) fn new(events: Vec<Event>, before: u64) -> Option<Self> {
        let mut frames = Vec::new();
        let add = |event: Event| {
            add_frame(&mut frames, &event);
            (event, frames.len())
        };
        let events: Vec<_> = events.into_iter().map(add).collect();
        (!events.is_empty()).then(|| Self {
            position: before + frames.len() as u64,
            read_at: Instant::now(),
            changes_rights: events.iter().any(|(event, _)| changes_rights(event)),
            frames: frames.into(),
            deflated: OnceLock::new(),
            events,
        })
    }

    /// Returns the time since the events were read.
    pub(super) fn age(&self) -> Duration {
        self.read_at.elapsed()
    }

    /// Returns the id of the last event.
    pub(super) fn newest(&self) -> EventId {
        self.events.last().map_or(EventId(0), |(last, _)| last.id)
    }

    /// Returns the frames of the events after this one that match, compressed where they are worth it and all are wanted.
    pub(super) fn frames_after(&self, after: EventId, terms: &EventTerms, deflates: bool) -> Bytes {
        let first = self.events.partition_point(|(event, _)| event.id <= after);
        if deflates && first == 0 && terms.is_empty() && self.frames.len() > DEFLATED_FROM {
            let compressed = self
                .deflated
                .get_or_init(|| deflated(&self.frames).ok().map(Bytes::from));
            return compressed.as_ref().unwrap_or(&self.frames).clone();
        }
        let begin = |index: usize| {
            index
                .checked_sub(1)
                .map_or(0, |before| self.events[before].1)
        };
        if terms.is_empty() {
            return self.frames.slice(begin(first)..);
        }
        let mut frames = Vec::new();
        for (index, (event, end)) in self.events.iter().enumerate().skip(first) {
            if terms.matches(event) {
                frames.extend_from_slice(&self.frames[begin(index)..*end]);
            }
        }
        frames.into()
    }
}

fn changes_rights(event: &Event) -> bool {
    let action = event.event.action.as_str();
    action.starts_with("person.") || action.starts_with("token.")
}

/// Adds an event as a text frame (RFC 6455 §5.6).
fn add_frame(frames: &mut Vec<u8>, event: &Event) {
    let json = serde_json::to_vec(&EventJson::new(event)).unwrap_or_default();
    add_text_frame(frames, &json);
}

/// Adds a text frame.
pub(super) fn add_text_frame(frames: &mut Vec<u8>, text: &[u8]) {
    let head = FrameHeader {
        opcode: coding::OpCode::Data(coding::Data::Text),
        ..FrameHeader::default()
    };
    // Writing to memory does not fail.
    let _ = head.format(text.len() as u64, frames);
    frames.extend_from_slice(text);
}

/// The last chunks.
#[derive(Debug)]
pub(super) struct Recent {
    chunks: VecDeque<Arc<Chunk>>,
    /// The id of the last event that was dropped, or before which none was read.
    before: EventId,
    /// The bytes of frames so far.
    position: u64,
}

impl Recent {
    /// Returns an empty queue of the events after this one.
    pub(super) fn after(before: EventId) -> Self {
        Self {
            chunks: VecDeque::new(),
            before,
            position: 0,
        }
    }

    /// Returns the id of the newest event.
    pub(super) fn newest(&self) -> EventId {
        self.chunks.back().map_or(self.before, |last| last.newest())
    }

    /// Adds events, and drops the oldest chunks beyond the bound.
    pub(super) fn push(&mut self, events: Vec<Event>) {
        let Some(chunk) = Chunk::new(events, self.position) else {
            return;
        };
        self.position = chunk.position;
        self.chunks.push_back(chunk.into());
        while let Some(first) = self.chunks.front()
            && self.position - first.position > MAX_BYTES
        {
            self.before = first.newest();
            self.chunks.pop_front();
        }
    }

    /// Reports whether every event after this one is kept.
    pub(super) fn reaches_back_to(&self, after: EventId) -> bool {
        after >= self.before
    }

    /// Returns the first chunk with an event after this one, and how many bytes of frames lie behind it.
    pub(super) fn first_after(&self, after: EventId) -> Option<(Arc<Chunk>, u64)> {
        let first = self.chunks.partition_point(|one| one.newest() <= after);
        let chunk = self.chunks.get(first)?;
        Some((Arc::clone(chunk), self.position - chunk.position))
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

    /// Returns the details of the events in frames of 126 bytes to 64 KiB.
    fn details(mut frames: &[u8]) -> Vec<String> {
        let mut details = Vec::new();
        while let [0x81, 126, high, low, rest @ ..] = frames {
            let (json, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            let json: serde_json::Value = serde_json::from_slice(json).expect("JSON");
            details.push(json["detail"].as_str().expect("a text").to_owned());
            frames = rest;
        }
        assert!(frames.is_empty(), "{frames:?}");
        details
    }

    #[test]
    fn a_client_gets_the_frames_after_its_place_that_it_wants() {
        let words = ["alpha", "beta", "alpha two", "delta"];
        let events = (5..).zip(words).map(|(id, word)| event(id, word));
        let chunk = Chunk::new(events.collect(), 0).expect("events");
        let got = |after, terms: &str| {
            let terms = terms.parse().expect("terms");
            details(&chunk.frames_after(EventId(after), &terms, false))
        };
        assert_eq!(got(0, ""), words);
        assert_eq!(got(5, ""), words[1..]);
        assert!(got(8, "").is_empty());
        assert_eq!(got(0, "!beta"), ["alpha", "alpha two", "delta"]);
        assert_eq!(got(5, "alpha"), ["alpha two"]);
        assert!(Chunk::new(Vec::new(), 0).is_none());
    }

    #[test]
    fn a_client_that_wants_a_whole_chunk_gets_it_compressed() {
        let events = (5..)
            .zip(vec!["alpha"; 20])
            .map(|(id, word)| event(id, word));
        let chunk = Chunk::new(events.collect(), 0).expect("events");
        let got = |after, terms: &str| {
            let terms = terms.parse().expect("terms");
            chunk.frames_after(EventId(after), &terms, true)
        };
        let (all, compressed) = (
            chunk.frames_after(EventId(0), &"".parse().expect("none"), false),
            got(4, ""),
        );
        assert_eq!(compressed[0], 0xc1);
        assert!(compressed.len() * 2 < all.len(), "{}", compressed.len());
        // A part of it would refer to events that the client does not have.
        assert_eq!(details(&got(5, "")), vec!["alpha"; 19]);
        assert_eq!(details(&got(0, "alpha")), vec!["alpha"; 20]);
        let one = Chunk::new(vec![event(5, "alpha")], 0).expect("an event");
        let one = one.frames_after(EventId(0), &"".parse().expect("none"), true);
        assert_eq!(details(&one), ["alpha"]);
    }

    #[test]
    fn what_was_dropped_is_not_passed_over() {
        let mut recent = Recent::after(EventId(5));
        assert_eq!(recent.newest(), EventId(5));
        assert!(!recent.reaches_back_to(EventId(4)));
        assert!(recent.reaches_back_to(EventId(5)));
        assert!(recent.first_after(EventId(5)).is_none());
        let long = "x".repeat(1 << 20);
        for id in 6..26 {
            recent.push(vec![event(id, &long)]);
        }
        assert_eq!(recent.newest(), EventId(25));
        assert!(!recent.reaches_back_to(EventId(6)));
        let first = |after| {
            let (chunk, behind) = recent.first_after(EventId(after))?;
            Some((chunk.newest().0, behind >> 20))
        };
        assert_eq!(first(22), Some((23, 2)));
        assert_eq!(first(24), Some((25, 0)));
        assert_eq!(first(25), None);
    }
}
