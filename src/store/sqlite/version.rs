//! Reads versions: by id, by steps back, or by time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection, Row};

use super::failure::{Failure, Outcome, found, sound_one};
use super::row::{Columns, int, millis, row_limit, time, to_json};
use super::sql_damage::{read_row, reason_of, sound_rows};
use super::statements::Statements as _;
use super::version_row::{
    NO_NEIGHBOUR, Place, Steps, damaged, damaged_row, newest_place, place_by_id, read_place,
    walk_back,
};
use super::wanted_file::wanted_version;
use crate::domain::{BlobId, Digest, LastModified, SourceId, Version, VersionId, VersionState};
use crate::store::damaged_row::DamagedRow;
use crate::store::types::Newest;

/// The columns of [`read_version`], of the tables in [`VERSION_TABLES`].
const VERSION_COLUMNS: &str =
    "v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum, v.digest, b.digest, b.size_bytes,
    b.stored_bytes, n.value AS name_id, m.value AS media_type_id, v.last_modified, v.last_modified_text, v.policy_revision";

/// A version without its blob or name is read, as damage.
const VERSION_TABLES: &str = "version v LEFT JOIN blob b ON b.id = v.blob_id
    LEFT JOIN text n ON n.id = v.name_id LEFT JOIN text m ON m.id = v.media_type_id";

/// Returns the source's version `steps` versions before its newest.
pub(super) fn version_back(
    sql: &Connection,
    source: SourceId,
    steps: u64,
) -> Outcome<Option<Version>> {
    let Some(newest) = newest_place(sql, source)? else {
        return Ok(None);
    };
    match newest.ordinal.checked_sub(int(steps)) {
        Some(ordinal) if ordinal >= 0 => at_ordinal(sql, &newest, ordinal).map(Some),
        _ => Ok(None),
    }
}

/// Returns the source's newest version that was fetched by `time`.
pub(super) fn version_at(
    sql: &Connection,
    source: SourceId,
    time: DateTime<Utc>,
) -> Outcome<Option<Version>> {
    let Some(newest) = newest_place(sql, source)? else {
        return Ok(None);
    };
    let by_then = |place: &Place| (place.fetched_at_ms <= millis(time)).then_some(place.id);
    let found = walk_back(sql, &newest, by_then)?;
    found.map(|id| version_by_id(sql, id)).transpose()
}

/// Returns the source's newest version before this one that passed or is unverified.
pub(super) fn good_version_before(
    sql: &Connection,
    version: VersionId,
) -> Outcome<Option<Version>> {
    let Some(from) = place_by_id(sql, version)? else {
        return Ok(None);
    };
    // Walks back past the bad versions before it.
    let is_good = |place: &Place| {
        let is_good = matches!(place.state, VersionState::Passed | VersionState::Unverified);
        (is_good && place.id != version).then_some(place.id)
    };
    let found = walk_back(sql, &from, is_good)?;
    found.map(|id| version_by_id(sql, id)).transpose()
}

/// Returns the version before this one in its source's history.
pub(super) fn version_before(sql: &Connection, version: VersionId) -> Outcome<Option<Version>> {
    match place_by_id(sql, version)? {
        Some(place) if place.ordinal > 0 => at_ordinal(sql, &place, place.ordinal - 1).map(Some),
        _ => Ok(None),
    }
}

/// Returns the version after this one in its source's history.
pub(super) fn version_after(sql: &Connection, version: VersionId) -> Outcome<Option<Version>> {
    let Some(place) = place_by_id(sql, version)? else {
        return Ok(None);
    };
    match newest_place(sql, place.source_id)? {
        Some(newest) if place.ordinal < newest.ordinal => {
            at_ordinal(sql, &place, place.ordinal + 1).map(Some)
        }
        _ => Ok(None),
    }
}

/// Returns the source's versions, newest first, that were its newest at some time from `from` until `until`.
pub(super) fn versions_in_force(
    sql: &Connection,
    source: SourceId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: usize,
) -> Outcome<Vec<Version>> {
    let query = format!(
        "SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} WHERE {IN_FORCE} ORDER BY v.ordinal DESC LIMIT ?4"
    );
    Ok(sql.all(
        &query,
        [source.0, millis(from), millis(until), int(limit)],
        |row| read_version_row(row).map(|(version, _)| version),
    )?)
}

/// Returns facts of the newest version and of the last attempt of these sources.
pub(super) fn newest_of(
    sql: &Connection,
    sources: &[SourceId],
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<HashMap<SourceId, Newest>> {
    let mut statement = sql.prepare_cached(NEWEST)?;
    let rows = statement.query_map([to_json(&sources)], |row| {
        read_row("source_state", row, |columns| {
            Ok((SourceId(columns.get()?), read_facts(columns)?))
        })
    })?;
    let mut known = HashMap::new();
    for (source, facts) in sound_rows(rows, damaged)? {
        known.insert(source, newest_by(sql, source, facts, damaged)?);
    }
    Ok(known)
}

/// The facts of a newest version and of a last attempt as its row has them, and whether the source is to be published.
pub(super) type Facts = (Newest, bool);

/// Reads `newest_facts!()`.
pub(super) fn read_facts(columns: &mut Columns<'_>) -> rusqlite::Result<Facts> {
    let newest = Newest {
        size_bytes: columns.optional_count()?,
        digest: columns.optional()?.map(Digest),
        error_kind: columns.sound_word(),
        error: columns.get().unwrap_or_default(),
        wanted_version_id: columns.optional()?.map(VersionId),
    };
    Ok((newest, columns.get()?))
}

/// Returns the facts with the version that should be published.
pub(super) fn newest_by(
    sql: &Connection,
    source: SourceId,
    (mut newest, is_due): Facts,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Newest> {
    if is_due && let Some(wanted) = sound_one(wanted_version(sql, source), damaged)? {
        newest.wanted_version_id = wanted;
    }
    Ok(newest)
}

/// Returns when the newest versions of these sources were fetched.
pub(super) fn newest_times(
    sql: &Connection,
    sources: &[SourceId],
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<HashMap<SourceId, DateTime<Utc>>> {
    const TIMES: &str = "SELECT t.source_id, v.fetched_at
         FROM json_each(?1) j CROSS JOIN source_state t ON t.source_id = j.value
         JOIN version v ON v.id = t.version_id AND v.source_id = t.source_id";
    let mut statement = sql.prepare_cached(TIMES)?;
    let rows = statement.query_map([to_json(&sources)], |row| {
        read_row("version", row, |columns| {
            Ok((SourceId(columns.get()?), columns.time()?))
        })
    })?;
    Ok(sound_rows(rows, damaged)?.into_iter().collect())
}

/// Facts of the newest version `v` and of the last attempt of a source with the state `t`, from [`newest_tables`].
macro_rules! newest_facts {
    () => {
        "b.size_bytes, b.digest, a.error_kind, a.error, t.published_version_id, t.publish_due"
    };
}
pub(super) use newest_facts;

/// The tables that join `t` and `v`. A version with a damaged row has neither length nor digest here.
macro_rules! newest_tables {
    () => {
        "LEFT JOIN blob b ON b.id = v.blob_id AND b.digest = v.digest AND v.source_id = t.source_id
         LEFT JOIN attempt a ON a.id = (SELECT max(id) FROM attempt WHERE source_id = t.source_id)"
    };
}
pub(super) use newest_tables;

const NEWEST: &str = concat!(
    "SELECT t.source_id, ",
    newest_facts!(),
    " FROM json_each(?1) j CROSS JOIN source_state t ON t.source_id = j.value
     LEFT JOIN version v ON v.id = t.version_id ",
    newest_tables!()
);

const IN_FORCE: &str = "v.source_id = ?1 AND v.fetched_at <= ?3 AND v.ordinal >=
     coalesce((SELECT max(w.ordinal) FROM version w WHERE w.source_id = ?1 AND w.fetched_at <= ?2), 0)";

/// Returns the source's versions, newest first; a missing one is damage.
pub(super) fn history(
    sql: &Connection,
    source: SourceId,
    limit: Option<usize>,
) -> Outcome<Vec<Version>> {
    let Some(newest) = newest_place(sql, source)? else {
        return Ok(Vec::new());
    };
    let mut statement = prepare_history(sql)?;
    let rows = statement.query_map([source.0, row_limit(limit), i64::MAX], read_version_row)?;
    let mut steps = Steps::from(&newest);
    let mut versions = Vec::new();
    for row in rows {
        let (version, place) = row?;
        steps.take(&place)?;
        versions.push(version);
    }
    if limit.is_none_or(|limit| versions.len() < limit) {
        steps.finish()?;
    }
    Ok(versions)
}

/// Returns the source's versions with sound rows before one of them (or all), newest first, whatever else is damaged.
pub(super) fn sound_history(
    sql: &Connection,
    source: SourceId,
    before: Option<VersionId>,
    limit: Option<usize>,
) -> Outcome<Vec<Version>> {
    let mut statement = prepare_history(sql)?;
    let before = before.map_or(i64::MAX, |before| before.0);
    let rows = statement.query_map([source.0, row_limit(limit), before], read_version_row)?;
    let mut versions = Vec::new();
    for row in rows {
        match row.map_err(Failure::from) {
            Ok((version, _)) if version.source_id == source => versions.push(version),
            // A damaged index led to another source's row.
            Ok(_) => {}
            Err(error) if error.is_damage() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(versions)
}

/// The versions of the source ?1 before the version ?3, newest first, at most ?2.
fn prepare_history(sql: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    sql.prepare_cached(&format!(
        "SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES}
         WHERE v.source_id = ?1 AND v.id < ?3 ORDER BY v.ordinal DESC LIMIT ?2"
    ))
}

/// Returns the version at an ordinal of the history that contains `neighbour`.
fn at_ordinal(sql: &Connection, neighbour: &Place, ordinal: i64) -> Outcome<Version> {
    let at = "v.source_id = ?1 AND v.ordinal = ?2";
    let version = one(sql, at, [neighbour.source_id.0, ordinal])?;
    // A damaged index is noticed: the row names its own source and ordinal.
    version
        .filter(|one| one.source_id == neighbour.source_id && int(one.ordinal) == ordinal)
        .ok_or_else(|| damaged(neighbour.id, NO_NEIGHBOUR))
}

fn one(
    sql: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> Outcome<Option<Version>> {
    let version = sql.first(
        &format!("SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} WHERE {condition}"),
        params,
        read_version_row,
    )?;
    Ok(version.map(|(version, _)| version))
}

/// Returns the version with this id, if there is one.
pub(super) fn version_if_there(sql: &Connection, id: VersionId) -> Outcome<Option<Version>> {
    one(sql, "v.id = ?1", [id.0])
}

/// Returns the version with this id.
pub(super) fn version_by_id(sql: &Connection, id: VersionId) -> Outcome<Version> {
    let version = version_if_there(sql, id)?;
    found(
        version.ok_or(rusqlite::Error::QueryReturnedNoRows),
        "version",
        id.0,
    )
}

fn last_modified(columns: &mut Columns<'_>) -> rusqlite::Result<Option<LastModified>> {
    let time = columns.optional_time()?;
    let text: Option<String> = columns.optional()?;
    Ok(time
        .map(LastModified::At)
        .or(text.map(LastModified::Unreadable)))
}

/// Reads [`VERSION_COLUMNS`]; a row that is unreadable, or does not fit its checksum, its blob or its name, is an
/// error.
fn read_version_row(row: &Row<'_>) -> rusqlite::Result<(Version, Place)> {
    read_version(&mut Columns::new(row)).map_err(|error| match reason_of(row, &error) {
        Some(reason) => damaged_row(VersionId(row.get(0).unwrap_or_default()), reason),
        None => error,
    })
}

fn read_version(columns: &mut Columns<'_>) -> rusqlite::Result<(Version, Place)> {
    let place = read_place(columns)?;
    let digests: (Option<[u8; 32]>, Option<[u8; 32]>) = (columns.optional()?, columns.optional()?);
    let (Some(digest), Some(stored)) = digests else {
        return Err(damaged_row(place.id, "it names no blob"));
    };
    if digest != stored {
        return Err(damaged_row(place.id, "it names a blob of other content"));
    }
    let version = Version {
        id: place.id,
        source_id: place.source_id,
        ordinal: place.ordinal.unsigned_abs(),
        blob_id: BlobId(place.blob_id),
        digest: Digest(digest),
        size_bytes: columns.count()?,
        stored_bytes: columns.count()?,
        name: columns.get()?,
        media_type: columns.get()?,
        last_modified: last_modified(columns)?,
        fetched_at: time(place.fetched_at_ms)
            .ok_or_else(|| damaged_row(place.id, "it has no time"))?,
        state: place.state,
        policy_revision: columns.get()?,
    };
    Ok((version, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::{assert_plan, query_plan};

    #[test]
    fn the_newest_of_each_is_found_by_index() {
        let plan = query_plan(NEWEST);
        assert!(
            plan.contains("SEARCH attempt USING COVERING INDEX attempt_source"),
            "{plan}"
        );
        for table in ["t", "v", "b", "a", "attempt"] {
            assert!(!plan.contains(&format!("SCAN {table}\n")), "{plan}");
        }
    }

    #[test]
    fn a_version_is_found_by_index() {
        for condition in ["v.id = ?1", "v.source_id = ?1 AND v.ordinal = ?2"] {
            assert_plan(
                &format!("SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} WHERE {condition}"),
                &[],
                &["SCAN"],
            );
        }
    }
}
