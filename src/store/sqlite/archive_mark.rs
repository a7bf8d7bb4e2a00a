//! The mark that ties catalogue and archive together, and the objects kept because another catalogue may name them.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::event_row::insert_event;
use super::row::{int, millis};
use super::sql_damage::read_row;
use super::transaction::Transaction;
use crate::domain::{Action, ArchiveMark, NewEvent, Stamp};
use crate::store::error::Result;

impl Store {
    /// Returns the catalogue's mark; `None` before the first one is made.
    pub async fn archive_mark(&self) -> Result<Option<ArchiveMark>> {
        self.read(|sql| Ok(mark(sql)?)).await
    }

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

    /// Takes over an archive: `mark` becomes the catalogue's mark. `kept` lists the stored objects and set editions
    /// that no row names and that must stay. `detail` is the text of the event.
    pub async fn adopt_archive(
        &self,
        mark: ArchiveMark,
        kept: Vec<String>,
        detail: String,
        stamp: Stamp,
    ) -> Result<()> {
        self.write(move |transaction| {
            transaction.execute(
                "INSERT INTO archive_mark (one, id, generation) VALUES (1, ?1, ?2)
                 ON CONFLICT (one) DO UPDATE SET id = excluded.id, generation = excluded.generation",
                params![mark.id, int(mark.generation)],
            )?;
            for name in &kept {
                keep_object(transaction, name)?;
            }
            let event = NewEvent::of(Action::ArchiveAdopted).detail(detail.clone());
            insert_event(transaction, &stamp, event)?;
            Ok(())
        })
        .await
    }
}

/// Reports whether `name` is kept since a takeover although no row names it.
pub(super) fn is_kept(sql: &Connection, name: &str) -> rusqlite::Result<bool> {
    sql.prepare_cached("SELECT 1 FROM kept_object WHERE name = ?1")?
        .exists([name])
}

/// Reports whether a sweep of the archive is due. A recorded time in the future counts as due: a wrong clock wrote it.
pub(super) fn is_sweep_due(
    sql: &Connection,
    now: DateTime<Utc>,
    every: TimeDelta,
) -> rusqlite::Result<bool> {
    let ms: Option<i64> = sql
        .prepare_cached("SELECT swept_at FROM archive_mark")?
        .query_row([], |row| row.get(0))
        .optional()?
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

fn keep_object(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<usize> {
    transaction.execute(
        "INSERT OR IGNORE INTO kept_object (name) VALUES (?1)",
        [name],
    )
}

fn mark(sql: &Connection) -> rusqlite::Result<Option<ArchiveMark>> {
    sql.prepare_cached("SELECT id, generation FROM archive_mark")?
        .query_row([], |row| {
            read_row("archive_mark", row, |columns| {
                let (id, generation) = (columns.get()?, columns.get::<i64>()?);
                let generation = generation.unsigned_abs();
                Ok(ArchiveMark { id, generation })
            })
        })
        .optional()
}
