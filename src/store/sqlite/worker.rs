//! Workers: one row each; a worker's claims hold while its heartbeat is recent.
//!
//! Never checks whether a process runs: a worker does that for its own machine.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::failure::Outcome;
use super::row::millis;
use super::select::{Damage, Select};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{LEASE, WorkerId, WorkerInfo, seen_while_living};
use crate::store::query::Workers;

impl Select<Vec<WorkerInfo>> for Workers {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<WorkerInfo>> {
        let workers = "SELECT id, host, boot, folder, pid FROM worker";
        let workers = sql.all(workers, [], |row| Ok(read_worker(row).ok()))?;
        Ok(workers.into_iter().flatten().collect())
    }
}

pub(super) const RELEASE: &str = "UPDATE source_state SET lease_owner = NULL";

/// The condition under which a worker's row shows that it is gone.
const LAPSED: &str = "FROM worker WHERE seen_at <= ?1 OR seen_at > ?2";

const OF_NOBODY: &str = "lease_owner IS NOT NULL AND lease_owner NOT IN (SELECT id FROM worker)";

/// Records that a worker was seen, unless a recent row says so.
pub(super) fn see(
    transaction: &Transaction<'_>,
    worker: &WorkerInfo,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let moment = LEASE / 10;
    transaction.execute(
        "INSERT INTO worker (id, host, boot, folder, pid, started_at, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at WHERE abs(excluded.seen_at - seen_at) >= ?7",
        params![
            worker.id.0,
            worker.host,
            worker.boot,
            worker.folder,
            worker.pid,
            millis(now),
            moment.num_milliseconds(),
        ],
    )?;
    Ok(())
}

/// Ends the claims of workers that were not seen for a lease.
pub(super) fn end_lapsed(
    transaction: &Transaction<'_>,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    if !is_any_lapsed(transaction.sql, now)? {
        return Ok(());
    }
    let bounds = living(now);
    let release = format!("{RELEASE} WHERE lease_owner IN (SELECT id {LAPSED})");
    transaction.update_states(&release, bounds)?;
    transaction.execute(&format!("DELETE {LAPSED}"), bounds)?;
    Ok(())
}

/// Reports whether any claim is one of a worker that was not seen for a lease, or of an unknown one.
pub(super) fn has_lapsed(sql: &Connection, now: DateTime<Utc>) -> rusqlite::Result<bool> {
    Ok(is_any_lapsed(sql, now)?
        || sql.any(&format!("SELECT 1 FROM source_state WHERE {OF_NOBODY}"), [])?)
}

/// Ends the claims of unknown workers.
pub(super) fn end_of_nobody(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.update_states(&format!("{RELEASE} WHERE {OF_NOBODY}"), [])
}

/// Ends a worker's claims, and deletes its row.
pub(super) fn end(transaction: &Transaction<'_>, worker: &WorkerId) -> rusqlite::Result<()> {
    transaction.update_states(&format!("{RELEASE} WHERE lease_owner = ?1"), [&worker.0])?;
    transaction.execute("DELETE FROM worker WHERE id = ?1", [&worker.0])?;
    Ok(())
}

/// Returns the span in which a live worker was last seen, in stored form.
pub(super) fn living(now: DateTime<Utc>) -> [i64; 2] {
    let (after, until) = seen_while_living(now);
    [millis(after), millis(until)]
}

fn is_any_lapsed(sql: &Connection, now: DateTime<Utc>) -> rusqlite::Result<bool> {
    sql.any(&format!("SELECT 1 {LAPSED}"), living(now))
}

fn read_worker(row: &Row<'_>) -> rusqlite::Result<WorkerInfo> {
    Ok(WorkerInfo {
        id: WorkerId(row.get::<_, String>(0)?.into()),
        host: row.get(1)?,
        boot: row.get(2)?,
        folder: row.get(3)?,
        pid: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn claims_are_found_by_their_index() {
        for wanted in [OF_NOBODY, "lease_owner IN (SELECT id FROM worker)"] {
            let plan = query_plan(&format!("{RELEASE} WHERE {wanted}"));
            assert!(
                plan.contains("USING INDEX source_state_lease")
                    || plan.contains("USING COVERING INDEX source_state_lease"),
                "{plan}"
            );
        }
    }
}
