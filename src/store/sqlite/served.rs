//! Which version of a source consumers see or saw: as its own file, or as a member of a published set.
//!
//! The past is read from the log of events, which is never rewritten.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::edition_row::members_judged;
use super::failure::Outcome;
use super::row::millis;
use super::statements::Statements as _;
use crate::domain::{Action, EditionId, SourceId, VersionId};

/// Returns the version that consumers see now. Damage of the edition that they see is an error.
pub(super) fn served_now(sql: &Connection, source: SourceId) -> Outcome<Option<VersionId>> {
    let found: Option<(Option<i64>, Option<i64>)> =
        sql.first(NOW, [source.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match found {
        Some((None, Some(edition))) => member_of(sql, EditionId(edition), source),
        Some((own, _)) => Ok(own.map(VersionId)),
        None => Ok(None),
    }
}

/// Returns the version that consumers saw at a time.
pub(super) fn served_at(
    sql: &Connection,
    source: SourceId,
    time: DateTime<Utc>,
) -> Outcome<Option<VersionId>> {
    if let Some(version) = own_file(sql, source, time)? {
        return Ok(Some(version));
    }
    let sets = sql.all::<String>(SETS, [source.0], |row| row.get(0))?;
    for set in sets {
        if let Some(version) = in_set(sql, source, &set, time)? {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

const NOW: &str = "SELECT t.published_version_id,
         (SELECT m.edition_id FROM edition_member m CROSS JOIN file_set f ON f.published_edition_id = m.edition_id
          WHERE m.source_id = t.source_id)
     FROM source_state t WHERE t.source_id = ?1";

const OWN: &str =
    "SELECT w.value, e.version_id FROM event e CROSS JOIN text w ON w.id = e.action_id
     WHERE e.source_id = ?1 AND e.at <= ?2 AND w.value IN (?3, ?4, ?5) ORDER BY e.id DESC LIMIT 1";

/// Returns the version at the source's own path; `None` when no file lay there.
fn own_file(sql: &Connection, source: SourceId, time: DateTime<Utc>) -> Outcome<Option<VersionId>> {
    let published = Action::Published.as_str();
    let last = sql.first(
        OWN,
        params![
            source.0,
            millis(time),
            published,
            Action::Withdrawn.as_str(),
            // The event names the version that still lay there then.
            Action::SourceRemoved.as_str(),
        ],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)),
    )?;
    let is_gone = |action: &str| action == Action::Withdrawn.as_str();
    Ok(last.and_then(|(action, version)| version.filter(|_| !is_gone(&action)).map(VersionId)))
}

/// Every set that ever judged an edition with the source.
const SETS: &str =
    "SELECT DISTINCT n.set_name FROM edition_member m CROSS JOIN edition n ON n.id = m.edition_id
     WHERE m.source_id = ?1";

const IN_SET: &str = "SELECT w.value, e.detail FROM event e CROSS JOIN text w ON w.id = e.action_id
     WHERE e.source_id IS NULL AND e.at <= ?1 AND w.value IN (?2, ?3)
     AND (e.detail = ?4 OR substr(e.detail, 1, length(?4) + 2) = ?4 || ': ') ORDER BY e.id DESC LIMIT 1";

/// Returns the source's version in the set's edition published at the time; `None` without one.
fn in_set(
    sql: &Connection,
    source: SourceId,
    set: &str,
    time: DateTime<Utc>,
) -> Outcome<Option<VersionId>> {
    let (published, withdrawn) = (Action::SetPublished, Action::SetWithdrawn);
    let last: Option<(String, String)> = sql.first(
        IN_SET,
        params![millis(time), published.as_str(), withdrawn.as_str(), set],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let edition = last
        .filter(|(action, _)| action == published.as_str())
        .and_then(|(_, detail)| edition_in(&detail));
    match edition {
        Some(edition) => member_of(sql, edition, source),
        None => Ok(None),
    }
}

/// Returns the source's version in an edition; `None` without one, or when both were purged.
fn member_of(sql: &Connection, edition: EditionId, source: SourceId) -> Outcome<Option<VersionId>> {
    let mut members = members_judged(sql, edition)?.into_iter();
    let own = members.find(|member| member.source_id == source);
    Ok(own.map(|member| member.version_id))
}

/// Parses the edition in the detail of a `set.published` event, such as `release: edition 3`.
pub(super) fn edition_in(detail: &str) -> Option<EditionId> {
    let (_, id) = detail.rsplit_once(": edition ")?;
    id.parse().ok().map(EditionId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn events_and_editions_are_found_by_index() {
        // Events of sets have no index: they are read newest first, and seldom.
        for sql in [NOW, OWN, SETS] {
            assert_plan(sql, &[], &["SCAN e", "SCAN m"]);
        }
    }

    #[test]
    fn the_edition_is_in_the_detail() {
        assert_eq!(edition_in("release: edition 3"), Some(EditionId(3)));
        assert_eq!(edition_in("a: edition 1: edition 30"), Some(EditionId(30)));
        assert_eq!(edition_in("release"), None);
    }
}
