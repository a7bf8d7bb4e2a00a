//! What an operation of the writer works on: the connection inside a transaction, and the texts and peers that repeat.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::known_policy::KnownPolicy;
use super::sql_damage::damaged_row_in;
use crate::domain::{CommittedEvent, Peer};

/// Ids of texts and of peers that were used lately. Emptied when anything is rolled back, since an id may have gone with it.
#[derive(Default)]
pub(super) struct InternedIds {
    texts: RefCell<HashMap<String, i64>>,
    peers: RefCell<HashMap<Peer, i64>>,
}

/// More texts than there are actors, media types and verifiers; fewer than file names could be.
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

/// Events of a transaction that is not committed yet: subscribers hear of them when it is.
pub(super) type PendingEvents = RefCell<Vec<CommittedEvent>>;

/// A transaction that another part begins and ends.
pub(super) struct Transaction<'a> {
    pub(super) sql: &'a Connection,
    ids: &'a InternedIds,
    pub(super) policy: &'a KnownPolicy,
    events: &'a PendingEvents,
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

    /// Keeps an event for the subscribers until the transaction is committed.
    pub(super) fn announce(&self, event: CommittedEvent) {
        self.events.borrow_mut().push(event);
    }

    /// Runs one statement and returns how many rows it changed.
    pub(super) fn execute(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> rusqlite::Result<usize> {
        self.sql.prepare_cached(sql)?.execute(params)
    }

    /// Runs an `UPDATE` of many rows of `source_state`. One that is damaged keeps SQLite from changing any: it is left out then.
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
            .prepare_cached("SELECT source_id FROM source_state")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
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

    /// Returns the id that stands for `text`, a new one when it was never used.
    pub(super) fn text_id(&self, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.ids.texts.borrow().get(text) {
            return Ok(*id);
        }
        let known = self
            .sql
            .prepare_cached("SELECT id FROM text WHERE value = ?1")?
            .query_row([text], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => self.insert_text(text)?,
        };
        remember(&self.ids.texts, text.to_owned(), id);
        Ok(id)
    }

    /// Returns the id of the row that stands for a peer; `find` reads or writes that row when it was not used lately.
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
        // The checksum is of the id, too: the one that SQLite would give. Asked for apart, since SQLite gathers rows in a temporary
        // table that it selects from the table into which they go.
        let next: i64 = self
            .sql
            .prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM text")?
            .query_row([], |row| row.get(0))?;
        self.insert(
            "INSERT INTO text (id, value, checksum) VALUES (?1, ?2, row_checksum(?1, ?2))",
            params![next, text],
        )
    }
}
