//! Pending objects: those that no blob names. Each has a row: from before a worker writes its file until the blob is
//! recorded, and from the end of its blob until its file is in the trash.
//!
//! Never touches a file.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::row::millis;
use super::select::{Damage, Select};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::worker::living;
use crate::domain::{StoredBody, WorkerId};
use crate::store::query::LooseObjects;

impl Select<Vec<String>> for LooseObjects {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<String>> {
        Ok(sql.all(LOOSE, living(self.0), |row| row.get(0))?)
    }
}

const LOOSE: &str = "SELECT name FROM pending_object WHERE worker IS NULL
     OR worker NOT IN (SELECT id FROM worker WHERE seen_at > ?1 AND seen_at <= ?2)";

/// Writes the row of an object that a worker is about to make.
pub(super) fn announce(
    transaction: &Transaction<'_>,
    name: &str,
    worker: &WorkerId,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let announce = "INSERT INTO pending_object (name, worker, at) VALUES (?1, ?2, ?3)";
    transaction.execute(announce, params![name, worker.0, millis(at)])?;
    Ok(())
}

/// Deletes the row of an object that a blob names now; or, where the content was known, writes that nothing needs the
/// object.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    body: &StoredBody,
    is_needed: bool,
) -> rusqlite::Result<()> {
    let StoredBody::Object(name) = body else {
        return Ok(());
    };
    let settle = if is_needed {
        "DELETE FROM pending_object WHERE name = ?1"
    } else {
        "UPDATE pending_object SET worker = NULL WHERE name = ?1"
    };
    transaction.execute(settle, [name])?;
    Ok(())
}

/// Writes rows of objects that nothing needs any more.
pub(super) fn abandon<'a>(
    transaction: &Transaction<'_>,
    names: impl IntoIterator<Item = &'a String>,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    for name in names {
        let abandon = "INSERT OR REPLACE INTO pending_object (name, at) VALUES (?1, ?2)";
        transaction.execute(abandon, params![name, millis(at)])?;
    }
    Ok(())
}

/// Deletes the rows of objects whose files are gone.
pub(super) fn forget(transaction: &Transaction<'_>, names: &[String]) -> rusqlite::Result<()> {
    for name in names {
        transaction.execute("DELETE FROM pending_object WHERE name = ?1", [name])?;
    }
    Ok(())
}
