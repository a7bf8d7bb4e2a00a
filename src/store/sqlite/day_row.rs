//! The rows of days: which days a dated source has, and which sources are days.
//!
//! Never changes one.

use rusqlite::Connection;

use super::failure::Outcome;
use super::row::to_json;
use super::select::{Damage, Select};
use super::source_row::source_by_id;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Source, SourceId};
use crate::store::error::StoreError;
use crate::store::query::{DatedAmong, WithDays};

/// The days of a dated source in a window.
pub(super) const BETWEEN: &str =
    "s.series_id = ?1 AND s.day IS NOT NULL AND s.day BETWEEN ?2 AND ?3";

impl Select<Vec<SourceId>> for DatedAmong {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<SourceId>> {
        let ids = sql.all(DATED_AMONG, [to_json(&self.0)], |row| row.get(0))?;
        Ok(ids.into_iter().map(SourceId).collect())
    }
}

impl Select<Vec<SourceId>> for WithDays {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<SourceId>> {
        let ids = sql.all(WITH_DAYS, [to_json(&self.0)], |row| row.get(0))?;
        Ok(ids.into_iter().map(SourceId).collect())
    }
}

const WITH_DAYS: &str = "SELECT j.value FROM json_each(?1) j
     UNION SELECT d.id FROM json_each(?1) j CROSS JOIN source d ON d.series_id = j.value";

const DATED_AMONG: &str = "SELECT s.id FROM json_each(?1) j CROSS JOIN source s ON s.id = j.value
     WHERE s.series_id = s.id AND s.removed_at IS NULL GROUP BY s.id";

/// Returns the days of a dated source, removed ones too.
pub(super) fn days_of(sql: &Connection, series: SourceId) -> rusqlite::Result<Vec<SourceId>> {
    let days = "SELECT id FROM source WHERE series_id = ?1 AND day IS NOT NULL ORDER BY day";
    sql.all(days, [series.0], |row| row.get(0).map(SourceId))
}

/// Refuses a change of a day: what is done to a dated source is done to its days.
pub(super) fn refuse_day(transaction: &Transaction<'_>, id: SourceId) -> Outcome<()> {
    let of = "SELECT s.name, p.name FROM source s CROSS JOIN source p ON p.id = s.series_id
         WHERE s.id = ?1 AND s.day IS NOT NULL";
    let of = transaction.first(of, [id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match of {
        Some((name, series)) => Err(StoreError::IsDay { name, series }.into()),
        None => Ok(()),
    }
}

/// Returns the days of a source that is dated, as they are in this transaction.
pub(super) fn day_sources(transaction: &Transaction<'_>, series: SourceId) -> Outcome<Vec<Source>> {
    let days = days_of(transaction.sql, series)?.into_iter();
    days.map(|id| source_by_id(transaction.sql, id)).collect()
}

/// Reports whether a source is dated, or a day of one: neither is in a set.
pub(super) fn is_of_series(sql: &Connection, id: SourceId) -> rusqlite::Result<bool> {
    sql.any(
        "SELECT 1 FROM source WHERE id = ?1 AND series_id IS NOT NULL",
        [id.0],
    )
}
