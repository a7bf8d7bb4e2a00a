//! What waits on the queues of a server, and who takes from them.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::error::QueueError;
use super::keys;
use super::redis_queue::{GROUP, RedisQueue, SLOT_MS, SLOTS, slot_of};
use super::scripts::FACTS;
use crate::domain::{ConsumerFacts, QueueName};

/// A queue of a server as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisQueueFacts {
    /// Its name.
    pub name: QueueName,
    /// The messages on it.
    pub waiting: u64,
    /// The bytes of their bodies.
    pub waiting_bytes: u64,
    /// When the oldest of them came.
    pub oldest_at: Option<DateTime<Utc>>,
    /// How often the oldest unit was taken and not persisted.
    pub tries: u32,
    /// Who took from it lately.
    pub consumers: Vec<ConsumerFacts>,
    /// How many messages were put on it in each ten seconds, the oldest first.
    pub arrivals: Vec<(DateTime<Utc>, u64)>,
}

/// A reply about one queue: name, messages, bytes, the time of the oldest in milliseconds, its deliveries, consumers (name,
/// entries, idle milliseconds), arrivals (slot, messages).
type Reply = (
    String,
    i64,
    i64,
    Option<i64>,
    u32,
    Vec<(String, u64, u64)>,
    Vec<(i64, u64)>,
);

impl RedisQueue {
    /// Returns the queues, with what was put on each between these times.
    pub async fn facts(
        &self,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<RedisQueueFacts>, QueueError> {
        let (last, most) = (slot_of(now), SLOTS - 1);
        let mut call = self.call(&FACTS);
        call.key(keys::WAITING)
            .key(keys::BYTES)
            .arg(GROUP)
            .arg(keys::stream(""))
            .arg(keys::arrivals(""))
            .arg(SLOTS)
            .arg(slot_of(since).max(last - most))
            .arg(last);
        let replies: Vec<Reply> = self.server.run(&call).await?;
        let mut facts: Vec<_> = replies.into_iter().filter_map(facts_of).collect();
        facts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(facts)
    }
}

fn facts_of(reply: Reply) -> Option<RedisQueueFacts> {
    let (name, waiting, bytes, oldest, deliveries, consumers, arrivals) = reply;
    let consumers = consumers
        .into_iter()
        .map(|(name, holds, idle_ms)| ConsumerFacts {
            name,
            holds,
            idle: Duration::from_millis(idle_ms),
        });
    let arrivals = arrivals.into_iter().filter_map(|(slot, messages)| {
        Some((DateTime::from_timestamp_millis(slot * SLOT_MS)?, messages))
    });
    Some(RedisQueueFacts {
        name: name.parse().ok()?,
        waiting: u64::try_from(waiting).unwrap_or_default(),
        waiting_bytes: u64::try_from(bytes).unwrap_or_default(),
        oldest_at: oldest.and_then(DateTime::from_timestamp_millis),
        tries: deliveries.saturating_sub(1),
        consumers: consumers.collect(),
        arrivals: arrivals.collect(),
    })
}
