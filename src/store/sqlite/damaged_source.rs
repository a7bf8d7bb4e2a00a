//! Sources whose rows are damaged or lost: finds those that lists and passes miss, and reads the sound parts of one
//! that an operator purges.
//!
//! Never guesses: an unreadable value is left empty, and nothing is done with it.

use std::collections::HashSet;

use rusqlite::{Connection, Row};

use super::failure::Outcome;
use super::row::time;
use super::select::{Damage, Select};
use super::source_row::{is_key_of, select, select_sound, source_fits};
use super::sql_damage::damaged_error;
use super::statements::Statements as _;
use crate::domain::{Address, Slot, Source, SourceId, SourceSettings, SourceState, VersionId};
use crate::store::damaged_row::DamagedRow;
use crate::store::query::UnclaimedPaths;

impl Select<Vec<String>> for UnclaimedPaths {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<String>> {
        let claimed = "SELECT 1 FROM source WHERE removed_at IS NULL AND path_key = ?1";
        let mut unclaimed = Vec::new();
        for path in &self.0 {
            if !sql.any(claimed, [path.to_lowercase()])? {
                unclaimed.push(path.clone());
            }
        }
        Ok(unclaimed)
    }
}

/// Finds the sources that no pass fetches because their rows are damaged or lost.
pub(super) fn find_unfetched(sql: &Connection, damaged: &mut Vec<DamagedRow>) -> Outcome<()> {
    find_unlisted(sql, damaged)?;
    let mut statement = sql.prepare_cached(&format!(
        "SELECT s.id, s.name FROM source_state t CROSS JOIN source s ON s.id = t.source_id
         WHERE NOT ({FITS}) AND s.enabled IN (0, 1) AND typeof(s.removed_at) IN ('null', 'integer') AND {}",
        source_fits!()
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        damaged.push(inactive(SourceId(row.get(0)?), row.get(1).ok()));
    }
    Ok(())
}

/// Returns the readable parts of a source; `None` when both its row and the row of its state are lost.
pub(super) fn readable_source(sql: &Connection, id: SourceId) -> rusqlite::Result<Option<Source>> {
    const READABLE: &str = "SELECT s.name, s.address, s.published_path, s.removed_at, t.published_version_id, t.publish_due = 1,
             s.path_key, t.source_id IS NULL
         FROM (SELECT ?1 AS id) i LEFT JOIN source s ON s.id = i.id LEFT JOIN source_state t ON t.source_id = i.id
         WHERE s.id IS NOT NULL OR t.source_id IS NOT NULL";
    sql.first(READABLE, [id.0], |row| Ok(read_parts(id, row)))
}

fn read_parts(id: SourceId, row: &Row<'_>) -> Source {
    let text = |index| row.get::<_, Option<String>>(index).ok().flatten();
    let number = |index| row.get::<_, Option<i64>>(index).ok().flatten();
    let name = text(0).unwrap_or_else(|| format!("source {id}"));
    let address = Address::from_stored(text(1).unwrap_or_default());
    // A damaged path is dropped: another source's file may lie there.
    let path = text(2).filter(|path| text(6).is_some_and(|key| is_key_of(&key, path)));
    // Without the state's row, a present source's path may or may not hold a file.
    let is_unknown = number(7) == Some(1) && number(3).is_none();
    Source {
        id,
        settings: SourceSettings::new(name, address),
        // An unknown path has no file.
        state: SourceState {
            next_slot: Slot(0),
            failures: 0,
            last_attempt_at: None,
            last_outcome: None,
            version_id: None,
            version_state: None,
            published_version_id: number(4).filter(|_| path.is_some()).map(VersionId),
            publish_due: path.is_some() && (number(5) == Some(1) || is_unknown),
            publish_error: None,
            set: None,
            set_fails: false,
            set_version_id: None,
            showing_set: None,
            withdrawn: None,
            days: None,
        },
        day: None,
        published_path: path.unwrap_or_default(),
        created_at: chrono::DateTime::UNIX_EPOCH,
        removed_at: number(3).and_then(time),
    }
}

/// Whether `active` agrees with the source's own row. Passes look at `active` alone.
pub(super) const FITS: &str = "t.active IS CASE WHEN NOT (s.enabled = 1 AND s.removed_at IS NULL) THEN 0 WHEN s.series_id = s.id THEN 2 ELSE 1 END";

/// Returns the damage of a state whose `active` contradicts the source's own row.
pub(super) fn inactive(id: SourceId, source: Option<String>) -> DamagedRow {
    DamagedRow {
        table: "source_state",
        id: id.to_string(),
        source,
        reason: "`active` does not say whether the source is enabled: `gannet disable` and `gannet enable` mend it"
            .to_owned(),
    }
}

/// Whether a source counts as removed only by damage: its row does not fit its checksum, or its time of removal is
/// invalid.
macro_rules! removed_by_damage {
    ($which:literal) => {
        concat!(
            $which,
            " AND s.removed_at IS NOT NULL AND (typeof(s.removed_at) <> 'integer' OR NOT ",
            source_fits!(),
            ")"
        )
    };
}
const REMOVED_AT_NO_TIME: &str = removed_by_damage!("?1 = ''");
const NAME_REMOVED_AT_NO_TIME: &str = removed_by_damage!("s.name = ?1");
const ADDRESS_REMOVED_AT_NO_TIME: &str = removed_by_damage!("s.address = ?1");

/// Notes the sources that no list returns: those with an invalid time of removal, and those whose row is lost while the
/// row of their state remains.
pub(super) fn find_unlisted(sql: &Connection, damaged: &mut Vec<DamagedRow>) -> Outcome<()> {
    select_sound(sql, REMOVED_AT_NO_TIME, "", damaged)?;
    let lost = lost_sources(sql)?.into_iter();
    damaged.extend(lost.map(|id| lost_source(id, "it is missing, and its state is not")));
    Ok(())
}

/// Refuses a name or an address that belongs to a source with an invalid time of removal: that source may be present.
pub(super) fn refuse_removed_at_no_time(
    sql: &Connection,
    settings: &SourceSettings,
) -> Outcome<()> {
    select(sql, NAME_REMOVED_AT_NO_TIME, &settings.name)?;
    select(sql, ADDRESS_REMOVED_AT_NO_TIME, settings.address.as_str())?;
    Ok(())
}

const WITHOUT_ROW: &str = "SELECT t.source_id FROM source_state t
     WHERE NOT EXISTS (SELECT 1 FROM source s WHERE s.id = t.source_id)";
const COUNTS: &str = "SELECT (SELECT count(*) FROM source), (SELECT count(*) FROM source_state)";

/// Returns the sources whose row is lost while the row of their state remains.
fn lost_sources(sql: &Connection) -> rusqlite::Result<Vec<SourceId>> {
    // Equal counts, the usual case, need no search: every pass calls this.
    let (sources, states): (i64, i64) =
        sql.only(COUNTS, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if sources == states {
        return Ok(Vec::new());
    }
    sql.all(WITHOUT_ROW, [], |row| row.get(0).map(SourceId))
}

/// Returns the damage of a lost source row.
fn lost_source(id: SourceId, reason: &str) -> DamagedRow {
    DamagedRow {
        table: "source",
        id: id.to_string(),
        source: None,
        reason: reason.to_owned(),
    }
}

/// Refuses an address that the events of a lost source row name: a second history would begin.
pub(super) fn refuse_lost_addresses<'a>(
    sql: &Connection,
    mut added: impl Iterator<Item = &'a Address>,
) -> Outcome<()> {
    const WORDS: &str = "SELECT detail FROM event WHERE source_id = ?1 AND detail LIKE '%://%'";
    let mut lost = Vec::new();
    for id in lost_sources(sql)? {
        let details = sql.all(WORDS, [id.0], |row| row.get::<_, String>(0))?;
        let words = details.iter().flat_map(|detail| detail.split(' '));
        let words = words.map(|word| word.trim_end_matches([';', ',']).to_owned());
        lost.push((id, words.collect::<HashSet<_>>()));
    }
    if lost.is_empty() {
        return Ok(());
    }
    let met = added.find_map(|address| {
        let of_source = lost
            .iter()
            .find(|(_, words)| words.contains(address.as_str()));
        of_source.map(|(id, _)| *id)
    });
    let Some(id) = met else {
        return Ok(());
    };
    let reason =
        "it is missing, and its history, which is left, is of the address that is to be added";
    Err(damaged_error(lost_source(id, reason)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;
    use crate::store::sqlite::source_row::{SOURCE_COLUMNS, SOURCE_TABLES};

    #[test]
    fn sources_that_no_list_meets_are_found_among_the_removed_ones() {
        for condition in [
            REMOVED_AT_NO_TIME,
            NAME_REMOVED_AT_NO_TIME,
            ADDRESS_REMOVED_AT_NO_TIME,
        ] {
            assert_plan(
                &format!("SELECT {SOURCE_COLUMNS} FROM {SOURCE_TABLES} WHERE {condition}"),
                &["s USING INDEX source_removed_"],
                &[],
            );
        }
    }
}
