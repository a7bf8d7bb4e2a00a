//! Why a published file or folder must be withdrawn although its successor cannot be published.
//!
//! Never decides this by a damaged row: a good version stays.

use rusqlite::Connection;

use super::edition_row::{edition_by_id, member_version};
use super::failure::{Failure, Outcome, sound_one};
use super::row::Columns;
use super::select::{Damage, Select};
use super::verdict_words::{failure_of, failure_of_edition};
use super::version::version_by_id;
use super::version_row::{PLACE_COLUMNS, read_place};
use super::wanted_file::{Current, current};
use crate::domain::{Digest, EditionId, PublishPolicy, SourceId, VersionState, is_servable};
use crate::store::set_query::{Shown, Unservable};

impl Select<Option<Unservable>> for Shown {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Option<Unservable>> {
        let found = match *self {
            Shown::File { source, content } => {
                let found = current(sql, source)
                    .and_then(|current| unservable_file(sql, source, &current, content));
                match found {
                    Err(Failure::Refused(_)) => Ok(None),
                    found => found,
                }
            }
            Shown::Edition(id) => unservable_edition(sql, id),
        };
        Ok(sound_one(found, damaged)?.flatten())
    }
}

fn unservable_file(
    sql: &Connection,
    source: SourceId,
    current: &Current,
    content: Option<Digest>,
) -> Outcome<Option<Unservable>> {
    if let Some(content) = content
        && has_servable_version(sql, source, current, content)?
    {
        return Ok(None);
    }
    let Some(published) = current.published else {
        // Nothing is recorded here: readers may have found this file before the catalogue began.
        return Ok(None);
    };
    let published = version_by_id(sql, published)?;
    if published.state == VersionState::Failed && current.policy == PublishPolicy::Passed {
        let failure = failure_of(sql, published.id)?;
        return Ok(Some(Unservable::Failed(failure.unwrap_or_default())));
    }
    Ok(content.map(|_| Unservable::Foreign))
}

/// Reports whether contents belong to a version that may be published, or may stay so.
fn has_servable_version(
    sql: &Connection,
    source: SourceId,
    current: &Current,
    content: Digest,
) -> Outcome<bool> {
    let mut versions = sql.prepare_cached(&format!(
        "SELECT {PLACE_COLUMNS} FROM version v WHERE v.source_id = ?1 AND v.digest = ?2"
    ))?;
    let places = versions.query_map(rusqlite::params![source.0, content.0], |row| {
        read_place(&mut Columns::new(row))
    })?;
    for place in places {
        let place = place?;
        let is_published = current.published == Some(place.id);
        if is_servable(current.policy, place.state, is_published) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unservable_edition(sql: &Connection, id: EditionId) -> Outcome<Option<Unservable>> {
    let edition = edition_by_id(sql, id)?;
    let mut has_failed = edition.state == VersionState::Failed;
    for member in &edition.members {
        has_failed |= member_version(sql, member)?.state == VersionState::Failed;
    }
    if !has_failed {
        return Ok(None);
    }
    let failure = failure_of_edition(sql, id)?;
    Ok(Some(Unservable::Failed(failure.unwrap_or_default())))
}
