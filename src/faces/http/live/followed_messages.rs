//! The messages that one client of the live feed gets.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::messages::{FOREIGN_LAG, MessageFeed, Next, PlaceInUnit, Unit, frames_of, page};
use crate::app::{App, Result};
use crate::domain::{MessageId, MessagePlace, QueueName};

/// The bytes of messages that a client may lie behind, once it had all.
const MAX_LAG_BYTES: u64 = 1 << 20;
/// The time for which a client waits that comes back to a message that is not persisted yet.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a client is among the messages, and which of them it wants.
pub(super) struct FollowedMessages {
    feed: MessageFeed,
    queue: Option<QueueName>,
    place: Place,
    /// The last message that the client got or does not want; none before the first of a client that wants only new ones.
    last: Option<MessageId>,
    /// Whether the client had every message once. Before that it lies behind by what came while it was away, and goes on at its
    /// own pace.
    is_level: bool,
}

enum Place {
    /// It goes on behind this message, wherever that is; since when it is looked for.
    Behind(MessageId, Instant),
    /// It goes on by the store, behind this place; these came from there already, and may be in the feed too.
    Store(MessagePlace, HashSet<MessageId>),
    /// It gets what the feed has from here on.
    Feed(FeedPlace),
}

/// What a client gets next.
pub(super) enum Step {
    Frames(Bytes),
    /// Nothing now.
    Nothing,
    /// The client is too slow.
    Slow,
    /// The message behind which it goes on was not persisted in time.
    Late,
}

impl FollowedMessages {
    /// Returns the place behind a message; without one, behind those that were pushed before.
    pub(super) fn new(
        feed: MessageFeed,
        queue: Option<QueueName>,
        after: Option<MessageId>,
    ) -> Self {
        let place = if let Some(id) = after {
            Place::Behind(id, Instant::now())
        } else {
            let place = (feed.next_number(), PlaceInUnit::default());
            Place::Feed(FeedPlace::new(place, HashSet::new()))
        };
        Self {
            feed,
            queue,
            place,
            last: after,
            is_level: after.is_none(),
        }
    }

    /// Returns whether the client waits for something that the feed does not announce.
    pub(super) fn waits(&self) -> bool {
        !matches!(self.place, Place::Feed(_))
    }

    /// Returns what comes next.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or no message can have had the id behind which the client goes on.
    pub(super) async fn step(&mut self, app: &App) -> Result<Step> {
        match self.place {
            Place::Behind(id, since) => self.find(app, id, since).await,
            Place::Store(..) => self.read_store(app).await,
            Place::Feed(_) => Ok(self.read_feed()),
        }
    }

    /// Looks for the message behind which the client goes on.
    async fn find(&mut self, app: &App, id: MessageId, since: Instant) -> Result<Step> {
        if let Some(place) = self.feed.place_after(id) {
            self.place = Place::Feed(FeedPlace::new(place, HashSet::new()));
        } else if let Some(place) = app.find_place(id).await? {
            self.place = Place::Store(place, HashSet::new());
        } else if since.elapsed() > PATIENCE {
            return Ok(Step::Late);
        } else {
            return Ok(Step::Nothing);
        }
        Ok(Step::Frames(Bytes::new()))
    }

    /// Reads the next messages of the store; behind the last one goes on with the feed.
    async fn read_store(&mut self, app: &App) -> Result<Step> {
        let Place::Store(after, sent) = &mut self.place else {
            return Ok(Step::Nothing);
        };
        // Before the store is read: what is pushed meanwhile is kept from there on.
        let kept = self.feed.kept();
        let has_gap = app.oldest_queue_row().await? < kept.row;
        let read = app.messages(page(*after)).await?;
        let Some(end) = read.end else {
            // It does not keep, or does not know yet, some of those that are not persisted, or that are.
            if has_gap || kept.persisted < *after {
                return Ok(Step::Nothing);
            }
            // On a server, one that another process put there comes behind later ones of this process.
            let last = self.last.filter(|_| !app.queues_on_redis());
            let place = last.and_then(|last| self.feed.place_after(last));
            let place = place.unwrap_or((kept.first, PlaceInUnit::default()));
            let place = FeedPlace::new(place, std::mem::take(sent));
            self.place = Place::Feed(place);
            return Ok(Step::Frames(Bytes::new()));
        };
        *after = end;
        let messages = read.messages;
        self.last = messages.last().map(|last| last.id).or(self.last);
        // A client may come back after millions.
        let may_come_again = messages.iter().filter(|one| self.feed.may_have(one, app));
        sent.extend(may_come_again.map(|message| message.id));
        let queue = self.queue.as_ref();
        let wanted = |queue_of: &QueueName| queue.is_none_or(|queue| queue == queue_of);
        let wanted = messages.into_iter().filter(|one| wanted(&one.queue));
        Ok(Step::Frames(frames_of(wanted)))
    }

    fn read_feed(&mut self) -> Step {
        let Place::Feed(place) = &mut self.place else {
            return Step::Nothing;
        };
        match place.next(&self.feed) {
            Next::Nothing => {
                self.is_level = true;
                Step::Nothing
            }
            Next::Unit(_, behind) if self.is_level && place.begins() && behind > MAX_LAG_BYTES => {
                Step::Slow
            }
            Next::Unit(unit, _) => {
                let (frames, last) = place.pass(&unit, self.queue.as_ref());
                self.last = Some(last);
                Step::Frames(frames)
            }
            Next::Lost => self.lost(),
        }
    }

    /// Goes on by the store with a client whose next unit is not kept any more, unless it is slow.
    fn lost(&mut self) -> Step {
        match self.last {
            Some(last) if !self.is_level => {
                self.place = Place::Behind(last, Instant::now());
                Step::Frames(Bytes::new())
            }
            _ => Step::Slow,
        }
    }
}

/// A place in the feed.
struct FeedPlace {
    /// The number of the unit that comes next, and the place in it.
    number: u64,
    within: PlaceInUnit,
    /// What came from the store already, until the feed has no more of it.
    sent: HashSet<MessageId>,
    begun: Instant,
}

impl FeedPlace {
    fn new((number, within): (u64, PlaceInUnit), sent: HashSet<MessageId>) -> Self {
        Self {
            number,
            within,
            sent,
            begun: Instant::now(),
        }
    }

    /// Returns whether no message of the next unit was passed yet.
    fn begins(&self) -> bool {
        self.within == PlaceInUnit::default()
    }

    fn next(&mut self, feed: &MessageFeed) -> Next {
        let next = feed.unit(self.number);
        if matches!(next, Next::Nothing) && self.begun.elapsed() > FOREIGN_LAG {
            self.sent = HashSet::new();
        }
        next
    }

    /// Passes the next unit or a piece of it. Returns its frames, if they are wanted, and its last message.
    fn pass(&mut self, unit: &Unit, queue: Option<&QueueName>) -> (Bytes, MessageId) {
        let is_wanted = queue.is_none_or(|queue| queue == unit.queue());
        let from = if self.begins() {
            unit.place_behind(&self.sent)
        } else {
            Some(self.within)
        };
        let (frames, next) = match from.filter(|_| is_wanted) {
            Some(from) => unit.frames(from),
            None => (Bytes::new(), None),
        };
        if next.is_none() {
            self.number += 1;
        }
        self.within = next.unwrap_or_default();
        (frames, unit.last_before(next))
    }
}
