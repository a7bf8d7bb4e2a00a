//! Questions about attempts: histories, counts, the last good one.
//!
//! Never writes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::Store;
use super::failure::Outcome;
use super::provenance::{Addresses, PROVENANCE, read_provenance};
use super::row::{Columns, int, millis, row_limit};
use super::select::{Damage, Select};
use super::sql_damage::{read_row, sound_rows};
use super::statements::Statements as _;
use crate::domain::{Attempt, AttemptId, SourceId, VersionId};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::Result;
use crate::store::query::{
    AttemptsAfter, AttemptsBefore, AttemptsByHour, LastGoodAttempt, NewestAttempt,
};
use crate::store::types::{AttemptFacts, HourOfAttempts};

impl Store {
    /// Returns the source's attempts, newest first; all of them without a limit. Damaged rows are left out
    /// ([`Store::damage`]).
    pub async fn attempts(&self, source: SourceId, limit: Option<usize>) -> Result<Vec<Attempt>> {
        self.read_sound(move |sql, damaged| attempts_of(sql, source, None, limit, damaged))
            .await
    }
}

impl Select<Vec<Attempt>> for AttemptsBefore {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<Attempt>> {
        let Self(source, before, limit) = *self;
        attempts_of(sql, source, before, Some(limit), damaged)
    }
}

/// The newest attempts that are counted by hour: a day of 10,000 sources that are fetched every hour.
const MOST_COUNTED: i64 = 240_000;
/// The longest attempt, in milliseconds. Rows lie in the order in which attempts ended.
const LONGEST_MS: i64 = 6 * 3_600_000;
const MS_PER_HOUR: i64 = 3_600_000;

// Walks back from the newest attempt: no index leads to a time.
const NEWEST_ATTEMPTS: &str =
    "SELECT started_at, outcome_id = (SELECT id FROM text WHERE value = 'failed')
     FROM attempt ORDER BY id DESC LIMIT ?1";

impl Select<Vec<HourOfAttempts>> for AttemptsByHour {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<HourOfAttempts>> {
        let since = millis(self.0);
        let mut statement = sql.prepare_cached(NEWEST_ATTEMPTS)?;
        let mut rows = statement.query([MOST_COUNTED])?;
        let mut hours = BTreeMap::<i64, (u64, u64)>::new();
        while let Some(row) = rows.next()? {
            // A damaged row is reported by the list of attempts, not here.
            let Ok(at) = row.get::<_, i64>(0) else {
                continue;
            };
            if at < since.saturating_sub(LONGEST_MS) {
                break;
            }
            if at >= since {
                let hour = hours.entry(at.div_euclid(MS_PER_HOUR)).or_default();
                hour.0 += 1;
                hour.1 += u64::from(row.get(1).unwrap_or(false));
            }
        }
        let hours = hours
            .into_iter()
            .filter_map(|(hour, (attempts, failures))| {
                Some(HourOfAttempts {
                    start: DateTime::from_timestamp_millis(hour * MS_PER_HOUR)?,
                    attempts,
                    failures,
                })
            });
        Ok(hours.collect())
    }
}

impl Select<AttemptId> for NewestAttempt {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<AttemptId> {
        let newest = "SELECT coalesce(max(id), 0) FROM attempt";
        Ok(sql.only(newest, [], |row| row.get(0).map(AttemptId))?)
    }
}

impl Select<Vec<AttemptFacts>> for AttemptsAfter {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<AttemptFacts>> {
        let facts = "SELECT a.id, o.value AS outcome_id, a.error_kind, a.duration_ms
             FROM attempt a LEFT JOIN text o ON o.id = a.outcome_id WHERE a.id > ?1 ORDER BY a.id LIMIT ?2";
        let params = params![self.0.0, int(self.1)];
        Ok(sql.sound("attempt", facts, params, damaged, |columns| {
            Ok(AttemptFacts {
                id: AttemptId(columns.get()?),
                outcome: columns.word()?,
                error_kind: columns.optional_word()?,
                duration: columns.duration()?,
            })
        })?)
    }
}

impl Select<Option<DateTime<Utc>>> for LastGoodAttempt {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<DateTime<Utc>>> {
        let began_at = sql.first(LAST_GOOD, [self.0.0], |row| {
            Ok(Columns::new(row).time().ok())
        })?;
        // A damaged row is reported by the list of attempts, not here.
        Ok(began_at.flatten())
    }
}

/// Returns the source's attempts before one of them (or all), newest first. A damaged provenance row does not make its attempt damaged.
pub(super) fn attempts_of(
    sql: &Connection,
    source: SourceId,
    before: Option<AttemptId>,
    limit: Option<usize>,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Attempt>> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT a.id, a.source_id, a.started_at, a.duration_ms, o.value AS outcome_id, a.http_status, a.size_bytes, a.tries,
             a.version_id, {PROVENANCE}, a.error_kind, a.error
         FROM attempt a LEFT JOIN text o ON o.id = a.outcome_id
         LEFT JOIN provenance p ON p.id = a.provenance_id AND (p.source_id IS NULL OR p.source_id = a.source_id)
         WHERE a.source_id = ?1 AND a.id < ?3 ORDER BY a.id DESC LIMIT ?2"
    ))?;
    let before = before.map_or(i64::MAX, |before| before.0);
    let addresses = Addresses::of(sql, source, damaged)?;
    let mut lost = Vec::new();
    let rows = statement.query_map([source.0, row_limit(limit), before], |row| {
        read_row("attempt", row, |columns| {
            read_attempt(columns, &addresses, &mut lost)
        })
    })?;
    let attempts = sound_rows(rows, damaged)?;
    damaged.append(&mut lost);
    Ok(attempts)
}

// Walks back from the newest attempt, past the failed ones.
const LAST_GOOD: &str =
    "SELECT a.started_at FROM attempt a CROSS JOIN text o ON o.id = a.outcome_id
     WHERE a.source_id = ?1 AND o.value IN ('new', 'unchanged') ORDER BY a.id DESC LIMIT 1";

/// Reads one attempt of a source with these addresses; a damaged provenance row is added to `lost`.
fn read_attempt(
    columns: &mut Columns<'_>,
    addresses: &Addresses,
    lost: &mut Vec<DamagedRow>,
) -> rusqlite::Result<Attempt> {
    let id: i64 = columns.get()?;
    Ok(Attempt {
        id: AttemptId(id),
        source_id: SourceId(columns.get()?),
        started_at: columns.time()?,
        duration: columns.duration()?,
        outcome: columns.word()?,
        http_status: columns.get()?,
        size_bytes: columns.optional_count()?,
        tries: columns.count()?,
        version_id: columns.optional()?.map(VersionId),
        provenance: read_provenance(columns, id, addresses, lost)?,
        error_kind: columns.optional_word()?,
        error: columns.get()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn the_last_good_one_is_found_by_index() {
        let plan = query_plan(LAST_GOOD);
        assert!(
            plan.contains("SEARCH a USING INDEX attempt_source"),
            "{plan}"
        );
        assert!(
            !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}
