//! The states of notifiers: read with the sources that may have changed, and written after a delivery.
//!
//! Never decides what a notifier receives: the domain does.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::event_row::insert_event;
use super::failure::{Outcome, sound_one};
use super::row::{Columns, int, millis, to_json};
use super::select::{Damage, Select};
use super::source_row::{
    SOURCE_COLUMNS, SOURCE_TABLES, read_source, read_source_row, source_by_id,
};
use super::sql_damage::{read_row, sound_rows};
use super::statements::Statements as _;
use super::told;
use super::transaction::Transaction;
use super::withdrawal;
use crate::domain::{
    Action, ChangeKind, EventId, NewEvent, NotifierState, Source, SourceId, Stamp, VersionId,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::notice_types::{
    Announcement, Candidate, ChangeStory, EventSubject, NoticeLook, NoticeRecord, StoriesOf,
    ToldOfEvent,
};
use crate::store::query::NoticeLookOf;

impl Select<Vec<ChangeStory>> for StoriesOf {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<ChangeStory>> {
        match self {
            StoriesOf::Sources(changes) => {
                let stories = changes
                    .iter()
                    .map(|(source, newest, kind)| story(sql, *source, *newest, *kind));
                Ok(stories.collect::<rusqlite::Result<_>>()?)
            }
            StoriesOf::Editions(editions) => {
                let stories = editions.iter();
                stories.map(|id| told::edition_story(sql, *id)).collect()
            }
        }
    }
}

impl Select<Option<NoticeLook>> for NoticeLookOf {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Option<NoticeLook>> {
        let Self(notifier, now) = self;
        look(sql, notifier, *now, damaged)
    }
}

/// The action that the log has for a change of this kind.
pub(super) fn action_of(kind: ChangeKind) -> Action {
    match kind {
        ChangeKind::Withdrawn => Action::Withdrawn,
        ChangeKind::Failing => Action::SourceFailing,
        ChangeKind::VersionFailed => Action::VersionFailed,
        ChangeKind::Recovered => Action::SourceRecovered,
        ChangeKind::PublishFailed => Action::PublishFailed,
        ChangeKind::SetFailed => Action::SetFailed,
        ChangeKind::ConfigRejected => Action::ConfigRejected,
        ChangeKind::GoodAgain => Action::VersionRecovered,
        ChangeKind::SetPublished => Action::SetPublished,
        ChangeKind::Changed => Action::Published,
    }
}

/// At most so many events are announced at one look; the rest at the next.
const MOST_ANNOUNCED: usize = 1000;

// Not announced: a first version, unless it replaces another; a purged version; the withdrawal of a removed source's
// file, which the removal implies; the withdrawal of a set that is published again.
const ANNOUNCED: &str = "SELECT e.id, w.value, e.at, e.source_id, e.version_id, e.detail
     FROM event e NOT INDEXED CROSS JOIN text w ON w.id = e.action_id
     WHERE (e.id > ?1 AND e.id <= ?4) AND e.action_id IN (SELECT id FROM text WHERE value IN (SELECT value FROM json_each(?2)))
         AND (w.value <> 'file.published' OR EXISTS (SELECT 1 FROM version v WHERE v.id = e.version_id AND (v.ordinal > 0
             OR EXISTS (SELECT 1 FROM event p INDEXED BY event_source WHERE p.source_id = e.source_id AND p.id < e.id
                 AND p.action_id = e.action_id))))
         AND (w.value <> 'file.withdrawn' OR e.source_id IS NOT NULL)
         AND (w.value <> 'set.withdrawn' OR NOT EXISTS (SELECT 1 FROM file_set f WHERE f.published_edition_id IS NOT NULL
             AND substr(e.detail, 1, length(f.name) + 2) = f.name || ': '))
     ORDER BY e.id LIMIT ?3";

const TURNS: &str = "SELECT source_id, CASE WHEN action_id = (SELECT id FROM text WHERE value = ?3) THEN version_id END
     FROM event NOT INDEXED
     WHERE id > ?1 AND source_id IS NOT NULL AND action_id IN (SELECT id FROM text WHERE value IN (SELECT value FROM json_each(?2)))";
// Read once, when a notifier is new. The detail of a set's event begins with the set's name.
const STANDING: &str = "SELECT max(e.id) AS newest FROM event e JOIN source_state t ON t.source_id = e.source_id AND t.publish_error IS NOT NULL
         WHERE e.action_id = (SELECT id FROM text WHERE value = ?1) GROUP BY e.source_id
     UNION SELECT max(e.id) FROM event e JOIN file_set f ON f.publish_error IS NOT NULL AND e.source_id IS NULL
             AND substr(e.detail, 1, length(f.name) + 6) = 'set ' || f.name || ': '
         WHERE e.action_id = (SELECT id FROM text WHERE value = ?1) GROUP BY f.name
     ORDER BY newest";
const WAITING: &str = "SELECT source_id FROM told WHERE notifier_id = ?1 AND waits = 1";
const UNWELL: &str =
    "SELECT t.source_id FROM source_state t LEFT JOIN version v ON v.id = t.version_id
     WHERE t.failures > 0 OR v.state = 'failed'";

const KNOWN: &str = "SELECT id, event_id, failures, coalesce(announced_id, event_id), retry_at FROM notifier WHERE name = ?1";

fn look(
    sql: &Connection,
    notifier: &str,
    now: DateTime<Utc>,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Option<NoticeLook>> {
    let newest: Option<i64> = sql.only("SELECT max(id) FROM event", [], |row| row.get(0))?;
    let mut look = NoticeLook {
        newest: EventId(newest.unwrap_or(0)),
        ..NoticeLook::default()
    };
    let known = sql.first(KNOWN, [notifier], |row| {
        let mut columns = Columns::new(row);
        let id: i64 = columns.get()?;
        look.looked = Some(EventId(columns.get()?));
        look.failures = columns.count()?;
        look.announced_to = EventId(columns.get()?);
        Ok((id, columns.optional_time()?))
    })?;
    match known {
        None => look_first(sql, &mut look, damaged)?,
        Some((_, Some(retry_at))) if retry_at > now => return Ok(None),
        Some((id, _)) => look_again(sql, id, &mut look, damaged)?,
    }
    Ok(Some(look))
}

/// Reads what a new notifier is told of: what is not well, and the failed publications that stand.
fn look_first(sql: &Connection, look: &mut NoticeLook, damaged: &mut Damage) -> Outcome<()> {
    let unwell = ids(sql, UNWELL, [])?.into_iter();
    look.candidates = candidates(sql, -1, unwell.map(|id| (id, Vec::new())), damaged)?;
    look.sets = told::sets(sql, -1, damaged)?;
    look.announced = standing(sql, damaged)?;
    look.announced_to = look.newest;
    Ok(())
}

/// Reads what changed since a known notifier's last look.
fn look_again(
    sql: &Connection,
    notifier: i64,
    look: &mut NoticeLook,
    damaged: &mut Damage,
) -> Outcome<()> {
    let mut changed = turns_since(sql, look.looked.unwrap_or(EventId(0)))?;
    for waiting in ids(sql, WAITING, [notifier])? {
        changed.entry(waiting).or_default();
    }
    look.candidates = candidates(sql, notifier, changed, damaged)?;
    look.sets = told::sets(sql, notifier, damaged)?;
    look.left = withdrawal::failures(sql, damaged)?.into_iter().collect();
    look.told_events = told::told_events(sql, notifier, damaged)?;
    look.held = held(sql, &look.told_events, damaged)?;
    look.announced_from = look.announced_to;
    (look.announced, look.announced_to) = announced(sql, look.announced_to, look.newest, damaged)?;
    Ok(())
}

/// Returns the sources with a turn after the event, each with the versions that failed since.
fn turns_since(
    sql: &Connection,
    after: EventId,
) -> rusqlite::Result<HashMap<SourceId, Vec<VersionId>>> {
    let words = ChangeKind::OF_HEALTH.map(|kind| action_of(kind).as_str());
    let mut statement = sql.prepare_cached(TURNS)?;
    let mut rows = statement.query(params![
        after.0,
        to_json(&words),
        Action::VersionFailed.as_str()
    ])?;
    let mut turns: HashMap<_, Vec<_>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::new(row);
        // A damaged event is reported where the log is read.
        let (Ok(source), Ok(version)) = (columns.get(), columns.optional()) else {
            continue;
        };
        let failed = turns.entry(SourceId(source)).or_default();
        failed.extend(version.map(VersionId));
    }
    Ok(turns)
}

/// Returns the announcements of events after one, and the last event read.
fn announced(
    sql: &Connection,
    after: EventId,
    newest: EventId,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<(Vec<Announcement>, EventId)> {
    let (announced, read) = announced_between(sql, after, newest, damaged)?;
    let last = match read {
        Some((MOST_ANNOUNCED, last)) => last,
        _ => newest,
    };
    Ok((announced, last))
}

/// Returns the events of failed publications that still stand, oldest first.
fn standing(sql: &Connection, damaged: &mut Vec<DamagedRow>) -> Outcome<Vec<Announcement>> {
    let word = action_of(ChangeKind::PublishFailed).as_str();
    let mut statement = sql.prepare_cached(STANDING)?;
    let events = statement.query_map([word], |row| row.get(0))?;
    let mut standing = Vec::new();
    for event in events {
        let event: i64 = event?;
        standing.extend(announced_between(sql, EventId(event - 1), EventId(event), damaged)?.0);
    }
    Ok(standing)
}

/// Returns the announcements of held events, oldest first.
fn held(
    sql: &Connection,
    told: &HashMap<EventSubject, ToldOfEvent>,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Announcement>> {
    let mut waiting: Vec<_> = told.values().filter_map(|told| told.held).collect();
    waiting.sort();
    let mut held = Vec::new();
    for event in waiting {
        held.extend(announced_between(sql, EventId(event.0 - 1), event, damaged)?.0);
    }
    Ok(held)
}

/// How many events were read, and the last of them.
type LastRead = (usize, EventId);

/// Returns the announcements of the events in a span, with how many events were read, and the last of them.
fn announced_between(
    sql: &Connection,
    after: EventId,
    until: EventId,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<(Vec<Announcement>, Option<LastRead>)> {
    let mut words = ChangeKind::OF_EVENTS
        .map(|kind| action_of(kind).as_str())
        .to_vec();
    words.push(Action::SetWithdrawn.as_str());
    let mut statement = sql.prepare_cached(ANNOUNCED)?;
    let most = int(MOST_ANNOUNCED);
    let mut rows = statement.query(params![after.0, to_json(&words), most, until.0])?;
    let (mut announced, mut read) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let event = EventId(row.get(0)?);
        read = Some((read.map_or(0, |(count, _)| count) + 1, event));
        // A damaged event is left out; all others are announced.
        let announcement = announcement(sql, event, row);
        announced.extend(sound_one(announcement, damaged)?.flatten());
    }
    Ok((announced, read))
}

/// Returns what follows from an event; `None` when it is about what was removed meanwhile.
fn announcement(sql: &Connection, event: EventId, row: &Row<'_>) -> Outcome<Option<Announcement>> {
    let (word, at, source, version_id, detail) = read_row("event", row, read_announced)?;
    let source = source.map(|source| source_by_id(sql, source)).transpose()?;
    let is_removed = match &source {
        Some(source) => source.removed_at.is_some(),
        // The file of a purged source.
        None => word == Action::Withdrawn.as_str(),
    };
    let kind = kind_of(&word).filter(|_| !is_removed);
    Ok(kind.map(|kind| Announcement {
        event_id: event,
        kind,
        at,
        source,
        version_id,
        detail,
    }))
}

/// The kind of change that an action's word in the log announces.
fn kind_of(word: &str) -> Option<ChangeKind> {
    if word == Action::SetWithdrawn.as_str() {
        return Some(ChangeKind::Withdrawn);
    }
    let mut kinds = ChangeKind::OF_EVENTS.into_iter();
    kinds.find(|kind| action_of(*kind).as_str() == word)
}

type AnnouncedRow = (
    String,
    DateTime<Utc>,
    Option<SourceId>,
    Option<VersionId>,
    Option<String>,
);

fn read_announced(columns: &mut Columns<'_>) -> rusqlite::Result<AnnouncedRow> {
    columns.get::<i64>()?;
    Ok((
        columns.get()?,
        columns.time()?,
        columns.optional()?.map(SourceId),
        columns.optional()?.map(VersionId),
        columns.get()?,
    ))
}

fn ids(
    sql: &Connection,
    query: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<SourceId>> {
    sql.all(query, params, |row| row.get(0).map(SourceId))
}

/// Reads the sources that are not removed, by name, each with the notifier's state of it.
fn candidates(
    sql: &Connection,
    notifier: i64,
    changed: impl IntoIterator<Item = (SourceId, Vec<VersionId>)>,
    damaged: &mut Vec<DamagedRow>,
) -> rusqlite::Result<Vec<Candidate>> {
    let mut changed: HashMap<_, _> = changed.into_iter().collect();
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = changed.keys().collect();
    let mut statement = sql.prepare_cached(&format!(
        "SELECT {SOURCE_COLUMNS}, k.failing, k.version_id, k.told_at, k.worse_at, k.waits
         FROM {SOURCE_TABLES} LEFT JOIN told k ON k.notifier_id = ?1 AND k.source_id = s.id
         WHERE s.id IN (SELECT value FROM json_each(?2)) AND s.removed_at IS NULL ORDER BY s.name"
    ))?;
    let rows = statement.query_map(params![notifier, to_json(&ids)], |row| {
        read_source_row(row, |columns| {
            let source = read_source(columns)?;
            let told = NotifierState {
                failing: columns.optional()?.unwrap_or(false),
                failed_version: columns.optional()?.map(VersionId),
                at: columns.optional_time()?,
                worse_at: columns.optional_time()?,
                waits: columns.optional()?.unwrap_or(false),
            };
            Ok(candidate(source, told, &mut changed))
        })
    })?;
    sound_rows(rows, damaged)
}

fn candidate(
    source: Source,
    told: NotifierState,
    changed: &mut HashMap<SourceId, Vec<VersionId>>,
) -> Candidate {
    let failed_since = changed.remove(&source.id).unwrap_or_default();
    Candidate {
        source,
        told,
        failed_since,
    }
}

// The source may have been purged meanwhile.
const WRITE_TOLD: &str =
    "INSERT INTO told (notifier_id, source_id, failing, version_id, told_at, worse_at, waits)
     SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM source WHERE id = ?2
     ON CONFLICT DO UPDATE SET failing = ?3, version_id = ?4, told_at = ?5, worse_at = ?6, waits = ?7";
const WRITE_NOTIFIER: &str = "INSERT INTO notifier (name, event_id, failures, retry_at, announced_id) VALUES (?1, ?2, ?3, ?4, coalesce(?5, ?2))
     ON CONFLICT (name) DO UPDATE SET announced_id = coalesce(?5, announced_id, event_id), event_id = ?2, failures = ?3,
     retry_at = ?4 RETURNING id";

pub(super) fn write_notice(
    transaction: &Transaction<'_>,
    record: &NoticeRecord,
    stamp: &Stamp,
) -> Outcome<()> {
    let known = "SELECT 1 FROM notifier WHERE name = ?1";
    if record.begins && transaction.any(known, [&record.notifier])? {
        return Ok(());
    }
    let notifier = params![
        record.notifier,
        record.looked.0,
        record.failures,
        record.retry_at.map(millis),
        record.announced_to.map(|event| event.0)
    ];
    let id: i64 = transaction.only(WRITE_NOTIFIER, notifier, |row| row.get(0))?;
    for (source, told) in &record.told {
        transaction.execute(
            WRITE_TOLD,
            params![
                id,
                source.0,
                told.failing,
                told.failed_version.map(|version| version.0),
                told.at.map(millis),
                told.worse_at.map(millis),
                told.waits
            ],
        )?;
    }
    told::write(transaction, id, record)?;
    if let Some((action, detail)) = &record.event {
        let event = NewEvent::of(*action).detail(detail.clone());
        insert_event(transaction, stamp, event)?;
    }
    Ok(())
}

fn story(
    sql: &Connection,
    source: SourceId,
    newest: Option<VersionId>,
    kind: ChangeKind,
) -> rusqlite::Result<ChangeStory> {
    // An older version may have failed later.
    let version = newest.filter(|_| kind == ChangeKind::VersionFailed);
    let turn = sql
        .first(
            "SELECT at, detail FROM event INDEXED BY event_source
             WHERE source_id = ?1 AND action_id = (SELECT id FROM text WHERE value = ?2)
                 AND (?3 IS NULL OR version_id = ?3) ORDER BY id DESC LIMIT 1",
            params![source.0, action_of(kind).as_str(), version.map(|id| id.0)],
            |row| {
                let mut columns = Columns::new(row);
                Ok(ChangeStory {
                    since: columns.optional_time().unwrap_or_default(),
                    detail: columns.get().unwrap_or_default(),
                })
            },
        )?
        .unwrap_or_default();
    if kind != ChangeKind::Failing {
        return Ok(turn);
    }
    // The present reason of the failure may differ from the first.
    let error = sql.first(
        "SELECT error FROM attempt WHERE source_id = ?1 ORDER BY id DESC LIMIT 1",
        [source.0],
        |row| Ok(row.get(0).unwrap_or_default()),
    )?;
    Ok(ChangeStory {
        detail: error.flatten(),
        ..turn
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn a_look_reads_what_is_new_and_what_waits() {
        assert_plan(TURNS, &["USING INTEGER PRIMARY KEY (rowid>?)"], &[]);
        assert_plan(WAITING, &["told_waits"], &[]);
    }
}
