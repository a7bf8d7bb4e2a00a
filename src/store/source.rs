//! Sources as they are read: lists, one by what an operator calls it, and how many are due.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::Store;
use super::error::{Failure, Result, found};
use super::row::{Columns, row_limit, to_json};
use super::types::{NamedVersion, SourceFilter};
use crate::domain::{
    Address, Slot, Source, SourceId, SourceSettings, SourceState, VersionId, Withdrawal,
    candidate_name, free_number, parse_id,
};

/// The columns of [`read_source`], of the tables in [`SOURCE_TABLES`].
pub(super) const SOURCE_COLUMNS: &str = "s.id, s.name, s.address, s.interval_hours, s.enabled, s.tags, s.headers,
    s.allow_private, s.allow_http, s.allow_empty, s.publish, s.max_size_bytes, s.published_path, s.created_at,
    s.removed_at, t.next_slot, t.failures, t.last_attempt_at, t.last_outcome, t.version_id, v.state,
    t.published_version_id, t.publish_due, t.publish_error,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT group_concat(m.set_name, ', ') FROM set_member m WHERE m.source_id = s.id) END,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN EXISTS (SELECT 1 FROM set_member m JOIN edition e
            ON e.id = (SELECT max(id) FROM edition WHERE set_name = m.set_name)
            WHERE m.source_id = s.id AND e.state IN ('failed', 'error'))
            OR EXISTS (SELECT 1 FROM set_member m JOIN file_set f ON f.name = m.set_name
            WHERE m.source_id = s.id AND f.problem IS NOT NULL) ELSE 0 END,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT em.version_id FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.published_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id ORDER BY m.set_name LIMIT 1) END,
    t.withdrawn_at, t.withdrawn_because,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT f.withdrawn_at FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.withdrawn_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id ORDER BY m.set_name LIMIT 1) END,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT 'set ' || f.name || ': ' || f.withdrawn_because FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.withdrawn_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id ORDER BY m.set_name LIMIT 1) END";

/// Settings, state and newest version of a source.
pub(super) const SOURCE_TABLES: &str = "source s JOIN source_state t ON t.source_id = s.id
    LEFT JOIN version v ON v.id = t.version_id";

impl Store {
    /// Returns the sources that the filter lets through, by name.
    pub async fn sources(&self, filter: SourceFilter) -> Result<Vec<Source>> {
        self.read(move |sql| list(sql, &filter)).await
    }

    /// Returns names and newest versions of the sources with these ids that are not removed.
    pub async fn named_versions(&self, ids: Vec<SourceId>) -> Result<Vec<NamedVersion>> {
        self.read(move |sql| {
            let mut statement = sql.prepare_cached(NAMED_VERSIONS)?;
            let rows = statement.query_map([to_json(&ids)], |row| {
                let mut columns = Columns::new(row);
                Ok(NamedVersion {
                    id: SourceId(columns.get()?),
                    name: columns.get()?,
                    version_id: columns.optional()?.map(VersionId),
                    version_state: columns.optional_word()?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns the source with this id (one that was removed too), else the one that is not removed and has this name
    /// or address.
    pub async fn find_source(&self, text: &str) -> Result<Option<Source>> {
        let text = text.to_owned();
        self.read(move |sql| find(sql, &text)).await
    }

    /// Returns what [`Self::find_source`] returns for each of these texts, in their order.
    pub async fn find_sources(&self, texts: Vec<String>) -> Result<Vec<Option<Source>>> {
        self.read(move |sql| texts.iter().map(|text| find(sql, text)).collect())
            .await
    }

    /// Returns the removed sources that had this name or this address, by id.
    pub async fn find_removed(&self, name: &str, address: &str) -> Result<Vec<Source>> {
        let (name, address) = (name.to_owned(), address.to_owned());
        self.read(move |sql| {
            let mut found = select(sql, REMOVED_BY_NAME, &name)?;
            found.extend(select(sql, REMOVED_BY_ADDRESS, &address)?);
            found.sort_by_key(|source| source.id);
            found.dedup_by_key(|source| source.id);
            Ok(found)
        })
        .await
    }

    /// Returns for each of these addresses, in their order, the source with it that was removed last; nothing for one that a
    /// source has now.
    pub async fn former_sources(&self, addresses: Vec<String>) -> Result<Vec<Option<Source>>> {
        self.read(move |sql| {
            addresses
                .iter()
                .map(|address| {
                    let removed = select(sql, REMOVED_BY_ADDRESS, address)?;
                    if removed.is_empty() || !select(sql, BY_ADDRESS, address)?.is_empty() {
                        return Ok(None);
                    }
                    Ok(removed
                        .into_iter()
                        .max_by_key(|source| (source.removed_at, source.id)))
                })
                .collect()
        })
        .await
    }

    /// Returns a name for a source that was given none, such that neither one of `others` is the same nor a source is found
    /// by it.
    pub async fn free_name(
        &self,
        settings: SourceSettings,
        others: HashSet<String>,
    ) -> Result<String> {
        self.read(move |sql| {
            let turn = free_number(|turn| {
                let name = candidate_name(&settings, turn);
                Ok::<_, Failure>(others.contains(&name) || find(sql, &name)?.is_some())
            })?;
            Ok(candidate_name(&settings, turn))
        })
        .await
    }

    /// Returns how many sources are enabled and not removed.
    pub async fn watched(&self) -> Result<u64> {
        self.read(move |sql| {
            let count: i64 = sql
                .prepare_cached(COUNT_WATCHED)?
                .query_row([], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    /// Returns how many sources are due by `now`, those under a claim included, and the first slot after `now` at which
    /// another one is.
    pub async fn due(&self, now: DateTime<Utc>) -> Result<(u64, Option<Slot>)> {
        self.read(move |sql| {
            let slot = Slot::containing(now).0;
            let count: i64 = sql
                .prepare_cached(COUNT_DUE)?
                .query_row([slot], |row| row.get(0))?;
            let next: Option<i64> = sql
                .prepare_cached(NEXT_DUE)?
                .query_row([slot], |row| row.get(0))?;
            Ok((count.unsigned_abs(), next.map(Slot)))
        })
        .await
    }
}

const COUNT_WATCHED: &str = "SELECT count(*) FROM source_state WHERE active = 1";
const COUNT_DUE: &str = "SELECT count(*) FROM source_state WHERE active = 1 AND next_slot <= ?1";
const NEXT_DUE: &str =
    "SELECT min(next_slot) FROM source_state WHERE active = 1 AND next_slot > ?1";

const NAMED_VERSIONS: &str = "SELECT s.id, s.name, t.version_id, v.state
     FROM json_each(?1) j CROSS JOIN source s ON s.id = j.value
     CROSS JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = t.version_id
     WHERE s.removed_at IS NULL";

const BY_ID: &str = "s.id = CAST(?1 AS INTEGER)";
const BY_NAME: &str = "s.removed_at IS NULL AND s.name = ?1";
const BY_ADDRESS: &str = "s.removed_at IS NULL AND s.address = ?1";
const REMOVED_BY_NAME: &str = "s.removed_at IS NOT NULL AND s.name = ?1";
const REMOVED_BY_ADDRESS: &str = "s.removed_at IS NOT NULL AND s.address = ?1";

/// Returns the source with this id, removed or not.
pub(super) fn source_by_id(sql: &Connection, id: SourceId) -> std::result::Result<Source, Failure> {
    let row = sql
        .prepare_cached(&format!(
            "SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE s.id = ?1"
        ))?
        .query_row([id.0], |row| read_source(&mut Columns::new(row)));
    found(row, "source", id.0)
}

/// Reads [`SOURCE_COLUMNS`].
pub(super) fn read_source(columns: &mut Columns<'_>) -> rusqlite::Result<Source> {
    let mut source = Source {
        id: SourceId(columns.get()?),
        settings: read_settings(columns)?,
        published_path: columns.get()?,
        created_at: columns.time()?,
        removed_at: columns.optional_time()?,
        state: SourceState {
            next_slot: Slot(columns.get()?),
            failures: columns.count()?,
            last_attempt_at: columns.optional_time()?,
            last_outcome: columns.optional_word()?,
            version_id: columns.optional()?.map(VersionId),
            version_state: columns.optional_word()?,
            published_version_id: columns.optional()?.map(VersionId),
            publish_due: columns.get()?,
            publish_error: columns.get()?,
            set: columns.get()?,
            set_fails: columns.get()?,
            set_version_id: columns.optional()?.map(VersionId),
            withdrawn: None,
        },
    };
    let own = read_withdrawal(columns)?;
    let with_set = read_withdrawal(columns)?;
    if source.state.served().is_none() {
        let last = own.into_iter().chain(with_set);
        let last = last.max_by_key(|withdrawal| withdrawal.at);
        source.state.withdrawn = last.map(Box::new);
    }
    Ok(source)
}

/// Reads when something was withdrawn and why; nothing when it was not.
pub(super) fn read_withdrawal(columns: &mut Columns<'_>) -> rusqlite::Result<Option<Withdrawal>> {
    let (at, because) = (columns.optional_time()?, columns.optional::<String>()?);
    Ok(at.map(|at| Withdrawal {
        at,
        because: because.unwrap_or_default(),
    }))
}

fn read_settings(columns: &mut Columns<'_>) -> rusqlite::Result<SourceSettings> {
    Ok(SourceSettings {
        name: columns.get()?,
        address: Address::from_stored(columns.get()?),
        interval: columns.interval()?,
        enabled: columns.get()?,
        tags: columns.json()?,
        headers: columns.json()?,
        allow_private: columns.get()?,
        allow_http: columns.get()?,
        allow_empty: columns.get()?,
        publish: columns.word()?,
        max_size_bytes: columns.optional_count()?,
    })
}

fn list(sql: &Connection, filter: &SourceFilter) -> std::result::Result<Vec<Source>, Failure> {
    let kept = if filter.removed {
        "1"
    } else {
        "s.removed_at IS NULL"
    };
    let (chosen, ids) = match &filter.ids {
        Some(ids) => ("s.id IN (SELECT value FROM json_each(?1))", to_json(ids)),
        None => ("?1 IS NOT NULL", String::new()),
    };
    let mut statement = sql.prepare_cached(&format!(
        "SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES}
        WHERE {kept} AND {chosen} AND s.id % ?3 = ?2 ORDER BY s.name, s.id LIMIT ?4"
    ))?;
    let (share, shares) = (filter.share.0, filter.share.1.max(1));
    let rows = statement.query_map((ids, share, shares, row_limit(filter.limit)), |row| {
        read_source(&mut Columns::new(row))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn find(sql: &Connection, text: &str) -> std::result::Result<Option<Source>, Failure> {
    let conditions = [BY_ID, BY_NAME, BY_ADDRESS];
    // Text that is no number has no id.
    let first = usize::from(parse_id(text).is_none());
    for condition in &conditions[first..] {
        let source = select(sql, condition, text)?.pop();
        if source.is_some() {
            return Ok(source);
        }
    }
    Ok(None)
}

/// Returns the sources of which one of the conditions above holds.
fn select(
    sql: &Connection,
    condition: &str,
    text: &str,
) -> std::result::Result<Vec<Source>, Failure> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE {condition}"
    ))?;
    let rows = statement.query_map([text], |row| read_source(&mut Columns::new(row)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::query_plan;

    #[test]
    fn what_is_due_is_counted_in_the_index() {
        for sql in [COUNT_DUE, NEXT_DUE] {
            let plan = query_plan(sql);
            assert!(plan.contains("COVERING INDEX source_state_due"), "{plan}");
            assert!(plan.starts_with("SEARCH"), "{plan}");
        }
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
            let plan = query_plan(&format!(
                "SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE {condition}"
            ));
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
        }
    }
}
