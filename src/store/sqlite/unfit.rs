//! Rows that contradict the rows that they name: versions and blobs, blobs and their bytes; and lost versions.
//!
//! Checked before stored bytes are deleted: the needs of a damaged row are unknown. Never repairs anything.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::damaged_source::find_unfetched;
use super::damaged_state::source_name;
use super::failure::Outcome;
use super::row::{Columns, int};
use super::select::{Damage, Select};
use super::sql_damage::{damaged_error, damaged_row_in};
use super::statements::Statements as _;
use super::version_row::{PLACE_COLUMNS, damaged_row, read_place};
use crate::domain::SourceId;
use crate::store::damaged_row::DamagedRow;
use crate::store::query::AllRowsFit;

const SOURCE_OF: &str = "SELECT s.name FROM version v JOIN source s ON s.id = v.source_id WHERE v.id = CAST(?1 AS INTEGER)";

/// At most so many rows are reported at once: more means that the whole catalogue is damaged.
const MOST: usize = 100;

impl Select<bool> for AllRowsFit {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<bool> {
        find_unfetched(sql, damaged)?;
        let mut unknown = unfit_rows(sql)?;
        unknown.extend(lost_versions(sql)?.into_iter().map(|(_, row)| row));
        let are_known = unknown.is_empty();
        damaged.extend(unknown);
        Ok(are_known)
    }
}

/// Refuses to purge these sources while damage hides which bytes a row of any source needs. Lost versions of their own
/// history do not matter: the purge deletes that history.
pub(super) fn refuse_unknown_needs(sql: &Connection, purged: &[SourceId]) -> Outcome<()> {
    let lost = lost_versions(sql)?.into_iter();
    let of_others = lost.filter(|(source, _)| !purged.contains(source));
    let mut unknown = unfit_rows(sql)?
        .into_iter()
        .chain(of_others.map(|(_, row)| row));
    let Some(row) = unknown.next() else {
        return Ok(());
    };
    let reason = format!(
        "{}; nothing is purged meanwhile: that row may need the same stored bytes",
        row.reason
    );
    Err(damaged_error(DamagedRow { reason, ..row }).into())
}

/// Returns the first rows of versions and blobs that contradict the rows that they name.
fn unfit_rows(sql: &Connection) -> Outcome<Vec<DamagedRow>> {
    let mut unfit = Vec::new();
    let mut versions = sql.prepare_cached(&format!(
        "SELECT {PLACE_COLUMNS}, b.id IS NULL, b.digest IS v.digest
         FROM version v LEFT JOIN blob b ON b.id = v.blob_id"
    ))?;
    let mut rows = versions.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(error) = fitting_version(row) {
            let mut row = damaged_row_in(&error).ok_or(error)?;
            row.source = source_of(sql, &row.id)?;
            unfit.push(row);
        }
        if unfit.len() == MOST {
            return Ok(unfit);
        }
    }
    let mut blobs = sql.prepare_cached(UNFIT_BLOBS)?;
    let rows = blobs.query_map([], |row| {
        Ok(DamagedRow {
            table: "blob",
            id: row.get::<_, i64>(0)?.to_string(),
            source: row.get(1).unwrap_or_default(),
            reason: row.get(2)?,
        })
    })?;
    for row in rows {
        unfit.push(row?);
    }
    Ok(unfit)
}

// A history begins with ordinal 0, has no gap, and ends with the version that its source names.
const GAPS: &str = "SELECT v.source_id, max(v.id) FROM version v
     GROUP BY v.source_id HAVING count(*) <> max(v.ordinal) + 1 OR min(v.ordinal) <> 0 LIMIT ?1";
const NEWEST_LOST: &str =
    "SELECT t.source_id, t.version_id FROM source_state t WHERE t.version_id IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM version v WHERE v.id = t.version_id) LIMIT ?1";

/// Returns the first lost versions, or the neighbours that show the gap, with their sources.
fn lost_versions(sql: &Connection) -> rusqlite::Result<Vec<(SourceId, DamagedRow)>> {
    let mut lost = Vec::new();
    for (query, reason) in [
        (GAPS, "versions are missing from the history that it is of"),
        (NEWEST_LOST, "it is missing"),
    ] {
        let mut statement = sql.prepare_cached(query)?;
        let mut rows = statement.query([int(MOST)])?;
        while let Some(row) = rows.next()? {
            // A row without a source is damaged and reported itself.
            let (Ok(source), Ok(version)) = (row.get(0), row.get::<_, i64>(1)) else {
                continue;
            };
            let row = DamagedRow {
                table: "version",
                id: version.to_string(),
                source: source_name(sql, SourceId(source))?,
                reason: reason.to_owned(),
            };
            lost.push((SourceId(source), row));
        }
    }
    Ok(lost)
}

/// Reads a version's row with its blob's; fails when they contradict each other.
fn fitting_version(row: &Row<'_>) -> rusqlite::Result<()> {
    let mut columns = Columns::new(row);
    let place = read_place(&mut columns)?;
    if columns.get()? {
        return Err(damaged_row(place.id, "the blob that it names is missing"));
    }
    if columns.get()? {
        return Ok(());
    }
    Err(damaged_row(place.id, "it names a blob of other content"))
}

fn source_of(sql: &Connection, version: &str) -> rusqlite::Result<Option<String>> {
    let name = sql.only(SOURCE_OF, [version], |row| Ok(row.get(0).ok()));
    Ok(name.optional()?.flatten())
}

// An object is named after its content's digest; a body in the row has the recorded size.
const UNFIT_BLOBS: &str = "SELECT b.id, (SELECT s.name FROM version v JOIN source s ON s.id = v.source_id WHERE v.blob_id = b.id LIMIT 1),
         CASE WHEN b.base_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blob c WHERE c.id = b.base_id) THEN 'its base is missing'
             WHEN b.object IS NULL THEN '`body` is not as long as `stored_bytes` says'
             ELSE '`object` is not the name of its content' END
     FROM blob b
     WHERE CASE WHEN b.object IS NULL THEN length(b.body) IS NOT b.stored_bytes
         ELSE typeof(b.object) <> 'text' OR replace(substr(b.object, 1, 65), '/', '') <> lower(hex(b.digest)) END
         OR b.base_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blob c WHERE c.id = b.base_id)
     LIMIT 100";
