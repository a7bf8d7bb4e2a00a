//! The messages that were pushed lately, for the clients of the live feed: each at the moment at which it is durable, whichever
//! process put it on its queue.
//!
//! Never drops one that a client has not got without that client being closed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::sync::watch;

use super::recent::add_text_frame;
use crate::app::{App, ErrorKind, MessagesQuery, Queued, Result};
use crate::domain::{Message, MessageId, QueueName, bodies_of};
use crate::faces::json::MessageJson;

/// The bytes of bodies that are kept: several times the lag at which a client is closed.
const MAX_BYTES: u64 = 8 << 20;

/// A message of another process is kept so long after it was persisted at most, unless the store cannot be read.
const FOREIGN_LAG: TimeDelta = TimeDelta::seconds(60);

/// The messages that are read from the store at once.
const PAGE: usize = 500;
/// The bytes of bodies that are read from the store at once.
const PAGE_BYTES: usize = 1 << 20;

/// A message as clients get it, in an object of its own, by which it is told from an event.
#[derive(Serialize)]
struct Pushed<'a> {
    message: MessageJson<'a>,
}

/// Messages that came together.
#[derive(Debug)]
pub(super) struct Unit {
    /// The first of them, with the bodies of all.
    first: Message,
    count: usize,
    /// The bytes of the bodies of all units up to this one.
    position: u64,
    frames: OnceLock<Bytes>,
}

impl Unit {
    /// Returns the queue of the messages.
    pub(super) fn queue(&self) -> &QueueName {
        &self.first.queue
    }

    /// Returns the id of the first message.
    pub(super) fn first_id(&self) -> MessageId {
        self.first.id
    }

    /// Returns the messages as frames, which are made once for all clients.
    pub(super) fn frames(&self) -> Bytes {
        let frames = self.frames.get_or_init(|| {
            let bodies = bodies_of(&self.first.body, self.count);
            frames_of(bodies.enumerate().map(|(place, body)| Message {
                id: self.first.id.after(place),
                body: body.to_owned(),
                ..self.first.clone()
            }))
        });
        frames.clone()
    }

    fn has(&self, id: MessageId) -> bool {
        self.first.id <= id && id < self.first.id.after(self.count)
    }
}

/// Returns messages as text frames.
pub(super) fn frames_of(messages: impl IntoIterator<Item = Message>) -> Bytes {
    let mut frames = Vec::new();
    for message in messages {
        let message = MessageJson::new(&message);
        let json = serde_json::to_vec(&Pushed { message }).unwrap_or_default();
        add_text_frame(&mut frames, &json);
    }
    frames.into()
}

/// The units that were pushed lately.
#[derive(Debug, Default)]
struct Recent {
    units: VecDeque<Arc<Unit>>,
    /// The number of the first of them.
    begin: u64,
    /// The bytes of bodies so far.
    position: u64,
}

impl Recent {
    fn push(&mut self, first: Message, count: usize) -> u64 {
        self.position += first.body.len() as u64;
        self.units.push_back(Arc::new(Unit {
            first,
            count,
            position: self.position,
            frames: OnceLock::new(),
        }));
        while let Some(first) = self.units.front()
            && self.position - first.position > MAX_BYTES
        {
            self.units.pop_front();
            self.begin += 1;
        }
        self.begin + self.units.len() as u64
    }
}

/// What a client gets next.
pub(super) enum Next {
    /// Nothing now.
    Nothing,
    /// A unit, and how many bytes of bodies lie behind it.
    Unit(Arc<Unit>, u64),
    /// The client lies so far behind that its next unit is gone.
    Lost,
}

/// The messages that were pushed lately, and the news that there are more.
#[derive(Clone, Debug)]
pub(in crate::faces::http) struct MessageFeed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    recent: Mutex<Recent>,
    /// The number of the next unit.
    next: watch::Sender<u64>,
    /// The place of the message that was persisted last, as far as the store was read.
    persisted: AtomicI64,
}

impl MessageFeed {
    /// Returns the feed of the messages that are pushed from now on.
    pub(super) async fn start(app: &App) -> Result<Self> {
        Ok(Self(Arc::new(Inner {
            recent: Mutex::default(),
            next: watch::Sender::new(0),
            persisted: AtomicI64::new(app.newest_persisted().await?),
        })))
    }

    /// Passes messages on that this process just put on their queue.
    pub(in crate::faces::http) fn push(&self, queued: &Queued, first: Message) {
        self.add(first, queued.count);
    }

    fn add(&self, first: Message, count: usize) {
        let next = self.recent().push(first, count);
        self.0.next.send_replace(next);
    }

    /// Passes messages on that another process put on a queue, once they are persisted.
    pub(super) async fn read_on(&self, app: &App) -> Result<()> {
        loop {
            let after = self.0.persisted.load(Ordering::Relaxed);
            let ids = app.persisted_after(after, PAGE).await?;
            if ids.is_empty() {
                return Ok(());
            }
            for (place, id) in ids {
                if !app.is_own_message(id) {
                    match app.message_with(id).await {
                        Ok(message) => self.add(message, 1),
                        // Its queue keeps it no longer.
                        Err(error) if error.kind == ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
                self.0.persisted.store(place, Ordering::Relaxed);
            }
        }
    }

    /// Returns the number of the next unit.
    pub(super) fn next_number(&self) -> u64 {
        *self.0.next.borrow()
    }

    /// Returns a receiver that changes with each unit.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.0.next.subscribe()
    }

    /// Returns the unit with this number.
    pub(super) fn unit(&self, number: u64) -> Next {
        let recent = self.recent();
        let Some(place) = number.checked_sub(recent.begin) else {
            return Next::Lost;
        };
        let unit = usize::try_from(place).ok();
        match unit.and_then(|place| recent.units.get(place)) {
            Some(unit) => Next::Unit(Arc::clone(unit), recent.position - unit.position),
            None => Next::Nothing,
        }
    }

    /// Returns the number of the unit behind the one that has a message; `None` when that is not kept.
    pub(super) fn number_after(&self, id: MessageId) -> Option<u64> {
        let recent = self.recent();
        let place = recent.units.iter().position(|unit| unit.has(id))?;
        Some(recent.begin + place as u64 + 1)
    }

    /// Returns whether a message that is persisted may be among those that are kept, or those to come.
    pub(super) fn may_have(&self, message: &Message, now: DateTime<Utc>) -> bool {
        let first = self
            .recent()
            .units
            .front()
            .map(|unit| unit.first.received_at);
        let since = first.map_or(now, |first| first.min(now)) - FOREIGN_LAG;
        message.persisted_at >= Some(since)
    }

    /// Returns the number of the first unit that is kept.
    pub(super) fn first_number(&self) -> u64 {
        self.recent().begin
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the query for persisted messages behind one.
pub(super) fn page(after: Option<MessageId>, queue: Option<QueueName>) -> MessagesQuery {
    MessagesQuery {
        queue,
        state: None,
        after,
        newest_first: false,
        limit: PAGE,
        enough_bytes: PAGE_BYTES,
    }
}
