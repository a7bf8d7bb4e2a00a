//! Where messages wait until they are persisted: in the catalogue, or on a Redis server where one is configured.
//!
//! Never takes a message from a server before it is persisted. What waits in the catalogue is persisted in any case: from
//! before the server was configured, or since it was tried in vain before.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{App, Error, ErrorKind, Result};
use crate::domain::{Message, MessageId, NewUnit, Put, Stamp};
use crate::queue::{QueueError, RedisQueue, RedisQueueFacts};
use crate::store::{Consumed, MessageWith, QueueFacts, QueueRate, QueuedAny, Queues, SentUnder};

/// All queues as they are now.
#[derive(Clone, Debug)]
pub struct QueuesRead {
    /// The queues, by name.
    pub queues: Vec<QueueFacts>,
    /// Why the server on which messages wait cannot be used: then what waits there is not counted. `None` when it can, and
    /// where there is none.
    pub trouble: Option<String>,
}

impl App {
    /// Puts a unit on its queue; when this says so, it is durable.
    pub(super) async fn put_on_queue(&self, unit: NewUnit, stamp: Stamp) -> Result<Put> {
        let Some(redis) = self.redis().await? else {
            return Ok(self.ports.store.put_on_queue(unit, stamp).await?);
        };
        self.remember_queue_server().await?;
        // The catalogue knows what was persisted, also when the server has lost its data.
        if let Some(known) = self.sent_before(&unit, stamp.at).await? {
            return Ok(known);
        }
        Ok(redis.put(&unit, &stamp.actor.0, stamp.at).await?)
    }

    /// Returns what became of a unit that was sent under the same key before, as far as the catalogue knows.
    pub(super) async fn sent_before(
        &self,
        unit: &NewUnit,
        now: DateTime<Utc>,
    ) -> Result<Option<Put>> {
        match unit.key {
            Some(key) => self.read(SentUnder(key, unit.bodies.count(), now)).await,
            None => Ok(None),
        }
    }

    /// Returns whether messages wait on a queue.
    pub(crate) async fn has_queued(&self) -> Result<bool> {
        if self.read(QueuedAny).await? {
            return Ok(true);
        }
        match self.redis().await? {
            Some(redis) => Ok(redis.has_any_mended().await?),
            None => Ok(false),
        }
    }

    /// Returns whether messages wait on a server, which says nothing by itself when some come.
    pub(crate) fn queues_on_redis(&self) -> bool {
        self.config().all_queues.redis.is_some()
    }

    /// Persists the messages that wait longest, so many as one transaction takes: each once, those of a queue in their
    /// order. Writes nothing when none waits.
    pub(crate) async fn consume_when_any(&self) -> Result<Consumed> {
        let consumed = if self.read(QueuedAny).await? {
            self.ports.store.consume(self.stamp()).await?
        } else if let Some(redis) = self.redis().await?
            && redis.has_any_mended().await?
        {
            self.consume_from(&redis).await?
        } else {
            Consumed::default()
        };
        if consumed.persisted > 0 {
            self.ports.messages_persisted.notify_one();
        }
        Ok(consumed)
    }

    async fn consume_from(&self, redis: &RedisQueue) -> Result<Consumed> {
        // The worker's name, which took them, and not that of a sender.
        let consumer = format!("{} ({})", self.actor(), std::process::id());
        let mut taken = redis.take(&consumer).await?;
        let units: Vec<_> = taken
            .iter_mut()
            .flat_map(|taken| taken.units.drain(..))
            .collect();
        let persisted = if units.is_empty() {
            Ok(Consumed::default())
        } else {
            self.ports.store.persist(units, self.stamp()).await
        };
        for of_queue in &taken {
            let ended = redis.end(of_queue, persisted.is_ok()).await;
            // The error of the store says more.
            if persisted.is_ok() {
                ended?;
            }
        }
        let has_more = taken.iter().any(|of_queue| !of_queue.is_empty());
        Ok(Consumed {
            failed: taken.iter().any(|of_queue| of_queue.has_failed),
            has_more,
            ..persisted?
        })
    }

    /// Returns a message, persisted or on its queue.
    pub(super) async fn find_message(&self, id: MessageId) -> Result<Option<Message>> {
        let found = self.read(MessageWith(id)).await?;
        let Some(redis) = self.redis().await?.filter(|_| found.is_none()) else {
            return Ok(found);
        };
        match redis.message(id).await? {
            // It may have been persisted meanwhile.
            None => self.read(MessageWith(id)).await,
            queued => Ok(queued),
        }
    }

    /// Returns all queues, with what went through each since this time. While the server on which messages wait cannot be
    /// used, those of the catalogue alone, and why.
    pub(super) async fn queues_since(&self, since: DateTime<Utc>) -> Result<QueuesRead> {
        let queues = self.read(Queues(since)).await?;
        match self.facts_of_redis(since).await {
            Ok(facts) => Ok(QueuesRead {
                queues: with_facts(queues, facts),
                trouble: None,
            }),
            Err(error) => Ok(QueuesRead {
                queues,
                trouble: Some(error.message),
            }),
        }
    }

    async fn facts_of_redis(&self, since: DateTime<Utc>) -> Result<Vec<RedisQueueFacts>> {
        match self.redis().await? {
            Some(redis) => Ok(redis.facts(since, self.now()).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Returns a remark on the server on which messages wait: why it cannot be used, or which messages it may lose; `None` where
    /// it loses none, when it does not say, and where there is none.
    pub async fn queue_look(&self) -> Option<String> {
        let durability = match self.redis().await {
            Ok(Some(redis)) => match redis.has_any().await {
                Ok(_) => redis.durability().await.map_err(Error::from),
                Err(error) => Err(error.into()),
            },
            Ok(None) => return None,
            Err(error) => Err(error),
        };
        let lost = match durability {
            Err(error) => return Some(error.message),
            Ok(None) => return None,
            Ok(Some((false, _))) => "`appendonly` is off: all messages that wait",
            Ok(Some((true, sync))) => match sync.as_str() {
                "always" => return None,
                "everysec" => "`appendfsync` is `everysec`: the messages of the last second",
                _ => "`appendfsync` is off: the messages of the last half minute, say,",
            },
        };
        Some(format!(
            "the Redis server of the queues: {lost} are lost when its machine stops"
        ))
    }

    /// Returns the queues of the server that is configured, if any.
    async fn redis(&self) -> Result<Option<Arc<RedisQueue>>> {
        let config = self.config();
        let Some(setting) = &config.all_queues.redis else {
            return Ok(None);
        };
        if let Some(redis) = self.ports.redis.opened_by(setting) {
            return Ok(Some(redis));
        }
        let redis = self.open_redis(setting).await?;
        self.ports.redis.put(setting.clone(), Arc::clone(&redis));
        Ok(Some(redis))
    }
}

/// Returns the queues of the catalogue with those of a server.
fn with_facts(known: Vec<QueueFacts>, of_redis: Vec<RedisQueueFacts>) -> Vec<QueueFacts> {
    let known = known.into_iter().map(|queue| (queue.name.clone(), queue));
    let mut queues: BTreeMap<_, _> = known.collect();
    for facts in of_redis {
        let queue = queues
            .entry(facts.name.clone())
            .or_insert_with(|| QueueFacts::new(facts.name.clone()));
        add(queue, facts);
    }
    queues.into_values().collect()
}

/// Adds what waits on a server to what waits in the catalogue.
fn add(queue: &mut QueueFacts, facts: RedisQueueFacts) {
    queue.waiting += facts.waiting;
    queue.waiting_bytes += facts.waiting_bytes;
    queue.oldest_at = [queue.oldest_at, facts.oldest_at]
        .into_iter()
        .flatten()
        .min();
    queue.tries = queue.tries.max(facts.tries);
    queue.consumers = facts.consumers;
    for (at, queued) in facts.arrivals {
        let place = queue.rates.partition_point(|rate| rate.at < at);
        match queue.rates.get_mut(place) {
            Some(rate) if rate.at == at => rate.queued += queued,
            _ => queue.rates.insert(
                place,
                QueueRate {
                    at,
                    queued,
                    persisted: 0,
                    lag_ms: 0,
                },
            ),
        }
    }
}

impl From<QueueError> for Error {
    fn from(error: QueueError) -> Self {
        let hint = match &error {
            QueueError::Foreign => {
                "give each catalogue a database of its own: the number at the end of the address, such as redis://127.0.0.1:6379/1"
            }
            QueueError::OutOfMemory => "send again later; `gannet consume` empties the queues",
            QueueError::InDoubt(_) => {
                "send again later, under the same `Idempotency-Key`: then it is done once"
            }
            _ => "send again later",
        };
        Self::new(ErrorKind::Unavailable, error.to_string()).hint(hint)
    }
}
