//! Which published files are not as the states of their sources' versions demand.
//!
//! A mark on the source (`publish_due`) is kept with every change that may set it, so that what a crash left undone is
//! found without looking at every source.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::error::{Failure, Result, found};
use super::event::insert_event;
use super::row::{Columns, int};
use super::source::source_by_id;
use super::transaction::Transaction;
use super::types::PublishTask;
use crate::domain::{
    Action, Publication, PublishPolicy, SourceId, Stamp, VersionId, VersionState, publication_for,
};

impl Store {
    /// Returns what has to be published or withdrawn, for sources with an id after `after`, by id.
    pub async fn publish_due(&self, after: SourceId, limit: usize) -> Result<Vec<PublishTask>> {
        self.read(move |sql| {
            let ids = sql
                .prepare_cached(DUE)?
                .query_map([after.0, int(limit)], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            ids.into_iter()
                .filter_map(|id| task(sql, SourceId(id)).transpose())
                .collect()
        })
        .await
    }

    /// Returns what has to happen to one source's file; nothing when it is right.
    pub async fn publication(&self, source: SourceId) -> Result<Option<PublishTask>> {
        self.read(move |sql| task(sql, source)).await
    }

    /// Returns what has to happen to the files of these sources, in their order, read at one moment;
    /// [`Publication::Keep`] for one that was removed.
    pub async fn publications(&self, sources: Vec<SourceId>) -> Result<Vec<Publication>> {
        self.read(move |sql| {
            sources
                .iter()
                .map(|&source| match current(sql, source) {
                    Err(Failure::Refused(_)) => Ok(Publication::Keep),
                    other => wanted(sql, source, &other?),
                })
                .collect()
        })
        .await
    }

    /// Records what was done to a source's file, with its event.
    ///
    /// # Errors
    ///
    /// [`super::StoreError::Missing`] when the source was removed meanwhile: the file has to go again.
    pub async fn record_publication(
        &self,
        source: SourceId,
        publication: Publication,
        stamp: Stamp,
    ) -> Result<()> {
        self.write(move |transaction| write_publication(transaction, source, publication, &stamp))
            .await
    }
}

// Without INDEXED BY, SQLite would walk the whole table by id.
const DUE: &str = "SELECT source_id FROM source_state INDEXED BY source_state_publish
     WHERE publish_due = 1 AND source_id > ?1 ORDER BY source_id LIMIT ?2";

fn write_publication(
    transaction: &Transaction<'_>,
    source: SourceId,
    publication: Publication,
    stamp: &Stamp,
) -> std::result::Result<(), Failure> {
    let (action, published) = match publication {
        Publication::Keep => return Ok(()),
        Publication::Publish(version) => (Action::Published, Some(version)),
        Publication::Withdraw => (Action::Withdrawn, None),
    };
    let mut now = current(transaction.sql, source)?;
    let before = std::mem::replace(&mut now.published, published);
    let due = wanted(transaction.sql, source, &now)? != Publication::Keep;
    transaction.execute(
        "UPDATE source_state SET published_version_id = ?2, publish_due = ?3 WHERE source_id = ?1",
        params![source.0, published.map(|id| id.0), due],
    )?;
    let version = published.or(before);
    insert_event(transaction, stamp, action, Some(source), version, None)?;
    Ok(())
}

/// Marks the source when its file has to change, and takes the mark away when it is right.
pub(super) fn refresh_publication(
    transaction: &Transaction<'_>,
    source: SourceId,
) -> std::result::Result<(), Failure> {
    let current = match current(transaction.sql, source) {
        // The file of a source that was removed has gone with it.
        Err(Failure::Refused(_)) => return Ok(()),
        other => other?,
    };
    let due = wanted(transaction.sql, source, &current)? != Publication::Keep;
    transaction.execute(
        "UPDATE source_state SET publish_due = ?2 WHERE source_id = ?1 AND publish_due <> ?2",
        params![source.0, due],
    )?;
    Ok(())
}

/// What decides about a source's file, as a rule without a look at its older versions.
struct Current {
    /// Then only the set's folder holds its file.
    in_set: bool,
    policy: PublishPolicy,
    published: Option<VersionId>,
    newest: Option<Candidate>,
}

/// A version that may be the one to publish.
#[derive(Clone, Copy)]
struct Candidate {
    id: VersionId,
    state: VersionState,
    ordinal: i64,
}

fn current(sql: &Connection, source: SourceId) -> std::result::Result<Current, Failure> {
    let row = sql
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM set_member m WHERE m.source_id = s.id), s.publish, t.published_version_id,
                 v.id, v.state, v.ordinal
             FROM source s JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = t.version_id
             WHERE s.id = ?1 AND s.removed_at IS NULL",
        )?
        .query_row([source.0], |row| {
            let mut columns = Columns::new(row);
            Ok(Current {
                in_set: columns.get()?,
                policy: columns.word()?,
                published: columns.optional()?.map(VersionId),
                newest: match columns.optional()?.map(VersionId) {
                    Some(id) => Some(read_candidate(id, &mut columns)?),
                    None => None,
                },
            })
        });
    found(row, "source", source.0)
}

fn wanted(
    sql: &Connection,
    source: SourceId,
    current: &Current,
) -> std::result::Result<Publication, Failure> {
    if current.in_set {
        return Ok(match current.published {
            Some(_) => Publication::Withdraw,
            None => Publication::Keep,
        });
    }
    let mut last: Option<Candidate> = None;
    let mut failure = None;
    // As a rule the newest version decides, which is known already.
    let newest_first = std::iter::from_fn(|| {
        last = match last {
            None => current.newest,
            Some(last) => before(sql, source, last.ordinal).unwrap_or_else(|error| {
                failure = Some(error);
                None
            }),
        };
        last.map(|candidate| (candidate.id, candidate.state))
    });
    let publication = publication_for(current.policy, newest_first, current.published);
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(publication),
    }
}

/// Returns the version before the one with this ordinal.
fn before(sql: &Connection, source: SourceId, ordinal: i64) -> rusqlite::Result<Option<Candidate>> {
    sql.prepare_cached(
        "SELECT id, state, ordinal FROM version WHERE source_id = ?1 AND ordinal < ?2 ORDER BY ordinal DESC LIMIT 1",
    )?
    .query_row([source.0, ordinal], |row| {
        let mut columns = Columns::new(row);
        read_candidate(VersionId(columns.get()?), &mut columns)
    })
    .optional()
}

fn read_candidate(id: VersionId, columns: &mut Columns<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        id,
        state: columns.word()?,
        ordinal: columns.get()?,
    })
}

fn task(sql: &Connection, id: SourceId) -> std::result::Result<Option<PublishTask>, Failure> {
    let current = match current(sql, id) {
        Err(Failure::Refused(_)) => return Ok(None),
        other => other?,
    };
    let publication = wanted(sql, id, &current)?;
    if publication == Publication::Keep {
        return Ok(None);
    }
    Ok(Some(PublishTask {
        source: source_by_id(sql, id)?,
        publication,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::query_plan;

    #[test]
    fn files_that_wait_are_found_by_index() {
        let plan = query_plan(DUE);
        assert!(plan.contains("source_state_publish"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
