//! Messages: JSON that somebody pushed to the service, in named queues, until it is persisted.
//!
//! Never looks into a message: that it is JSON was checked when it came.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{NewVerdict, VerdictId, VersionState};

/// The most messages that are queued as one unit.
pub const MAX_UNIT: usize = 1 << 16;

/// The longest name of a queue, in bytes.
const MAX_QUEUE_NAME: usize = 64;

/// The id of a message: a UUID of version 7 (RFC 9562 §5.7). The messages of a unit have ids that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub Uuid);

impl MessageId {
    /// Returns the id of the message so many places after the one with this id.
    #[must_use]
    pub fn after(self, places: usize) -> Self {
        Self(Uuid::from_u128(
            self.0.as_u128().wrapping_add(places as u128),
        ))
    }

    /// Returns the time in the id: when the message was put on its queue; `None` for a UUID of another version.
    pub fn made_at(self) -> Option<DateTime<Utc>> {
        let ms = i64::try_from(self.0.as_u128() >> 80).ok();
        let ms = ms.filter(|_| self.0.get_version_num() == 7);
        ms.and_then(DateTime::from_timestamp_millis)
    }
}

/// The place of a message among all that are persisted: it grows in the order in which that is done, and the deletion of other
/// messages does not change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessagePlace(pub i64);

impl fmt::Display for MessagePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Makes the ids of one process: behind the time, a counter tells its units apart (RFC 9562 §6.2), 32 random bits tell
/// processes apart, and the last three bytes count the messages of a unit.
#[derive(Debug)]
pub struct MessageIds {
    process: [u8; 4],
    units: AtomicU32,
}

impl Default for MessageIds {
    /// Returns ids that no other process makes.
    fn default() -> Self {
        let [a, b, c, d, ..] = RandomState::new().hash_one(()).to_be_bytes();
        Self {
            process: [a, b, c, d],
            units: AtomicU32::new(0),
        }
    }
}

impl MessageIds {
    /// Returns the id of the first message of a unit that came at this time.
    pub fn first(&self, at: DateTime<Utc>) -> MessageId {
        let ms = u64::try_from(at.timestamp_millis()).unwrap_or_default();
        let unit = self.units.fetch_add(1, Ordering::Relaxed);
        // The version takes four bits of the first byte and the variant two of the third: 18 are left.
        let [_, _, middle, low] = unit.to_be_bytes();
        let high = (unit >> 14).to_be_bytes()[3] & 0x0f;
        let second = (middle << 2) | (low >> 6);
        let [p, q, r, s] = self.process;
        let rest = [high, second, low & 0x3f, p, q, r, s, 0, 0, 0];
        MessageId(uuid::Builder::from_unix_timestamp_millis(ms, &rest).into_uuid())
    }

    /// Returns whether an id was made here.
    pub fn made(&self, id: MessageId) -> bool {
        id.0.as_bytes()[9..13] == self.process
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}

impl FromStr for MessageId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = Uuid::try_parse(text).ok();
        id.map(Self)
            .ok_or_else(|| format!("`{}` is not the id of a message", text.escape_debug()))
    }
}

/// The name of a queue: letters, digits, `-`, `_` and `.`, 64 at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct QueueName(String);

impl QueueName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for QueueName {
    /// Returns the queue of messages that name none.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for QueueName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = text.bytes().all(is_part)
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.len() <= MAX_QUEUE_NAME;
        if is_name {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "`{}` is not the name of a queue: it begins with a letter or a digit and has letters, digits, `-`, `_` and `.`, {MAX_QUEUE_NAME} at most",
            text.escape_debug()
        ))
    }
}

impl<'de> Deserialize<'de> for QueueName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

/// A message, as it was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Its queue.
    pub queue: QueueName,
    /// When it was put on the queue.
    pub received_at: DateTime<Utc>,
    /// When it was persisted; `None` while it is on the queue.
    pub persisted_at: Option<DateTime<Utc>>,
    /// Who pushed it, such as `sensor by http`.
    pub sender: String,
    /// The JSON on one line, its parts byte for byte.
    pub body: String,
    /// What the verifiers say of it; `None` while it is on the queue.
    pub state: Option<VersionState>,
}

/// A verdict on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageVerdict {
    /// The verdict's id.
    pub id: VerdictId,
    /// What was recorded.
    pub verdict: NewVerdict,
    /// Who ran the verifier.
    pub actor: String,
}

impl Message {
    /// Returns whether sender and body have all of these words, which are in lower case.
    pub fn has_words(&self, words: &[String]) -> bool {
        if words.is_empty() {
            return true;
        }
        let text = format!("{} {}", self.sender, self.body).to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    }
}

/// A message that could not be persisted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadMessage {
    /// The message; its body may be damaged.
    pub message: Message,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
    /// How often it was tried.
    pub tries: u32,
    /// Why it could not be persisted.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_unit_follow_each_other_and_those_of_later_units_come_later() {
        let at = |ms| DateTime::from_timestamp_millis(ms).expect("a time");
        let (ids, others) = (MessageIds::default(), MessageIds::default());
        let first = ids.first(at(1_800_000_000_000));
        let last = first.after(MAX_UNIT - 1);
        assert!(first < first.after(1) && first.after(1) < last);
        assert!(last < ids.first(at(1_800_000_000_000)));
        assert!(last < others.first(at(1_800_000_000_001)));
        for id in [first, last] {
            assert_eq!(id.0.get_version_num(), 7);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert!(ids.made(id) && !others.made(id));
            assert_eq!(id.made_at(), Some(at(1_800_000_000_000)));
        }
        // The counter has 18 bits.
        let ids = MessageIds::default();
        let mut units: Vec<_> = (1..1 << 18)
            .map(|_| ids.first(at(1_800_000_000_000)))
            .collect();
        assert!(units.is_sorted());
        units.dedup();
        assert_eq!(units.len(), (1 << 18) - 1);
        assert!("12".parse::<MessageId>().is_err());
    }

    #[test]
    fn names_of_queues_are_plain() {
        for name in ["default", "a", "7", "orders.eu-1_x", &"q".repeat(64)] {
            let queue: QueueName = name.parse().expect("a name");
            assert_eq!(queue.as_str(), name);
        }
        for name in ["", ".", "-a", "a b", "a/b", "ä", "a\n", &"q".repeat(65)] {
            assert!(name.parse::<QueueName>().is_err(), "{name:?}");
        }
    }
}
