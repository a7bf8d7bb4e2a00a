//! Messages on their way, for the live feed: read in the order in which they are persisted.
//!
//! Never reads the body of a message that is persisted.

use rusqlite::Connection;

use super::failure::Outcome;
use super::message_query::{queued, read};
use super::queue::message_id;
use super::row::Columns;
use super::select::{Damage, Select};
use super::sql_damage::{damaged_row_in, read_row};
use super::statements::Statements as _;
use crate::domain::{MessageId, MessagePlace, QueueName};
use crate::store::message_types::LiveRead;
use crate::store::query::{LiveAfter, OldestQueueRow};

/// The persisted messages that are read at once, and the bytes of their bodies behind which no further one is.
const PERSISTED: usize = 500;
const PERSISTED_BYTES: usize = 4 << 20;
/// The bytes of bodies on queues behind which no further row is read.
const QUEUED_BYTES: usize = 1 << 20;

impl Select<LiveRead> for LiveAfter {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<LiveRead> {
        const LAST: &str = "SELECT (SELECT min(id) FROM queued_message), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'queued_message'), 0)";
        let Self(place, row) = *self;
        let mut live = LiveRead::default();
        if read_persisted(sql, place, &mut live)? && read_queued(sql, row, &mut live, damaged)? {
            let (oldest, last) = sql.only(LAST, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            live.oldest_row = oldest;
            live.last_row = Some(last);
        }
        Ok(live)
    }
}

/// Reads persisted messages. Returns whether these are all.
fn read_persisted(
    sql: &Connection,
    after: MessagePlace,
    live: &mut LiveRead,
) -> rusqlite::Result<bool> {
    const MESSAGES: &str = "SELECT m.id, octet_length(m.body), m.uuid, q.name
         FROM message m LEFT JOIN queue q ON q.id = m.queue_id WHERE m.id > ?1 ORDER BY m.id";
    let mut statement = sql.prepare_cached(MESSAGES)?;
    let mut rows = statement.query([after.0])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if live.persisted.len() >= PERSISTED || bytes >= PERSISTED_BYTES {
            return Ok(false);
        }
        let mut columns = Columns::new(row);
        let place = MessagePlace(columns.get()?);
        bytes += columns.count::<usize>().unwrap_or_default();
        let known = named(&mut columns).ok();
        live.persisted.push((place, known));
    }
    Ok(true)
}

fn named(columns: &mut Columns<'_>) -> rusqlite::Result<(MessageId, QueueName)> {
    Ok((message_id(columns)?, columns.word()?))
}

/// Reads rows of queues. Returns whether these are all.
fn read_queued(
    sql: &Connection,
    from: i64,
    live: &mut LiveRead,
    damaged: &mut Damage,
) -> rusqlite::Result<bool> {
    const QUEUED: &str = concat!(queued!(), " WHERE u.id >= ?1 ORDER BY u.id");
    let mut statement = sql.prepare_cached(QUEUED)?;
    let mut rows = statement.query([from])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if bytes >= QUEUED_BYTES {
            return Ok(false);
        }
        let unit = read_row("queued_message", row, |columns| {
            Ok((read(columns)?, columns.count()?))
        });
        match unit {
            Ok((message, count)) => {
                bytes += message.body.len();
                live.queued.push((row.get(0)?, message, count));
            }
            Err(error) => damaged.push(damaged_row_in(&error).ok_or(error)?),
        }
    }
    Ok(true)
}

impl Select<i64> for OldestQueueRow {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<i64> {
        const OLDEST: &str = "SELECT coalesce((SELECT min(id) FROM queued_message), (SELECT seq FROM sqlite_sequence WHERE name = 'queued_message') + 1, 1)";
        Ok(sql.only(OLDEST, [], |row| row.get(0))?)
    }
}
