//! Sets: their configuration, their members, and their published editions.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::Store;
use super::day_row::is_of_series;
use super::edition_row::members_judged;
use super::event_row::insert_event;
use super::failure::{Outcome, sound_one};
use super::publication::refresh_publication;
use super::row::{Columns, millis, to_json};
use super::select::{Damage, Select};
use super::source_row::{read_withdrawal, source_fits};
use super::sql_damage::read_row;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_words::failure_of_edition;
use super::version_row::read_newest;
use super::worker::living;
use crate::domain::{
    About, Action, EditionId, NewEvent, SetMember, SetPublication, Slot, SourceId, Stamp,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::Result;
use crate::store::query::{FileSetNamed, FileSets, SetMembers, SourcesInManySets};
use crate::store::set_query::SetsQuery;
use crate::store::types::FileSet;

impl Store {
    /// Records the publication or withdrawal of a set's folder, with an event. A withdrawn set that is no longer
    /// configured is deleted. Returns the members that the set has taken over: their own files must be withdrawn.
    pub async fn record_set_publication(
        &self,
        set: String,
        publication: SetPublication,
        stamp: Stamp,
    ) -> Result<Vec<SourceId>> {
        self.write(move |transaction| write_publication(transaction, &set, publication, &stamp))
            .await
    }
}

impl Select<Vec<(String, Vec<String>)>> for SourcesInManySets {
    fn select(
        &self,
        sql: &Connection,
        damaged: &mut Damage,
    ) -> Outcome<Vec<(String, Vec<String>)>> {
        Ok(sql.sound("source", IN_MANY, [], damaged, |columns| {
            Ok((columns.get()?, columns.json()?))
        })?)
    }
}

impl Select<Vec<SetMember>> for SetMembers {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<SetMember>> {
        let Self(set, now) = self;
        Ok(set_members(sql, set, *now)?)
    }
}

impl Select<Option<FileSet>> for FileSetNamed {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<FileSet>> {
        let query = format!("{SETS} WHERE name = ?1");
        Ok(sql.first(&query, [&self.0], |row| read_row("file_set", row, read_set))?)
    }
}

impl Select<Vec<FileSet>> for FileSets {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<FileSet>> {
        let sets = list(sql, damaged)?;
        for edition in sets.iter().filter_map(|set| set.published) {
            sound_one(members_judged(sql, edition), damaged)?;
        }
        Ok(sets)
    }
}

fn write_publication(
    transaction: &Transaction<'_>,
    set: &str,
    publication: SetPublication,
    stamp: &Stamp,
) -> Outcome<Vec<SourceId>> {
    let before: Option<Option<i64>> = transaction.first(PUBLISHED, [set], |row| row.get(0))?;
    let before = before.flatten().map(EditionId);
    let (action, edition) = match publication {
        SetPublication::Keep => return Ok(Vec::new()),
        SetPublication::Publish(id) if before == Some(id) => (Action::SetRepublished, Some(id)),
        SetPublication::Publish(id) => (Action::SetPublished, Some(id)),
        SetPublication::Withdraw => (Action::SetWithdrawn, None),
    };
    let because = match edition {
        Some(_) => None,
        None => Some(why_withdrawn(transaction.sql, set, before)?),
    };
    let now = millis(stamp.at);
    transaction.execute(
        WRITE_PUBLISHED,
        params![
            set,
            edition.map(|id| id.0),
            edition.map(|_| now),
            because.as_ref().map(|_| now),
            because,
            because.as_ref().and(before).map(|id| id.0)
        ],
    )?;
    let what = match edition {
        Some(id) => format!("edition {id}"),
        None => because.unwrap_or_default(),
    };
    let about = edition.or(before).map(About::Edition);
    let event = NewEvent::of(action).about(about);
    insert_event(transaction, stamp, event.detail(format!("{set}: {what}")))?;
    edition.map_or(Ok(Vec::new()), |id| take_over(transaction, set, id))
}

/// Reports whether any source's settings carry the set's tag, whatever the set's member rows say.
pub(super) fn is_tagged(sql: &Connection, set: &str) -> rusqlite::Result<bool> {
    sql.any(TAGGED_WITH, [set])
}

/// Tells whether a source carries the set's tag, enabled or not.
pub(super) fn has_members(sql: &Connection, set: &str) -> rusqlite::Result<bool> {
    sql.any("SELECT 1 FROM set_member WHERE set_name = ?1", [set])
}

/// Stores why a set cannot be judged; a new reason appends an event.
pub(super) fn write_problem(
    transaction: &Transaction<'_>,
    set: &str,
    problem: Option<&str>,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let changed = transaction.execute(
        "UPDATE file_set SET problem = ?2 WHERE name = ?1 AND problem IS NOT ?2",
        params![set, problem],
    )?;
    if let Some(problem) = problem.filter(|_| changed > 0) {
        let event = NewEvent::of(Action::SetError).detail(format!("{set}: {problem}"));
        insert_event(transaction, stamp, event)?;
    }
    Ok(())
}

/// Stores why a set's folder could not be published or withdrawn, `None` after a success. Only the first failure after
/// a success appends an event.
pub(super) fn write_publish_error(
    transaction: &Transaction<'_>,
    set: &str,
    why: Option<&str>,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let is_first = transaction.any(
        "SELECT 1 FROM file_set WHERE name = ?1 AND publish_error IS NULL",
        [set],
    )?;
    transaction.execute(
        "UPDATE file_set SET publish_error = ?2 WHERE name = ?1",
        params![set, why],
    )?;
    if let Some(why) = why.filter(|_| is_first) {
        let event = NewEvent::of(Action::PublishFailed).detail(format!("set {set}: {why}"));
        insert_event(transaction, stamp, event)?;
    }
    Ok(())
}

/// Deletes a set that is neither configured nor published.
pub(super) fn forget_set(transaction: &Transaction<'_>, set: &str) -> rusqlite::Result<()> {
    let forget =
        "DELETE FROM file_set WHERE name = ?1 AND configured = 0 AND published_edition_id IS NULL";
    transaction.execute(forget, [set])?;
    Ok(())
}

/// Returns why a set's folder, which held this edition, is withdrawn.
fn why_withdrawn(sql: &Connection, set: &str, published: Option<EditionId>) -> Outcome<String> {
    let is_set = "SELECT 1 FROM file_set WHERE name = ?1 AND configured = 1";
    if !sql.any(is_set, [set])? {
        return Ok("no verifier judges it as a set any more".to_owned());
    }
    if !has_members(sql, set)? {
        return Ok("no source has its tag any more".to_owned());
    }
    let because = match published {
        Some(edition) => failure_of_edition(sql, edition)?.map(|who| format!("failed by {who}")),
        // The edition was deleted with a purged member.
        None => sql.only(
            "SELECT withdrawn_because FROM file_set WHERE name = ?1",
            [set],
            |row| row.get(0),
        )?,
    };
    Ok(because.unwrap_or_else(|| "no edition of it is good any more".to_owned()))
}

const IN_MANY: &str = "SELECT s.name, json_group_array(m.set_name) FROM set_member m CROSS JOIN source s ON s.id = m.source_id
     GROUP BY m.source_id HAVING count(*) > 1 ORDER BY s.name";

const WRITE_PUBLISHED: &str = "UPDATE file_set SET published_edition_id = ?2,
         published_at = iif(published_edition_id = ?2, published_at, ?3), publish_error = NULL,
         withdrawn_at = ?4, withdrawn_because = ?5, withdrawn_edition_id = ?6 WHERE name = ?1";
const PUBLISHED: &str = "SELECT published_edition_id FROM file_set WHERE name = ?1";

const SETS: &str =
    "SELECT name, configured, problem, publish_error, published_edition_id, published_at, withdrawn_at, withdrawn_because
     FROM file_set";

fn list(sql: &Connection, damaged: &mut Vec<DamagedRow>) -> rusqlite::Result<Vec<FileSet>> {
    sql.sound(
        "file_set",
        &format!("{SETS} ORDER BY name"),
        [],
        damaged,
        read_set,
    )
}

fn read_set(columns: &mut Columns<'_>) -> rusqlite::Result<FileSet> {
    Ok(FileSet {
        name: columns.get()?,
        configured: columns.get()?,
        problem: columns.get()?,
        publish_error: columns.get()?,
        published: columns.optional()?.map(EditionId),
        published_at: columns.optional_time()?,
        withdrawn: read_withdrawal(columns)?,
    })
}

// Tags that are not JSON count as none: lists of sources report that row as damaged.
const TAGGED_WITH: &str =
    "SELECT 1 FROM source s WHERE s.removed_at IS NULL AND s.series_id IS NULL AND EXISTS
     (SELECT 1 FROM json_each(iif(json_valid(s.tags), s.tags, '[]')) t WHERE t.value = ?1)";

const TAGGED: &str = "SELECT s.id FROM source s WHERE s.removed_at IS NULL AND s.series_id IS NULL
     AND EXISTS (SELECT 1 FROM json_each(iif(json_valid(s.tags), s.tags, '[]')) t CROSS JOIN file_set f ON f.name = t.value WHERE f.configured = 1)";

/// Makes these sets the configured ones and recomputes their members. Does nothing when they are unchanged: edits of
/// sources keep their memberships current.
pub(super) fn configure_sets(transaction: &Transaction<'_>, names: &BTreeSet<&str>) -> Outcome<()> {
    // A set with a damaged row counts as not configured, and is configured anew.
    let before: Vec<_> = list(transaction.sql, &mut Vec::new())?;
    let configured: Vec<_> = before.iter().filter(|set| set.configured).collect();
    if configured.len() == names.len()
        && configured
            .iter()
            .all(|set| names.contains(set.name.as_str()))
    {
        return Ok(());
    }
    transaction.execute(
        "UPDATE file_set SET configured = 0, problem = NULL WHERE name NOT IN (SELECT value FROM json_each(?1))",
        [to_json(&names)],
    )?;
    for name in names {
        transaction.execute(
            "INSERT INTO file_set (name, configured, past_edition_id)
             SELECT ?1, 1, coalesce(max(id), 0) FROM edition WHERE set_name = ?1
             ON CONFLICT DO UPDATE SET past_edition_id = iif(configured = 1, past_edition_id, excluded.past_edition_id),
                 configured = 1",
            [name],
        )?;
    }
    enter_sets_again(transaction)
}

/// Recomputes the members of all sets.
fn enter_sets_again(transaction: &Transaction<'_>) -> Outcome<()> {
    let ids = |query: &str| -> rusqlite::Result<Vec<SourceId>> {
        transaction.all(query, [], |row| row.get(0).map(SourceId))
    };
    let mut touched = ids("SELECT DISTINCT source_id FROM set_member")?;
    touched.extend(ids(TAGGED)?);
    touched.sort();
    touched.dedup();
    for source in touched {
        let tags = transaction.first(
            concat!(
                "SELECT ",
                source_fits!(),
                ", iif(s.removed_at IS NULL, s.tags, '[]') FROM source s WHERE s.id = ?1"
            ),
            [source.0],
            |row| {
                let mut columns = Columns::new(row);
                let (fits, tags) = (columns.get()?, columns.json::<Vec<String>>());
                Ok(tags.ok().filter(|_| fits))
            },
        )?;
        // A source with damaged tags stays in its sets.
        let Some(tags) = tags.map_or(Some(Vec::new()), |tags| tags) else {
            continue;
        };
        if join_sets(transaction, source, &tags)? {
            refresh_publication(transaction, source)?;
        }
    }
    Ok(())
}

/// Makes a source a member of exactly the configured sets whose tags it carries. Returns whether a membership changed.
///
/// The version that consumers see, at the source's own path or in a set that it leaves, stays at its own path until a
/// published edition of a set that it enters takes over.
pub(super) fn join_sets(
    transaction: &Transaction<'_>,
    source: SourceId,
    tags: &[String],
) -> rusqlite::Result<bool> {
    let seen: Option<i64> = transaction.only(SEEN, [source.0], |row| row.get(0))?;
    // A day comes, and may never have a file: a set with it would wait for it.
    let is_of_series = is_of_series(transaction.sql, source)?;
    let tags = if is_of_series { &[] } else { tags };
    let tags = to_json(&tags);
    let left = transaction.execute(
        "DELETE FROM set_member WHERE source_id = ?1 AND set_name NOT IN
             (SELECT f.name FROM file_set f WHERE f.configured = 1 AND f.name IN (SELECT value FROM json_each(?2)))",
        params![source.0, tags],
    )?;
    let joined = transaction.execute(
        "INSERT INTO set_member (set_name, source_id) SELECT f.name, ?1 FROM file_set f
         WHERE f.configured = 1 AND f.name IN (SELECT value FROM json_each(?2)) ON CONFLICT DO NOTHING",
        params![source.0, tags],
    )?;
    let is_changed = left + joined > 0;
    if let Some(seen) = seen.filter(|_| is_changed) {
        transaction.execute(KEEP, params![source.0, seen])?;
    }
    Ok(is_changed)
}

/// The version of a source that consumers see, or will see again at its own path.
const SEEN: &str = "SELECT coalesce(
         (SELECT published_version_id FROM source_state WHERE source_id = ?1),
         (SELECT max(kept_version_id) FROM set_member WHERE source_id = ?1),
         (SELECT max(m.version_id) FROM edition_member m CROSS JOIN file_set f ON f.published_edition_id = m.edition_id
          WHERE m.source_id = ?1),
         (SELECT version_id FROM removed_file WHERE source_id = ?1))";

/// Keeps a version in each of the source's sets whose published edition lacks the source.
const KEEP: &str = "UPDATE set_member SET kept_version_id = ?2
     WHERE source_id = ?1 AND kept_version_id IS NULL AND NOT EXISTS (SELECT 1 FROM file_set f
         CROSS JOIN edition_member m ON m.edition_id = f.published_edition_id AND m.source_id = set_member.source_id
         WHERE f.name = set_member.set_name)";

/// Moves the members of the published edition from their own paths to the set. Returns the members that had a file at
/// their own path.
fn take_over(
    transaction: &Transaction<'_>,
    set: &str,
    edition: EditionId,
) -> Outcome<Vec<SourceId>> {
    let members = transaction.all(
        "SELECT m.source_id FROM edition_member m CROSS JOIN set_member n
                 ON n.source_id = m.source_id AND n.set_name = ?1
                 CROSS JOIN source_state t ON t.source_id = m.source_id
             WHERE m.edition_id = ?2 AND (n.kept_version_id IS NOT NULL OR t.published_version_id IS NOT NULL)",
        params![set, edition.0],
        |row| row.get(0).map(SourceId),
    )?;
    for &member in &members {
        transaction.execute(
            "UPDATE set_member SET kept_version_id = NULL WHERE set_name = ?1 AND source_id = ?2",
            params![set, member.0],
        )?;
        refresh_publication(transaction, member)?;
    }
    Ok(members)
}

// A disabled source stays a member: the set uses its newest version that could be published, and does not wait for it
// without one. An unreadable `enabled` is damage.
const MEMBERS: &str = "SELECT s.id, s.name, v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum,
         iif(s.enabled IN (0, 1), s.enabled AND t.next_slot <= ?2, NULL),
         EXISTS (SELECT 1 FROM worker w WHERE w.id = t.lease_owner AND w.seen_at > ?3 AND w.seen_at <= ?4), iif(s.enabled, t.failures, 0)
     FROM set_member m CROSS JOIN source s ON s.id = m.source_id CROSS JOIN source_state t ON t.source_id = s.id
     LEFT JOIN version v ON v.id = iif(s.enabled, t.version_id,
         (SELECT max(g.id) FROM version g WHERE g.source_id = s.id AND g.state IN ('passed', 'unverified')))
     WHERE m.set_name = ?1 AND s.removed_at IS NULL AND (s.enabled IS NOT 0 OR v.id IS NOT NULL) ORDER BY s.name";

fn set_members(
    sql: &Connection,
    set: &str,
    now: DateTime<Utc>,
) -> rusqlite::Result<Vec<SetMember>> {
    let slot = Slot::containing(now);
    let mut statement = sql.prepare_cached(MEMBERS)?;
    let [after, until] = living(now);
    let rows = statement.query_map(params![set, slot.0, after, until], |row| {
        read_row("source", row, |columns| {
            let (source_id, name) = (SourceId(columns.get()?), columns.get()?);
            let newest = read_newest(columns)?;
            let due = columns.get()?;
            Ok(SetMember {
                source_id,
                name,
                newest: newest.map(|place| (place.id, place.state)),
                due,
                claimed: columns.get()?,
                failures: columns.count()?,
            })
        })
    })?;
    rows.collect()
}

impl Select<Vec<String>> for SetsQuery {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<String>> {
        Ok(match self {
            Self::Of(sources) => sql.all(OF, [to_json(sources)], |row| row.get(0))?,
            Self::Showing(sources) => sql.all(SHOWING, [to_json(sources)], |row| row.get(0))?,
            Self::Purged => sql.all(PURGED, [], |row| row.get(0))?,
        })
    }
}

const OF: &str = "SELECT DISTINCT m.set_name FROM json_each(?1) j CROSS JOIN set_member m ON m.source_id = j.value
     ORDER BY m.set_name";
const SHOWING: &str = "SELECT f.name FROM file_set f WHERE EXISTS (SELECT 1 FROM edition_member m
         WHERE m.edition_id = f.published_edition_id AND m.source_id IN (SELECT value FROM json_each(?1)))
     ORDER BY f.name";
const PURGED: &str =
    "SELECT name FROM file_set WHERE published_edition_id IS NULL AND withdrawn_at IS NULL
         AND withdrawn_because IS NOT NULL ORDER BY name";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn members_are_found_by_their_set() {
        assert_plan(MEMBERS, &["SEARCH m"], &["SCAN"]);
    }
}
