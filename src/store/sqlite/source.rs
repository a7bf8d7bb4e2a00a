//! Reads sources: lists, one by name, address or id, and the count of due ones.

use std::collections::HashSet;

use rusqlite::{Connection, Row};

use super::Store;
use super::damaged_source::{find_unlisted, inactive, readable_source};
use super::days_state::{add_days, days_state};
use super::failure::{Failure, Outcome, strictly};
use super::row::{Columns, row_limit, to_json};
use super::select::{Damage, Select};
use super::source_row::{
    COLUMNS_WITHOUT_SETS, SOURCE_COLUMNS, SOURCE_TABLES, active_word, have_sets, read_source,
    read_source_row, select, select_sound, set_fails,
};
use super::sql_damage::{named, sound_rows};
use super::statements::Statements as _;
use super::version::{Facts, newest_by, newest_facts, newest_of, newest_tables, read_facts};
use super::version_row::read_newest_state;
use crate::domain::{
    AdoptedPolicy, Slot, Source, SourceId, StateFacts, StateWord, VersionId, candidate_name,
    free_number, parse_id,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::Result;
use crate::store::query::{
    ExistingSources, FreeName, ListedSources, NamedVersions, OutlookAt, PlaceAmongSources,
    PolicyInForce, RemovedSources, ShownSource, StateCounts, UnclaimedDue,
};
use crate::store::source_query::{
    DamagedSources, ListedDays, SourceFilter, SourceQuery, SourcesQuery,
};
use crate::store::types::{NamedVersion, Newest, Outlook};

impl Store {
    /// Returns the matching sources, by name. Damaged rows are left out and noted ([`Store::damage`]).
    pub async fn sources(&self, filter: SourceFilter) -> Result<Vec<Source>> {
        self.read_sound(move |sql, damaged| match filter.damaged {
            DamagedSources::LeftOut => list_with_lost(sql, &filter, &ALONE, damaged),
            DamagedSources::Refused => {
                strictly(|damaged| list_with_lost(sql, &filter, &ALONE, damaged))
            }
        })
        .await
    }

    /// Returns the matching source, if any. A damaged row is an error unless the query asks for its readable parts.
    pub async fn find_source(&self, query: impl Into<SourceQuery>) -> Result<Option<Source>> {
        let query = query.into();
        self.read_with(move |sql| match &query {
            SourceQuery::Id(id) => Ok(one(sql, BY_ID, &id.to_string())?),
            SourceQuery::Called(text) => find(sql, text),
            SourceQuery::Parts(id) => Ok(readable_source(sql, *id)?),
        })
        .await
    }
}

impl Select<Vec<(Source, Newest)>> for ListedSources {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<(Source, Newest)>> {
        let listed = list_with_lost(sql, &self.0, &WITH_NEWEST, damaged)?;
        let mut sources = Vec::with_capacity(listed.len());
        for (source, facts) in listed {
            let facts = sound_rows([facts].into_iter(), damaged)?
                .pop()
                .unwrap_or_default();
            let newest = newest_by(sql, source.id, facts, damaged)?;
            sources.push((source, newest));
        }
        Ok(sources)
    }
}

impl Select<Option<(Source, Newest, Option<AdoptedPolicy>)>> for ShownSource {
    fn select(
        &self,
        sql: &Connection,
        damaged: &mut Damage,
    ) -> Outcome<Option<(Source, Newest, Option<AdoptedPolicy>)>> {
        let Some(source) = find(sql, &self.0)? else {
            return Ok(None);
        };
        let newest = newest_of(sql, &[source.id], damaged)?.remove(&source.id);
        let policy = PolicyInForce.select(sql, damaged)?;
        Ok(Some((source, newest.unwrap_or_default(), policy)))
    }
}

impl Select<Outlook> for OutlookAt {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Outlook> {
        let slot = Slot::containing(self.0).0;
        let (watched, due): (i64, i64) = (
            sql.only(COUNT_WATCHED, [], |row| row.get(0))?,
            sql.only(COUNT_DUE, [slot], |row| row.get(0))?,
        );
        let next = |query| sql.only(query, [slot, Slot::REST.0], |row| row.get(0));
        let next: [Option<i64>; 2] = [next(NEXT_DUE)?, next(NEXT_DATED)?];
        Ok(Outlook {
            watched: watched.unsigned_abs(),
            due: due.unsigned_abs(),
            next: next.into_iter().flatten().min().map(Slot),
        })
    }
}

impl Select<u64> for UnclaimedDue {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<u64> {
        let slot = Slot::containing(self.0).0;
        let count: i64 = sql.only(COUNT_UNCLAIMED, [slot], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}

impl Select<Vec<(StateWord, u64)>> for StateCounts {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<(StateWord, u64)>> {
        let states = sql.sound("source", STATES, [], damaged, |columns| {
            let (id, state) = read_state(columns)?;
            Ok(if columns.get()? && state != StateWord::Off {
                days_state(sql, id)?.0.worst
            } else {
                state
            })
        })?;
        let removed = "SELECT count(*) FROM source WHERE removed_at IS NOT NULL AND day IS NULL";
        let removed: i64 = sql.only(removed, [], |row| row.get(0))?;
        let count = |state| match state {
            StateWord::Removed => removed.unsigned_abs(),
            _ => states.iter().filter(|one| **one == state).count() as u64,
        };
        let all = StateWord::ALL.into_iter();
        Ok(all.map(|(state, ..)| (state, count(state))).collect())
    }
}

impl Select<(u64, u64)> for PlaceAmongSources {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<(u64, u64)> {
        let (name, id) = self.0.clone().unwrap_or((String::new(), SourceId(0)));
        let counts: (i64, i64) = sql.only(PLACE_BY_NAME, (name, id.0), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok((counts.0.unsigned_abs(), counts.1.unsigned_abs()))
    }
}

impl Select<String> for FreeName {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<String> {
        let Self(settings, others) = self;
        let turn = free_number(|turn| {
            let name = candidate_name(settings, turn);
            Ok::<_, Failure>(others.contains(&name) || is_found(sql, &name)?)
        })?;
        Ok(candidate_name(settings, turn))
    }
}

impl Select<Vec<Source>> for RemovedSources {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<Source>> {
        let Self(name, address) = self;
        let mut found = select_sound(sql, REMOVED_BY_NAME, name, damaged)?;
        found.extend(select_sound(sql, REMOVED_BY_ADDRESS, address, damaged)?);
        found.sort_by_key(|source| source.id);
        found.dedup_by_key(|source| source.id);
        Ok(found)
    }
}

impl Select<Vec<NamedVersion>> for NamedVersions {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<NamedVersion>> {
        let ids = to_json(&self.0);
        Ok(
            sql.sound("source", NAMED_VERSIONS, [ids], damaged, |columns| {
                let id = SourceId(columns.get()?);
                Ok(NamedVersion {
                    id,
                    name: columns.get()?,
                    version_id: columns.optional()?.map(VersionId),
                    version_state: read_newest_state(columns, id),
                    is_published: columns.get()?,
                })
            })?,
        )
    }
}

impl Select<HashSet<SourceId>> for ExistingSources {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<HashSet<SourceId>> {
        let existing = "SELECT s.id FROM json_each(?1) j CROSS JOIN source s ON s.id = j.value";
        let ids = sql.all(existing, [to_json(&self.0)], |row| row.get(0))?;
        Ok(ids.into_iter().map(SourceId).collect())
    }
}

impl Select<Vec<Option<Source>>> for SourcesQuery {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<Option<Source>>> {
        match self {
            SourcesQuery::Called(texts) => texts.iter().map(|text| find(sql, text)).collect(),
            SourcesQuery::Former(addresses) => addresses
                .iter()
                .map(|address| former_source(sql, address, damaged))
                .collect(),
        }
    }
}

/// Reads the first columns of [`STATES`]: a source and its state.
fn read_state(columns: &mut Columns<'_>) -> rusqlite::Result<(SourceId, StateWord)> {
    let id = SourceId(columns.get()?);
    let state = StateWord::from_facts(&StateFacts {
        is_removed: false,
        is_enabled: columns.get()?,
        is_failing: columns.count::<u32>()? > 0,
        last_outcome: columns.optional_word()?,
        has_version: columns.optional::<i64>()?.is_some(),
        version_state: read_newest_state(columns, id),
        is_unpublished: columns.get()?,
        set_fails: columns.get()?,
    });
    Ok((id, state))
}

// Dated sources count, and not their days.
const COUNT_WATCHED: &str = "SELECT count(*) FROM source_state
     WHERE active > 0 AND source_id NOT IN (SELECT id FROM source WHERE day IS NOT NULL)";
const COUNT_UNCLAIMED: &str =
    "SELECT (SELECT count(*) FROM source_state INDEXED BY source_state_due
     WHERE active = 1 AND next_slot <= ?1 AND lease_owner IS NULL)
     + (SELECT count(*) FROM source_state WHERE active = 2 AND next_slot <= ?1)";
const COUNT_DUE: &str =
    "SELECT (SELECT count(*) FROM source_state WHERE active = 1 AND next_slot <= ?1)
     + (SELECT count(*) FROM source_state WHERE active = 2 AND next_slot <= ?1)";
const PLACE_BY_NAME: &str = "SELECT count(*), count(*) FILTER (WHERE (name, id) <= (?1, ?2)) FROM source WHERE removed_at IS NULL AND day IS NULL";
// A slot of rest is none.
const NEXT_DUE: &str = "SELECT min(next_slot) FROM source_state
     WHERE active = 1 AND next_slot > ?1 AND next_slot < ?2 AND typeof(next_slot) = 'integer'";
const NEXT_DATED: &str = "SELECT min(next_slot) FROM source_state
     WHERE active = 2 AND next_slot > ?1 AND next_slot < ?2 AND typeof(next_slot) = 'integer'";

/// The facts of every present source from which its state follows, and of its newest version.
const STATES: &str = concat!(
    "SELECT s.id, s.enabled, t.failures, t.last_outcome, t.version_id,
         v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum,
         t.publish_due = 1 AND t.publish_error IS NOT NULL, ",
    set_fails!(),
    ", s.series_id IS NOT NULL FROM source s JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = t.version_id
     WHERE s.removed_at IS NULL AND s.day IS NULL"
);

const NAMED_VERSIONS: &str =
    "SELECT s.id, s.name, t.version_id, v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum,
         t.published_version_id IS t.version_id
     FROM json_each(?1) j CROSS JOIN source s ON s.id = j.value
     CROSS JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = t.version_id
     WHERE s.removed_at IS NULL";

const BY_ID: &str = "s.id = CAST(?1 AS INTEGER)";
const BY_NAME: &str = "s.removed_at IS NULL AND s.name = ?1";
const BY_ADDRESS: &str = "s.removed_at IS NULL AND s.address = ?1";
const REMOVED_BY_NAME: &str = "s.removed_at IS NOT NULL AND s.name = ?1";
const REMOVED_BY_ADDRESS: &str = "s.removed_at IS NOT NULL AND s.address = ?1";

/// Returns the source with this address that was removed last; `None` when a present source has the address.
fn former_source(
    sql: &Connection,
    address: &str,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Option<Source>> {
    let removed = select_sound(sql, REMOVED_BY_ADDRESS, address, damaged)?;
    if removed.is_empty() || !select(sql, BY_ADDRESS, address)?.is_empty() {
        return Ok(None);
    }
    let removed = removed.into_iter();
    Ok(removed.max_by_key(|source| (source.removed_at, source.id)))
}

/// What a list reads of each source: further columns of further tables, and what becomes of the source with them.
struct Listed<T> {
    columns: &'static str,
    tables: &'static str,
    read: fn(Source, &Row<'_>, &mut Columns<'_>) -> T,
}

const ALONE: Listed<Source> = Listed {
    columns: "NULL",
    tables: "",
    read: |source, _, _| source,
};

/// Damaged facts are an error beside their source.
const WITH_NEWEST: Listed<(Source, rusqlite::Result<Facts>)> = Listed {
    columns: newest_facts!(),
    tables: newest_tables!(),
    read: |source, row, columns| {
        let id = || source.id.to_string();
        let facts = read_facts(columns);
        let facts = facts.map_err(|error| named("source_state", id(), row, error));
        (source, facts)
    },
};

/// Lists sources, and notes those that no list returns.
fn list_with_lost<T>(
    sql: &Connection,
    filter: &SourceFilter,
    listed: &Listed<T>,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<T>> {
    // The search for lost rows reads every source: a list of given ids or with a limit skips it.
    if filter.ids.is_none() && filter.limit.is_none() {
        find_unlisted(sql, damaged)?;
    }
    list(sql, filter, listed, damaged)
}

fn list<T>(
    sql: &Connection,
    filter: &SourceFilter,
    listed: &Listed<T>,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<T>> {
    let query = list_sql(filter, listed, have_sets(sql)?);
    let mut statement = sql.prepare_cached(&query)?;
    let ids = filter.ids.as_ref().map_or_else(String::new, to_json);
    let (share, shares) = (filter.share.0, filter.share.1.max(1));
    let known = damaged.len();
    let mut unfit = Vec::new();
    let (name, id) = filter.after.clone().unwrap_or((String::new(), SourceId(0)));
    let limit = row_limit(filter.limit);
    let rows = statement.query_map((ids, share, shares, limit, name, id.0), |row| {
        read_source_row(row, |columns| {
            let mut source = read_source(columns)?;
            add_days(sql, &mut source)?;
            if !is_fit(columns, &source) {
                unfit.push(inactive(source.id, Some(source.settings.name.clone())));
            }
            Ok((listed.read)(source, row, columns))
        })
    })?;
    let sources = sound_rows(rows, damaged)?;
    if filter.limit.is_none() || damaged.len() == known {
        damaged.extend(unfit);
        return Ok(sources);
    }
    // Sources with damaged rows are replaced by as many others.
    let all = SourceFilter {
        limit: None,
        ..filter.clone()
    };
    damaged.truncate(known);
    let mut sources = list(sql, &all, listed, damaged)?;
    sources.truncate(filter.limit.unwrap_or_default());
    Ok(sources)
}

/// Reads `t.active`. Returns whether it agrees with the source's own row, as [`FITS`] says.
///
/// [`FITS`]: super::damaged_source::FITS
fn is_fit(columns: &mut Columns<'_>, source: &Source) -> bool {
    let active = match source.removed_at {
        None => active_word(&source.settings),
        Some(_) => 0,
    };
    columns.get().ok() == Some(active)
}

/// The sources that a filter lets through.
fn list_sql<T>(filter: &SourceFilter, listed: &Listed<T>, with_sets: bool) -> String {
    let kept = if filter.removed {
        "1"
    } else {
        "s.removed_at IS NULL"
    };
    let chosen = match &filter.ids {
        Some(_) => "s.id IN (SELECT value FROM json_each(?1))",
        None => "?1 IS NOT NULL",
    };
    let behind = match &filter.after {
        Some(_) => "(s.name, s.id) > (?5, ?6)",
        None => "?5 IS NOT NULL AND ?6 IS NOT NULL",
    };
    let days = match filter.days {
        _ if filter.ids.is_some() => "1".to_owned(),
        ListedDays::None => "s.day IS NULL".to_owned(),
        ListedDays::Of(id) => format!("s.series_id = {id} AND s.day IS NOT NULL"),
        ListedDays::All => "1".to_owned(),
    };
    let source = if with_sets {
        SOURCE_COLUMNS
    } else {
        COLUMNS_WITHOUT_SETS
    };
    let Listed {
        columns, tables, ..
    } = listed;
    format!(
        "SELECT {source}, t.active, {columns} FROM {SOURCE_TABLES} {tables}
        WHERE {kept} AND {days} AND {chosen} AND s.id % ?3 = ?2 AND {behind} ORDER BY s.name, s.id LIMIT ?4"
    )
}

/// Reports whether a text finds a source, damaged ones included.
fn is_found(sql: &Connection, text: &str) -> Outcome<bool> {
    match find(sql, text) {
        Err(error) if error.is_damage() => Ok(true),
        found => Ok(found?.is_some()),
    }
}

/// Returns the source that meets a condition, with what is known of its days.
fn one(sql: &Connection, condition: &str, text: &str) -> Outcome<Option<Source>> {
    let mut source = select(sql, condition, text)?.pop();
    if let Some(source) = &mut source {
        add_days(sql, source)?;
    }
    Ok(source)
}

fn find(sql: &Connection, text: &str) -> Outcome<Option<Source>> {
    let conditions = [BY_ID, BY_NAME, BY_ADDRESS];
    // A text that is no number is no id.
    let first = usize::from(parse_id(text).is_none());
    for condition in &conditions[first..] {
        let source = one(sql, condition, text)?;
        if source.is_some() {
            return Ok(source);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn what_is_due_is_counted_in_the_index() {
        let (due, dated) = (
            "COVERING INDEX source_state_due",
            "COVERING INDEX source_state_series",
        );
        assert_plan(COUNT_DUE, &[due, dated], &["SCAN source_state"]);
        assert_plan(NEXT_DUE, &[due], &["SCAN"]);
        assert_plan(NEXT_DATED, &[dated], &["SCAN"]);
    }

    #[test]
    fn one_source_is_found_by_index() {
        for (condition, index) in [
            (BY_ID, "INTEGER PRIMARY KEY"),
            (BY_NAME, "(name=?)"),
            (BY_ADDRESS, "(address=?)"),
            (REMOVED_BY_NAME, "source_removed_name (name=?)"),
            (REMOVED_BY_ADDRESS, "source_removed_address (address=?)"),
        ] {
            assert_plan(
                &format!("SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE {condition}"),
                &[index],
                &["SCAN"],
            );
        }
    }
}
