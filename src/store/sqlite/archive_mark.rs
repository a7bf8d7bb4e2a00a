//! The mark that ties catalogue and archive together, and the objects kept because another catalogue may name them.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, params};

use super::Store;
use super::event_row::insert_event;
use super::failure::Outcome;
use super::row::{int, millis};
use super::select::{Damage, Select};
use super::sql_damage::read_row;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Action, ArchiveMark, NewEvent, Stamp};
use crate::store::error::Result;
use crate::store::query::CatalogueMark;

impl Store {
    /// Increments the catalogue's mark, or creates one with `new_id`, and returns it.
    pub async fn next_archive_mark(&self, new_id: String) -> Result<ArchiveMark> {
        self.write(move |transaction| {
            transaction.execute(
                "INSERT INTO archive_mark (one, id, generation) VALUES (1, ?1, 1)
                 ON CONFLICT (one) DO UPDATE SET generation = generation + 1",
                [&new_id],
            )?;
            Ok(mark(transaction.sql)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?)
        })
        .await
    }
}

impl Select<Option<ArchiveMark>> for CatalogueMark {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<ArchiveMark>> {
        Ok(mark(sql)?)
    }
}

/// Takes over an archive: `mark` becomes the catalogue's, and `kept` stays although no row names it.
pub(super) fn write_adopted(
    transaction: &Transaction<'_>,
    mark: &ArchiveMark,
    kept: &[String],
    detail: &str,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO archive_mark (one, id, generation) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET id = excluded.id, generation = excluded.generation",
        params![mark.id, int(mark.generation)],
    )?;
    for name in kept {
        let keep = "INSERT OR IGNORE INTO kept_object (name) VALUES (?1)";
        transaction.execute(keep, [name])?;
    }
    let event = NewEvent::of(Action::ArchiveAdopted).detail(detail.to_owned());
    insert_event(transaction, stamp, event).map(drop)
}

/// Reports whether `name` is kept since a takeover although no row names it.
pub(super) fn is_kept(sql: &Connection, name: &str) -> rusqlite::Result<bool> {
    sql.any("SELECT 1 FROM kept_object WHERE name = ?1", [name])
}

/// Reports whether a sweep of the archive is due. A recorded time in the future counts as due: a wrong clock wrote it.
pub(super) fn is_sweep_due(
    sql: &Connection,
    now: DateTime<Utc>,
    every: TimeDelta,
) -> rusqlite::Result<bool> {
    let ms: Option<i64> = sql
        .first("SELECT swept_at FROM archive_mark", [], |row| row.get(0))?
        .flatten();
    let swept_at = ms.and_then(DateTime::from_timestamp_millis);
    Ok(swept_at.is_none_or(|at| at > now || now - at >= every))
}

pub(super) fn write_swept(
    transaction: &Transaction<'_>,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    transaction.execute("UPDATE archive_mark SET swept_at = ?1", [millis(at)])?;
    Ok(())
}

fn mark(sql: &Connection) -> rusqlite::Result<Option<ArchiveMark>> {
    sql.first("SELECT id, generation FROM archive_mark", [], |row| {
        read_row("archive_mark", row, |columns| {
            let (id, generation) = (columns.get()?, columns.get::<i64>()?);
            let generation = generation.unsigned_abs();
            Ok(ArchiveMark { id, generation })
        })
    })
}
