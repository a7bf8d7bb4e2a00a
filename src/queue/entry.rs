//! Entries of a stream, each with a unit.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use redis::{FromRedisValue as _, Value};

use crate::domain::{
    Digest, Digester, MAX_UNIT, MessageId, QueueName, TakenUnit, UnitKey, bodies_of,
};

/// The fields of an entry.
type Fields = HashMap<Vec<u8>, Vec<u8>>;

/// An entry as it was read.
pub(super) struct Entry {
    /// Its id in the stream.
    pub(super) id: String,
    /// What it holds; for one that is not a whole unit why, with what can be kept of it.
    pub(super) unit: Result<TakenUnit, (&'static str, TakenUnit)>,
}

impl Entry {
    /// Reads an entry of a queue; `None` for a reply that is none.
    pub(super) fn read(queue: &QueueName, reply: Value) -> Option<Self> {
        let (id, fields) = <(String, Fields)>::from_redis_value(reply).ok()?;
        let unit = match unit(queue, &fields) {
            None => Err((
                "it is not a whole unit of messages",
                remains(queue, &id, &fields),
            )),
            Some((unit, digest)) => {
                let messages = (unit.first, unit.count);
                let (sender, bodies) = (&unit.sender, &unit.bodies);
                let found = digest_of(queue, messages, unit.received_at, sender, bodies);
                if digest == found.to_hex() {
                    Ok(unit)
                } else {
                    Err((
                        "its entry on the queue is damaged",
                        remains(queue, &id, &fields),
                    ))
                }
            }
        };
        Some(Self { id, unit })
    }
}

/// Returns what can be kept of an entry that is given up. Its message has an id in any case.
fn remains(queue: &QueueName, entry: &str, fields: &Fields) -> TakenUnit {
    let lossy = |name: &str| String::from_utf8_lossy(field(fields, name).unwrap_or_default());
    TakenUnit {
        queue: queue.clone(),
        first: lossy("first")
            .parse()
            .unwrap_or_else(|_| id_of(queue, entry)),
        count: 1,
        received_at: time(fields).unwrap_or_default(),
        sender: lossy("sender").into_owned(),
        bodies: lossy("bodies").into_owned(),
        key: None,
        given_up: None,
    }
}

/// Returns the id of the message of an entry that names none: the same whenever the entry is read.
fn id_of(queue: &QueueName, entry: &str) -> MessageId {
    let (ms, _) = entry.split_once('-').unwrap_or_default();
    let ms = ms.parse::<u64>().unwrap_or_default() & ((1 << 48) - 1);
    let mut rest = [0; 10];
    let digest = Digest::of(format!("{queue}\n{entry}").as_bytes());
    rest.copy_from_slice(&digest.0[..10]);
    MessageId(uuid::Builder::from_unix_timestamp_millis(ms, &rest).into_uuid())
}

/// Returns the digest of what an entry holds.
pub(super) fn digest_of(
    queue: &QueueName,
    (first, count): (MessageId, usize),
    received_at: DateTime<Utc>,
    sender: &str,
    bodies: &str,
) -> Digest {
    let at = received_at.timestamp_millis();
    let head = format!("{queue}\n{first}\n{count}\n{at}\n{sender}\n");
    let mut hasher = Digester::default();
    hasher.update(head.as_bytes());
    hasher.update(bodies.as_bytes());
    hasher.finish()
}

fn unit(queue: &QueueName, fields: &Fields) -> Option<(TakenUnit, String)> {
    let text = |name| String::from_utf8(field(fields, name)?.to_vec()).ok();
    let count = text("count")?.parse().ok();
    let unit = TakenUnit {
        queue: queue.clone(),
        first: text("first")?.parse().ok()?,
        count: count.filter(|count| (1..=MAX_UNIT).contains(count))?,
        received_at: time(fields)?,
        sender: text("sender")?,
        bodies: text("bodies")?,
        key: key(fields),
        given_up: None,
    };
    let is_whole = bodies_of(&unit.bodies, unit.count).count() == unit.count;
    is_whole.then_some((unit, text("digest")?))
}

/// Returns the key under which a unit was sent: digest, digest of the content, and when it expires, in milliseconds.
fn key(fields: &Fields) -> Option<UnitKey> {
    let text = std::str::from_utf8(field(fields, "key")?).ok()?;
    let mut parts = text.split(' ');
    Some(UnitKey {
        key: parts.next()?.parse().ok()?,
        content: parts.next()?.parse().ok()?,
        expires_at: DateTime::from_timestamp_millis(parts.next()?.parse().ok()?)?,
    })
}

/// Returns the same for an entry; empty without a key.
pub(super) fn key_field(key: Option<&UnitKey>) -> String {
    let words = |key: &UnitKey| {
        let expires = key.expires_at.timestamp_millis();
        format!("{} {} {expires}", key.key, key.content)
    };
    key.map(words).unwrap_or_default()
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a [u8]> {
    fields.get(name.as_bytes()).map(Vec::as_slice)
}

fn time(fields: &Fields) -> Option<DateTime<Utc>> {
    let at = std::str::from_utf8(field(fields, "at")?).ok()?;
    DateTime::from_timestamp_millis(at.parse().ok()?)
}
