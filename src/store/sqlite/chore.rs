//! What is done once in a while, and when it was done last.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::row::{Columns, millis};
use super::transaction::Transaction;
use crate::domain::CLOCK_TOLERANCE;

/// Tells whether a chore was not done for so long, or at a time that cannot be.
pub(super) fn is_chore_due(
    sql: &Connection,
    name: &str,
    now: DateTime<Utc>,
    every: TimeDelta,
) -> rusqlite::Result<bool> {
    let done = sql
        .prepare_cached("SELECT at FROM chore WHERE name = ?1")?
        // A time that cannot be is none: the next that is recorded takes its place.
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
