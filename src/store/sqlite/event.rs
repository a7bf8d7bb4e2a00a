//! Events: read by source, by time, or from where a reader stopped.

use rusqlite::{Connection, named_params, params};

use super::Store;
use super::failure::Outcome;
use super::row::{Columns, int, millis};
use super::select::{Damage, Select};
use super::statements::Statements as _;
use crate::domain::{About, Action, Actor, Event, EventId, NewEvent, SourceId, Stamp, VersionId};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::Result;
use crate::store::query::{HappenedAfter, NewestEvent};
use crate::store::types::EventFilter;

impl Store {
    /// Returns matching events, oldest first: the newest `limit`, or with `after` the first `limit` after that event.
    /// Damaged rows are left out ([`Store::damage`]).
    pub async fn events(&self, filter: EventFilter) -> Result<Vec<Event>> {
        self.read_sound(move |sql, damaged| list(sql, &filter, damaged))
            .await
    }
}

impl Select<Vec<(Option<SourceId>, Option<String>)>> for HappenedAfter {
    fn select(
        &self,
        sql: &Connection,
        _: &mut Damage,
    ) -> Outcome<Vec<(Option<SourceId>, Option<String>)>> {
        let Self(event, action) = self;
        let (after, action) = (event.0, action.as_str());
        Ok(sql.all(HAPPENED_AFTER, params![after, action], |row| {
            let source: Option<i64> = row.get(0)?;
            Ok((source.map(SourceId), row.get(1)?))
        })?)
    }
}

impl Select<EventId> for NewestEvent {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<EventId> {
        let newest = "SELECT coalesce(max(id), 0) FROM event";
        Ok(sql.only(newest, [], |row| row.get(0).map(EventId))?)
    }
}

// Scanned by id: the index of sources would visit every event there is.
const HAPPENED_AFTER: &str = "SELECT DISTINCT source_id, detail FROM event NOT INDEXED
     WHERE id > ?1 AND by_hand IS NOT 1 AND action_id = (SELECT id FROM text WHERE value = ?2)";

/// Returns matching events, oldest first; damaged rows are left out.
pub(super) fn list(
    sql: &Connection,
    filter: &EventFilter,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Event>> {
    let mut events = sql.sound(
        "event",
        &list_sql(filter),
        named_params! {
            ":source": filter.source_id.map(|id| id.0),
            ":set": filter.set,
            ":since": filter.since.map(millis),
            ":action": filter.action.map(Action::as_str),
            ":after": filter.after.map(|id| id.0),
            ":before": filter.before.map(|id| id.0),
            ":limit": int(filter.limit),
        },
        damaged,
        read_event,
    )?;
    if filter.after.is_none() {
        events.reverse();
    }
    Ok(events)
}

/// Returns a statement with only the conditions that the filter sets, so that SQLite can use an index.
fn list_sql(filter: &EventFilter) -> String {
    let source = match filter.source_id {
        Some(_) => "e.source_id = :source",
        None => ":source IS NULL",
    };
    // The detail of a set's event begins with the set's name, which has no colon.
    let set = match &filter.set {
        Some(_) => {
            "e.source_id IS NULL AND ((w.value LIKE 'set.%' OR w.value LIKE 'verdict.%') AND (e.detail = :set OR substr(e.detail, 1, length(:set) + 2) = :set || ': ')
                 OR w.value = 'publish.failed' AND substr(e.detail, 1, length(:set) + 6) = 'set ' || :set || ': ')"
        }
        None => ":set IS NULL",
    };
    let since = match filter.since {
        Some(_) => "e.at >= :since",
        None => ":since IS NULL",
    };
    let action = match filter.action {
        Some(_) => "e.action_id = (SELECT id FROM text WHERE value = :action)",
        None => ":action IS NULL",
    };
    let (after, order) = match filter.after {
        Some(_) => ("e.id > :after", "ASC"),
        None => (":after IS NULL", "DESC"),
    };
    let before = match filter.before {
        Some(_) => "e.id < :before",
        None => ":before IS NULL",
    };
    format!(
        "SELECT e.id, e.at, a.value AS actor_id, w.value AS action_id, e.source_id, e.version_id, e.about_id, e.detail, e.policy_revision, e.by_hand, s.name
         FROM event e LEFT JOIN text a ON a.id = e.actor_id LEFT JOIN text w ON w.id = e.action_id
         LEFT JOIN source s ON s.id = e.source_id
         WHERE {source} AND {set} AND {since} AND {action} AND {after} AND {before} ORDER BY e.id {order} LIMIT :limit"
    )
}

fn read_event(columns: &mut Columns<'_>) -> rusqlite::Result<Event> {
    let (id, at) = (EventId(columns.get()?), columns.time()?);
    let actor = Actor(columns.get()?);
    let action = columns.word()?;
    let source_id = columns.optional()?.map(SourceId);
    let version_id = columns.optional()?.map(VersionId);
    let about: Option<i64> = columns.optional()?;
    Ok(Event {
        id,
        stamp: Stamp { at, actor },
        event: NewEvent {
            action,
            source_id,
            version_id,
            about: about.and_then(|id| About::of(action, version_id, id)),
            detail: columns.get()?,
            policy_revision: columns.get()?,
            by_hand: columns.get()?,
        },
        // A damaged source name does not make the event damaged.
        source_name: columns.get().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn what_happened_since_is_read_from_there_on() {
        let plan = query_plan(HAPPENED_AFTER);
        let is_by_number = plan.contains("SEARCH event USING INTEGER PRIMARY KEY");
        assert!(is_by_number && !plan.contains("event_source"), "{plan}");
    }

    #[test]
    fn events_are_read_in_the_order_in_which_they_lie() {
        let filters = [
            EventFilter::default(),
            EventFilter {
                after: Some(EventId(7)),
                ..EventFilter::default()
            },
            EventFilter {
                before: Some(EventId(7)),
                ..EventFilter::default()
            },
            EventFilter {
                source_id: Some(SourceId(7)),
                ..EventFilter::default()
            },
            EventFilter {
                set: Some("eu".to_owned()),
                ..EventFilter::default()
            },
        ];
        for filter in filters {
            let plan = query_plan(&list_sql(&filter));
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            if filter.source_id.is_some() {
                assert!(plan.contains("event_source"), "{plan}");
            }
        }
    }
}
