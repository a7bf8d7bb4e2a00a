//! Queues in the catalogue: units of messages are put on them, and counted.
//!
//! Never answers before the unit is durable: that is the writer's rule.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::Store;
use super::failure::Outcome;
use super::row::{Columns, int, millis, time};
use super::select::{Damage, Select};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{MessageId, NewUnit, Put, QueueName, QueueRows, Stamp, UnitKey};
use crate::store::error::Result;
use crate::store::message_types::{QueueFacts, QueueRate, RATE_SECONDS};
use crate::store::query::{QueuedAny, Queues, SentUnder};

/// The most queues.
const MAX_QUEUES: i64 = 1_000;

/// The bytes of bodies that may wait in all queues together.
const MAX_WAITING_BYTES: i64 = 1 << 30;

/// The bytes of the bodies in a row, but for a longer one. SQLite holds a row in memory three times while it is written, and a
/// consumer holds it as a whole.
const MAX_ROW_BYTES: usize = 512 << 10;

/// How long it is known what went through a queue.
const RATES_KEPT_MS: i64 = 24 * 3600 * 1000;

impl Store {
    /// Puts units on their queues, each whole or not at all.
    pub async fn put_on_queue(&self, unit: NewUnit, stamp: Stamp) -> Result<Put> {
        self.write(move |transaction| put(transaction, &unit, &stamp))
            .await
    }
}

fn put(transaction: &Transaction<'_>, unit: &NewUnit, stamp: &Stamp) -> Outcome<Put> {
    if let Some(key) = &unit.key
        && let Some(known) = known_under(transaction, unit, key, stamp.at)?
    {
        return Ok(known);
    }
    let bytes = int(unit.bodies.bodies().len());
    let waiting = "SELECT coalesce(sum(waiting_bytes), 0) FROM queue";
    let waiting: i64 = transaction.sql.only(waiting, [], |row| row.get(0))?;
    if waiting.saturating_add(bytes) > MAX_WAITING_BYTES {
        return Ok(Put::Full);
    }
    if !may_be(transaction.sql, &unit.queue)? {
        return Ok(Put::TooManyQueues);
    }
    let queue = queue_id(transaction, &unit.queue)?;
    let sender = transaction.text_id(&stamp.actor.0)?;
    let (rows, bytes) = insert_parts(transaction, unit, queue, sender, stamp.at)?;
    let count = int(unit.bodies.count());
    add_waiting(transaction, queue, count, bytes)?;
    add_rate(transaction, queue, stamp.at, (count, 0, 0))?;
    if let Some(key) = &unit.key {
        keep_key(transaction, key, unit.first, unit.bodies.count())?;
    }
    Ok(Put::Queued(rows))
}

/// Keeps what was sent under a key, unless that is known.
pub(super) fn keep_key(
    transaction: &Transaction<'_>,
    key: &UnitKey,
    first: MessageId,
    count: usize,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO message_key (key_digest, content_digest, first_uuid, count, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (key_digest) DO NOTHING",
        params![key.key.0, key.content.0, first.0.as_bytes(), int(count), millis(key.expires_at)],
    )?;
    Ok(())
}

/// Inserts the messages of a unit, many in a row. Returns the rows, and the bytes of the bodies.
fn insert_parts(
    transaction: &Transaction<'_>,
    unit: &NewUnit,
    queue: i64,
    sender: i64,
    now: DateTime<Utc>,
) -> rusqlite::Result<(Option<QueueRows>, i64)> {
    const INSERT: &str = "INSERT INTO queued_message (queue_id, first_uuid, count, received_at, sender_id, bodies, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_checksum(?1, ?2, ?3, ?4, ?5, ?6))";
    let (mut rows, mut bytes) = (None, 0);
    for part in unit.bodies.parts(MAX_ROW_BYTES) {
        let (first, count) = (unit.first.after(part.first), int(part.count));
        let last = transaction.insert(
            INSERT,
            params![
                queue,
                first.0.as_bytes(),
                count,
                millis(now),
                sender,
                part.bodies
            ],
        )?;
        let first = rows.map_or(last, |rows: QueueRows| rows.first);
        rows = Some(QueueRows { first, last });
        bytes += int(part.bodies.len());
    }
    Ok((rows, bytes))
}

/// Returns what became of the unit that was sent under this key before, if there was one.
fn known_under(
    transaction: &Transaction<'_>,
    unit: &NewUnit,
    key: &UnitKey,
    now: DateTime<Utc>,
) -> Outcome<Option<Put>> {
    forget_keys(transaction, now)?;
    Ok(sent_under(transaction.sql, key, unit.bodies.count(), now)?)
}

/// Forgets the keys that have expired.
pub(super) fn forget_keys(
    transaction: &Transaction<'_>,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let over = "DELETE FROM message_key WHERE expires_at <= ?1";
    transaction.execute(over, [millis(now)]).map(drop)
}

fn sent_under(
    sql: &Connection,
    key: &UnitKey,
    count: usize,
    now: DateTime<Utc>,
) -> rusqlite::Result<Option<Put>> {
    const KNOWN: &str = "SELECT content_digest = ?2, first_uuid, count FROM message_key
         WHERE key_digest = ?1 AND expires_at > ?3";
    let parameters = params![key.key.0, key.content.0, millis(now)];
    let known = sql.first(KNOWN, parameters, |row| {
        let mut columns = Columns::new(row);
        Ok((
            columns.get()?,
            message_id(&mut columns)?,
            columns.count::<usize>()?,
        ))
    })?;
    Ok(known.map(|(is_same, first, known)| {
        if is_same && known == count {
            Put::Repeated(first, count)
        } else {
            Put::KeyTaken
        }
    }))
}

impl Select<Option<Put>> for SentUnder {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<Put>> {
        Ok(sent_under(sql, &self.0, self.1, self.2)?)
    }
}

/// Returns whether there is a queue, or may be one more.
fn may_be(sql: &Connection, queue: &QueueName) -> rusqlite::Result<bool> {
    if sql.any("SELECT 1 FROM queue WHERE name = ?1", [queue.as_str()])? {
        return Ok(true);
    }
    let count: i64 = sql.only("SELECT count(*) FROM queue", [], |row| row.get(0))?;
    Ok(count < MAX_QUEUES)
}

/// Returns the row of a queue, which is made when there is none.
pub(super) fn queue_id(transaction: &Transaction<'_>, queue: &QueueName) -> rusqlite::Result<i64> {
    let known = "SELECT id FROM queue WHERE name = ?1";
    let known = transaction
        .sql
        .first(known, [queue.as_str()], |row| row.get(0))?;
    if let Some(known) = known {
        return Ok(known);
    }
    transaction.insert("INSERT INTO queue (name) VALUES (?1)", [queue.as_str()])
}

/// Counts messages that were put on a queue, or with negative numbers taken from it.
pub(super) fn add_waiting(
    transaction: &Transaction<'_>,
    queue: i64,
    count: i64,
    bytes: i64,
) -> rusqlite::Result<()> {
    let add = "UPDATE queue SET waiting = max(waiting + ?2, 0), waiting_bytes = max(waiting_bytes + ?3, 0) WHERE id = ?1";
    transaction.execute(add, [queue, count, bytes]).map(drop)
}

/// Counts what waits on the queues anew, by the rows that can be read.
pub(super) fn recount_waiting(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    const RECOUNT: &str = "WITH there AS (
             SELECT queue_id, sum(max(CAST(count AS INTEGER), 0)) AS messages, sum(length(CAST(bodies AS BLOB))) AS bytes
             FROM queued_message GROUP BY queue_id)
         UPDATE queue SET waiting = coalesce((SELECT messages FROM there WHERE queue_id = queue.id), 0),
             waiting_bytes = coalesce((SELECT bytes FROM there WHERE queue_id = queue.id), 0)";
    transaction.execute(RECOUNT, []).map(drop)
}

/// Counts what went through a queue at this time: messages that were queued, those that were persisted, and the longest lag
/// of one in milliseconds.
pub(super) fn add_rate(
    transaction: &Transaction<'_>,
    queue: i64,
    now: DateTime<Utc>,
    (queued, persisted, lag_ms): (i64, i64, i64),
) -> rusqlite::Result<()> {
    let length = RATE_SECONDS * 1000;
    let at = millis(now).div_euclid(length) * length;
    let added = transaction.execute(
        "UPDATE queue_rate SET queued = queued + ?3, persisted = persisted + ?4, lag_ms = max(lag_ms, ?5) WHERE queue_id = ?1 AND at = ?2",
        params![queue, at, queued, persisted, lag_ms],
    )?;
    if added > 0 {
        return Ok(());
    }
    let old = "DELETE FROM queue_rate WHERE queue_id = ?1 AND at < ?2";
    transaction.execute(old, [queue, at - RATES_KEPT_MS])?;
    transaction.insert(
        "INSERT INTO queue_rate (queue_id, at, queued, persisted, lag_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![queue, at, queued, persisted, lag_ms],
    )?;
    Ok(())
}

/// Reads the id of a message.
pub(super) fn message_id(columns: &mut Columns<'_>) -> rusqlite::Result<MessageId> {
    let bytes: [u8; 16] = columns.get()?;
    Ok(MessageId(uuid::Uuid::from_bytes(bytes)))
}

impl Select<bool> for QueuedAny {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<bool> {
        Ok(sql.any("SELECT 1 FROM queued_message LIMIT 1", [])?)
    }
}

impl Select<Vec<QueueFacts>> for Queues {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<QueueFacts>> {
        const QUEUES: &str = "SELECT q.id, q.name, max(q.waiting, 0), max(q.waiting_bytes, 0),
                 (SELECT count(*) FROM dead_message d WHERE d.queue_id = q.id), o.received_at, coalesce(o.tries, 0)
             FROM queue q LEFT JOIN queued_message o ON o.id = (SELECT min(id) FROM queued_message WHERE queue_id = q.id)
             ORDER BY q.name";
        let mut rates = rates_since(sql, self.0)?;
        Ok(sql.all(QUEUES, [], |row| {
            let mut columns = Columns::new(row);
            let id: i64 = columns.get()?;
            Ok(QueueFacts {
                name: columns.word()?,
                waiting: columns.count()?,
                waiting_bytes: columns.count()?,
                dead: columns.count()?,
                oldest_at: columns.optional()?.and_then(time),
                tries: columns.count()?,
                consumers: Vec::new(),
                rates: rates.remove(&id).unwrap_or_default(),
            })
        })?)
    }
}

/// Returns what went through each queue since this time, the oldest first.
fn rates_since(
    sql: &Connection,
    since: DateTime<Utc>,
) -> rusqlite::Result<HashMap<i64, Vec<QueueRate>>> {
    const RATES: &str =
        "SELECT queue_id, at, queued, persisted, lag_ms FROM queue_rate WHERE at >= ?1 ORDER BY at";
    let mut rates = HashMap::<i64, Vec<_>>::new();
    let rows = sql.all(RATES, [millis(since)], |row| {
        let mut columns = Columns::new(row);
        let queue = columns.get()?;
        let rate = QueueRate {
            at: columns.time()?,
            queued: columns.count()?,
            persisted: columns.count()?,
            lag_ms: columns.count()?,
        };
        Ok((queue, rate))
    })?;
    for (queue, rate) in rows {
        rates.entry(queue).or_default().push(rate);
    }
    Ok(rates)
}
