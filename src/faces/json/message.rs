//! The JSON of messages and queues. The body of a message stands in it as it was pushed.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::object::json_object;
use super::times::precise;
use super::verdict::VerdictJson;
use crate::app::{QueueFacts, QueueRate, Queued, VerifiedMessage};
use crate::domain::{ConsumerFacts, DeadMessage, Message, MessageVerdict, QueueName, VersionState};

json_object! {
    /// A message.
    #[schema(as = Message)]
    pub(crate) struct MessageJson<'a> {
        /// A UUID of version 7.
        id: String,
        queue: &'a str,
        received_at: String,
        /// Null while it is on the queue.
        persisted_at: Option<String>,
        /// What its verifiers say: `passed`, `failed`, `error` (could not be judged), `pending` (is judged soon), `unverified` (no
        /// verifier is required). Null while it is on the queue.
        state: Option<&'static str>,
        /// Who pushed it, such as `sensor by http`.
        sender: &'a str,
        /// The JSON as it was pushed.
        #[schema(value_type = serde_json::Value)]
        body: Body<'a>,
    }
}

/// JSON as it is; or a text, where it is damaged, and in CSV.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

impl<'a> Body<'a> {
    fn new(text: &'a str) -> Self {
        serde_json::from_str(text).map_or(Self::Text(text), Self::Json)
    }
}

impl<'a> MessageJson<'a> {
    pub(crate) fn new(message: &'a Message) -> Self {
        Self {
            id: message.id.to_string(),
            queue: message.queue.as_str(),
            received_at: precise(message.received_at),
            persisted_at: message.persisted_at.map(precise),
            state: message.state.map(VersionState::as_str),
            sender: &message.sender,
            body: Body::new(&message.body),
        }
    }

    /// Returns the message as a row of CSV has it: with the text of its JSON.
    pub(crate) fn row(message: &'a Message) -> Self {
        Self {
            body: Body::Text(&message.body),
            ..Self::new(message)
        }
    }
}

/// A message with the verdicts on it.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageWithVerdicts)]
pub(crate) struct JudgedMessageJson<'a> {
    #[serde(flatten)]
    message: MessageJson<'a>,
    /// Oldest first: the last one of each verifier counts.
    verdicts: Vec<VerdictJson<'a>>,
}

impl<'a> JudgedMessageJson<'a> {
    pub(crate) fn new(message: &'a Message, verdicts: &'a [MessageVerdict]) -> Self {
        Self {
            message: MessageJson::new(message),
            verdicts: verdicts.iter().map(VerdictJson::on_message).collect(),
        }
    }
}

/// A message that was judged on request.
#[derive(Serialize)]
pub(crate) struct VerifiedMessageJson<'a> {
    message: String,
    queue: &'a str,
    verified: &'static str,
    verdicts: Vec<VerdictJson<'a>>,
}

impl<'a> VerifiedMessageJson<'a> {
    pub(crate) fn new(verified: &'a VerifiedMessage, actor: &'a str) -> Self {
        let verdicts = verified.verdicts.iter();
        Self {
            message: verified.message.id.to_string(),
            queue: verified.message.queue.as_str(),
            verified: verified.state.as_str(),
            verdicts: verdicts.map(|one| VerdictJson::new(one, actor)).collect(),
        }
    }
}

/// Messages that are on their queue.
#[derive(Serialize, ToSchema)]
#[schema(as = Sent)]
pub(crate) struct SentJson<'a> {
    /// The id of the message; of several, of the first.
    id: String,
    /// The ids of all, in their order.
    #[schema(value_type = Vec<String>)]
    ids: Ids,
    queue: &'a str,
}

/// The ids of messages that follow each other.
struct Ids(Queued);

impl Serialize for Ids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ids = (0..self.0.count).map(|place| self.0.first.after(place));
        serializer.collect_seq(ids)
    }
}

impl<'a> SentJson<'a> {
    pub(crate) fn new(queued: &Queued, queue: &'a QueueName) -> Self {
        Self {
            id: queued.first.to_string(),
            ids: Ids(*queued),
            queue: queue.as_str(),
        }
    }
}

json_object! {
    /// A message that could not be persisted.
    #[schema(as = DeadMessage)]
    pub(crate) struct DeadMessageJson<'a> {
        id: String,
        queue: &'a str,
        received_at: String,
        died_at: String,
        tries: u32,
        /// Why it could not be persisted.
        reason: &'a str,
        sender: &'a str,
        /// The JSON as it was pushed; a text where it is damaged.
        #[schema(value_type = serde_json::Value)]
        body: Body<'a>,
    }
}

impl<'a> DeadMessageJson<'a> {
    pub(crate) fn new(dead: &'a DeadMessage) -> Self {
        Self {
            id: dead.message.id.to_string(),
            queue: dead.message.queue.as_str(),
            received_at: precise(dead.message.received_at),
            died_at: precise(dead.died_at),
            tries: dead.tries,
            reason: &dead.reason,
            sender: &dead.message.sender,
            body: Body::new(&dead.message.body),
        }
    }

    /// Returns the dead message as a row of CSV has it: with the text of its JSON.
    pub(crate) fn row(dead: &'a DeadMessage) -> Self {
        Self {
            body: Body::Text(&dead.message.body),
            ..Self::new(dead)
        }
    }
}

json_object! {
    /// A queue.
    #[schema(as = Queue)]
    pub(crate) struct QueueJson<'a> {
        name: &'a str,
        /// The messages on it.
        depth: u64,
        /// The bytes of their bodies.
        depth_bytes: u64,
        /// When the oldest of them came.
        oldest_at: Option<String>,
        /// How often it was tried in vain to persist the oldest.
        tries: u32,
        /// The messages that could not be persisted.
        dead: u64,
        /// Messages a second that were put on it, in the last minute.
        in_per_second: f64,
        /// Messages a second that were persisted, in the last minute.
        out_per_second: f64,
        /// The longest time from the queue to the store in the last minute, in milliseconds; at least the time for which the oldest
        /// waits. Null when nothing was persisted and nothing waits.
        lag_ms: Option<u64>,
    } and {
        /// Who took messages from it lately. Empty where it lies in the catalogue: there none is held by anybody.
        consumers: Vec<ConsumerJson<'a>>,
        /// What went through it in each ten seconds, the oldest first; those in which nothing did are left out.
        rates: Vec<QueueRateJson>,
    }
}

/// A consumer of a queue.
#[derive(Serialize, ToSchema)]
#[schema(as = Consumer)]
pub(crate) struct ConsumerJson<'a> {
    /// For whom it works, and its process.
    name: &'a str,
    /// The units of messages that it took and that are not persisted yet.
    holds: u64,
    /// Since it last took any.
    idle_ms: u64,
}

/// What went through a queue in ten seconds.
#[derive(Serialize, ToSchema)]
#[schema(as = QueueRate)]
pub(crate) struct QueueRateJson {
    at: String,
    queued: u64,
    persisted: u64,
    /// The longest time from the queue to the store, in milliseconds.
    lag_ms: u64,
}

impl<'a> QueueJson<'a> {
    pub(crate) fn new(queue: &'a QueueFacts, now: chrono::DateTime<chrono::Utc>) -> Self {
        let lately = queue.lately(now);
        Self {
            name: queue.name.as_str(),
            depth: queue.waiting,
            depth_bytes: queue.waiting_bytes,
            oldest_at: queue.oldest_at.map(precise),
            tries: queue.tries,
            dead: queue.dead,
            in_per_second: lately.in_per_second,
            out_per_second: lately.out_per_second,
            lag_ms: lately.lag_ms,
            consumers: queue.consumers.iter().map(ConsumerJson::new).collect(),
            rates: queue.rates.iter().map(QueueRateJson::new).collect(),
        }
    }
}

impl<'a> ConsumerJson<'a> {
    fn new(consumer: &'a ConsumerFacts) -> Self {
        Self {
            name: &consumer.name,
            holds: consumer.holds,
            idle_ms: u64::try_from(consumer.idle.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl QueueRateJson {
    fn new(rate: &QueueRate) -> Self {
        Self {
            at: precise(rate.at),
            queued: rate.queued,
            persisted: rate.persisted,
            lag_ms: rate.lag_ms,
        }
    }
}
