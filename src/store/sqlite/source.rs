//! Sources as they are read: lists, one by what an operator calls it, and how many are due.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::Store;
use super::damaged_source::{FITS, find_unlisted, inactive};
use super::failure::{Failure, strictly};
use super::row::{row_limit, to_json};
use super::source_row::{
    SOURCE_COLUMNS, SOURCE_TABLES, read_source, read_source_row, select, select_sound,
};
use super::sql_damage::{read_row, sound_rows};
use super::version_row::read_newest_state;
use crate::domain::{
    Slot, Source, SourceId, SourceSettings, VersionId, candidate_name, free_number, parse_id,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::Result;
use crate::store::types::{NamedVersion, SourceFilter};

impl Store {
    /// Returns the sources that the filter lets through, by name. Those whose rows are damaged are left out
    /// ([`Store::damage`]): this is for nothing that removes what is not there.
    pub async fn sources(&self, filter: SourceFilter) -> Result<Vec<Source>> {
        self.read_sound(move |sql, damaged| {
            // That goes through all there are: whoever asks for the first few does not ask for that.
            if filter.ids.is_none() && filter.limit.is_none() {
                find_unlisted(sql, damaged)?;
            }
            list(sql, &filter, damaged)
        })
        .await
    }

    /// Returns every source that is not removed, by name. A damaged row, or a lost one, is an error.
    pub async fn every_source(&self) -> Result<Vec<Source>> {
        self.read(move |sql| {
            strictly(|damaged| {
                find_unlisted(sql, damaged)?;
                list(sql, &SourceFilter::default(), damaged)
            })
        })
        .await
    }

    /// Returns the source with this id, a removed one too. A damaged row is an error.
    pub async fn source(&self, id: SourceId) -> Result<Option<Source>> {
        self.read(move |sql| Ok(select(sql, BY_ID, &id.to_string())?.pop()))
            .await
    }

    /// Returns which of these sources there are, removed ones and damaged ones too.
    pub async fn existing(&self, ids: Vec<SourceId>) -> Result<HashSet<SourceId>> {
        self.read(move |sql| {
            let mut statement = sql.prepare_cached(
                "SELECT s.id FROM json_each(?1) j CROSS JOIN source s ON s.id = j.value",
            )?;
            let rows = statement.query_map([to_json(&ids)], |row| row.get(0).map(SourceId))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns names and newest versions of the sources with these ids that are not removed.
    pub async fn named_versions(&self, ids: Vec<SourceId>) -> Result<Vec<NamedVersion>> {
        self.read_sound(move |sql, damaged| {
            let mut statement = sql.prepare_cached(NAMED_VERSIONS)?;
            let rows = statement.query_map([to_json(&ids)], |row| {
                read_row("source", row, |columns| {
                    let id = SourceId(columns.get()?);
                    Ok(NamedVersion {
                        id,
                        name: columns.get()?,
                        version_id: columns.optional()?.map(VersionId),
                        version_state: read_newest_state(columns, id),
                        is_published: columns.get()?,
                    })
                })
            })?;
            Ok(sound_rows(rows, damaged)?)
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
        self.read_sound(move |sql, damaged| {
            let mut found = select_sound(sql, REMOVED_BY_NAME, &name, damaged)?;
            found.extend(select_sound(sql, REMOVED_BY_ADDRESS, &address, damaged)?);
            found.sort_by_key(|source| source.id);
            found.dedup_by_key(|source| source.id);
            Ok(found)
        })
        .await
    }

    /// Returns for each of these addresses, in their order, the source with it that was removed last; nothing for one that a
    /// source has now.
    pub async fn former_sources(&self, addresses: Vec<String>) -> Result<Vec<Option<Source>>> {
        self.read_sound(move |sql, damaged| {
            addresses
                .iter()
                .map(|address| {
                    let removed = select_sound(sql, REMOVED_BY_ADDRESS, address, damaged)?;
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
                Ok::<_, Failure>(others.contains(&name) || is_found(sql, &name)?)
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

fn list(
    sql: &Connection,
    filter: &SourceFilter,
    damaged: &mut Vec<DamagedRow>,
) -> std::result::Result<Vec<Source>, Failure> {
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
        "SELECT {SOURCE_COLUMNS}, {FITS} FROM {SOURCE_TABLES}
        WHERE {kept} AND {chosen} AND s.id % ?3 = ?2 ORDER BY s.name, s.id LIMIT ?4"
    ))?;
    let (share, shares) = (filter.share.0, filter.share.1.max(1));
    let known = damaged.len();
    let mut unfit = Vec::new();
    let rows = statement.query_map((ids, share, shares, row_limit(filter.limit)), |row| {
        read_source_row(row, |columns| {
            let source = read_source(columns)?;
            if !columns.get()? {
                unfit.push(inactive(source.id, Some(source.settings.name.clone())));
            }
            Ok(source)
        })
    })?;
    let sources = sound_rows(rows, damaged)?;
    if filter.limit.is_none() || damaged.len() == known {
        damaged.extend(unfit);
        return Ok(sources);
    }
    // As many others take the places of those that are damaged.
    let all = SourceFilter {
        limit: None,
        ..filter.clone()
    };
    damaged.truncate(known);
    let mut sources = list(sql, &all, damaged)?;
    sources.truncate(filter.limit.unwrap_or_default());
    Ok(sources)
}

/// Tells whether a source is found by this text, a damaged one too.
fn is_found(sql: &Connection, text: &str) -> std::result::Result<bool, Failure> {
    match find(sql, text) {
        Err(error) if error.is_damage() => Ok(true),
        found => Ok(found?.is_some()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

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
