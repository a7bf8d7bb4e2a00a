//! Units: messages that came in one request, on their way through a queue.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Digest, JsonLines, Message, MessageId, QueueName, bodies_of};

/// Messages that came in one request, to be put on a queue together or not at all.
#[derive(Clone, Debug)]
pub struct NewUnit {
    /// The queue.
    pub queue: QueueName,
    /// The id of the first message; those of the others follow it.
    pub first: MessageId,
    /// The messages.
    pub bodies: JsonLines,
    /// What makes a repetition of the request harmless.
    pub key: Option<UnitKey>,
}

/// The key under which a unit was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitKey {
    /// The digest of sender, queue and key.
    pub key: Digest,
    /// The digest of the unit's content.
    pub content: Digest,
    /// Until when the key is known.
    pub expires_at: DateTime<Utc>,
}

/// The rows of a unit in the catalogue's queues, all of which are numbered in one row, without gaps, as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueRows {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

/// What became of a unit that was to be put on a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is on the queue: in these rows of the catalogue, or on a server.
    Queued(Option<QueueRows>),
    /// It was put there before under the same key, with so many messages from this one on.
    Repeated(MessageId, usize),
    /// Other content was sent under the same key.
    KeyTaken,
    /// The queue holds as much as it may.
    Full,
    /// There are as many queues as there may be, and this is none of them.
    TooManyQueues,
}

/// A consumer of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerFacts {
    /// Its name: who it works for, and its process.
    pub name: String,
    /// The units that it took and that are not persisted yet.
    pub holds: u64,
    /// The time since it last took anything.
    pub idle: Duration,
}

/// A unit that was taken from a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenUnit {
    /// The queue.
    pub queue: QueueName,
    /// The id of the first message; those of the others follow it.
    pub first: MessageId,
    /// How many messages it has.
    pub count: usize,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Who sent it.
    pub sender: String,
    /// The messages; of several, each on a line.
    pub bodies: String,
    /// The key under which it was sent.
    pub key: Option<UnitKey>,
    /// Why it cannot be persisted, and how often that was tried; `None` for a sound one.
    pub given_up: Option<(String, u32)>,
}

impl TakenUnit {
    /// Returns the message with this id, while it is on its queue; `None` when the unit does not hold it.
    pub fn message(&self, id: MessageId) -> Option<Message> {
        let place = id.0.as_u128().checked_sub(self.first.0.as_u128())?;
        let place = usize::try_from(place)
            .ok()
            .filter(|place| *place < self.count)?;
        Some(Message {
            id,
            queue: self.queue.clone(),
            sender: self.sender.clone(),
            received_at: self.received_at,
            persisted_at: None,
            state: None,
            body: bodies_of(&self.bodies, self.count).nth(place)?.to_owned(),
        })
    }
}
