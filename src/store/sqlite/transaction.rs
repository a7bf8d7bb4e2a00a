//! The writer's transaction, as operations use it: the connection, and the cached ids of texts and peers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

use rusqlite::{Connection, params};

use super::known_policy::KnownPolicy;
use super::sql_damage::damaged_row_in;
use super::statements::Statements;
use crate::domain::{CommittedEvent, Peer};

/// Ids of recently used texts and peers. Cleared after any rollback, which may have removed their rows.
#[derive(Default)]
pub(super) struct InternedIds {
    texts: RefCell<HashMap<String, i64>>,
    peers: RefCell<HashMap<Peer, i64>>,
}

/// Enough for all actors, media types and verifiers, but not for all file names.
const MAX_IDS: usize = 1000;

impl InternedIds {
    pub(super) fn forget(&self) {
        self.texts.borrow_mut().clear();
        self.peers.borrow_mut().clear();
    }
}

fn remember<K: Eq + Hash>(known: &RefCell<HashMap<K, i64>>, key: K, id: i64) {
    let mut known = known.borrow_mut();
    if known.len() >= MAX_IDS {
        known.clear();
    }
    known.insert(key, id);
}

/// Events of an uncommitted transaction; subscribers receive them after the commit.
pub(super) type PendingEvents = RefCell<Vec<CommittedEvent>>;

/// A transaction that the writer begins and ends.
pub(super) struct Transaction<'a> {
    pub(super) sql: &'a Connection,
    ids: &'a InternedIds,
    pub(super) policy: &'a KnownPolicy,
    events: &'a PendingEvents,
}

impl Statements for Transaction<'_> {
    fn connection(&self) -> &Connection {
        self.sql
    }
}

impl<'a> Transaction<'a> {
    pub(super) fn new(
        sql: &'a Connection,
        ids: &'a InternedIds,
        policy: &'a KnownPolicy,
        events: &'a PendingEvents,
    ) -> Self {
        Self {
            sql,
            ids,
            policy,
            events,
        }
    }

    /// Holds an event for the subscribers until the commit.
    pub(super) fn announce(&self, event: CommittedEvent) {
        self.events.borrow_mut().push(event);
    }

    /// Runs one statement and returns the number of changed rows.
    pub(super) fn execute(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> rusqlite::Result<usize> {
        self.sql.prepare_cached(sql)?.execute(params)
    }

    /// Runs an `UPDATE` of many rows of `source_state`. A damaged row makes SQLite change none: it is then left out.
    pub(super) fn update_states(
        &self,
        update: &str,
        params: impl rusqlite::Params + Copy,
    ) -> rusqlite::Result<()> {
        match self.execute(update, params) {
            Err(error) if damaged_row_in(&error).is_some() => {}
            done => return done.map(drop),
        }
        let ids = self
            .sql
            .all::<i64>("SELECT source_id FROM source_state", [], |row| row.get(0))?;
        for id in ids {
            let one = self
                .sql
                .execute(&format!("{update} AND source_id = {id}"), params);
            match one {
                Err(error) if damaged_row_in(&error).is_some() => {}
                done => {
                    done?;
                }
            }
        }
        Ok(())
    }

    /// Runs one `INSERT` and returns the new row's id.
    pub(super) fn insert(&self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<i64> {
        self.sql.prepare_cached(sql)?.insert(params)
    }

    /// Returns the id of `text`, inserting a row when there is none.
    pub(super) fn text_id(&self, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.ids.texts.borrow().get(text) {
            return Ok(*id);
        }
        let known = self
            .sql
            .first("SELECT id FROM text WHERE value = ?1", [text], |row| {
                row.get(0)
            })?;
        let id = match known {
            Some(id) => id,
            None => self.insert_text(text)?,
        };
        remember(&self.ids.texts, text.to_owned(), id);
        Ok(id)
    }

    /// Returns the id of a peer's row; `find` reads or inserts the row of one that was not used recently.
    pub(super) fn peer_id(
        &self,
        peer: &Peer,
        find: impl FnOnce() -> rusqlite::Result<i64>,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = self.ids.peers.borrow().get(peer) {
            return Ok(*id);
        }
        let id = find()?;
        remember(&self.ids.peers, peer.clone(), id);
        Ok(id)
    }

    fn insert_text(&self, text: &str) -> rusqlite::Result<i64> {
        // The checksum covers the id, too: the one that SQLite would give. It is read by a statement of its own: SQLite
        // buffers an insert that selects from its own table in a temporary table.
        let next: i64 = self
            .sql
            .only("SELECT coalesce(max(id), 0) + 1 FROM text", [], |row| {
                row.get(0)
            })?;
        self.insert(
            "INSERT INTO text (id, value, checksum) VALUES (?1, ?2, row_checksum(?1, ?2))",
            params![next, text],
        )
    }
}
