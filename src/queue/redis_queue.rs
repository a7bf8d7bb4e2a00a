//! Units are put on queues of a Redis server, taken from them in their order, and removed when they are persisted.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use redis::{Cmd, Value, cmd};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::entry::{Entry, digest_of, key_field};
use super::error::QueueError;
use super::keys;
use super::scripts::{DONE, FIND, LOOK, PUT, TAKE, WAITING};
use super::server::{Open, PATIENCE, Server, run_once_loaded};
use crate::domain::{Message, MessageId, NewUnit, Put, QueueName, TakenUnit};

/// The consumer group of each queue.
pub(super) const GROUP: &str = "gannet";
/// The most queues.
const MAX_QUEUES: usize = 1_000;
/// The bytes of bodies that may wait in all queues together.
const MAX_WAITING_BYTES: u64 = 1 << 30;
/// The messages, and the bytes of their bodies, after which no further unit is taken.
const ENOUGH_MESSAGES: usize = 4_000;
const ENOUGH_BYTES: usize = 4 << 20;
/// The length of bodies, in bytes, from which on units are sent one after another: while it is sent, a unit is in memory
/// several times.
const LONG_BYTES: usize = 64 << 10;
/// The time after which others may take from the queue of a consumer that does not answer any more.
const LEASE_MS: u64 = 3_000;
/// How often it is tried to persist a unit.
const MAX_TRIES: u32 = 5;
/// The length of a slot by which arrivals are counted, and how many slots are kept: a day.
pub(super) const SLOT_MS: i64 = 10_000;
pub(super) const SLOTS: i64 = 8_640;

/// Returns the slot of a time.
pub(super) fn slot_of(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis().div_euclid(SLOT_MS)
}

/// Queues on Redis Streams.
pub struct RedisQueue {
    pub(super) server: Server,
    /// The catalogue that the messages are for.
    pub(super) owner: String,
    /// What tells the leases of this process apart from those of others.
    process: u64,
    /// How often it took messages.
    takes: AtomicU64,
    /// Held while a long unit is sent.
    long: Mutex<()>,
}

/// Units that were taken from a queue, to be persisted and then removed from it.
#[derive(Debug)]
pub struct Taken {
    /// The units, those that are to be given up among them.
    pub units: Vec<TakenUnit>,
    /// Whether one was left, since it could not be read.
    pub has_failed: bool,
    queue: QueueName,
    lease: String,
    entries: Vec<String>,
}

impl Taken {
    /// Returns whether there is no unit to persist or give up.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisQueue of {}", self.owner)
    }
}

impl RedisQueue {
    /// Returns the queues of the server at an address, for the messages of the catalogue `owner`. Does not connect to it yet.
    ///
    /// # Errors
    ///
    /// [`QueueError::Address`] for an address that is none.
    pub fn new(address: &str, owner: String) -> Result<Self, QueueError> {
        Ok(Self {
            server: Server::new(address)?,
            owner,
            process: RandomState::new().hash_one(()),
            takes: AtomicU64::new(0),
            long: Mutex::new(()),
        })
    }

    /// Puts a unit on its queue, whole or not at all.
    ///
    /// A server that stood still for longer than the sender waits does not do it any more when it goes on: it looks at its
    /// clock first.
    pub async fn put(
        &self,
        unit: &NewUnit,
        sender: &str,
        received_at: DateTime<Utc>,
    ) -> Result<Put, QueueError> {
        let _turn = if unit.bodies.bodies().len() >= LONG_BYTES {
            let turn = timeout(PATIENCE, self.long.lock()).await;
            Some(turn.map_err(|_| QueueError::Silent)?)
        } else {
            None
        };
        for _ in 0..2 {
            let reply = self.try_put(unit, sender, received_at).await?;
            let words: Vec<_> = reply.iter().map(String::as_str).collect();
            return match words[..] {
                ["queued"] => Ok(Put::Queued(None)),
                ["repeated", first] => match first.parse() {
                    Ok(first) => Ok(Put::Repeated(first, unit.bodies.count())),
                    Err(_) => Ok(Put::KeyTaken),
                },
                ["taken"] => Ok(Put::KeyTaken),
                ["full"] => Ok(Put::Full),
                ["queues"] => Ok(Put::TooManyQueues),
                ["late", now] => {
                    // Its clock was set since it was last read.
                    self.server.set_clock(now.parse().unwrap_or_default()).await;
                    continue;
                }
                _ => Err(QueueError::Unusable(
                    "it answers with no word that is known".to_owned(),
                )),
            };
        }
        Err(QueueError::Silent)
    }

    async fn try_put(
        &self,
        unit: &NewUnit,
        sender: &str,
        received_at: DateTime<Utc>,
    ) -> Result<Vec<String>, QueueError> {
        let key = unit.key.as_ref();
        let content = key.map(|key| key.content.to_hex()).unwrap_or_default();
        let expires = key.map_or(0, |key| key.expires_at.timestamp_millis());
        let messages = (unit.first, unit.bodies.count());
        let bodies = unit.bodies.bodies();
        let digest = digest_of(&unit.queue, messages, received_at, sender, bodies);
        let is_sent = AtomicBool::new(false);
        let ask = async |open: Open| {
            let mut call = put_with_keys(unit);
            call.arg(&self.owner)
                .arg(open.clock_in(PATIENCE))
                .arg(unit.queue.as_str())
                .arg(unit.first.to_string())
                .arg(messages.1)
                .arg(received_at.timestamp_millis())
                .arg(sender)
                .arg(bodies)
                .arg(digest.to_hex())
                .arg(MAX_WAITING_BYTES)
                .arg(MAX_QUEUES)
                .arg(slot_of(received_at))
                .arg(SLOTS)
                .arg(content)
                .arg(expires)
                .arg(key_field(key));
            is_sent.store(true, Ordering::Relaxed);
            run_once_loaded(&PUT, &call, open.connection).await
        };
        let answer = self.server.ask(ask).await;
        answer.map_err(|error| error.of_messages(is_sent.into_inner()))
    }

    /// Returns whether messages wait on a queue.
    pub async fn has_any(&self) -> Result<bool, QueueError> {
        Ok(self.look().await?.0)
    }

    /// Returns the same for a consumer, who has what is counted of the queues mended first, when that is due.
    pub async fn has_any_mended(&self) -> Result<bool, QueueError> {
        let (has_any, is_odd) = self.look().await?;
        if is_odd {
            // It is seldom due, and its future is large.
            Box::pin(self.mend()).await?;
            return self.has_any().await;
        }
        Ok(has_any)
    }

    async fn look(&self) -> Result<(bool, bool), QueueError> {
        let mut call = self.call(&LOOK);
        self.server
            .run(call.key(keys::TOTALS).key(keys::MENDED))
            .await
    }

    /// Takes the oldest units of queues that nobody else is taking from, some of each queue. Each is to be persisted, and then
    /// [`Self::end`]ed. The server lists what `consumer` holds under that name.
    pub async fn take(&self, consumer: &str) -> Result<Vec<Taken>, QueueError> {
        let (mut taken, mut messages, mut bytes) = (Vec::new(), 0, 0);
        for queue in self.waiting().await? {
            if messages >= ENOUGH_MESSAGES || bytes >= ENOUGH_BYTES {
                break;
            }
            if let Some(of_queue) = self.take_from(queue, consumer).await? {
                messages += of_queue.units.iter().map(|unit| unit.count).sum::<usize>();
                bytes += of_queue
                    .units
                    .iter()
                    .map(|unit| unit.bodies.len())
                    .sum::<usize>();
                taken.push(of_queue);
            }
        }
        Ok(taken)
    }

    /// Returns the queues on which messages wait, another one first each time.
    async fn waiting(&self) -> Result<Vec<QueueName>, QueueError> {
        let mut call = self.call(&WAITING);
        let all: HashMap<String, String> = self.server.run(call.key(keys::WAITING)).await?;
        let waiting = all
            .into_iter()
            .filter(|(_, messages)| messages.parse().is_ok_and(|messages: i64| messages > 0));
        let mut queues: Vec<QueueName> =
            waiting.filter_map(|(name, _)| name.parse().ok()).collect();
        queues.sort_unstable();
        if !queues.is_empty() {
            let first = self.takes.load(Ordering::Relaxed) % queues.len() as u64;
            queues.rotate_left(usize::try_from(first).unwrap_or_default());
        }
        Ok(queues)
    }

    async fn take_from(
        &self,
        queue: QueueName,
        consumer: &str,
    ) -> Result<Option<Taken>, QueueError> {
        let take = self.takes.fetch_add(1, Ordering::Relaxed);
        let lease = format!("{:x} {take}", self.process);
        let mut call = self.call(&TAKE);
        call.key(keys::stream(queue.as_str()))
            .key(keys::lease(queue.as_str()))
            .arg(GROUP)
            .arg(consumer)
            .arg(&lease)
            .arg(LEASE_MS)
            .arg(ENOUGH_MESSAGES)
            .arg(ENOUGH_BYTES);
        let replies: Vec<Value> = self.server.run(&call).await?;
        if replies.is_empty() {
            return Ok(None);
        }
        let mut taken = Taken {
            units: Vec::new(),
            has_failed: false,
            queue,
            lease,
            entries: Vec::new(),
        };
        self.read(&mut taken, replies).await?;
        Ok(Some(taken))
    }

    /// Reads entries up to the first one that is damaged, and that one when it was tried often enough.
    async fn read(&self, taken: &mut Taken, replies: Vec<Value>) -> Result<(), QueueError> {
        for reply in replies {
            let Some(entry) = Entry::read(&taken.queue, reply) else {
                continue;
            };
            let unit = match entry.unit {
                Ok(unit) => unit,
                Err((why, remains)) => {
                    let tries = self.deliveries(&taken.queue, &entry.id).await?;
                    if tries < MAX_TRIES {
                        taken.has_failed = true;
                        return Ok(());
                    }
                    TakenUnit {
                        given_up: Some((why.to_owned(), tries)),
                        ..remains
                    }
                }
            };
            taken.units.push(unit);
            taken.entries.push(entry.id);
        }
        Ok(())
    }

    /// Returns how often an entry was taken.
    async fn deliveries(&self, queue: &QueueName, entry: &str) -> Result<u32, QueueError> {
        let pending = cmd("XPENDING")
            .arg(keys::stream(queue.as_str()))
            .arg(GROUP)
            .arg(&[entry, entry, "1"])
            .to_owned();
        let pending: Vec<(String, String, u64, u32)> = self.server.command(&pending).await?;
        Ok(pending.first().map_or(0, |(.., deliveries)| *deliveries))
    }

    /// Ends a taking: removes the units from their queue when they were persisted or given up, and lets others take from it.
    pub async fn end(&self, taken: &Taken, is_done: bool) -> Result<(), QueueError> {
        let queue = taken.queue.as_str();
        let mut call = self.call(&DONE);
        call.key(keys::stream(queue))
            .key(keys::lease(queue))
            .key(keys::TOTALS)
            .key(keys::WAITING)
            .key(keys::BYTES)
            .key(keys::UNITS)
            .key(keys::MENDED)
            .arg(GROUP)
            .arg(queue)
            .arg(&taken.lease);
        if is_done {
            call.arg(&taken.entries);
        }
        self.server.run(&call).await
    }

    /// Returns the message with this id, while it is on its queue.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, QueueError> {
        let mut call = self.call(&FIND);
        call.key(keys::UNITS)
            // A blank stands behind the id of a unit.
            .arg(format!("[{id}~"))
            .arg(keys::stream(""));
        let found: Option<(String, Value)> = self.server.run(&call).await?;
        let message = found.and_then(|(queue, entry)| {
            let entry = Entry::read(&queue.parse().ok()?, entry)?;
            entry.unit.ok()?.message(id)
        });
        Ok(message)
    }

    /// Returns the durability that the server promises, as `appendonly` and `appendfsync` of its configuration; `None` when it
    /// does not say.
    pub async fn durability(&self) -> Result<Option<(bool, String)>, QueueError> {
        self.has_any().await?;
        let settings = cmd("CONFIG").arg("GET").arg("append*").to_owned();
        let settings: HashMap<String, String> = match self.server.command(&settings).await {
            Ok(settings) => settings,
            // Many servers let nobody look.
            Err(QueueError::Unusable(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_on = settings.get("appendonly").map(|value| value == "yes");
        Ok(is_on.zip(settings.get("appendfsync").cloned()))
    }
}

/// Returns the command that runs the script that puts a unit on its queue, with its keys. A `ScriptInvocation` would hold the
/// bodies once more.
fn put_with_keys(unit: &NewUnit) -> Cmd {
    let queue = unit.queue.as_str();
    let mut keys = vec![
        keys::OWNER.to_owned(),
        keys::stream(queue),
        keys::TOTALS.to_owned(),
        keys::WAITING.to_owned(),
        keys::BYTES.to_owned(),
        keys::UNITS.to_owned(),
        keys::arrivals(queue),
    ];
    keys.extend(unit.key.as_ref().map(|key| keys::sent(&key.key)));
    let mut call = cmd("EVALSHA");
    call.arg(PUT.get_hash()).arg(keys.len()).arg(keys);
    call
}
