//! Sources as they are read: lists, one by what an operator calls it, and how many are due.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Row};

use super::Store;
use super::damage::{
    DamagedRow, column_of, damaged_error, read_row, reason_of, sound_rows, strictly,
};
use super::damaged_source::{FITS, find_unlisted, inactive};
use super::error::{Failure, Result, found};
use super::row::{Columns, row_limit, to_json};
use super::types::{NamedVersion, SourceFilter};
use super::version_row::read_newest_state;
use crate::domain::{
    Address, Slot, Source, SourceId, SourceSettings, SourceState, VersionId, Withdrawal,
    candidate_name, free_number, parse_id,
};

/// The columns of a source and its state that need no other table but that of versions, with what is read of its newest version.
macro_rules! own_columns {
    ($newest:literal) => {
        concat!("s.id, s.name, s.address, s.settings, s.published_path, s.path_key,
         s.created_at, s.removed_at, t.next_slot, t.failures, t.last_attempt_at, t.last_outcome, t.version_id, ", $newest, ",
         t.published_version_id, t.publish_due, CASE WHEN s.removed_at IS NULL THEN t.publish_error
             ELSE (SELECT w.problem FROM withdrawal w WHERE w.path = s.published_path) END AS publish_error,")
    };
}

/// The columns of [`read_source`], of the tables in [`SOURCE_TABLES`].
pub(super) const SOURCE_COLUMNS: &str = concat!(
    own_columns!(
        "v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum"
    ),
    " CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT group_concat(m.set_name, ', ') FROM set_member m WHERE m.source_id = s.id) END,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN EXISTS (SELECT 1 FROM set_member m JOIN edition e
            ON e.id = (SELECT max(n.id) FROM edition n JOIN file_set f ON f.name = n.set_name
                WHERE n.set_name = m.set_name AND n.id > f.past_edition_id)
            WHERE m.source_id = s.id AND e.state IN ('failed', 'error'))
            OR EXISTS (SELECT 1 FROM set_member m JOIN file_set f ON f.name = m.set_name
            WHERE m.source_id = s.id AND f.problem IS NOT NULL) ELSE 0 END,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT em.version_id FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.published_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id ORDER BY m.set_name LIMIT 1) END,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT group_concat(m.set_name, ', ') FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.published_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id GROUP BY em.version_id ORDER BY min(m.set_name) LIMIT 1) END,
    t.withdrawn_at, t.withdrawn_because,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT f.withdrawn_at FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.withdrawn_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id ORDER BY m.set_name LIMIT 1) END,
    CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT 'set ' || f.name || ': ' || f.withdrawn_because FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.withdrawn_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id ORDER BY m.set_name LIMIT 1) END"
);

/// The same where no set has members, for a query that is run once for each source and is not asked for the state of its version.
pub(super) const SETLESS_COLUMNS: &str = concat!(
    own_columns!("NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"),
    " NULL, 0, NULL, NULL, t.withdrawn_at, t.withdrawn_because, NULL, NULL"
);

/// Tells whether any set has members.
pub(super) fn have_sets_members(sql: &Connection) -> rusqlite::Result<bool> {
    sql.prepare_cached("SELECT 1 FROM set_member")?.exists([])
}

/// Where the columns of `source_state` begin, and that of its which is never NULL unless the row is missing.
const STATE_COLUMNS: usize = 8;

/// Settings, state and newest version of a source. One whose state is missing is read too, and is damaged.
pub(super) const SOURCE_TABLES: &str = "source s LEFT JOIN source_state t ON t.source_id = s.id
    LEFT JOIN version v ON v.id = t.version_id";

impl Store {
    /// Returns the sources that the filter lets through, by name. Those whose rows are damaged are left out
    /// ([`Store::damage`]): this is for nothing that removes what is not there.
    pub async fn sources(&self, filter: SourceFilter) -> Result<Vec<Source>> {
        self.read_sound(move |sql, damaged| {
            if filter.ids.is_none() {
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
/// Returns the source with this id, removed or not.
pub(super) fn source_by_id(sql: &Connection, id: SourceId) -> std::result::Result<Source, Failure> {
    let row = sql
        .prepare_cached(&format!(
            "SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE s.id = ?1"
        ))?
        .query_row([id.0], |row| read_source_row(row, read_source));
    found(row, "source", id.0)
}

/// Reads a row that begins with [`SOURCE_COLUMNS`]. Damage is an error that names the row and the source.
pub(super) fn read_source_row<T>(
    row: &Row<'_>,
    read: impl FnOnce(&mut Columns<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    read(&mut Columns::new(row)).map_err(|error| {
        let Some(reason) = reason_of(row, &error) else {
            return error;
        };
        let is_of_state = column_of(&error).is_some_and(|column| column >= STATE_COLUMNS);
        let has_state = !matches!(row.get_ref(STATE_COLUMNS), Ok(ValueRef::Null));
        damaged_error(DamagedRow {
            table: if is_of_state {
                "source_state"
            } else {
                "source"
            },
            id: row.get::<_, i64>(0).unwrap_or_default().to_string(),
            source: row.get(1).ok(),
            reason: if is_of_state && !has_state {
                "it is missing, or `next_slot` holds NULL".to_owned()
            } else {
                reason
            },
        })
    })
}

/// Reads [`SOURCE_COLUMNS`].
pub(super) fn read_source(columns: &mut Columns<'_>) -> rusqlite::Result<Source> {
    let id = SourceId(columns.get()?);
    let mut source = Source {
        id,
        settings: read_settings(columns)?,
        published_path: read_published_path(columns)?,
        created_at: columns.time()?,
        removed_at: columns.optional_time()?,
        state: SourceState {
            next_slot: Slot(columns.get()?),
            failures: columns.count()?,
            last_attempt_at: columns.optional_time()?,
            last_outcome: columns.optional_word()?,
            version_id: columns.optional()?.map(VersionId),
            // What is wrong with a version is said where its history is read.
            version_state: read_newest_state(columns, id),
            published_version_id: columns.optional()?.map(VersionId),
            publish_due: columns.get()?,
            publish_error: columns.get()?,
            set: columns.get()?,
            set_fails: columns.get()?,
            set_version_id: columns.optional()?.map(VersionId),
            showing_set: columns.get()?,
            withdrawn: None,
        },
    };
    if !source.state.publish_due && source.removed_at.is_none() {
        // The file is right again; earlier programs left the reason of the last failure.
        source.state.publish_error = None;
    }
    let own = read_withdrawal(columns)?;
    // A damaged row of the set is not one of the source.
    let with_set = read_withdrawal(columns).unwrap_or_default();
    if source.state.served().is_none() {
        let last = own.into_iter().chain(with_set);
        let last = last.max_by_key(|withdrawal| withdrawal.at);
        source.state.withdrawn = last.map(Box::new);
    }
    Ok(source)
}

/// Reads a published path and its key, of which one says what the other does: a file is written at no path that was damaged into
/// another.
fn read_published_path(columns: &mut Columns<'_>) -> rusqlite::Result<String> {
    let path: String = columns.get()?;
    let key: String = columns.get()?;
    if is_key_of(&key, &path) {
        Ok(path)
    } else {
        Err(columns.malformed(Type::Text, "it is not `published_path` in lower case"))
    }
}

/// Tells whether a key is that of a published path.
pub(super) fn is_key_of(key: &str, path: &str) -> bool {
    if path.is_ascii() {
        path.eq_ignore_ascii_case(key) && !key.bytes().any(|byte| byte.is_ascii_uppercase())
    } else {
        path.to_lowercase() == key
    }
}

/// Reads when something was withdrawn and why; nothing when it was not.
pub(super) fn read_withdrawal(columns: &mut Columns<'_>) -> rusqlite::Result<Option<Withdrawal>> {
    // Both are read in any case: columns may follow.
    let (at, because) = (columns.optional_time(), columns.optional::<String>());
    let because = because?.unwrap_or_default();
    Ok(at?.map(|at| Withdrawal { at, because }))
}

fn read_settings(columns: &mut Columns<'_>) -> rusqlite::Result<SourceSettings> {
    let name = columns.get()?;
    let address = Address::from_stored(columns.get()?);
    let settings = columns.settings()?;
    if settings.name.is_some() || settings.address.is_some() {
        return Err(columns.malformed(Type::Text, "name and address have columns of their own"));
    }
    Ok(settings.laid_over(SourceSettings::new(name, address)))
}

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

/// Returns the sources of which one of the conditions above holds. A damaged row is an error.
pub(super) fn select(
    sql: &Connection,
    condition: &str,
    text: &str,
) -> std::result::Result<Vec<Source>, Failure> {
    strictly(|damaged| select_sound(sql, condition, text, damaged))
}

/// Returns the same without those whose rows are damaged.
pub(super) fn select_sound(
    sql: &Connection,
    condition: &str,
    text: &str,
    damaged: &mut Vec<DamagedRow>,
) -> std::result::Result<Vec<Source>, Failure> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE {condition}"
    ))?;
    let rows = statement.query_map([text], |row| read_source_row(row, read_source))?;
    Ok(sound_rows(rows, damaged)?)
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
