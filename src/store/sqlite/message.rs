//! Messages: taken from the queue and persisted, or given up.
//!
//! Never changes a message that is persisted.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use rusqlite::types::FromSql;
use rusqlite::{Connection, ErrorCode, Row, params};

use super::Store;
use super::event_row::insert_event;
use super::failure::Outcome;
use super::message_judging::{FirstStates, insert_state};
use super::queue::{add_rate, add_waiting, forget_keys, keep_key, queue_id, recount_waiting};
use super::row::{int, millis};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{
    Action, Digest, MessageId, NewEvent, QueueName, Stamp, TakenUnit, VersionState, bodies_of,
};
use crate::store::error::Result;
use crate::store::message_types::Consumed;

/// The sender of messages whose sender is lost.
const UNKNOWN_SENDER: &str = "unknown";

/// How often it is tried to persist a unit.
const MAX_TRIES: u32 = 5;

/// The messages, and the bytes of their bodies, after which a step of a consumer takes no further unit.
const ENOUGH_MESSAGES: usize = 4_000;
const ENOUGH_BYTES: usize = 4 << 20;

impl Store {
    /// Takes the oldest units from the queues and persists their messages, all in one transaction: each message once, and
    /// those of a queue in their order. A unit that cannot be persisted holds its queue up; after five tries its messages
    /// are given up.
    pub async fn consume(&self, stamp: Stamp) -> Result<Consumed> {
        self.write(move |transaction| consume(transaction, &stamp))
            .await
    }

    /// Persists units that were taken from queues elsewhere, all in one transaction: each message once, however often its unit
    /// is taken. Those that are to be given up become dead messages.
    pub async fn persist(&self, units: Vec<TakenUnit>, stamp: Stamp) -> Result<Consumed> {
        self.write(move |transaction| persist_taken(transaction, &units, &stamp))
            .await
    }

    /// Deletes messages of a queue that were persisted before this time, the oldest, so many as one transaction takes. Returns
    /// how many.
    pub async fn expire_messages(&self, queue: QueueName, before: DateTime<Utc>) -> Result<usize> {
        const EXPIRED: &str = "DELETE FROM message WHERE id IN (SELECT id FROM message
             WHERE queue_id = (SELECT id FROM queue WHERE name = ?1) ORDER BY id LIMIT ?3) AND persisted_at < ?2";
        self.write(move |transaction| {
            let parameters = params![queue.as_str(), millis(before), int(ENOUGH_MESSAGES)];
            Ok(transaction.execute(EXPIRED, parameters)?)
        })
        .await
    }

    /// Puts a message that was given up on its queue again. Returns whether there is one with this id.
    pub async fn retry_dead(&self, id: MessageId, stamp: Stamp) -> Result<bool> {
        self.write(move |transaction| retry_dead(transaction, id, &stamp))
            .await
    }

    /// Deletes a message that was given up. Returns whether there is one with this id.
    pub async fn delete_dead(&self, id: MessageId, stamp: Stamp) -> Result<bool> {
        self.write(move |transaction| delete_dead(transaction, id, &stamp))
            .await
    }
}

/// A row of a queue: the messages of a unit, or a part of them.
struct Unit {
    id: i64,
    queue_id: i64,
    first: MessageId,
    count: usize,
    received_at: i64,
    sender_id: i64,
    bodies: String,
    tries: u32,
    fits: bool,
}

impl Unit {
    /// Returns a unit that was on a queue elsewhere, as if it had a row.
    fn of(transaction: &Transaction<'_>, unit: &TakenUnit) -> Outcome<Self> {
        Ok(Self {
            id: 0,
            queue_id: queue_id(transaction, &unit.queue)?,
            first: unit.first,
            count: unit.count,
            received_at: millis(unit.received_at),
            sender_id: transaction.text_id(&unit.sender)?,
            tries: unit.given_up.as_ref().map_or(0, |(_, tries)| *tries),
            fits: unit.given_up.is_none(),
            bodies: unit.bodies.clone(),
        })
    }

    /// Returns the unit with a queue and a sender that there are, whatever is damaged: without them it could neither be persisted
    /// nor given up.
    fn with_names(self, transaction: &Transaction<'_>) -> Outcome<Self> {
        if self.fits {
            return Ok(self);
        }
        let sql = transaction.sql;
        let has_queue = sql.any("SELECT 1 FROM queue WHERE id = ?1", [self.queue_id])?;
        let has_sender = sql.any("SELECT 1 FROM text WHERE id = ?1", [self.sender_id])?;
        if has_queue && has_sender {
            return Ok(self);
        }
        Ok(Self {
            queue_id: if has_queue {
                self.queue_id
            } else {
                queue_id(transaction, &QueueName::default())?
            },
            sender_id: if has_sender {
                self.sender_id
            } else {
                transaction.text_id(UNKNOWN_SENDER)?
            },
            ..self
        })
    }

    /// Returns the id of the message at a place; one that is made of what is left of the row when the id cannot be read.
    fn message_id(&self, place: usize) -> MessageId {
        if !self.first.0.is_nil() {
            return self.first.after(place);
        }
        let rest = format!("{} {place} {} {}", self.id, self.received_at, self.bodies);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Digest::of(rest.as_bytes()).0[..16]);
        MessageId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Returns the bodies of its messages; `None` when their number is another.
    fn bodies(&self) -> Option<Vec<&str>> {
        let bodies: Vec<_> = bodies_of(&self.bodies, self.count).collect();
        (bodies.len() == self.count).then_some(bodies)
    }
}

/// What a step did with one queue.
#[derive(Default)]
struct Taken {
    messages: i64,
    bytes: i64,
    persisted: i64,
    longest_lag_ms: i64,
}

impl Taken {
    /// Counts messages of a unit that came so long ago.
    fn add_persisted(&mut self, messages: usize, lag_ms: i64) {
        self.persisted += int(messages);
        if messages > 0 {
            self.longest_lag_ms = self.longest_lag_ms.max(lag_ms);
        }
    }
}

fn consume(transaction: &Transaction<'_>, stamp: &Stamp) -> Outcome<Consumed> {
    let (units, has_more) = oldest_units(transaction.sql)?;
    let mut consumed = Consumed {
        has_more,
        ..Consumed::default()
    };
    let mut taken = BTreeMap::<i64, Taken>::new();
    let mut held_up = HashSet::new();
    let mut first_states = FirstStates::read(transaction)?;
    for unit in units {
        let unit = unit.with_names(transaction)?;
        if held_up.contains(&unit.queue_id) {
            continue;
        }
        let of_queue = taken.entry(unit.queue_id).or_default();
        let bodies = unit.bodies().filter(|_| unit.fits);
        if let Some(bodies) = bodies {
            let state = first_states.of(transaction, unit.queue_id)?;
            let persisted = persist(transaction, &unit, &bodies, state, stamp.at)?;
            consumed.persisted += persisted;
            of_queue.add_persisted(persisted, millis(stamp.at) - unit.received_at);
        } else if unit.tries + 1 < MAX_TRIES && count_try(transaction, unit.id)? {
            consumed.failed = true;
            held_up.insert(unit.queue_id);
            continue;
        } else {
            give_up(transaction, &unit, "its row on the queue is damaged", stamp)?;
            consumed.dead += unit.count.max(1);
        }
        of_queue.messages += int(unit.count);
        of_queue.bytes += int(unit.bodies.len());
        transaction.execute("DELETE FROM queued_message WHERE id = ?1", [unit.id])?;
    }
    count_taken(transaction, taken, consumed.dead > 0, stamp.at)?;
    Ok(consumed)
}

/// Counts a try that was in vain; returns whether it can be counted, which a damaged value in the row may prevent.
fn count_try(transaction: &Transaction<'_>, unit: i64) -> rusqlite::Result<bool> {
    let tried = "UPDATE queued_message SET tries = tries + 1 WHERE id = ?1";
    match transaction.execute(tried, [unit]) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Ok(false)
        }
        counted => counted.map(|rows| rows > 0),
    }
}

/// Persists units that have no row on a queue here.
fn persist_taken(
    transaction: &Transaction<'_>,
    units: &[TakenUnit],
    stamp: &Stamp,
) -> Outcome<Consumed> {
    let mut consumed = Consumed::default();
    let mut taken = BTreeMap::<i64, Taken>::new();
    let mut first_states = FirstStates::read(transaction)?;
    forget_keys(transaction, stamp.at)?;
    for unit in units {
        let (key, given_up) = (&unit.key, &unit.given_up);
        let unit = Unit::of(transaction, unit)?;
        if let Some((reason, _)) = given_up {
            give_up(transaction, &unit, reason, stamp)?;
            consumed.dead += unit.count.max(1);
            continue;
        }
        let bodies = unit.bodies().unwrap_or_default();
        let state = first_states.of(transaction, unit.queue_id)?;
        let persisted = persist(transaction, &unit, &bodies, state, stamp.at)?;
        if let Some(key) = key {
            keep_key(transaction, key, unit.first, unit.count)?;
        }
        consumed.persisted += persisted;
        let of_queue = taken.entry(unit.queue_id).or_default();
        of_queue.add_persisted(persisted, millis(stamp.at) - unit.received_at);
    }
    count_taken(transaction, taken, false, stamp.at)?;
    Ok(consumed)
}

/// Counts what was taken from the queues. What was counted for a damaged row is not known: then all is counted anew.
fn count_taken(
    transaction: &Transaction<'_>,
    taken: BTreeMap<i64, Taken>,
    has_damage: bool,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    for (queue, taken) in taken {
        add_waiting(transaction, queue, -taken.messages, -taken.bytes)?;
        add_rate(
            transaction,
            queue,
            now,
            (0, taken.persisted, taken.longest_lag_ms),
        )?;
    }
    if has_damage {
        recount_waiting(transaction)?;
    }
    Ok(())
}

/// Returns the oldest units that one step takes, and whether there are more.
fn oldest_units(sql: &Connection) -> rusqlite::Result<(Vec<Unit>, bool)> {
    const UNITS: &str = "SELECT id, queue_id, first_uuid, count, received_at, sender_id, bodies, tries,
             coalesce(checksum = row_checksum(queue_id, first_uuid, count, received_at, sender_id, bodies), 0)
                 AND EXISTS (SELECT 1 FROM queue WHERE id = queue_id) AND EXISTS (SELECT 1 FROM text WHERE id = sender_id)
         FROM queued_message ORDER BY id";
    let mut statement = sql.prepare_cached(UNITS)?;
    let mut rows = statement.query([])?;
    let (mut units, mut messages, mut bytes) = (Vec::new(), 0, 0);
    while let Some(row) = rows.next()? {
        if messages >= ENOUGH_MESSAGES || bytes >= ENOUGH_BYTES {
            return Ok((units, true));
        }
        let unit = Unit {
            id: row.get(0)?,
            queue_id: sound(row, 1),
            first: MessageId(uuid::Uuid::from_bytes(sound(row, 2))),
            count: usize::try_from(sound::<i64>(row, 3)).unwrap_or_default(),
            received_at: sound(row, 4),
            sender_id: sound(row, 5),
            bodies: text(row, 6),
            tries: u32::try_from(sound::<i64>(row, 7)).unwrap_or_default(),
            fits: sound(row, 8),
        };
        messages += unit.count;
        bytes += unit.bodies.len();
        units.push(unit);
    }
    Ok((units, false))
}

/// Returns the value of a column, or the default for one that is damaged: then the row does not fit its checksum.
fn sound<T: FromSql + Default>(row: &Row<'_>, column: usize) -> T {
    row.get(column).unwrap_or_default()
}

/// Returns the text of a column, with a replacement character for each byte that is none.
fn text(row: &Row<'_>, column: usize) -> String {
    let value = row.get_ref(column).ok();
    let bytes = value.and_then(|value| value.as_bytes().ok());
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

/// Persists the messages of a unit, and returns how many were not persisted before: those stay as they are.
fn persist(
    transaction: &Transaction<'_>,
    unit: &Unit,
    bodies: &[&str],
    state: Option<VersionState>,
    now: DateTime<Utc>,
) -> rusqlite::Result<usize> {
    const INSERT: &str = "INSERT INTO message (uuid, queue_id, received_at, persisted_at, sender_id, body, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_checksum(?1, ?2, ?3, ?4, ?5, ?6)) ON CONFLICT (uuid) DO NOTHING";
    let mut insert = transaction.sql.prepare_cached(INSERT)?;
    let (now, mut persisted) = (millis(now), 0);
    for (place, body) in bodies.iter().enumerate() {
        let id = unit.first.after(place);
        let inserted = insert.execute(params![
            id.0.as_bytes(),
            unit.queue_id,
            unit.received_at,
            now,
            unit.sender_id,
            body
        ])?;
        persisted += inserted;
        if let Some(state) = state.filter(|_| inserted > 0) {
            let message = transaction.sql.last_insert_rowid();
            insert_state(transaction.sql, message, state, now)?;
        }
    }
    Ok(persisted)
}

/// Keeps the messages of a unit as dead ones: as one when they cannot be told apart.
fn give_up(transaction: &Transaction<'_>, unit: &Unit, reason: &str, stamp: &Stamp) -> Outcome<()> {
    let whole = vec![unit.bodies.as_str()];
    for (place, body) in unit.bodies().unwrap_or(whole).iter().enumerate() {
        let id = unit.message_id(place);
        let inserted = transaction.execute(
            "INSERT INTO dead_message (uuid, queue_id, received_at, sender_id, died_at, tries, reason, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (uuid) DO NOTHING",
            params![
                id.0.as_bytes(),
                unit.queue_id,
                unit.received_at,
                unit.sender_id,
                millis(stamp.at),
                MAX_TRIES.max(unit.tries),
                reason,
                body
            ],
        )?;
        if inserted == 0 {
            // It was given up before: its consumer was killed before it could say so.
            continue;
        }
        let queue = queue_of(transaction, unit.queue_id)?;
        let event = NewEvent::of(Action::MessageDead).detail(format!("{id} of {queue}: {reason}"));
        insert_event(transaction, stamp, event)?;
    }
    Ok(())
}

fn retry_dead(transaction: &Transaction<'_>, id: MessageId, stamp: &Stamp) -> Outcome<bool> {
    const DEAD: &str =
        "SELECT queue_id, length(CAST(body AS BLOB)) FROM dead_message WHERE uuid = ?1";
    let found = transaction.sql.first(DEAD, [id.0.as_bytes()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })?;
    let Some((queue, bytes)) = found else {
        return Ok(false);
    };
    transaction.execute(
        "INSERT INTO queued_message (queue_id, first_uuid, count, received_at, sender_id, bodies, checksum)
         SELECT queue_id, uuid, 1, received_at, sender_id, body, row_checksum(queue_id, uuid, 1, received_at, sender_id, body)
         FROM dead_message WHERE uuid = ?1",
        [id.0.as_bytes()],
    )?;
    add_waiting(transaction, queue, 1, bytes)?;
    end_dead(transaction, (id, queue), Action::MessageRetried, stamp)
}

fn delete_dead(transaction: &Transaction<'_>, id: MessageId, stamp: &Stamp) -> Outcome<bool> {
    let dead = "SELECT queue_id FROM dead_message WHERE uuid = ?1";
    let found = transaction
        .sql
        .first(dead, [id.0.as_bytes()], |row| row.get::<_, i64>(0))?;
    match found {
        Some(queue) => end_dead(transaction, (id, queue), Action::MessageDeleted, stamp),
        None => Ok(false),
    }
}

fn end_dead(
    transaction: &Transaction<'_>,
    (id, queue): (MessageId, i64),
    action: Action,
    stamp: &Stamp,
) -> Outcome<bool> {
    let delete = "DELETE FROM dead_message WHERE uuid = ?1";
    transaction.execute(delete, [id.0.as_bytes()])?;
    let queue = queue_of(transaction, queue)?;
    let event = NewEvent::of(action).detail(format!("{id} of {queue}"));
    insert_event(transaction, stamp, event)?;
    Ok(true)
}

/// Returns the name of a queue, for the log.
fn queue_of(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<String> {
    let name = "SELECT name FROM queue WHERE id = ?1";
    let name = transaction.sql.first(name, [id], |row| row.get(0))?;
    Ok(name.unwrap_or_else(|| format!("queue {id}")))
}
