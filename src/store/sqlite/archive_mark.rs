//! The mark that ties catalogue and archive together, and the objects kept because another catalogue may name them.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::types::Type;
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

/// A time of the last sweep that is damaged is forgotten: SQLite would refuse every other change of the row.
macro_rules! sound_sweep {
    () => {
        "swept_at = iif(typeof(swept_at) = 'integer', swept_at, NULL)"
    };
}

impl Store {
    /// Increments the catalogue's mark, or creates one with `new_id`, and returns it.
    pub async fn next_archive_mark(&self, new_id: String) -> Result<ArchiveMark> {
        self.write(move |transaction| {
            transaction.execute(
                concat!(
                    "INSERT INTO archive_mark (one, id, generation) VALUES (1, ?1, 1)
                     ON CONFLICT (one) DO UPDATE SET generation = generation + 1, ",
                    sound_sweep!()
                ),
                [&new_id],
            )?;
            Ok(mark(transaction.sql)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?)
        })
        .await
    }
}

impl Select<Option<ArchiveMark>> for CatalogueMark {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Option<ArchiveMark>> {
        let swept = "SELECT one, swept_at FROM archive_mark";
        // A damaged time counts as never; it hides nothing else.
        sql.sound("archive_mark", swept, [], damaged, |columns| {
            columns.skip();
            columns.optional::<i64>()
        })?;
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
        concat!(
            "INSERT INTO archive_mark (one, id, generation) VALUES (1, ?1, ?2)
             ON CONFLICT (one) DO UPDATE SET id = excluded.id, generation = excluded.generation, ",
            sound_sweep!()
        ),
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
    let swept = "SELECT swept_at FROM archive_mark";
    let ms = sql.first(swept, [], |row| Ok(row.get(0).ok()))?.flatten();
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
    sql.first("SELECT one, id, generation FROM archive_mark", [], |row| {
        read_row("archive_mark", row, |columns| {
            columns.skip();
            let (id, generation) = (columns.get()?, columns.count()?);
            if generation >= ArchiveMark::END {
                return Err(columns.malformed(Type::Integer, "out of range"));
            }
            Ok(ArchiveMark { id, generation })
        })
    })
}
