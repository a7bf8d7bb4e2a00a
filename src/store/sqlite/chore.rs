//! Chores: tasks done at intervals, each with the time of its last run.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::row::{Columns, millis};
use super::transaction::Transaction;
use crate::domain::CLOCK_TOLERANCE;

/// Reports whether a chore's last run is too long ago, or recorded with an impossible time.
pub(super) fn is_chore_due(
    sql: &Connection,
    name: &str,
    now: DateTime<Utc>,
    every: TimeDelta,
) -> rusqlite::Result<bool> {
    let done = sql
        .prepare_cached("SELECT at FROM chore WHERE name = ?1")?
        // An impossible time counts as none: the next run replaces it.
        .query_row([name], |row| Ok(Columns::new(row).time().ok()))
        .optional()?
        .flatten();
    Ok(done.is_none_or(|at| now - at >= every || at - now > CLOCK_TOLERANCE))
}

pub(super) fn write_chore(
    transaction: &Transaction<'_>,
    name: &str,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let write = "INSERT INTO chore (name, at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = ?2";
    transaction.execute(write, params![name, millis(at)])?;
    Ok(())
}
