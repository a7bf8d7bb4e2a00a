//! The rows of sources with their states: checksums, columns and queries.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Row};

use super::failure::{Outcome, found, strictly};
use super::row::Columns;
use super::sql_damage::{NO_FIT, column_of, damaged_error, reason_of, sound_rows};
use super::transaction::Transaction;
use super::version_row::read_newest_state;
use crate::domain::{
    Address, DayOf, Slot, Source, SourceId, SourceSettings, SourceState, VersionId, Withdrawal,
};
use crate::store::damaged_row::DamagedRow;

/// The checksum of a source's row `s`: it covers the settings, the published path, the removal, and the day of which
/// dated source it is.
macro_rules! source_checksum {
    () => {
        "row_checksum(id, name, address, settings, published_path, path_key, created_at, removed_at, series_id, day)"
    };
}

/// Whether the row of a source `s` fits its checksum.
macro_rules! source_fits {
    () => {
        "coalesce(s.checksum = row_checksum(s.id, s.name, s.address, s.settings, s.published_path, s.path_key, s.created_at,
             s.removed_at, s.series_id, s.day), 0)"
    };
}
pub(super) use source_fits;

/// Updates the checksum of a source's row after a write.
pub(super) fn seal_source(transaction: &Transaction<'_>, id: SourceId) -> rusqlite::Result<()> {
    let query = concat!(
        "UPDATE source SET checksum = ",
        source_checksum!(),
        " WHERE id = ?1"
    );
    transaction.execute(query, [id.0]).map(drop)
}

/// What `active` holds of a present source with these settings: 0 for one that is off, 2 for a dated source, which is
/// never claimed, 1 for any other.
pub(super) fn active_word(settings: &SourceSettings) -> i64 {
    match settings.enabled {
        false => 0,
        true if settings.address.is_dated() => 2,
        true => 1,
    }
}

/// Returns the damage of a source whose row does not fit its checksum.
pub(super) fn unfit_source(id: SourceId, name: Option<String>) -> DamagedRow {
    DamagedRow {
        table: "source",
        id: id.to_string(),
        source: name,
        reason: NO_FIT.to_owned(),
    }
}

/// The columns of a source, its state and its newest version that need no further table.
macro_rules! own_columns {
    ($newest:literal) => {
        concat!("s.id, s.name, s.address, s.settings, s.published_path, s.path_key,
         s.created_at, s.removed_at, s.series_id, s.day, ", source_fits!(), " AS checksum, t.next_slot, t.failures, t.last_attempt_at, t.last_outcome, t.version_id, ", $newest, ",
         t.published_version_id, t.publish_due, CASE WHEN s.removed_at IS NULL THEN t.publish_error
             ELSE (SELECT w.problem FROM withdrawal w WHERE w.path = s.published_path) END AS publish_error,")
    };
}

/// Whether the newest edition of a set of a source `s` failed or could not be judged.
macro_rules! set_fails {
    () => {
        "CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN EXISTS (SELECT 1 FROM set_member m JOIN edition e
            ON e.id = (SELECT max(n.id) FROM edition n JOIN file_set f ON f.name = n.set_name
                WHERE n.set_name = m.set_name AND n.id > f.past_edition_id)
            WHERE m.source_id = s.id AND e.state IN ('failed', 'error'))
            OR EXISTS (SELECT 1 FROM set_member m JOIN file_set f ON f.name = m.set_name
            WHERE m.source_id = s.id AND (f.problem IS NOT NULL OR f.withdrawn_at IS NOT NULL AND f.published_edition_id IS NULL
                AND EXISTS (SELECT 1 FROM edition n WHERE n.set_name = m.set_name AND n.id > f.past_edition_id))) ELSE 0 END"
    };
}
pub(super) use set_fails;

/// The columns of [`read_source`], from [`SOURCE_TABLES`]. A source that was removed or left its set is searched for in
/// all published sets.
pub(super) const SOURCE_COLUMNS: &str = concat!(
    own_columns!(
        "v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum"
    ),
    " CASE WHEN (SELECT max(source_id) FROM set_member) IS NOT NULL
        THEN (SELECT group_concat(m.set_name, ', ') FROM set_member m WHERE m.source_id = s.id) END,
    ",
    set_fails!(),
    ",
    CASE WHEN (SELECT max(published_edition_id) FROM file_set) IS NOT NULL
        THEN coalesce((SELECT em.version_id FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.published_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id ORDER BY m.set_name LIMIT 1),
        CASE WHEN EXISTS (SELECT 1 FROM edition_member k WHERE k.source_id = s.id)
            THEN (SELECT em.version_id FROM file_set f CROSS JOIN edition_member em ON em.edition_id = f.published_edition_id
                WHERE f.published_edition_id > 0 AND em.source_id = s.id ORDER BY f.name LIMIT 1) END) END,
    CASE WHEN (SELECT max(published_edition_id) FROM file_set) IS NOT NULL
        THEN coalesce((SELECT group_concat(m.set_name, ', ') FROM set_member m JOIN file_set f ON f.name = m.set_name
            JOIN edition_member em ON em.edition_id = f.published_edition_id AND em.source_id = m.source_id
            WHERE m.source_id = s.id GROUP BY em.version_id ORDER BY min(m.set_name) LIMIT 1),
        CASE WHEN EXISTS (SELECT 1 FROM edition_member k WHERE k.source_id = s.id)
            THEN (SELECT group_concat(f.name, ', ') FROM file_set f CROSS JOIN edition_member em ON em.edition_id = f.published_edition_id
                WHERE f.published_edition_id > 0 AND em.source_id = s.id GROUP BY em.version_id ORDER BY min(f.name) LIMIT 1) END) END,
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

/// The columns of sets where there are none, and those between them.
macro_rules! no_sets {
    () => {
        " NULL, 0, NULL, NULL, t.withdrawn_at, t.withdrawn_because, NULL, NULL"
    };
}

/// The same when there are no sets.
pub(super) const COLUMNS_WITHOUT_SETS: &str = concat!(
    own_columns!(
        "v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum"
    ),
    no_sets!()
);

/// The same when no set has members: for a query run per source that does not read the version's state.
pub(super) const SETLESS_COLUMNS: &str = concat!(
    own_columns!("NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"),
    no_sets!()
);

/// Reports whether there is any set, or was one with members.
pub(super) fn have_sets(sql: &Connection) -> rusqlite::Result<bool> {
    sql.prepare_cached("SELECT 1 FROM file_set UNION ALL SELECT 1 FROM set_member")?
        .exists([])
}

/// Reports whether any set has members.
pub(super) fn have_sets_members(sql: &Connection) -> rusqlite::Result<bool> {
    sql.prepare_cached("SELECT 1 FROM set_member")?.exists([])
}

/// Where the columns of `source_state` begin, and the one that is NULL only when that row is missing.
const STATE_COLUMNS: usize = 11;

/// Settings, state and newest version of a source. A source without a state row is read, as damage.
pub(super) const SOURCE_TABLES: &str = "source s LEFT JOIN source_state t ON t.source_id = s.id
    LEFT JOIN version v ON v.id = t.version_id";

/// Returns the source with this id, removed or not.
pub(super) fn source_by_id(sql: &Connection, id: SourceId) -> Outcome<Source> {
    let row = sql
        .prepare_cached(&format!(
            "SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE s.id = ?1"
        ))?
        .query_row([id.0], |row| read_source_row(row, read_source));
    found(row, "source", id.0)
}

/// Reads a row that begins with [`SOURCE_COLUMNS`]. Damage is an error that names row and source.
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
        day: read_day(columns)?,
        state: SourceState {
            next_slot: Slot(columns.get()?),
            failures: columns.count()?,
            last_attempt_at: columns.optional_time()?,
            last_outcome: columns.optional_word()?,
            version_id: columns.optional()?.map(VersionId),
            // Damage of a version is reported where its history is read.
            version_state: read_newest_state(columns, id),
            published_version_id: columns.optional()?.map(VersionId),
            publish_due: columns.get()?,
            publish_error: columns.get()?,
            set: columns.get()?,
            set_fails: columns.get()?,
            set_version_id: columns.optional()?.map(VersionId),
            showing_set: columns.get()?,
            withdrawn: None,
            days: None,
        },
    };
    if !source.state.publish_due && source.removed_at.is_none() {
        // The file is right again; older programs left the last failure's reason.
        source.state.publish_error = None;
    }
    let withdrawn = read_last_withdrawal(columns)?;
    source.state.withdrawn = withdrawn.filter(|_| source.state.served().is_none());
    Ok(source)
}

/// Reads the withdrawals of a source's file and of its set's folder; returns the last one.
fn read_last_withdrawal(columns: &mut Columns<'_>) -> rusqlite::Result<Option<Box<Withdrawal>>> {
    let own = read_withdrawal(columns)?;
    // A damaged row of the set does not make the source damaged.
    let with_set = read_withdrawal(columns).unwrap_or_default();
    let last = own.into_iter().chain(with_set);
    let last = last.max_by_key(|withdrawal| withdrawal.at);
    Ok(last.map(Box::new))
}

/// Reads the day that a source is, and checks the row's checksum.
fn read_day(columns: &mut Columns<'_>) -> rusqlite::Result<Option<DayOf>> {
    let series = columns.optional()?.map(SourceId);
    let day = columns.optional_word()?;
    if columns.get()? {
        let both = series.zip(day);
        Ok(both.map(|(series, day)| DayOf { series, day }))
    } else {
        Err(columns.malformed(Type::Integer, NO_FIT))
    }
}

/// Reads a published path, which must match its key: a file is never written to a path that damage altered.
fn read_published_path(columns: &mut Columns<'_>) -> rusqlite::Result<String> {
    let path: String = columns.get()?;
    if is_key_of(columns.text()?, &path) {
        Ok(path)
    } else {
        Err(columns.malformed(Type::Text, "it is not `published_path` in lower case"))
    }
}

/// Reports whether a key belongs to a published path.
pub(super) fn is_key_of(key: &str, path: &str) -> bool {
    if path.is_ascii() {
        path.eq_ignore_ascii_case(key) && !key.bytes().any(|byte| byte.is_ascii_uppercase())
    } else {
        path.to_lowercase() == key
    }
}

/// Reads the time and the reason of a withdrawal; `None` without one.
pub(super) fn read_withdrawal(columns: &mut Columns<'_>) -> rusqlite::Result<Option<Withdrawal>> {
    // Reads both columns in any case: others may follow.
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
    Ok(settings.apply_unchecked(SourceSettings::new(name, address)))
}

/// Returns the sources that meet one of the conditions above. A damaged row is an error.
pub(super) fn select(sql: &Connection, condition: &str, text: &str) -> Outcome<Vec<Source>> {
    strictly(|damaged| select_sound(sql, condition, text, damaged))
}

/// Returns the same, without damaged rows.
pub(super) fn select_sound(
    sql: &Connection,
    condition: &str,
    text: &str,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Source>> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE {condition}"
    ))?;
    let rows = statement.query_map([text], |row| read_source_row(row, read_source))?;
    Ok(sound_rows(rows, damaged)?)
}
