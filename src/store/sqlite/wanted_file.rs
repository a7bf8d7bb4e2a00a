//! Decides which version should lie at a source's published path, from the states of its versions and its rule of
//! publishing.
//!
//! Never writes anything. When damage hides the answer, a good published version stays.

use std::sync::LazyLock;

use rusqlite::{Connection, Row, params};

use super::failure::{Failure, Outcome, found};
use super::interned::edition_fits;
use super::row::{Columns, to_json};
use super::source_row::{source_by_id, source_fits, unfit_source};
use super::sql_damage::{damaged_error, named};
use super::statements::Statements as _;
use super::version_row::{NO_NEIGHBOUR, PLACE_COLUMNS, Place, damaged, read_place};
use crate::domain::{
    Publication, PublishPolicy, SourceId, VersionId, VersionState, publication_for,
};

const IS_ANY_SET: &str = "SELECT EXISTS (SELECT 1 FROM json_each(?1) j CROSS JOIN file_set f ON f.name = j.value WHERE f.configured = 1)";

/// What decides about a source's file, usually without reading older versions.
pub(super) struct Current {
    /// The file is published in its set's folder only.
    pub(super) only_in_set: bool,
    pub(super) policy: PublishPolicy,
    pub(super) published: Option<VersionId>,
    /// The file at the path may differ from the recorded one.
    pub(super) is_unsure: bool,
    pub(super) has_failed: bool,
    pub(super) newest: Newest,
}

/// The newest version that may lie at a source's own path: the last of its history, or the version kept there until the
/// source's new set is published.
#[derive(Clone, Copy)]
pub(super) enum Newest {
    Missing,
    Sound(Place),
    /// Kept while the source waits for its set.
    Kept(Place),
    /// A damaged row: the file at the path stays.
    Damaged,
}

// The newest version usually decides, so it is read with its source. The settings are read as JSON once: the table's
// generated columns would parse them four times.
static CURRENT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT EXISTS (SELECT 1 FROM set_member m WHERE m.source_id = s.id), s.settings, t.published_version_id,
             t.publish_unsure = 1, t.publish_error IS NOT NULL, coalesce(?2, t.version_id), {}, {PLACE_COLUMNS}
         FROM source s JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = coalesce(?2, t.version_id)
         WHERE s.id = ?1 AND s.removed_at IS NULL",
        source_fits!()
    )
});

/// Returns what decides about the file of a present source.
pub(super) fn current(sql: &Connection, source: SourceId) -> Outcome<Current> {
    current_with(sql, source, None)
}

/// Returns the same with `newest` as the newest version, which may not be recorded as such yet.
pub(super) fn current_with(
    sql: &Connection,
    source: SourceId,
    newest: Option<VersionId>,
) -> Outcome<Current> {
    let row = sql.only(&CURRENT, params![source.0, newest.map(|id| id.0)], |row| {
        read_current(row, source)
    });
    let Some((mut current, tags)) = found(row, "source", source.0)? else {
        // A reader of the whole row reports the damage.
        let unfit = damaged_error(unfit_source(source, None));
        return Err(source_by_id(sql, source).err().unwrap_or(unfit.into()));
    };
    if matches!(current.newest, Newest::Sound(_)) && has_tag_of_set(sql, &tags)? {
        // The row of its membership is lost: the set has to judge it.
        current.newest = Newest::Damaged;
    }
    if current.only_in_set
        && let Some(kept) = kept_version(sql, source)?
    {
        current.only_in_set = false;
        current.newest = match candidate(sql, source, "v.id = ?1", [kept.0]) {
            Ok(Some(kept)) => Newest::Kept(kept),
            Ok(None) => Newest::Damaged,
            Err(error) if error.is_damage() => Newest::Damaged,
            Err(error) => return Err(error),
        };
    }
    Ok(current)
}

/// Reads a row of [`CURRENT`] and the source's tags; `None` for a row that does not fit its checksum.
fn read_current(
    row: &Row<'_>,
    source: SourceId,
) -> rusqlite::Result<Option<(Current, Vec<String>)>> {
    let mut columns = Columns::new(row);
    let (mut current, tags) =
        read_own(&mut columns).map_err(|error| named("source", source.to_string(), row, error))?;
    let newest: Option<i64> = columns.get()?;
    let fits: bool = columns.get()?;
    if !fits {
        return Ok(None);
    }
    if newest.is_some() && !current.only_in_set {
        current.newest = match read_place(&mut columns) {
            Ok(newest) if newest.source_id == source => Newest::Sound(newest),
            // Missing, another source's, or misfits its checksum.
            _ => Newest::Damaged,
        };
    }
    Ok(Some((current, tags)))
}

/// Reads the source's own columns of [`CURRENT`].
fn read_own(columns: &mut Columns<'_>) -> rusqlite::Result<(Current, Vec<String>)> {
    let only_in_set = columns.get()?;
    let settings = columns.settings()?;
    let current = Current {
        only_in_set,
        policy: settings.publish.unwrap_or_default(),
        published: columns.optional()?.map(VersionId),
        is_unsure: columns.get()?,
        has_failed: columns.get()?,
        newest: Newest::Missing,
    };
    Ok((current, settings.tags.unwrap_or_default()))
}

/// Reports whether one of the tags names a set in force.
fn has_tag_of_set(sql: &Connection, tags: &[String]) -> rusqlite::Result<bool> {
    if tags.is_empty() {
        return Ok(false);
    }
    sql.only(IS_ANY_SET, [to_json(&tags)], |row| row.get(0))
}

/// Returns the action due on a source's file. When damage hides the answer, a good published version stays.
pub(super) fn wanted(sql: &Connection, current: &Current) -> Outcome<Publication> {
    match decide(sql, current) {
        Err(error) if error.is_damage() => Ok(match current.published {
            Some(version) if current.is_unsure => Publication::Publish(version),
            _ => Publication::Keep,
        }),
        decided => decided,
    }
}

/// Returns the same, with damage that hides the answer as an error.
pub(super) fn decide(sql: &Connection, current: &Current) -> Outcome<Publication> {
    let publication = wanted_by_states(sql, current)?;
    if !current.is_unsure {
        return Ok(publication);
    }
    let is_newest_known = !matches!(current.newest, Newest::Damaged);
    Ok(publication.while_unsure(current.published, is_newest_known))
}

fn wanted_by_states(sql: &Connection, current: &Current) -> Outcome<Publication> {
    if current.only_in_set {
        return Ok(match current.published {
            Some(_) => Publication::Withdraw,
            None => Publication::Keep,
        });
    }
    let (newest, is_kept) = match current.newest {
        Newest::Missing => (None, false),
        Newest::Sound(newest) => (Some(newest), false),
        Newest::Kept(kept) => (Some(kept), true),
        Newest::Damaged => return Ok(Publication::Keep),
    };
    let (mut last, mut failure): (Option<Place>, _) = (None, None);
    // The newest version usually decides and is read already.
    let mut is_met = false;
    let newest_first = std::iter::from_fn(|| {
        last = match last {
            None => newest,
            Some(last) => candidate_before(sql, &last, is_kept).unwrap_or_else(|error| {
                failure = Some(error);
                None
            }),
        };
        is_met |= last.is_some_and(|last| Some(last.id) == current.published);
        last.map(|candidate| (candidate.id, candidate.state))
    });
    let publication = publication_for(current.policy, newest_first, current.published);
    if let Some(error) = failure {
        return Err(error);
    }
    match (publication, current.published) {
        // The published version was good once: its lost row does not prove otherwise.
        (Publication::Withdraw, Some(published)) if !is_met => Err(lost_version(published)),
        (Publication::Publish(other), Some(published)) if !is_met && other < published => {
            Err(lost_version(published))
        }
        _ => Ok(publication),
    }
}

/// Returns the version before this one. Behind a kept version, one that sets refused counts as failed.
fn candidate_before(sql: &Connection, last: &Place, is_kept: bool) -> Outcome<Option<Place>> {
    match before(sql, last)? {
        Some(older) if is_kept && was_refused_by_sets(sql, &older)? => {
            let state = VersionState::Failed;
            Ok(Some(Place { state, ..older }))
        }
        older => Ok(older),
    }
}

fn lost_version(id: VersionId) -> Failure {
    damaged(
        id,
        "it is missing from the history of the source whose published file it is: the file stays",
    )
}

/// Returns the version for the source's published path; `None` without one, or when the source was removed.
pub(super) fn wanted_version(sql: &Connection, source: SourceId) -> Outcome<Option<VersionId>> {
    let current = match current(sql, source) {
        Err(Failure::Refused(_)) => return Ok(None),
        other => other?,
    };
    Ok(match wanted(sql, &current)? {
        Publication::Keep => current.published,
        Publication::Publish(version) => Some(version),
        Publication::Withdraw => None,
    })
}

/// Reports whether a version was judged only in editions that were not good: consumers never saw it.
fn was_refused_by_sets(sql: &Connection, place: &Place) -> Outcome<bool> {
    let refused = sql.only(
        concat!(
            "SELECT count(*) > 0 AND sum(e.state IN ('passed', 'unverified')
                 AND ",
            edition_fits!(),
            ") = 0
             FROM edition_member m CROSS JOIN edition e ON e.id = m.edition_id
             WHERE m.source_id = ?1 AND m.version_id = ?2",
        ),
        [place.source_id.0, place.id.0],
        |row| Ok(row.get::<_, Option<bool>>(0)?.unwrap_or(false)),
    )?;
    Ok(refused)
}

/// Returns the version before this one; `None` for the first.
fn before(sql: &Connection, place: &Place) -> Outcome<Option<Place>> {
    if place.ordinal <= 0 {
        return Ok(None);
    }
    let (source, at) = (place.source_id, "v.source_id = ?1 AND v.ordinal = ?2 - 1");
    match candidate(sql, source, at, [source.0, place.ordinal])? {
        Some(before) if before.ordinal == place.ordinal - 1 => Ok(Some(before)),
        _ => Err(damaged(place.id, NO_NEIGHBOUR)),
    }
}

fn candidate(
    sql: &Connection,
    source: SourceId,
    condition: &str,
    params: impl rusqlite::Params,
) -> Outcome<Option<Place>> {
    let found = sql.first(
        &format!("SELECT {PLACE_COLUMNS} FROM version v WHERE {condition}"),
        params,
        |row| read_place(&mut Columns::new(row)),
    )?;
    match found {
        Some(found) if found.source_id != source => {
            Err(damaged(found.id, "it is another source's"))
        }
        found => Ok(found),
    }
}

/// Returns the version that a set member keeps at its own path until a published edition includes the member; `None`
/// when the member is published in its set only.
fn kept_version(sql: &Connection, source: SourceId) -> rusqlite::Result<Option<VersionId>> {
    let kept = sql.only(KEPT, [source.0], |row| row.get::<_, Option<i64>>(0))?;
    Ok(kept.map(VersionId))
}

const KEPT: &str = "SELECT max(m.kept_version_id) FROM set_member m WHERE m.source_id = ?1
     AND NOT EXISTS (SELECT 1 FROM set_member n CROSS JOIN file_set f ON f.name = n.set_name
         CROSS JOIN edition_member e ON e.edition_id = f.published_edition_id AND e.source_id = n.source_id
         WHERE n.source_id = m.source_id)";
