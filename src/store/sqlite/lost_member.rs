//! Set members with a lost or damaged row: the set is not judged without them.
//!
//! A source has left a set only if its own row says so.

use rusqlite::Connection;

use super::failure::Outcome;
use super::source_row::source_fits;
use super::sql_damage::{NO_FIT, damaged_error};
use crate::store::damaged_row::DamagedRow;

/// Fails when a member of a set would be left out for a lost or damaged row.
pub(super) fn refuse_lost_members(sql: &Connection, set: &str) -> Outcome<()> {
    match lost_member(sql, set)? {
        Some(row) => Err(damaged_error(row).into()),
        None => Ok(()),
    }
}

const WITHOUT_SOURCE: &str = "SELECT m.source_id, NULL FROM set_member m
     WHERE m.set_name = ?1 AND NOT EXISTS (SELECT 1 FROM source s WHERE s.id = m.source_id) LIMIT 1";
const REMOVED_AT_NO_TIME: &str =
    "SELECT s.id, s.name FROM set_member m CROSS JOIN source s ON s.id = m.source_id
     WHERE m.set_name = ?1 AND typeof(s.removed_at) NOT IN ('null', 'integer') LIMIT 1";
const UNFIT: &str = concat!(
    "SELECT s.id, s.name FROM set_member m CROSS JOIN source s ON s.id = m.source_id
     WHERE m.set_name = ?1 AND NOT ",
    source_fits!(),
    " LIMIT 1"
);
const WITHOUT_STATE: &str = "SELECT s.id, s.name FROM set_member m CROSS JOIN source s ON s.id = m.source_id
     WHERE m.set_name = ?1 AND NOT EXISTS (SELECT 1 FROM source_state t WHERE t.source_id = s.id) LIMIT 1";
const WITHOUT_MEMBER: &str = "SELECT s.id, s.name FROM source s WHERE s.removed_at IS NULL AND s.series_id IS NULL AND s.tags <> '[]'
     AND EXISTS (SELECT 1 FROM json_each(iif(json_valid(s.tags), s.tags, '[]')) t WHERE t.value = ?1)
     AND NOT EXISTS (SELECT 1 FROM set_member m WHERE m.set_name = ?1 AND m.source_id = s.id) LIMIT 1";

/// Returns the lost or damaged row of a set's first lost member.
fn lost_member(sql: &Connection, set: &str) -> Outcome<Option<DamagedRow>> {
    for (table, query, reason) in [
        ("source", WITHOUT_SOURCE, "it is missing"),
        ("source", REMOVED_AT_NO_TIME, "`removed_at` holds no time"),
        ("source", UNFIT, NO_FIT),
        ("source_state", WITHOUT_STATE, "it is missing"),
        ("set_member", WITHOUT_MEMBER, "it is missing"),
    ] {
        let mut statement = sql.prepare_cached(query)?;
        let mut rows = statement.query([set])?;
        if let Some(row) = rows.next()? {
            return Ok(Some(DamagedRow {
                table,
                id: row.get::<_, i64>(0)?.to_string(),
                source: row.get(1).unwrap_or_default(),
                // The same words as a pass uses for the source's row, so that both report one damage.
                reason: if reason == NO_FIT {
                    reason.to_owned()
                } else {
                    format!("{reason}; the set {set} is not judged without that member")
                },
            }));
        }
    }
    Ok(None)
}
