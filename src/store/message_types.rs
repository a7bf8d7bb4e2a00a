//! Messages and queues, as the store takes and returns them.

use chrono::{DateTime, Utc};

use crate::domain::{
    ConsumerFacts, Message, MessageId, MessagePlace, NewVerdict, QueueName, VersionState,
};

/// Which messages are read, and in which order.
#[derive(Clone, Debug)]
pub struct MessagesQuery {
    /// Only those of this queue.
    pub queue: Option<QueueName>,
    /// Only those that come behind this place.
    pub after: Option<MessagePlace>,
    /// Only those in this state.
    pub state: Option<VersionState>,
    /// Whether the message that was persisted last comes first.
    pub newest_first: bool,
    /// The most messages, damaged ones included.
    pub limit: usize,
    /// The bytes of bodies after which no further message is read.
    pub enough_bytes: usize,
}

/// The messages that were persisted lately and are not as their verifiers want them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BadMessages {
    /// Those that failed.
    pub failed: u64,
    /// Those that could not be judged.
    pub error: u64,
}

impl BadMessages {
    /// Each of them is counted up to this number.
    pub const MOST: u64 = 1_000;
}

/// Some of the messages that a query asks for.
#[derive(Clone, Debug, Default)]
pub struct MessagePage {
    /// The messages; damaged ones are left out, so that there may be none although more follow.
    pub messages: Vec<Message>,
    /// The place of the last one that was read, damaged or not.
    pub end: Option<MessagePlace>,
    /// Whether more follow.
    pub has_more: bool,
}

impl MessagePage {
    /// Returns the place behind which the next page begins; `None` behind the last page.
    pub fn next(&self) -> Option<MessagePlace> {
        self.end.filter(|_| self.has_more)
    }
}

/// Messages on their way, as one state of the catalogue has them: those that were persisted behind a place, then those on queues
/// from a row on.
#[derive(Clone, Debug, Default)]
pub struct LiveRead {
    /// The places of those that were persisted; a damaged one has nothing else.
    pub persisted: Vec<(MessagePlace, Option<(MessageId, QueueName)>)>,
    /// The sound rows of queues, by number: the first message with the bodies of all, and how many they are.
    pub queued: Vec<(i64, Message, usize)>,
    /// The last row that was ever put on a queue; none when more are to be read first.
    pub last_row: Option<i64>,
    /// The oldest row that is on a queue.
    pub oldest_row: Option<i64>,
}

/// What one step of a consumer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumed {
    /// The messages that were persisted.
    pub persisted: usize,
    /// The messages that were given up.
    pub dead: usize,
    /// Whether some could not be persisted, and are to be tried again.
    pub failed: bool,
    /// Whether more may be waiting.
    pub has_more: bool,
}

/// How often it is tried to judge a message.
pub const MAX_JUDGING_TRIES: u32 = 5;

/// A message that is to be judged now.
#[derive(Clone, Debug)]
pub struct MessageToJudge {
    /// The message.
    pub message: Message,
    /// How often it was tried to judge it, this time included.
    pub tries: u32,
    /// Until when nobody else judges it.
    pub until: DateTime<Utc>,
}

/// What became of a message that was to be judged.
#[derive(Clone, Debug)]
pub struct JudgedMessage {
    /// The message.
    pub id: MessageId,
    /// Until when it was this process's to judge; `None` when somebody asked for it.
    pub until: Option<DateTime<Utc>>,
    /// The verdicts of all verifiers that judge its queue; `None` when it was not begun.
    pub verdicts: Option<Vec<NewVerdict>>,
}

/// A queue as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueFacts {
    /// Its name.
    pub name: QueueName,
    /// The messages on it.
    pub waiting: u64,
    /// The bytes of their bodies.
    pub waiting_bytes: u64,
    /// When the oldest of them came.
    pub oldest_at: Option<DateTime<Utc>>,
    /// The messages that could not be persisted.
    pub dead: u64,
    /// How often the oldest unit was tried in vain.
    pub tries: u32,
    /// The consumers that took from it lately, where it lies on a server.
    pub consumers: Vec<ConsumerFacts>,
    /// What went through it lately, the oldest first; times in which nothing did are left out.
    pub rates: Vec<QueueRate>,
}

impl QueueFacts {
    /// Returns a queue with nothing on it.
    pub fn new(name: QueueName) -> Self {
        Self {
            name,
            waiting: 0,
            waiting_bytes: 0,
            oldest_at: None,
            dead: 0,
            tries: 0,
            consumers: Vec::new(),
            rates: Vec::new(),
        }
    }
}

/// The length of the times by which the messages of a queue are counted, in seconds.
pub const RATE_SECONDS: i64 = 10;

/// What went through a queue in ten seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueRate {
    /// When they began.
    pub at: DateTime<Utc>,
    /// The messages that were put on it.
    pub queued: u64,
    /// The messages that were taken from it and persisted.
    pub persisted: u64,
    /// The longest time between the two of one message, in milliseconds.
    pub lag_ms: u64,
}
