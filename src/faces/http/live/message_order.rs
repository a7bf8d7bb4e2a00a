//! The order in which messages go to the clients of the live feed: in each queue that in which they are persisted, whichever process
//! put them there.
//!
//! Never asks the store: it takes what was read of it, and what this process put on queues.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::app::LiveRead;
use crate::domain::{JsonLines, Message, MessageId, MessagePlace, QueueName, QueueRows};

/// The most bytes of bodies that are held for others: what is not held is read of the store, like messages of other processes.
const MAX_HELD_BYTES: usize = 1 << 20;

/// A persisted message as it is read: its place, and unless it is damaged its id and its queue.
type PersistedRow = (MessagePlace, Option<(MessageId, QueueName)>);

/// Messages of a unit, for the clients.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// The first of them, without its body.
    pub(super) first: Message,
    pub(super) bodies: JsonLines,
    /// Their rows on a queue; none for those that are read as persisted or lie on a server.
    pub(super) rows: Option<QueueRows>,
}

impl Outgoing {
    fn last(&self) -> MessageId {
        self.first.id.after(self.bodies.count().saturating_sub(1))
    }
}

#[derive(Debug, Default)]
pub(super) struct MessageOrder {
    /// The first row of a queue that is not passed on yet.
    next: i64,
    /// Units of this process in front of which there are rows that were not read, by their first row.
    held: BTreeMap<i64, Outgoing>,
    held_bytes: usize,
    /// The last message of each queue that was passed on, and its row, until it is read as persisted. All that are persisted up to
    /// it were passed on.
    passed: HashMap<QueueName, (MessageId, i64)>,
}

impl MessageOrder {
    /// Returns the order of what comes from this row on.
    pub(super) fn from(next: i64) -> Self {
        Self {
            next,
            ..Self::default()
        }
    }

    /// Returns the first row that is not passed on yet.
    pub(super) fn next_row(&self) -> i64 {
        self.next
    }

    /// Takes a unit that this process put on a queue. Returns what may be passed on now.
    pub(super) fn put(&mut self, unit: Outgoing) -> Vec<Outgoing> {
        let Some(rows) = unit.rows else {
            return vec![unit];
        };
        let bytes = unit.bodies.bodies().len();
        // One in front of the next row was read of the store before.
        let is_next = rows.first == self.next;
        if is_next || (rows.first > self.next && self.held_bytes + bytes <= MAX_HELD_BYTES) {
            self.held_bytes += bytes;
            self.held.insert(rows.first, unit);
        }
        self.next_held()
    }

    /// Returns the held units that are next, one behind the other.
    fn next_held(&mut self) -> Vec<Outgoing> {
        let mut next = Vec::new();
        while let Some(entry) = self.held.first_entry()
            && *entry.key() <= self.next
        {
            let is_next = *entry.key() == self.next;
            let unit = entry.remove();
            self.held_bytes -= unit.bodies.bodies().len();
            if is_next {
                self.pass(&unit);
                next.push(unit);
            }
        }
        next
    }

    /// Notes that a unit with a row is passed on.
    fn pass(&mut self, unit: &Outgoing) {
        if let Some(rows) = unit.rows {
            self.next = rows.last + 1;
            let passed = (unit.last(), rows.last);
            self.passed.insert(unit.first.queue.clone(), passed);
        }
    }

    /// Returns those of the messages that were read as persisted that are not passed on yet.
    pub(super) fn unknown(&self, read: &LiveRead) -> Vec<MessageId> {
        let mut reached = HashSet::new();
        let mut unknown = Vec::new();
        for (_, message) in &read.persisted {
            let Some((id, queue)) = message else { continue };
            match self.passed.get(queue).filter(|_| !reached.contains(queue)) {
                Some((last, _)) => {
                    if last == id {
                        reached.insert(queue);
                    }
                }
                None => unknown.push(*id),
            }
        }
        unknown
    }

    /// Takes what was read of the store while `asked` was the next row, with those of the unknown messages that are wanted. Returns what
    /// is passed on now.
    pub(super) fn read(
        &mut self,
        read: LiveRead,
        asked: i64,
        unknown: HashMap<MessageId, Outgoing>,
    ) -> Vec<Outgoing> {
        let mut units = self.read_persisted(read.persisted, unknown);
        units.extend(self.read_queued(read.queued));
        if let Some(last) = read.last_row {
            let is_older = last + 1 < asked;
            // A catalogue that was put back from a copy begins again.
            self.next = if is_older {
                last + 1
            } else {
                self.next.max(last + 1)
            };
            // One that is neither persisted nor on its queue was given up.
            let oldest = read.oldest_row.unwrap_or(i64::MAX);
            self.passed
                .retain(|_, (_, row)| *row >= oldest || *row > last);
        }
        units.extend(self.next_held());
        units
    }

    fn read_persisted(
        &mut self,
        persisted: Vec<PersistedRow>,
        mut unknown: HashMap<MessageId, Outgoing>,
    ) -> Vec<Outgoing> {
        let mut units = Vec::new();
        for (id, queue) in persisted.into_iter().filter_map(|(_, message)| message) {
            match self.passed.get(&queue) {
                Some((last, _)) => {
                    if *last == id {
                        self.passed.remove(&queue);
                    }
                }
                None => units.extend(unknown.remove(&id)),
            }
        }
        units
    }

    fn read_queued(&mut self, queued: Vec<(i64, Message, usize)>) -> Vec<Outgoing> {
        let mut units = Vec::new();
        for (row, mut first, count) in queued {
            if row < self.next {
                continue;
            }
            let bodies = JsonLines::of_row(std::mem::take(&mut first.body), count);
            let rows = QueueRows {
                first: row,
                last: row,
            };
            let unit = Outgoing {
                first,
                bodies,
                rows: Some(rows),
            };
            self.pass(&unit);
            units.push(unit);
        }
        units
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn unit(id: u128, row: i64) -> Outgoing {
        let first = Message {
            id: MessageId(Uuid::from_u128(id)),
            queue: QueueName::default(),
            received_at: chrono::DateTime::UNIX_EPOCH,
            persisted_at: None,
            sender: String::new(),
            body: String::new(),
            state: None,
        };
        Outgoing {
            first,
            bodies: JsonLines::stored("1".to_owned()),
            rows: Some(QueueRows {
                first: row,
                last: row,
            }),
        }
    }

    fn put(order: &mut MessageOrder, id: u128, row: i64) -> Vec<u128> {
        ids(order.put(unit(id, row)))
    }

    fn ids(units: Vec<Outgoing>) -> Vec<u128> {
        let ids = units.into_iter().map(|unit| unit.first.id.0.as_u128());
        ids.collect()
    }

    /// Reads these messages as persisted, and these with their rows on the queue.
    fn read(
        order: &mut MessageOrder,
        persisted: &[u128],
        queued: &[(u128, i64)],
        last_row: i64,
    ) -> Vec<u128> {
        let of = |id: &u128| (MessageId(Uuid::from_u128(*id)), QueueName::default());
        let queued: Vec<_> = queued
            .iter()
            .map(|(id, row)| (*row, unit(*id, *row).first, 1))
            .collect();
        let read = LiveRead {
            persisted: persisted
                .iter()
                .map(|id| (MessagePlace(0), Some(of(id))))
                .collect(),
            oldest_row: queued.first().map(|(row, ..)| *row),
            queued,
            last_row: Some(last_row),
        };
        let unknown = order.unknown(&read);
        let unknown = unknown.into_iter().map(|id| {
            let unit = unit(id.0.as_u128(), 0);
            (id, Outgoing { rows: None, ..unit })
        });
        let (unknown, asked) = (unknown.collect(), order.next_row());
        ids(order.read(read, asked, unknown))
    }

    #[test]
    fn units_of_this_process_are_passed_on_at_once_and_by_their_rows() {
        let mut order = MessageOrder::from(5);
        assert_eq!(put(&mut order, 1, 5), [1]);
        assert_eq!(put(&mut order, 3, 7), [0; 0]);
        assert_eq!(put(&mut order, 2, 6), [2, 3]);
        assert_eq!(read(&mut order, &[1, 2], &[(3, 7)], 7), [0; 0]);
        assert_eq!(read(&mut order, &[3], &[], 7), [0; 0]);
        assert_eq!(put(&mut order, 4, 8), [4]);
    }

    #[test]
    fn those_of_other_processes_come_between_them() {
        let mut order = MessageOrder::from(1);
        assert_eq!(put(&mut order, 1, 1), [1]);
        // Another process has put row 2 there, which is persisted before it is read.
        assert_eq!(put(&mut order, 3, 3), [0; 0]);
        assert_eq!(read(&mut order, &[1, 2], &[(3, 3), (4, 4)], 4), [2, 3, 4]);
        // The request of row 4 was of this process, too, and goes on only now.
        assert_eq!(put(&mut order, 4, 4), [0; 0]);
        assert_eq!(read(&mut order, &[3, 4, 5], &[], 5), [5]);
        assert_eq!(put(&mut order, 6, 6), [6]);
    }

    #[test]
    fn a_message_that_is_given_up_stands_in_the_way_of_none() {
        let mut order = MessageOrder::from(1);
        assert_eq!(put(&mut order, 1, 1), [1]);
        assert_eq!(read(&mut order, &[], &[], 1), [0; 0]);
        assert_eq!(read(&mut order, &[2], &[], 2), [2]);
    }
}
