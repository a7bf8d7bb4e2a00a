//! Runs of changes that a notifier receives as one notice: their number, the first one, and what readers saw before it.
//!
//! Past changes are read from the log of events. What a notifier receives is decided in the domain.

use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::notice::action_of;
use super::row::{Columns, millis};
use super::select::{Damage, Select};
use super::served::edition_in;
use super::statements::Statements as _;
use super::verdict_words::{failure_of, failure_of_edition};
use crate::domain::{Action, EventId, VersionId};
use crate::store::notice_types::{Announcement, ChangeRun, PublicationEvent, RunStart};
use crate::store::query::ChangeRuns;

impl Select<Vec<ChangeRun>> for ChangeRuns {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<ChangeRun>> {
        let runs = self.0.iter();
        runs.map(|(one, start)| run(sql, one, *start)).collect()
    }
}

// Columns without an aggregate are those of the row with the smallest id. A first version counts only if it replaces
// another.
const RUN_OF_SOURCE: &str = "SELECT count(*), min(id), version_id, detail FROM event INDEXED BY event_source
     WHERE source_id = CAST(?1 AS INTEGER) AND action_id = (SELECT id FROM text WHERE value = ?2) AND id <= ?3 AND (id >= ?4 OR at > ?5)
         AND EXISTS (SELECT 1 FROM version v WHERE v.id = event.version_id AND (v.ordinal > 0
             OR EXISTS (SELECT 1 FROM event p INDEXED BY event_source WHERE p.source_id = event.source_id
                 AND p.id < event.id AND p.action_id = event.action_id)))";
const RUN_OF_SET: &str = "SELECT count(*), min(id), version_id, detail FROM event NOT INDEXED
     WHERE action_id = (SELECT id FROM text WHERE value = ?2) AND id <= ?3 AND (id >= ?4 OR at > ?5)
         AND source_id IS NULL AND substr(detail, 1, length(?1)) = ?1";

const BEFORE_OF_SOURCE: &str = "SELECT w.value, e.version_id, e.detail FROM event e INDEXED BY event_source
         CROSS JOIN text w ON w.id = e.action_id
     WHERE e.source_id = CAST(?1 AS INTEGER) AND e.id < ?2 AND (w.value = ?3 OR w.value = ?4 AND e.id <= ?5) ORDER BY e.id DESC LIMIT 1";
const BEFORE_OF_SET: &str = "SELECT w.value, e.version_id, e.detail FROM event e NOT INDEXED CROSS JOIN text w ON w.id = e.action_id
     WHERE e.source_id IS NULL AND e.id < ?2 AND (w.value = ?3 OR w.value = ?4 AND e.id <= ?5) AND substr(e.detail, 1, length(?1)) = ?1
     ORDER BY e.id DESC LIMIT 1";

fn run(sql: &Connection, one: &Announcement, start: RunStart) -> Outcome<ChangeRun> {
    let (about, run, before, withdrawn) = match &one.source {
        Some(source) => {
            let about = source.id.0.to_string();
            (about, RUN_OF_SOURCE, BEFORE_OF_SOURCE, Action::Withdrawn)
        }
        None => (set_of(one), RUN_OF_SET, BEFORE_OF_SET, Action::SetWithdrawn),
    };
    let action = action_of(one.kind).as_str();
    let told_at = start.told_at.map(millis);
    let parameters = params![about, action, one.event_id.0, start.event.0, told_at];
    let (times, first_id, first) = sql.only(run, parameters, |row| {
        let mut columns = Columns::new(row);
        let (times, id) = (columns.count()?, columns.optional()?);
        Ok((times, id.map(EventId), read_event(&mut columns, false)?))
    })?;
    let Some(first_id) = first_id else {
        return Ok(ChangeRun::default());
    };
    let (withdrawn, announced) = (withdrawn.as_str(), start.announced.0);
    let parameters = params![about, first_id.0, action, withdrawn, announced];
    let before = sql.first(before, parameters, |row| {
        let mut columns = Columns::new(row);
        let word: String = columns.get()?;
        read_event(&mut columns, word == withdrawn)
    })?;
    let because = match &before {
        Some(before) => why_back(sql, one, before)?,
        None => None,
    };
    Ok(ChangeRun {
        times,
        first: Some(first),
        before,
        because,
    })
}

/// Returns the beginning of the details of a set's events: the set's name and a colon.
fn set_of(one: &Announcement) -> String {
    let detail = one.detail.as_deref();
    let set = detail.and_then(|detail| detail.rsplit_once(": "));
    set.map_or_else(String::new, |(set, _)| format!("{set}: "))
}

fn read_event(columns: &mut Columns<'_>, is_withdrawn: bool) -> rusqlite::Result<PublicationEvent> {
    Ok(PublicationEvent {
        version: columns.optional()?.map(VersionId),
        detail: columns.optional()?,
        is_withdrawn,
    })
}

/// Returns why readers were put back to an older version: who failed the one they saw before, and the reason.
fn why_back(
    sql: &Connection,
    now: &Announcement,
    before: &PublicationEvent,
) -> Outcome<Option<String>> {
    if before.is_withdrawn {
        return Ok(None);
    }
    if let (Some(now), Some(before)) = (now.version_id, before.version) {
        return if now < before {
            failure_of(sql, before)
        } else {
            Ok(None)
        };
    }
    let edition = |detail: &Option<String>| edition_in(detail.as_deref()?);
    match (edition(&now.detail), edition(&before.detail)) {
        (Some(now), Some(before)) if now < before => failure_of_edition(sql, before),
        _ => Ok(None),
    }
}
