//! The rows of policies: the newest, which is in force, and older revisions.

use std::cell::RefCell;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Type;

use super::row::Columns;
use super::sql_damage::{NO_FIT, read_row};
use super::statements::Statements as _;
use crate::domain::{Actor, AdoptedPolicy, Policy, Weights};

/// The checksum of a policy's row.
macro_rules! policy_checksum {
    () => {
        "row_checksum(revision, adopted_at, actor_id, file, verifiers)"
    };
}
pub(super) use policy_checksum;

const NEWEST: &str = concat!(
    "SELECT p.revision, p.adopted_at, a.value, p.file, p.verifiers, coalesce(p.checksum = ",
    policy_checksum!(),
    ", 0) AS checksum
     FROM policy p LEFT JOIN text a ON a.id = p.actor_id ORDER BY p.revision DESC LIMIT 1"
);

pub(super) fn newest_revision(sql: &Connection) -> rusqlite::Result<Option<i64>> {
    sql.only("SELECT max(revision) FROM policy", [], |row| row.get(0))
}

pub(super) fn newest(sql: &Connection) -> rusqlite::Result<Option<AdoptedPolicy>> {
    sql.first(NEWEST, [], |row| {
        read_row("policy", row, |columns| {
            let policy = AdoptedPolicy {
                revision: columns.get()?,
                adopted_at: columns.time()?,
                actor: Actor(columns.get()?),
                file: columns.get()?,
                policy: columns.json()?,
            };
            if columns.get()? {
                Ok(policy)
            } else {
                Err(columns.malformed(Type::Integer, NO_FIT))
            }
        })
    })
}

/// Returns the verifiers that counted for a set under a revision; `None` when the revision cannot be read.
pub(super) fn weights_of_set(
    sql: &Connection,
    set: &str,
    revision: Option<i64>,
) -> rusqlite::Result<Option<Weights>> {
    // A policy of an older gannet may be unreadable.
    let policy: Option<Policy> = sql
        .first(
            concat!(
                "SELECT verifiers FROM policy WHERE revision = ?1 AND checksum = ",
                policy_checksum!()
            ),
            [revision],
            |row| Ok(Columns::new(row).json().ok()),
        )?
        .flatten();
    Ok(policy.map(|policy| policy.for_set(set)))
}

/// The newest policy, parsed once per revision instead of once per verdict.
#[derive(Default)]
pub(super) struct KnownPolicy(RefCell<Option<(i64, Arc<Policy>)>>);

impl KnownPolicy {
    /// Clears the cache: a transaction that was rolled back may have written the policy.
    pub(super) fn forget(&self) {
        self.0.borrow_mut().take();
    }

    /// Returns the policy in force and its revision; `None` before the first adoption.
    pub(super) fn read(&self, sql: &Connection) -> rusqlite::Result<Option<(i64, Arc<Policy>)>> {
        let Some(revision) = newest_revision(sql)? else {
            return Ok(None);
        };
        let known = self.0.borrow().clone();
        if let Some(known) = known.filter(|(known, _)| *known == revision) {
            return Ok(Some(known));
        }
        let Some(adopted) = newest(sql)? else {
            return Ok(None);
        };
        let read = (adopted.revision, Arc::new(adopted.policy));
        *self.0.borrow_mut() = Some(read.clone());
        Ok(Some(read))
    }
}
