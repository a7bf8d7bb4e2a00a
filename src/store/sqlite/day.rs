//! Opens the days of dated sources: makes those that are missing, and decides which of them are due.
//!
//! Never claims or fetches.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::Store;
use super::day_row::BETWEEN;
use super::failure::{Failure, Outcome};
use super::kept_source::kept_source;
use super::new_source::add_source;
use super::row::millis;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::version_row::{PLACE_COLUMNS, read_newest_state};
use crate::domain::{Day, DayFacts, DayOf, Slot, Source, SourceId, Stamp, Window};
use crate::store::error::{Result, StoreError};
use crate::store::types::{OpenDays, OpenedDays};

impl Store {
    /// Makes the days that are missing, and makes those due that are not settled; others rest. Its dated source is due
    /// again an interval later. A day whose name or address another source has is refused, and no other day with it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] for a dated source that does not exist or was removed.
    pub async fn open_days(&self, request: OpenDays, stamp: Stamp) -> Result<OpenedDays> {
        self.write(move |transaction| {
            let mut opened = OpenedDays::default();
            match &request {
                OpenDays::Due => {
                    for id in due_series(transaction, &stamp)? {
                        open_window(transaction, id, &stamp, &mut opened)?;
                    }
                }
                OpenDays::Window(series) => open_window(transaction, *series, &stamp, &mut opened)?,
                OpenDays::These { series, days } => {
                    let series = kept_source(transaction, *series)?;
                    let known = HashMap::new();
                    for day in days {
                        let id = day_of(transaction, &series, *day, &known, &stamp, &mut opened)?;
                        opened.days.extend(id);
                    }
                }
            }
            Ok(opened)
        })
        .await
    }
}

const DUE: &str = "SELECT source_id FROM source_state WHERE active = 2 AND next_slot <= ?1 ORDER BY next_slot, source_id";

/// Returns whether a dated source is due at this time.
pub(super) fn is_series_due(sql: &Connection, now: DateTime<Utc>) -> rusqlite::Result<bool> {
    sql.any(DUE, [Slot::containing(now).0])
}

fn due_series(transaction: &Transaction<'_>, stamp: &Stamp) -> rusqlite::Result<Vec<SourceId>> {
    let slot = Slot::containing(stamp.at);
    transaction.all(DUE, [slot.0], |row| row.get(0).map(SourceId))
}

/// Opens the days of the window of a dated source.
fn open_window(
    transaction: &Transaction<'_>,
    series: SourceId,
    stamp: &Stamp,
    opened: &mut OpenedDays,
) -> Outcome<()> {
    let series = kept_source(transaction, series)?;
    let rules = series.settings.dated_rules();
    let window = Window::at(stamp.at, rules.days);
    let slot = Slot::containing(stamp.at);
    let known: HashMap<_, _> = days_between(transaction.sql, series.id, window)?
        .into_iter()
        .map(|known| (known.day, known))
        .collect();
    for day in window.first.to(window.last) {
        let Some(id) = day_of(transaction, &series, day, &known, stamp, opened)? else {
            continue;
        };
        let known = known.get(&day);
        if known.is_some_and(|known| rules.is_settled(day, &known.facts)) {
            continue;
        }
        // A day that failed has a slot of its own, which may be the one that the server asked for.
        if known.is_none_or(|known| known.next_slot == Slot::REST) {
            let due = "UPDATE source_state SET next_slot = ?2 WHERE source_id = ?1";
            transaction.execute(due, params![id.0, slot.0])?;
        }
        opened.days.push(id);
    }
    move_on(transaction, &series, window, stamp)
}

/// Moves a dated source that was opened to its next slot, and lets the days before its window rest.
fn move_on(
    transaction: &Transaction<'_>,
    series: &Source,
    window: Window,
    stamp: &Stamp,
) -> Outcome<()> {
    let rest = params![series.id.0, window.first.to_string(), Slot::REST.0];
    transaction.execute(REST_OF_OTHERS, rest)?;
    let next = Slot::containing(stamp.at).after(series.settings.interval);
    transaction.execute(
        "UPDATE source_state SET next_slot = ?2, last_attempt_at = ?3 WHERE source_id = ?1",
        params![series.id.0, next.0, millis(stamp.at)],
    )?;
    Ok(())
}

/// Days that left the window, failing ones perhaps, are not tried again by themselves.
const REST_OF_OTHERS: &str = "UPDATE source_state SET next_slot = ?3 WHERE next_slot <> ?3 AND lease_owner IS NULL
     AND source_id IN (SELECT id FROM source WHERE series_id = ?1 AND day IS NOT NULL AND day < ?2)";

/// A day as it is before its dated source is opened.
struct KnownDay {
    id: SourceId,
    day: Day,
    next_slot: Slot,
    facts: DayFacts,
}

fn days_between(
    sql: &Connection,
    series: SourceId,
    window: Window,
) -> rusqlite::Result<Vec<KnownDay>> {
    let query = format!(
        "SELECT s.id, s.day, t.next_slot, t.last_outcome, t.last_attempt_at, {PLACE_COLUMNS}
         FROM source s CROSS JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = t.version_id
         WHERE {BETWEEN}"
    );
    let parameters = params![series.0, window.first.to_string(), window.last.to_string()];
    sql.sound("source", &query, parameters, &mut Vec::new(), |columns| {
        let id = SourceId(columns.get()?);
        Ok(KnownDay {
            id,
            day: columns.word()?,
            next_slot: Slot(columns.get()?),
            facts: DayFacts {
                last_outcome: columns.optional_word()?,
                last_attempt_at: columns.optional_time()?,
                version_state: read_newest_state(columns, id),
            },
        })
    })
}

/// Returns the source of a day, which is made when there is none; `None` when it cannot be.
fn day_of(
    transaction: &Transaction<'_>,
    series: &Source,
    day: Day,
    known: &HashMap<Day, KnownDay>,
    stamp: &Stamp,
    opened: &mut OpenedDays,
) -> Outcome<Option<SourceId>> {
    if let Some(known) = known.get(&day) {
        return Ok(Some(known.id));
    }
    let there = "SELECT id FROM source WHERE series_id = ?1 AND day = ?2";
    let parameters = params![series.id.0, day.to_string()];
    if let Some(id) = transaction.first(there, parameters, |row| row.get(0))? {
        return Ok(Some(SourceId(id)));
    }
    let settings = series.settings.on(day);
    let of = DayOf {
        series: series.id,
        day,
    };
    // A day outside of a window is fetched on request only.
    match add_source(transaction, &settings, Some(of), Slot::REST, stamp) {
        Ok(id) => Ok(Some(id)),
        Err(Failure::Refused(error @ StoreError::Taken { .. })) => {
            opened.refused.push(format!("{}: {error}", settings.name));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn due_dated_sources_and_days_are_found_by_index() {
        assert_plan(DUE, &["source_state_series (next_slot<?)"], &["SCAN"]);
        let between = format!("SELECT 1 FROM source s WHERE {BETWEEN}");
        assert_plan(
            &between,
            &["source_day (series_id=? AND day>? AND day<?)"],
            &["SCAN"],
        );
        assert_plan(
            REST_OF_OTHERS,
            &["source_day (series_id=? AND day>? AND day<?)"],
            &[],
        );
    }
}
