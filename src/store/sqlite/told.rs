//! The states of notifiers for sets and single events: read for a look, and written after a delivery.
//!
//! Never decides what a notifier receives: the domain does.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::row::{Columns, millis};
use super::sql_damage::{read_row, sound_rows};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_words::failure_of_edition;
use crate::domain::{EditionId, EventId, SetNotifierState};
use crate::store::damaged_row::DamagedRow;
use crate::store::notice_types::{ChangeStory, EventSubject, NoticeRecord, SetLook, ToldOfEvent};

const SETS: &str = "SELECT f.name, e.id, e.state, f.published_edition_id, f.publish_error IS NOT NULL, k.edition_id, k.told_at, k.worse_at
     FROM file_set f LEFT JOIN edition e ON f.configured = 1 AND e.id = (SELECT max(id) FROM edition WHERE set_name = f.name AND id > f.past_edition_id)
         AND EXISTS (SELECT 1 FROM set_member m WHERE m.set_name = f.name)
     LEFT JOIN told_set k ON k.notifier_id = ?1 AND k.set_name = f.name ORDER BY f.name";

/// Returns the states of the sets, each with the notifier's state of it.
pub(super) fn sets(
    sql: &Connection,
    notifier: i64,
    damaged: &mut Vec<DamagedRow>,
) -> rusqlite::Result<Vec<SetLook>> {
    sql.sound("file_set", SETS, [notifier], damaged, |columns| {
        let name = columns.get()?;
        let newest = columns.optional()?.map(EditionId);
        let state = columns.optional_word()?;
        Ok(SetLook {
            name,
            newest: newest.zip(state),
            published: columns.optional()?.map(EditionId),
            is_unpublished: columns.get()?,
            told: SetNotifierState {
                failed_edition: columns.optional()?.map(EditionId),
                at: columns.optional_time()?,
                worse_at: columns.optional_time()?,
            },
        })
    })
}

/// Returns what a notifier received about single events; kinds of change of an older gannet are skipped.
pub(super) fn told_events(
    sql: &Connection,
    notifier: i64,
    damaged: &mut Vec<DamagedRow>,
) -> rusqlite::Result<HashMap<EventSubject, ToldOfEvent>> {
    let mut statement = sql.prepare_cached(
        "SELECT kind, subject, told_at, held_event_id FROM told_event WHERE notifier_id = ?1",
    )?;
    let rows = statement.query_map([notifier], |row| {
        read_row("told_event", row, |columns| {
            let kind: String = columns.get()?;
            let about = columns.get()?;
            let told = ToldOfEvent {
                at: columns.time()?,
                held: columns.optional()?.map(EventId),
            };
            let subject = kind.parse().ok().map(|kind| EventSubject { kind, about });
            Ok(subject.map(|subject| (subject, told)))
        })
    })?;
    Ok(sound_rows(rows, damaged)?.into_iter().flatten().collect())
}

/// Stores a notifier's new state of sets and single events.
pub(super) fn write(
    transaction: &Transaction<'_>,
    notifier: i64,
    record: &NoticeRecord,
) -> rusqlite::Result<()> {
    for (set, told) in &record.told_sets {
        transaction.execute(
            "INSERT INTO told_set (notifier_id, set_name, edition_id, told_at, worse_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET edition_id = ?3, told_at = ?4, worse_at = ?5",
            params![
                notifier,
                set,
                told.failed_edition.map(|edition| edition.0),
                told.at.map(millis),
                told.worse_at.map(millis)
            ],
        )?;
    }
    for (subject, told) in &record.told_events {
        transaction.execute(
            "INSERT INTO told_event (notifier_id, kind, subject, told_at, held_event_id) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET told_at = ?4, held_event_id = ?5",
            params![
                notifier,
                subject.kind.as_str(),
                subject.about,
                millis(told.at),
                told.held.map(|event| event.0)
            ],
        )?;
    }
    if let Some(since) = record.quiet_since {
        transaction.execute(
            "DELETE FROM told_event WHERE notifier_id = ?1 AND held_event_id IS NULL AND told_at < ?2",
            params![notifier, millis(since)],
        )?;
    }
    Ok(())
}

/// Returns when an edition was last judged, and who failed it with the reason, if anybody did.
pub(super) fn edition_story(sql: &Connection, edition: EditionId) -> Outcome<ChangeStory> {
    let since = sql.only(
        "SELECT coalesce((SELECT max(started_at) FROM edition_verdict WHERE edition_id = ?1), 0)",
        [edition.0],
        |row| Ok(Columns::new(row).time().ok()),
    )?;
    Ok(ChangeStory {
        since,
        detail: failure_of_edition(sql, edition)?,
    })
}
