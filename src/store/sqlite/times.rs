//! Times stored by a clock that ran ahead: found and corrected, so that nothing waits for an impossible time.
//!
//! A time is corrected only when no rule of gannet could have made it by the present clock.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, named_params, params};

use super::Store;
use super::event_row::insert_event;
use super::failure::Outcome;
use super::row::millis;
use super::sql_damage::shown;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::worker::RELEASE;
use crate::domain::{
    Action, CLOCK_TOLERANCE, LONGEST_RETRY, LONGEST_RETRY_AFTER, NewEvent, Slot, Stamp,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::Result;
use crate::store::mended::Mended;

impl Store {
    /// Makes due now whatever waits for an impossible time, with an event. Returns `None` when nothing did.
    ///
    /// That is: a source due later than its interval (or the longest pause that a server may ask for) and an hour from
    /// now, or last tried more than an hour ahead of now; a claim of a worker seen ahead of now; a notifier that waits
    /// longer than the longest pause. A next slot that is no number is noted ([`Store::damage`]).
    pub async fn mend_times(&self, stamp: Stamp) -> Result<Option<Mended>> {
        let now = stamp.at;
        let is_any = self.read_with(move |sql| {
            Ok(!find(sql, now)?.is_nothing() || !damaged_slots(sql)?.is_empty())
        });
        if !is_any.await? {
            return Ok(None);
        }
        let mended = self.write(move |transaction| mend(transaction, &stamp));
        let (mended, damaged) = mended.await?;
        self.noted().add(damaged);
        Ok(Some(mended).filter(|mended| !mended.is_nothing()))
    }
}

// Without the index of due sources: most rows of the table are read, in its own order.
const IMPOSSIBLE: &str = "FROM source_state t NOT INDEXED CROSS JOIN source s ON s.id = t.source_id
     WHERE t.active > 0 AND typeof(t.next_slot) = 'integer' AND t.next_slot > :slot AND t.next_slot <> :rest AND (t.last_attempt_at > :tried
         OR t.next_slot > :slot + :tolerance + max(s.interval_hours, iif(t.failures > 0, :pause, 0)))";

const SEEN_AHEAD: &str = "lease_owner IN (SELECT id FROM worker WHERE seen_at > ?1)";

const NO_SLOTS: &str =
    "UPDATE source_state SET next_slot = ?1 WHERE typeof(next_slot) <> 'integer'";

/// Returns the rows of sources whose next slot is no number: no pass would fetch them.
fn damaged_slots(sql: &Connection) -> rusqlite::Result<Vec<DamagedRow>> {
    let damaged = "SELECT t.source_id, s.name, t.next_slot FROM source_state t NOT INDEXED LEFT JOIN source s ON s.id = t.source_id
         WHERE typeof(t.next_slot) <> 'integer'";
    sql.all(damaged, [], |row| {
        Ok(DamagedRow {
            table: "source_state",
            id: row.get::<_, i64>(0)?.to_string(),
            source: row.get(1).ok(),
            reason: format!("`next_slot` holds {}: now due", shown(row.get_ref(2)?)),
        })
    })
}

fn find(sql: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Mended> {
    let slot = Slot::containing(now).0;
    let query = format!("SELECT count(*), max(t.next_slot) {IMPOSSIBLE}");
    let (sources, latest): (i64, Option<i64>) = sql.only(
        &query,
        named_params! {
            ":slot": slot, ":tried": millis(now + CLOCK_TOLERANCE),
            ":tolerance": CLOCK_TOLERANCE.num_hours(), ":pause": LONGEST_RETRY_AFTER.num_hours(),
            ":rest": Slot::REST.0,
        },
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let count = |query: &str, latest: DateTime<Utc>| -> rusqlite::Result<usize> {
        let count: i64 = sql.only(query, [millis(latest)], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    };
    Ok(Mended {
        sources: usize::try_from(sources).unwrap_or_default(),
        latest: latest.map(|slot| Slot(slot).start()),
        claims: count(
            &format!("SELECT count(*) FROM source_state WHERE {SEEN_AHEAD}"),
            now + CLOCK_TOLERANCE,
        )?,
        notifiers: count(
            "SELECT count(*) FROM notifier WHERE retry_at > ?1",
            now + LONGEST_RETRY + CLOCK_TOLERANCE,
        )?,
    })
}

fn mend(transaction: &Transaction<'_>, stamp: &Stamp) -> Outcome<(Mended, Vec<DamagedRow>)> {
    let now = stamp.at;
    let slot = Slot::containing(now).0;
    let damaged = damaged_slots(transaction.sql)?;
    transaction.update_states(NO_SLOTS, [slot])?;
    // Another process may have corrected them meanwhile.
    let mended = find(transaction.sql, now)?;
    if mended.is_nothing() {
        return Ok((mended, damaged));
    }
    transaction.update_states(
        &format!(
            "UPDATE source_state SET next_slot = :slot WHERE source_id IN (SELECT t.source_id {IMPOSSIBLE})"
        ),
        named_params! {
            ":slot": slot, ":tried": millis(now + CLOCK_TOLERANCE),
            ":tolerance": CLOCK_TOLERANCE.num_hours(), ":pause": LONGEST_RETRY_AFTER.num_hours(),
            ":rest": Slot::REST.0,
        },
    )?;
    transaction.update_states(
        &format!("{RELEASE} WHERE {SEEN_AHEAD}"),
        params![millis(now + CLOCK_TOLERANCE)],
    )?;
    transaction.execute(
        "UPDATE notifier SET retry_at = NULL WHERE retry_at > ?1",
        params![millis(now + LONGEST_RETRY + CLOCK_TOLERANCE)],
    )?;
    let event = NewEvent::of(Action::TimesMended).detail(mended.to_string());
    insert_event(transaction, stamp, event)?;
    Ok((mended, damaged))
}
