//! Messages: put on a queue, persisted, read, and what could not be persisted.
//!
//! Never looks into a body: that it is JSON was checked when it was read.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize as _;
use serde_json::Value;

use super::message_queue::QueuesRead;
use super::{App, Error, ErrorKind, Result};
use crate::config::Schema;
use crate::domain::{
    DeadMessage, Digest, JsonLines, Message, MessageId, MessagePlace, NewUnit, Put, QueueName,
    QueueRows, Stamp, UnitKey, truncate_line,
};
use crate::store::{
    BadMessages, BadMessagesSince, DeadMessageWith, DeadMessages, LiveAfter, LiveRead, MessagePage,
    MessagesQuery, NewestPersisted, OldestQueueRow, PlaceAtTime, PlaceOfMessage,
};

/// How long a key makes a repetition harmless.
const KEY_LASTS: TimeDelta = TimeDelta::hours(24);

/// The most reasons for which a schema refuses a message that are named.
const MAX_REASONS: usize = 3;

/// What is to be put on a queue, all of it or nothing.
#[derive(Clone, Debug)]
pub struct NewMessages {
    /// The queue.
    pub queue: QueueName,
    /// The values.
    pub bodies: JsonLines,
    /// What makes a repetition of the request harmless, for a day.
    pub key: Option<String>,
}

/// Messages that are on their queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The id of the first; those of the others follow it.
    pub first: MessageId,
    /// How many there are.
    pub count: usize,
    /// When they were put there.
    pub received_at: DateTime<Utc>,
    /// Whether they were put there before, under the same key.
    pub repeated: bool,
    /// Their rows, when they were put on a queue in the catalogue just now.
    pub rows: Option<QueueRows>,
}

/// What became of messages that were to be put on a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queueing {
    /// They are on it.
    Queued(Queued),
    /// They are not: other messages were sent under the key.
    KeyTaken,
    /// They are not: the queue's schema refuses one of them, for this reason.
    Refused(String),
}

impl App {
    /// Puts messages on a queue. When this says that they are on it, they are durable.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] for a new queue when there are too many, [`ErrorKind::Unavailable`] when the queues are full or the store
    /// cannot be written.
    pub async fn queue_messages(&self, new: NewMessages) -> Result<Queueing> {
        let refused = self.refused_by_schema(&new).await?;
        let stamp = self.stamp();
        let received_at = stamp.at;
        let unit = self.unit_of(new, &stamp);
        let (count, queue) = (unit.bodies.count(), unit.queue.clone());
        let first = unit.first;
        let put = match refused {
            None => self.put_on_queue(unit, stamp).await?,
            // A repetition gets the answer of the first time, though the schema was changed since.
            Some(why) => match self.sent_before(&unit, received_at).await? {
                Some(known @ Put::Repeated(..)) => known,
                _ => return Ok(Queueing::Refused(why)),
            },
        };
        let queued = |first, repeated, rows| Queued {
            first,
            count,
            received_at,
            repeated,
            rows,
        };
        match put {
            Put::Queued(rows) => {
                self.ports.messages_came.notify_one();
                Ok(Queueing::Queued(queued(first, false, rows)))
            }
            Put::Repeated(first, _) => Ok(Queueing::Queued(queued(first, true, None))),
            Put::KeyTaken => Ok(Queueing::KeyTaken),
            Put::Full => Err(Error::new(ErrorKind::Unavailable, "the queues are full")
                .hint("send again later; `gannet consume` empties them")),
            Put::TooManyQueues => {
                let message = format!("there is no queue {queue}, and there may be no further one");
                Err(Error::new(ErrorKind::Conflict, message))
            }
        }
    }

    /// Returns why the schema of the queue refuses messages.
    async fn refused_by_schema(&self, new: &NewMessages) -> Result<Option<String>> {
        let config = self.config();
        let queue = config.queues.iter().find(|queue| queue.name == new.queue);
        let Some(schema) = queue.and_then(|queue| queue.schema.clone()) else {
            return Ok(None);
        };
        let bodies = new.bodies.clone();
        let checked = tokio::task::spawn_blocking(move || first_refusal(&schema, &bodies)).await;
        checked.map_err(|error| {
            let message = format!("the messages could not be checked: {error}");
            Error::new(ErrorKind::Unavailable, message)
        })
    }

    /// Deletes messages that are persisted for longer than their queues keep them, so many as one transaction takes of each
    /// queue. Returns how many.
    pub(crate) async fn expire_messages(&self) -> Result<usize> {
        let config = self.config();
        let mut expired = 0;
        for queue in &config.queues {
            let Some(keep) = queue.keep.and_then(|keep| TimeDelta::from_std(keep).ok()) else {
                continue;
            };
            let before = self.now() - keep;
            expired += self
                .ports
                .store
                .expire_messages(queue.name.clone(), before)
                .await?;
        }
        Ok(expired)
    }

    fn unit_of(&self, new: NewMessages, stamp: &Stamp) -> NewUnit {
        let key = new.key.map(|key| {
            let whole = format!("{}\n{}\n{key}", stamp.actor, new.queue);
            UnitKey {
                key: Digest::of(whole.as_bytes()),
                content: Digest::of(new.bodies.bodies().as_bytes()),
                expires_at: stamp.at + KEY_LASTS,
            }
        });
        NewUnit {
            queue: new.queue,
            first: self.ports.message_ids.first(stamp.at),
            bodies: new.bodies,
            key,
        }
    }

    /// Returns whether this process put a message on its queue.
    pub fn is_own_message(&self, id: MessageId) -> bool {
        self.ports.message_ids.made(id)
    }

    /// Returns whether this process put a message on a queue that lies on a server.
    pub fn put_on_server(&self, id: MessageId) -> bool {
        self.queues_on_redis() && self.is_own_message(id)
    }

    /// Waits until messages were persisted by this process.
    pub(crate) async fn messages_persisted(&self) {
        self.ports.messages_persisted.notified().await;
    }

    /// Waits until messages were put on a queue by this process.
    pub(crate) async fn messages_came(&self) {
        self.ports.messages_came.notified().await;
    }

    /// Returns the messages that are persisted, by page.
    pub async fn messages(&self, query: MessagesQuery) -> Result<MessagePage> {
        self.read(query).await
    }

    /// Returns the place behind which those begin that follow a message; `None` while it is on its queue. Where it is kept no
    /// longer, the place at the time at which it came: what was persisted between the two may come again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] for an id that no message can have had.
    pub async fn find_place(&self, id: MessageId) -> Result<Option<MessagePlace>> {
        if let Some(place) = self.read(PlaceOfMessage(id)).await? {
            return Ok(Some(place));
        }
        let found = self.find_message(id).await?;
        if found.is_some_and(|message| message.persisted_at.is_none()) {
            return Ok(None);
        }
        // It may have been persisted meanwhile.
        if let Some(place) = self.read(PlaceOfMessage(id)).await? {
            return Ok(Some(place));
        }
        match id.made_at().filter(|at| *at <= self.now()) {
            Some(at) => Ok(Some(self.read(PlaceAtTime(at)).await?)),
            None => Err(no_message(id)),
        }
    }

    /// Returns the place of a message, as [`Self::find_place`] does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] also while it is on its queue.
    pub async fn place_of(&self, id: MessageId) -> Result<MessagePlace> {
        let place = self.find_place(id).await?;
        place.ok_or_else(|| Error::not_found(format!("message {id} is not persisted yet")))
    }

    /// Returns the messages that were persisted behind this place, and when these are all, those on queues from this row on.
    pub async fn live_after(&self, place: MessagePlace, row: i64) -> Result<LiveRead> {
        self.read(LiveAfter(place, row)).await
    }

    /// Returns the oldest row that is on a queue; when none is, the one that is put there next.
    pub async fn oldest_queue_row(&self) -> Result<i64> {
        self.read(OldestQueueRow).await
    }

    /// Returns the place of the message that was persisted last; 0 while there is none.
    pub async fn newest_persisted(&self) -> Result<MessagePlace> {
        self.read(NewestPersisted).await
    }

    /// Returns a message, persisted or on its queue.
    pub async fn message_with(&self, id: MessageId) -> Result<Message> {
        let found = self.find_message(id).await?;
        found.ok_or_else(|| no_message(id))
    }

    /// Returns the messages that were given up last, the latest first; none further behind so many bytes of bodies.
    pub async fn dead_messages(
        &self,
        limit: usize,
        enough_bytes: usize,
    ) -> Result<Vec<DeadMessage>> {
        self.read(DeadMessages(limit, enough_bytes)).await
    }

    /// Returns how many messages of the last 24 hours failed, or could not be judged.
    pub async fn bad_messages(&self) -> Result<BadMessages> {
        self.read(BadMessagesSince(self.now() - TimeDelta::days(1)))
            .await
    }

    /// Returns a message that was given up.
    pub async fn dead_message(&self, id: MessageId) -> Result<DeadMessage> {
        let found = self.read(DeadMessageWith(id)).await?;
        found.ok_or_else(|| no_dead(id))
    }

    /// Puts a message that was given up on its queue again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] for one whose body is damaged: it is not what was sent.
    pub async fn retry_dead(&self, id: MessageId) -> Result<()> {
        let body = self.dead_message(id).await?.message.body;
        if JsonLines::one(&body).is_err() {
            let message = format!("the body of message {id} is damaged: it is not what was sent");
            return Err(Error::new(ErrorKind::Conflict, message)
                .hint("look at what is left of it, have it sent again, and delete it"));
        }
        if self.ports.store.retry_dead(id, self.stamp()).await? {
            self.ports.messages_came.notify_one();
            return Ok(());
        }
        Err(no_dead(id))
    }

    /// Deletes a message that was given up.
    pub async fn delete_dead(&self, id: MessageId) -> Result<()> {
        if self.ports.store.delete_dead(id, self.stamp()).await? {
            return Ok(());
        }
        Err(no_dead(id))
    }

    /// Returns all queues, with what went through each in the time up to now.
    pub async fn queues(&self, within: Duration) -> Result<QueuesRead> {
        let within = TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
        self.queues_since(self.now() - within).await
    }
}

/// Returns what a schema does not accept in the first message that it refuses, and where that stands.
fn first_refusal(schema: &Schema, bodies: &JsonLines) -> Option<String> {
    let mut messages = (1..).zip(bodies.iter());
    messages.find_map(|(number, body)| {
        let why = refusal(schema, body)?;
        Some(if bodies.count() == 1 {
            why
        } else {
            format!("message {number}: {why}")
        })
    })
}

fn refusal(schema: &Schema, body: &str) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_str(body);
    // How deep it is was checked.
    reader.disable_recursion_limit();
    let value = match Value::deserialize(&mut reader) {
        Ok(value) => value,
        Err(error) => return Some(truncate_line(&error)),
    };
    let errors = schema.validator().iter_errors(&value).take(MAX_REASONS);
    let reasons = errors.map(|error| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "/" } else { &place };
        format!("at {}: {}", truncate_line(&place), truncate_line(&error))
    });
    let reasons: Vec<_> = reasons.collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

fn no_message(id: MessageId) -> Error {
    Error::not_found(format!("there is no message {id}"))
}

fn no_dead(id: MessageId) -> Error {
    Error::not_found(format!("no message {id} was given up"))
        .hint("`gannet messages dead` lists those that were")
}
