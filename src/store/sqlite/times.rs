//! Times stored by a clock that ran ahead: found and corrected, so that nothing waits for an impossible time.
//!
//! A time is corrected only when no rule of gannet could have made it by the present clock.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, named_params, params};

use super::Store;
use super::event_row::insert_event;
use super::failure::Outcome;
use super::row::millis;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::worker::RELEASE;
use crate::domain::{
    Action, CLOCK_TOLERANCE, LONGEST_RETRY, LONGEST_RETRY_AFTER, NewEvent, Slot, Stamp,
};
use crate::store::error::Result;
use crate::store::mended::Mended;

impl Store {
    /// Makes due now whatever waits for an impossible time, with an event. Returns `None` when nothing did.
    ///
    /// That is: a source due later than its interval (or the longest pause that a server may ask for) and an hour from
    /// now, or last tried more than an hour ahead of now; a claim of a worker seen ahead of now; a notifier that waits
    /// longer than the longest pause.
    pub async fn mend_times(&self, stamp: Stamp) -> Result<Option<Mended>> {
        let now = stamp.at;
        let found = self.read_with(move |sql| Ok(find(sql, now)?)).await?;
        if found.is_nothing() {
            return Ok(None);
        }
        self.write(move |transaction| mend(transaction, &stamp))
            .await
    }
}

// Without the index of due sources: most rows of the table are read, in its own order.
const IMPOSSIBLE: &str = "FROM source_state t NOT INDEXED CROSS JOIN source s ON s.id = t.source_id
     WHERE t.active = 1 AND t.next_slot > :slot AND (t.last_attempt_at > :tried
         OR t.next_slot > :slot + :tolerance + max(s.interval_hours, iif(t.failures > 0, :pause, 0)))";

const SEEN_AHEAD: &str = "lease_owner IN (SELECT id FROM worker WHERE seen_at > ?1)";

fn find(sql: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Mended> {
    let slot = Slot::containing(now).0;
    let query = format!(
        "SELECT count(*), max(iif(typeof(t.next_slot) = 'integer', t.next_slot, 0)) {IMPOSSIBLE}"
    );
    let (sources, latest): (i64, Option<i64>) = sql.only(
        &query,
        named_params! {
            ":slot": slot, ":tried": millis(now + CLOCK_TOLERANCE),
            ":tolerance": CLOCK_TOLERANCE.num_hours(), ":pause": LONGEST_RETRY_AFTER.num_hours(),
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

fn mend(transaction: &Transaction<'_>, stamp: &Stamp) -> Outcome<Option<Mended>> {
    let now = stamp.at;
    // Another process may have corrected them meanwhile.
    let mended = find(transaction.sql, now)?;
    if mended.is_nothing() {
        return Ok(None);
    }
    let slot = Slot::containing(now).0;
    transaction.update_states(
        &format!(
            "UPDATE source_state SET next_slot = :slot WHERE source_id IN (SELECT t.source_id {IMPOSSIBLE})"
        ),
        named_params! {
            ":slot": slot, ":tried": millis(now + CLOCK_TOLERANCE),
            ":tolerance": CLOCK_TOLERANCE.num_hours(), ":pause": LONGEST_RETRY_AFTER.num_hours(),
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
    Ok(Some(mended))
}
