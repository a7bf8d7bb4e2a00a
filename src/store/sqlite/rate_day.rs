//! Currency rates by day: written with the publication of the version that says them, and read as they are in force now or
//! were at a time.
//!
//! Never rewrites what was known: a correction is a further row, and a withdrawal adds only its time.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::row::{Columns, millis};
use super::select::{Damage, Select};
use super::sql_damage::{NO_FIT, damaged_row_in, read_row};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{DayRates, RateTable, SourceId, Stamp, VersionId, VersionState};
use crate::store::query::{HeldRates, LastRates, RateSources};
use crate::store::rate_types::{RateDay, RatesOf};

macro_rules! fits {
    () => {
        "r.checksum = row_checksum(r.source_id, r.day, r.base, r.rates, r.version_id, r.known_at, r.withdrawn_at)"
    };
}

/// The rows of a source `?1` that were in force at a time `?2`, or are now.
macro_rules! in_force {
    () => {
        "r.source_id = ?1 AND (?2 IS NULL OR r.known_at <= ?2) AND (r.withdrawn_at IS NULL OR r.withdrawn_at > ?2)"
    };
}

macro_rules! rows {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.day, r.base, r.rates, r.version_id, coalesce(v.fetched_at, r.known_at), r.known_at, ",
            fits!(),
            " FROM rate_day r LEFT JOIN version v ON v.id = r.version_id WHERE ",
            in_force!(),
            $condition
        )
    };
}

const RANGE: &str = rows!(" AND r.day BETWEEN ?3 AND ?4 ORDER BY r.day, r.id");
const LAST: &str = rows!(" AND r.day = (SELECT max(day) FROM rate_day r WHERE r.source_id = ?1 AND r.day <= coalesce(?3, '9999-12-31')
    AND (?2 IS NULL OR r.known_at <= ?2) AND (r.withdrawn_at IS NULL OR r.withdrawn_at > ?2)) ORDER BY r.id");
const FIRST_DAY: &str = concat!(
    "SELECT r.day FROM rate_day r WHERE ",
    in_force!(),
    " ORDER BY r.day LIMIT 1"
);
const LAST_DAY: &str = concat!(
    "SELECT r.day FROM rate_day r WHERE ",
    in_force!(),
    " ORDER BY r.day DESC LIMIT 1"
);
// Without INDEXED BY, SQLite would walk the whole table by id.
const SOURCES: &str = "SELECT id FROM source INDEXED BY source_rates WHERE rates IS NOT NULL AND day IS NULL AND removed_at IS NULL ORDER BY id";
const INSERT: &str =
    "INSERT INTO rate_day (source_id, day, base, rates, version_id, known_at, withdrawn_at, checksum)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, row_checksum(?1, ?2, ?3, ?4, ?5, ?6, NULL))";
// A damaged row stays as it is: a new checksum would hide the damage.
const WITHDRAW: &str = concat!(
    "UPDATE rate_day AS r SET withdrawn_at = ?2,
         checksum = row_checksum(source_id, day, base, rates, version_id, known_at, ?2)
     WHERE version_id = ?1 AND withdrawn_at IS NULL AND ",
    fits!()
);

impl Select<Vec<RateDay>> for RatesOf {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<RateDay>> {
        let mut statement = sql.prepare_cached(RANGE)?;
        let (from, to) = (self.from.to_string(), self.to.to_string());
        let mut rows = statement.query(params![self.source.0, self.as_of.map(millis), from, to])?;
        let mut days: Vec<RateDay> = Vec::new();
        while let Some(row) = rows.next()? {
            match read_row("rate_day", row, read) {
                Ok(day) => put(&mut days, day),
                Err(error) => {
                    // The row before is not in force: the day is left out.
                    let day = row.get::<_, String>(1).unwrap_or_default();
                    damaged.push(damaged_row_in(&error).ok_or(error)?);
                    days.pop_if(|last| last.rates.date.to_string() == day);
                }
            }
        }
        Ok(days)
    }
}

impl Select<Option<RateDay>> for LastRates {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<RateDay>> {
        let Self(source, until, as_of) = self;
        let mut statement = sql.prepare_cached(LAST)?;
        let mut rows = statement.query(params![
            source.0,
            as_of.map(millis),
            until.map(|day| day.to_string())
        ])?;
        let mut days = Vec::new();
        while let Some(row) = rows.next()? {
            put(&mut days, read_row("rate_day", row, read)?);
        }
        Ok(days.pop())
    }
}

impl Select<Option<(NaiveDate, NaiveDate)>> for HeldRates {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<(NaiveDate, NaiveDate)>> {
        let day = |query: &str| {
            let params = params![self.0.0, self.1.map(millis)];
            sql.first(query, params, |row| Ok(Columns::new(row).sound_word()))
        };
        Ok(day(FIRST_DAY)?.flatten().zip(day(LAST_DAY)?.flatten()))
    }
}

impl Select<Vec<SourceId>> for RateSources {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<SourceId>> {
        Ok(sql.all(SOURCES, [], |row| row.get(0).map(SourceId))?)
    }
}

/// Adds a row to the days, in the place of the row before if both are of one day.
fn put(days: &mut Vec<RateDay>, mut day: RateDay) {
    let before = days.pop_if(|last| last.rates.date == day.rates.date);
    day.is_correction = before.is_some();
    days.push(day);
}

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<RateDay> {
    columns.skip();
    let (date, base) = (columns.word()?, columns.word()?);
    let rates = RateTable::from_checked_text(columns.get()?);
    let day = RateDay {
        rates: DayRates { date, base, rates },
        version: VersionId(columns.get()?),
        retrieved_at: columns.time()?,
        known_at: columns.time()?,
        is_correction: false,
    };
    let fits: bool = columns.get()?;
    if fits {
        Ok(day)
    } else {
        Err(columns.malformed(Type::Integer, NO_FIT))
    }
}

/// Records the rates of the version that is published now, and withdraws those of the version before if that one was
/// withdrawn: an older one, or none, takes its place, or it failed. Rates that are in force already get no row.
///
/// A version that fails after a newer one was published keeps its rates: the newer one has said the same, or other ones.
pub(super) fn record_rates(
    transaction: &Transaction<'_>,
    source: SourceId,
    (before, published): (Option<VersionId>, Option<VersionId>),
    rates: &[DayRates],
    stamp: &Stamp,
) -> Outcome<()> {
    if let Some(before) = before.filter(|before| Some(*before) != published) {
        let is_withdrawn = published.is_none_or(|now| now < before);
        if is_withdrawn || has_failed(transaction, before)? {
            transaction.execute(WITHDRAW, params![before.0, millis(stamp.at)])?;
        }
    }
    match published {
        Some(version) => insert_changed(transaction, source, version, rates, stamp),
        None => Ok(()),
    }
}

/// Writes the rates of a version that are not in force yet.
fn insert_changed(
    transaction: &Transaction<'_>,
    source: SourceId,
    version: VersionId,
    rates: &[DayRates],
    stamp: &Stamp,
) -> Outcome<()> {
    // All days of a dated source are one set of rates.
    let owner = "SELECT coalesce(series_id, id) FROM source WHERE id = ?1";
    let source = SourceId(transaction.sql.only(owner, [source.0], |row| row.get(0))?);
    let days = rates.iter().map(|day| day.date);
    let (Some(from), Some(to)) = (days.clone().min(), days.max()) else {
        return Ok(());
    };
    let wanted = RatesOf {
        source,
        from,
        to,
        as_of: None,
    };
    // Days with a damaged row are left out, and so are written anew.
    let known = wanted.select(transaction.sql, &mut Damage::new())?;
    let known: BTreeMap<_, _> = known
        .iter()
        .map(|day| (day.rates.date, &day.rates))
        .collect();
    for day in rates {
        if known.get(&day.date) == Some(&day) {
            continue;
        }
        let (date, base) = (day.date.to_string(), day.base.as_str());
        let text = day.rates.as_json();
        transaction.execute(
            INSERT,
            params![source.0, date, base, text, version.0, millis(stamp.at)],
        )?;
    }
    Ok(())
}

fn has_failed(transaction: &Transaction<'_>, version: VersionId) -> rusqlite::Result<bool> {
    let query = "SELECT 1 FROM version WHERE id = ?1 AND state = ?2";
    let failed = VersionState::Failed.as_str();
    transaction.sql.any(query, params![version.0, failed])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn rates_are_found_by_index() {
        for query in [RANGE, LAST, FIRST_DAY, LAST_DAY] {
            assert_plan(query, &["rate_day_source"], &["SCAN r"]);
        }
        assert_plan(SOURCES, &["source_rates"], &[]);
        assert_plan(WITHDRAW, &["rate_day_version"], &["SCAN"]);
    }
}
