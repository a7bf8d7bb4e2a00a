//! The messages that one client of the live feed gets.

use std::collections::HashSet;

use bytes::Bytes;

use super::messages::{MessageFeed, Next, frames_of, page};
use crate::app::{App, Result};
use crate::domain::{MessageId, QueueName};

/// The bytes of messages that a client may lie behind.
const MAX_LAG_BYTES: u64 = 1 << 20;

/// Where a client is among the messages, and which of them it wants.
pub(super) struct FollowedMessages {
    feed: MessageFeed,
    queue: Option<QueueName>,
    place: Place,
}

enum Place {
    /// It goes on behind this message, of which the feed keeps nothing any more; these came from the store already.
    Store(MessageId, HashSet<MessageId>),
    /// It gets the unit with this number next, but for those that came from the store.
    Feed(u64, HashSet<MessageId>),
}

/// What a client gets next.
pub(super) enum Step {
    Frames(Bytes),
    /// Nothing now.
    Nothing,
    /// The client is too slow.
    Slow,
}

impl FollowedMessages {
    /// Returns the place behind a message; without one, behind those that were pushed before.
    pub(super) fn new(
        feed: MessageFeed,
        queue: Option<QueueName>,
        after: Option<MessageId>,
    ) -> Self {
        let place = match after {
            None => Place::Feed(feed.next_number(), HashSet::new()),
            Some(id) => match feed.number_after(id) {
                Some(number) => Place::Feed(number, HashSet::new()),
                None => Place::Store(id, HashSet::new()),
            },
        };
        Self { feed, queue, place }
    }

    /// Returns what comes next.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or does not have the message behind which the client goes on.
    pub(super) async fn step(&mut self, app: &App) -> Result<Step> {
        match &mut self.place {
            Place::Store(after, sent) => {
                // Before the store is read: what is pushed meanwhile is kept from there on.
                let first = self.feed.first_number();
                let messages = app.messages(page(Some(*after), None)).await?;
                let Some(last) = messages.last() else {
                    self.place = Place::Feed(first, std::mem::take(sent));
                    return Ok(Step::Frames(Bytes::new()));
                };
                *after = last.id;
                // A client may come back after millions.
                let now = app.now();
                let may_come_again = messages.iter().filter(|one| self.feed.may_have(one, now));
                sent.extend(may_come_again.map(|message| message.id));
                let queue = self.queue.as_ref();
                let wanted = |queue_of: &QueueName| queue.is_none_or(|queue| queue == queue_of);
                let wanted = messages.into_iter().filter(|one| wanted(&one.queue));
                Ok(Step::Frames(frames_of(wanted)))
            }
            Place::Feed(number, sent) => match self.feed.unit(*number) {
                Next::Nothing => Ok(Step::Nothing),
                Next::Lost => Ok(Step::Slow),
                Next::Unit(_, behind) if behind > MAX_LAG_BYTES && sent.is_empty() => {
                    Ok(Step::Slow)
                }
                Next::Unit(unit, _) => {
                    *number += 1;
                    let is_wanted = self.queue.as_ref().is_none_or(|one| one == unit.queue());
                    if !is_wanted || sent.contains(&unit.first_id()) {
                        return Ok(Step::Frames(Bytes::new()));
                    }
                    Ok(Step::Frames(unit.frames()))
                }
            },
        }
    }
}
