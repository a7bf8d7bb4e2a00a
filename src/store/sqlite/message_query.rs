//! Messages: read by page, by id, or as given up.

use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::queue::message_id;
use super::row::{Columns, int, millis};
use super::select::{Damage, Select};
use super::sql_damage::{damaged_row_in, read_row};
use super::statements::Statements as _;
use crate::domain::{
    DeadMessage, Message, MessageId, MessagePlace, QueueName, VersionState, bodies_of,
};
use crate::store::message_types::{BadMessages, MessagePage, MessagesQuery};
use crate::store::query::{
    BadMessagesSince, DeadMessageWith, DeadMessages, MessageWith, NewestPersisted, PlaceAtTime,
    PlaceOfMessage, StatesOfMessages,
};

/// The state of `message m` with its row `message_state s`, if it has one.
macro_rules! state {
    () => {
        "CASE WHEN s.message_id IS NULL THEN 'unverified' WHEN s.checksum = row_checksum(s.message_id, s.state) THEN s.state ELSE 'error' END"
    };
}

macro_rules! messages {
    () => {
        messages!("message m LEFT JOIN message_state s ON s.message_id = m.id")
    };
    ($of:literal) => {
        concat!("SELECT m.id, coalesce(m.checksum = row_checksum(m.uuid, m.queue_id, m.received_at, m.persisted_at, m.sender_id, m.body), 0) AS checksum,
             m.uuid, q.name AS queue_id, t.value AS sender_id, m.received_at, m.persisted_at, m.body, ", state!(), "
         FROM ", $of, " LEFT JOIN queue q ON q.id = m.queue_id LEFT JOIN text t ON t.id = m.sender_id")
    };
}

/// Rows of queues, with the columns of messages and then the number of messages in each.
macro_rules! queued {
    () => {
        "SELECT u.id, coalesce(u.checksum = row_checksum(u.queue_id, u.first_uuid, u.count, u.received_at, u.sender_id, u.bodies), 0) AS checksum,
             u.first_uuid, q.name AS queue_id, t.value AS sender_id, u.received_at, NULL, u.bodies, NULL, u.count
         FROM queued_message u LEFT JOIN queue q ON q.id = u.queue_id LEFT JOIN text t ON t.id = u.sender_id"
    };
}
pub(super) use queued;

impl Select<MessagePage> for MessagesQuery {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<MessagePage> {
        let mut statement = sql.prepare_cached(&self.sql())?;
        let queue = self.queue.as_ref().map(QueueName::as_str);
        let after = self.after.map(|place| place.0);
        let state = self.state.map(VersionState::as_str);
        let mut rows = statement.query(params![queue, after, int(self.limit) + 1, state])?;
        let (mut page, mut bytes) = (MessagePage::default(), 0);
        for count in 0.. {
            let Some(row) = rows.next()? else { break };
            if count >= self.limit || bytes >= self.enough_bytes {
                page.has_more = true;
                break;
            }
            page.end = Some(MessagePlace(row.get(0)?));
            match read_row("message", row, read) {
                Ok(message) => {
                    bytes += message.body.len();
                    page.messages.push(message);
                }
                Err(error) => damaged.push(damaged_row_in(&error).ok_or(error)?),
            }
        }
        Ok(page)
    }
}

impl MessagesQuery {
    /// Returns the statement with only the conditions that are set, so that SQLite uses an index.
    fn sql(&self) -> String {
        let (compare, order) = if self.newest_first {
            ("<", "DESC")
        } else {
            (">", "ASC")
        };
        // Those in a state are found by its index.
        let (messages, id, state) = match self.state {
            None => (messages!(), "m.id", "?4 IS NULL"),
            Some(VersionState::Unverified) => {
                let state = "coalesce(s.state, 'unverified') = ?4";
                (messages!(), "m.id", state)
            }
            Some(_) => (
                messages!("message_state s CROSS JOIN message m ON m.id = s.message_id"),
                "s.message_id",
                "s.state = ?4",
            ),
        };
        let queue = match &self.queue {
            Some(_) => "m.queue_id = (SELECT id FROM queue WHERE name = ?1)",
            None => "?1 IS NULL",
        };
        let after = match self.after {
            Some(_) => format!("{id} {compare} ?2"),
            None => "?2 IS NULL".to_owned(),
        };
        format!("{messages} WHERE {queue} AND {after} AND {state} ORDER BY {id} {order} LIMIT ?3")
    }
}

impl Select<Option<Message>> for MessageWith {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<Message>> {
        const MESSAGE: &str = concat!(messages!(), " WHERE m.uuid = ?1");
        // The last unit that begins with this id or before it.
        const QUEUED: &str = concat!(
            queued!(),
            " WHERE u.first_uuid <= ?1 ORDER BY u.first_uuid DESC LIMIT 1"
        );
        let id = self.0.0.as_bytes();
        let found = sql.first(MESSAGE, [id], |row| read_row("message", row, read))?;
        if found.is_some() {
            return Ok(found);
        }
        let unit = sql.first(QUEUED, [id], |row| {
            read_row("queued_message", row, |columns| {
                Ok((read(columns)?, columns.count::<usize>()?))
            })
        })?;
        Ok(unit.and_then(|(unit, count)| {
            let place = self.0.0.as_u128() - unit.id.0.as_u128();
            let place = usize::try_from(place).ok().filter(|place| *place < count)?;
            let body = bodies_of(&unit.body, count).nth(place)?.to_owned();
            Some(Message {
                id: self.0,
                body,
                ..unit
            })
        }))
    }
}

impl Select<Vec<(MessageId, VersionState)>> for StatesOfMessages {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<(MessageId, VersionState)>> {
        const STATE: &str = concat!(
            "SELECT ",
            state!(),
            " FROM message m LEFT JOIN message_state s ON s.message_id = m.id WHERE m.uuid = ?1"
        );
        let mut states = Vec::with_capacity(self.0.len());
        for id in &self.0 {
            let state = sql.first(STATE, [id.0.as_bytes()], |row| Columns::new(row).word())?;
            states.extend(state.map(|state| (*id, state)));
        }
        Ok(states)
    }
}

impl Select<BadMessages> for BadMessagesSince {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<BadMessages> {
        // Those persisted last are looked at alone: there may be millions.
        const COUNT: &str = "SELECT count(*) FROM
             (SELECT message_id FROM message_state WHERE state = ?1 ORDER BY message_id DESC LIMIT ?2) s
             JOIN message m ON m.id = s.message_id WHERE m.persisted_at >= ?3";
        let count = |state: VersionState| -> rusqlite::Result<u64> {
            let given = params![state.as_str(), int(BadMessages::MOST), millis(self.0)];
            sql.only(COUNT, given, |row| Columns::new(row).count())
        };
        Ok(BadMessages {
            failed: count(VersionState::Failed)?,
            error: count(VersionState::Error)?,
        })
    }
}

impl Select<Option<MessagePlace>> for PlaceOfMessage {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<MessagePlace>> {
        let place = "SELECT id FROM message WHERE uuid = ?1";
        Ok(sql.first(place, [self.0.0.as_bytes()], |row| {
            Ok(MessagePlace(row.get(0)?))
        })?)
    }
}

impl Select<MessagePlace> for PlaceAtTime {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<MessagePlace> {
        const BOUNDS: &str = "SELECT coalesce((SELECT min(id) FROM message), 1) - 1, coalesce((SELECT max(id) FROM message), 0) + 1";
        const NEXT: &str =
            "SELECT id, persisted_at < ?2 FROM message WHERE id >= ?1 ORDER BY id LIMIT 1";
        // There is no index of times: up to `low` they are before this one, from `high` on they are not.
        let (mut low, mut high): (i64, i64) =
            sql.only(BOUNDS, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let next = sql.first(NEXT, params![middle, millis(self.0)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            match next {
                Some((id, true)) => low = id,
                _ => high = middle,
            }
        }
        Ok(MessagePlace(low))
    }
}

impl Select<MessagePlace> for NewestPersisted {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<MessagePlace> {
        let newest = "SELECT coalesce(max(id), 0) FROM message";
        Ok(sql.only(newest, [], |row| Ok(MessagePlace(row.get(0)?)))?)
    }
}

/// Reads a message; of a row of a queue the first, with the bodies of all.
pub(super) fn read(columns: &mut Columns<'_>) -> rusqlite::Result<Message> {
    columns.skip();
    if !columns.get::<bool>()? {
        return Err(columns.malformed(Type::Integer, ""));
    }
    Ok(Message {
        id: message_id(columns)?,
        queue: columns.word()?,
        sender: columns.get()?,
        received_at: columns.time()?,
        persisted_at: columns.optional_time()?,
        body: columns.get()?,
        state: columns.optional_word()?,
    })
}

/// Returns the persisted message of a row; `None` when there is none.
pub(super) fn message_with_row(sql: &Connection, row: i64) -> rusqlite::Result<Option<Message>> {
    const MESSAGE: &str = concat!(messages!(), " WHERE m.id = ?1");
    sql.first(MESSAGE, [row], |row| read_row("message", row, read))
}

macro_rules! dead_messages {
    () => {
        "SELECT d.id, d.uuid, q.name AS queue_id, t.value AS sender_id, d.received_at, d.died_at, d.tries, d.reason, d.body
         FROM dead_message d LEFT JOIN queue q ON q.id = d.queue_id LEFT JOIN text t ON t.id = d.sender_id"
    };
}

impl Select<Vec<DeadMessage>> for DeadMessages {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<DeadMessage>> {
        const DEAD: &str = concat!(dead_messages!(), " ORDER BY d.id DESC LIMIT ?1");
        let Self(limit, enough_bytes) = *self;
        let mut statement = sql.prepare_cached(DEAD)?;
        let mut rows = statement.query([int(limit)])?;
        let (mut dead, mut bytes) = (Vec::new(), 0);
        while bytes < enough_bytes
            && let Some(row) = rows.next()?
        {
            match read_row("dead_message", row, read_dead) {
                Ok(one) => {
                    bytes += one.message.body.len();
                    dead.push(one);
                }
                Err(error) => damaged.push(damaged_row_in(&error).ok_or(error)?),
            }
        }
        Ok(dead)
    }
}

impl Select<Option<DeadMessage>> for DeadMessageWith {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<DeadMessage>> {
        const DEAD: &str = concat!(dead_messages!(), " WHERE d.uuid = ?1");
        let id = self.0.0.as_bytes();
        Ok(sql.first(DEAD, [id], |row| read_row("dead_message", row, read_dead))?)
    }
}

fn read_dead(columns: &mut Columns<'_>) -> rusqlite::Result<DeadMessage> {
    columns.skip();
    let message = Message {
        id: message_id(columns)?,
        queue: columns.word()?,
        sender: columns.get()?,
        received_at: columns.time()?,
        persisted_at: None,
        body: String::new(),
        state: None,
    };
    Ok(DeadMessage {
        died_at: columns.time()?,
        tries: columns.count()?,
        reason: columns.get()?,
        message: Message {
            body: columns.get()?,
            ..message
        },
    })
}
