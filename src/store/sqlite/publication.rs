//! Finds published files that differ from what the states of their sources' versions demand.
//!
//! Every change that may affect a file updates a mark on its source (`publish_due`): what a crash left undone is found
//! without reading every source.

use rusqlite::{Connection, params};

use super::Store;
use super::damaged_state::of_state;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome, sound_one};
use super::left_file::end_left_at;
use super::rate_day::record_rates;
use super::row::{int, millis};
use super::select::{Damage, Select};
use super::source_row::source_by_id;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_words::failure_of;
use super::wanted_file::{Current, current, current_with, decide, wanted};
use crate::domain::{
    Action, DayRates, FileSeal, NewEvent, Publication, SourceId, Stamp, VersionId, event_of_file,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::{Result, StoreError};
use crate::store::published_types::{PublishFailure, PublishQuery, PublishTask};
use crate::store::query::Publications;

impl Store {
    /// Returns the files to publish or withdraw. A source with a damaged row is left out ([`Store::damage`]).
    pub async fn publish_tasks(&self, query: impl Into<PublishQuery>) -> Result<Vec<PublishTask>> {
        let query = query.into();
        self.read_sound(move |sql, damaged| match query {
            PublishQuery::Of(source) => {
                let task = sound_one(task(sql, source), damaged)?.flatten();
                Ok(task.into_iter().collect())
            }
            PublishQuery::Due {
                after,
                again,
                limit,
            } => due_tasks(sql, after, again, limit, damaged),
        })
        .await
    }

    /// Records the publication or withdrawal of a source's file and the file's look, with an event, and the currency rates
    /// that the file gives.
    ///
    /// # Errors
    ///
    /// [`crate::store::StoreError::Missing`] when the source was removed meanwhile: the file must be removed again.
    pub async fn record_publication(
        &self,
        source: SourceId,
        publication: Publication,
        seal: Option<FileSeal>,
        rates: Vec<DayRates>,
        stamp: Stamp,
    ) -> Result<()> {
        self.write(move |transaction| {
            write_publication(transaction, source, publication, seal, &rates, &stamp)
        })
        .await
    }

    /// Records the withdrawal of a source's file.
    pub async fn record_withdrawal(&self, source: SourceId, stamp: Stamp) -> Result<()> {
        self.record_publication(source, Publication::Withdraw, None, Vec::new(), stamp)
            .await
    }
}

impl Select<Vec<Publication>> for Publications {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<Publication>> {
        let publications = self.0.iter().map(|&source| {
            let decided = match current(sql, source) {
                Err(Failure::Refused(_)) => Ok(Publication::Keep),
                Err(error) => Err(error),
                Ok(current) => wanted(sql, &current),
            };
            // A damaged row never causes a write or a removal.
            Ok(sound_one(decided, damaged)?.unwrap_or(Publication::Keep))
        });
        publications.collect()
    }
}

// Not withdrawn: files of a killed process, which were seen by nobody or are gone, and those that a set shows.
const WRITE_PUBLISHED: &str =
    "UPDATE source_state SET published_version_id = ?2, publish_due = ?3, publish_error = NULL, publish_unsure = 0,
         published_size = ?4, published_mtime = ?5, published_inode = ?6, withdrawn_at = ?7, withdrawn_because = ?8
     WHERE source_id = ?1";
// Without INDEXED BY, SQLite would walk the whole table by id.
const DUE: &str = "SELECT source_id FROM source_state INDEXED BY source_state_publish
     WHERE publish_due = 1 AND source_id > ?1 AND (?3 OR publish_error IS NULL) ORDER BY source_id LIMIT ?2";
const MAYBE: &str =
    "SELECT source_id FROM source_state INDEXED BY source_state_unsure WHERE publish_unsure = 2";
const FAILURES: &str = "SELECT t.source_id, s.name, t.publish_error
     FROM source_state t INDEXED BY source_state_publish JOIN source s ON s.id = t.source_id
     WHERE t.publish_due = 1 AND t.publish_error IS NOT NULL ORDER BY t.source_id";

/// Returns the sources whose files could not be published or withdrawn, with the reasons, by id.
pub(super) fn publish_failures(
    sql: &Connection,
    damaged: &mut Vec<DamagedRow>,
) -> rusqlite::Result<Vec<PublishFailure>> {
    sql.sound("source", FAILURES, [], damaged, |columns| {
        Ok(PublishFailure {
            source_id: Some(SourceId(columns.get()?)),
            what: columns.get()?,
            why: columns.get()?,
        })
    })
}

fn due_tasks(
    sql: &Connection,
    after: SourceId,
    again: bool,
    limit: usize,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<PublishTask>> {
    let (mut tasks, mut after) = (Vec::new(), after.0);
    loop {
        let ids = sql.all::<i64>(DUE, params![after, int(limit), again], |row| row.get(0))?;
        for &id in &ids {
            tasks.extend(sound_one(task(sql, SourceId(id)), damaged)?.flatten());
        }
        // A share without a task is not the end of the list.
        match ids.last() {
            Some(last) if tasks.is_empty() => after = *last,
            _ => return Ok(tasks),
        }
    }
}

fn write_publication(
    transaction: &Transaction<'_>,
    source: SourceId,
    publication: Publication,
    seal: Option<FileSeal>,
    rates: &[DayRates],
    stamp: &Stamp,
) -> Outcome<()> {
    let published = publication.version();
    if publication == Publication::Keep {
        return Ok(());
    }
    let mut now = current(transaction.sql, source)?;
    let why = || why_withdrawn(transaction.sql, &now);
    let because = published.is_none().then(why).transpose()?;
    end_former_file(transaction, source, &now, stamp)?;
    let before = std::mem::replace(&mut now.published, published);
    now.is_unsure = false;
    let due = wanted(transaction.sql, &now)? != Publication::Keep;
    let is_gone = before.is_some() && !now.only_in_set;
    let gone = because.as_ref().filter(|_| is_gone);
    transaction.execute(
        WRITE_PUBLISHED,
        params![
            source.0,
            published.map(|id| id.0),
            due,
            seal.map(|seal| int(seal.size_bytes)),
            seal.map(|seal| seal.modified_ns),
            seal.map(|seal| seal.inode.cast_signed()),
            gone.map(|_| millis(stamp.at)),
            gone,
        ],
    )?;
    // A file that its set publishes from now on was not wrong.
    if !now.only_in_set {
        record_rates(transaction, source, (before, published), rates, stamp)?;
    }
    insert_file_event(transaction, source, (before, published), because, stamp)
}

/// Appends the event that a source's file was published, replaced or withdrawn, if it was.
fn insert_file_event(
    transaction: &Transaction<'_>,
    source: SourceId,
    (before, published): (Option<VersionId>, Option<VersionId>),
    because: Option<String>,
    stamp: &Stamp,
) -> Outcome<()> {
    if let Some(action) = event_of_file(before, published) {
        let event = NewEvent::of(action).version(published.or(before));
        insert_event(transaction, stamp, event.source(source).detail(because))?;
    }
    Ok(())
}

/// Records that a removed source's file no longer lies at this source's path, where it may have lain while the path was
/// unsure.
fn end_former_file(
    transaction: &Transaction<'_>,
    source: SourceId,
    now: &Current,
    stamp: &Stamp,
) -> Outcome<()> {
    if now.is_unsure {
        let path = source_by_id(transaction.sql, source)?.published_path;
        let because = format!("its path is that of source {source} by now");
        end_left_at(transaction, &path, &because, stamp)?;
    }
    Ok(())
}

/// Returns why the file at a source's own path is withdrawn.
fn why_withdrawn(sql: &Connection, current: &Current) -> Outcome<String> {
    if current.only_in_set {
        return Ok("it is published with its set from now on".to_owned());
    }
    let failure = match current.published {
        Some(version) => failure_of(sql, version)?,
        None => None,
    };
    Ok(failure.map_or_else(
        || "no version of it is good any more".to_owned(),
        |failure| format!("failed by {failure}"),
    ))
}

/// Stores why a source's file could not be published or withdrawn. Only the first failure after a success appends an
/// event.
pub(super) fn note_failure(
    transaction: &Transaction<'_>,
    source: SourceId,
    why: &str,
    stamp: &Stamp,
) -> Outcome<()> {
    let current = match current(transaction.sql, source) {
        Err(Failure::Refused(_)) => return Ok(()),
        other => other?,
    };
    let version = match wanted(transaction.sql, &current)? {
        // The file is right by now, or need not be.
        Publication::Keep => return Ok(()),
        Publication::Publish(version) => Some(version),
        Publication::Withdraw => current.published,
    };
    let update = "UPDATE source_state SET publish_error = ?2, publish_due = 1 WHERE source_id = ?1";
    let updated = transaction.execute(update, params![source.0, why]);
    updated.map_err(|error| of_state(transaction.sql, source, error))?;
    if !current.has_failed {
        let event = NewEvent::of(Action::PublishFailed).source(source);
        let event = event.version(version).detail(why.to_owned());
        insert_event(transaction, stamp, event)?;
    }
    Ok(())
}

/// Marks the source when its file has to change, and removes the mark when the file is right.
///
/// A mark removed before any record may hide a file that a killed process has written: the next pass checks it.
pub(super) fn refresh_publication(transaction: &Transaction<'_>, source: SourceId) -> Outcome<()> {
    let due = match is_file_due(transaction, source, None) {
        // A removed source's file went with it.
        Err(Failure::Refused(_)) => return Ok(()),
        other => other?,
    };
    let query = if due {
        "UPDATE source_state SET publish_due = 1 WHERE source_id = ?1 AND publish_due = 0"
    } else {
        "UPDATE source_state SET publish_due = 0, publish_error = NULL, publish_unsure = 2
         WHERE source_id = ?1 AND publish_due = 1"
    };
    transaction.execute(query, [source.0])?;
    Ok(())
}

/// Returns whether a source's file has to change, given its `newest` version, or else the recorded one.
pub(super) fn is_file_due(
    transaction: &Transaction<'_>,
    source: SourceId,
    newest: Option<VersionId>,
) -> Outcome<bool> {
    let current = current_with(transaction.sql, source, newest)?;
    match decide(transaction.sql, &current) {
        // Nothing is done then, but every pass reports the damage.
        Err(error) if error.is_damage() => Ok(true),
        decided => Ok(decided? != Publication::Keep),
    }
}

/// Reports whether a killed process may have written files without recording them.
pub(super) fn are_files_unsure(sql: &Connection) -> rusqlite::Result<bool> {
    sql.any(MAYBE, [])
}

/// Marks the sources whose files a killed process may have written without recording them.
pub(super) fn be_all_unsure(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let query = format!(
        "UPDATE source_state SET publish_unsure = 1, publish_due = 1 WHERE source_id IN ({MAYBE})"
    );
    transaction.update_states(&query, [])
}

/// Publishes the source's file once more, if there is one; of a dated source, those of its days.
pub(super) fn publish_again(transaction: &Transaction<'_>, source: SourceId) -> Outcome<()> {
    transaction.execute(
        "UPDATE source_state SET publish_unsure = 1, publish_due = 1
         WHERE source_id IN (SELECT id FROM source WHERE id = ?1 OR series_id = ?1) AND published_version_id IS NOT NULL",
        [source.0],
    )?;
    Ok(())
}

/// Marks the source because the file at its path may differ from the recorded one.
pub(super) fn be_unsure(transaction: &Transaction<'_>, source: SourceId) -> Outcome<()> {
    transaction.execute(
        "UPDATE source_state SET publish_unsure = 1, publish_due = 1 WHERE source_id = ?1",
        [source.0],
    )?;
    Ok(())
}

fn task(sql: &Connection, id: SourceId) -> Outcome<Option<PublishTask>> {
    let current = match current(sql, id) {
        Err(Failure::Refused(_)) => return Ok(None),
        other => other?,
    };
    let publication = match decide(sql, &current) {
        Err(error) if error.is_damage() => match current.published {
            Some(version) if current.is_unsure => Publication::Publish(version),
            // The reader of the tasks reports why nothing is done.
            _ => return Err(of_source(sql, id, error)),
        },
        decided => decided?,
    };
    if publication == Publication::Keep {
        return Ok(None);
    }
    Ok(Some(PublishTask {
        source: source_by_id(sql, id)?,
        publication,
    }))
}

/// Adds the source to the damage that blocks its file.
fn of_source(sql: &Connection, id: SourceId, failure: Failure) -> Failure {
    let Some(row) = failure.damaged_row() else {
        return failure;
    };
    let name = sql
        .prepare_cached("SELECT name FROM source WHERE id = ?1")
        .and_then(|mut statement| statement.query_row([id.0], |row| row.get(0)));
    let source = name.ok();
    StoreError::DamagedRow(Box::new(DamagedRow { source, ..row })).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn files_that_wait_are_found_by_index() {
        assert_plan(DUE, &["source_state_publish"], &["TEMP B-TREE"]);
    }
}
