//! Published files of removed sources: each is a task until the file is gone.
//!
//! A path that another source takes over is that source's task: nothing here removes a present source's file.

use rusqlite::{Connection, params};

use super::event_row::insert_event;
use super::failure::Outcome;
use super::left_file::{end_left_at, has_file};
use super::publication::{be_unsure, publish_failures};
use super::select::{Damage, Select};
use super::sql_damage::{damaged_error, damaged_row_in};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Action, NewEvent, Source, SourceId, Stamp};
use crate::store::damaged_row::DamagedRow;
use crate::store::published_types::{LeftFile, PublishFailure};
use crate::store::query::{PublishFailures, Withdrawals};

// Named by its number when the path is damaged.
const LEFT: &str = "SELECT iif(typeof(path) = 'text', path, rowid), path, was_published FROM withdrawal WHERE ?1 OR problem IS NULL ORDER BY path";
const FAILED: &str = "SELECT iif(typeof(path) = 'text', path, rowid), path, problem FROM withdrawal WHERE problem IS NOT NULL ORDER BY path";

/// A present source has the path: only damage leaves a withdrawal of it, and the file is that source's.
const IS_TAKEN: &str =
    "SELECT 1 FROM source WHERE removed_at IS NULL AND path_key = ?1 AND published_path = ?2";

impl Select<Vec<PublishFailure>> for PublishFailures {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<PublishFailure>> {
        let mut all = publish_failures(sql, damaged)?;
        let left = failures(sql, damaged)?.into_iter();
        all.extend(left.map(|(what, why)| PublishFailure {
            source_id: None,
            what,
            why,
        }));
        Ok(all)
    }
}

impl Select<Vec<LeftFile>> for Withdrawals {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<LeftFile>> {
        let left = sql.sound("withdrawal", LEFT, [self.0], damaged, |columns| {
            columns.skip();
            Ok(LeftFile {
                path: columns.get()?,
                was_published: columns.get()?,
            })
        })?;
        let mut all = Vec::with_capacity(left.len());
        for one in left {
            if !sql.any(IS_TAKEN, params![one.path.to_lowercase(), one.path])? {
                all.push(one);
            }
        }
        Ok(all)
    }
}

/// Reads the paths whose removal failed, with the reasons.
pub(super) fn failures(
    sql: &Connection,
    damaged: &mut Vec<DamagedRow>,
) -> rusqlite::Result<Vec<(String, String)>> {
    sql.sound("withdrawal", FAILED, [], damaged, |columns| {
        columns.skip();
        Ok((columns.get()?, columns.get()?))
    })
}

/// Stores the look of a removed source's missing file: the file may come back with its file system.
const KEEP_LOOKS: &str = "INSERT OR REPLACE INTO left_file (path, size_bytes, modified_ns, inode)
     SELECT path, left_size, left_mtime, left_inode FROM withdrawal
     WHERE path = ?1 AND was_published = 1 AND (typeof(left_size), typeof(left_mtime), typeof(left_inode)) = ('integer', 'integer', 'integer')";

/// Records a try to remove a file: success, with whether a file was there, or the error. The first failure and its end
/// append an event.
pub(super) fn write_withdrawal(
    transaction: &Transaction<'_>,
    path: &str,
    outcome: &std::result::Result<bool, String>,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let had_failed = transaction.any(
        "SELECT 1 FROM withdrawal WHERE path = ?1 AND problem IS NOT NULL",
        [path],
    )?;
    let (action, detail) = match outcome {
        Ok(was_there) => {
            transaction.execute("DELETE FROM left_file WHERE path = ?1", [path])?;
            if !was_there {
                transaction.execute(KEEP_LOOKS, [path])?;
            }
            transaction.execute("DELETE FROM withdrawal WHERE path = ?1", [path])?;
            if end_left_at(transaction, path, "the source was removed", stamp)? {
                return Ok(());
            }
            (Action::Withdrawn, path.to_owned())
        }
        Err(why) => {
            let update = "UPDATE withdrawal SET problem = ?2 WHERE path = ?1";
            let updated = transaction.execute(update, params![path, why]);
            updated.map_err(|error| of_withdrawal(path, error))?;
            (
                Action::PublishFailed,
                format!("{path} of a removed source is still there: {why}"),
            )
        }
    };
    // A purged source's last event is its purge.
    if had_failed == outcome.is_ok() {
        insert_event(transaction, stamp, NewEvent::of(action).detail(detail))?;
    }
    Ok(())
}

/// Names the row in an error about a value of it that an update does not change.
fn of_withdrawal(path: &str, error: rusqlite::Error) -> rusqlite::Error {
    match damaged_row_in(&error) {
        Some(row) => damaged_error(DamagedRow {
            table: "withdrawal",
            id: format!("`{path}`"),
            ..row
        }),
        None => error,
    }
}

/// Schedules the removal of a source's published file: the recorded one, or one that a killed process may have left.
pub(super) fn leave_to_withdraw(
    transaction: &Transaction<'_>,
    source: &Source,
) -> rusqlite::Result<()> {
    let state = &source.state;
    if state.published_version_id.is_some() || state.publish_due {
        transaction.execute(
            "INSERT INTO withdrawal (path, path_key, was_published) SELECT ?1, ?2, ?4
             WHERE NOT EXISTS (SELECT 1 FROM source WHERE removed_at IS NULL AND path_key = ?2 AND id <> ?3)
             ON CONFLICT DO NOTHING",
            params![
                source.published_path,
                source.published_path.to_lowercase(),
                source.id.0,
                state.published_version_id.is_some(),
            ],
        )?;
    }
    Ok(())
}

/// Stores the look of the file that a source leaves.
pub(super) fn keep_looks(transaction: &Transaction<'_>, source: &Source) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE withdrawal SET (left_size, left_mtime, left_inode) = (SELECT published_size, published_mtime, published_inode
             FROM source_state WHERE source_id = ?2)
         WHERE path = ?1 AND left_size IS NULL",
        params![source.published_path, source.id.0],
    )?;
    Ok(())
}

/// Lets a source take over its path from a removed source whose file still lies there, to be replaced or removed as its
/// own. A restored source takes over its own former file unchanged.
pub(super) fn take_over_path(
    transaction: &Transaction<'_>,
    source: SourceId,
    path: &str,
) -> Outcome<()> {
    let failed = "SELECT 1 FROM withdrawal WHERE path = ?1 AND problem IS NOT NULL";
    let has_failed = transaction.any(failed, [path])?;
    let taken = transaction.execute("DELETE FROM withdrawal WHERE path = ?1", [path])?;
    transaction.execute("DELETE FROM left_file WHERE path = ?1", [path])?;
    if taken > 0 && (has_failed || !has_file(transaction, source)?) {
        be_unsure(transaction, source)?;
    }
    Ok(())
}

/// Reports whether a file at this path is to be removed.
pub(super) fn is_to_withdraw(transaction: &Transaction<'_>, path: &str) -> rusqlite::Result<bool> {
    let mut found = transaction
        .sql
        .prepare_cached("SELECT 1 FROM withdrawal WHERE path = ?1")?;
    found.exists([path])
}

/// Reports whether a file that is to be removed blocks this path; one at the same path does not.
pub(super) fn stands_in_the_way(
    transaction: &Transaction<'_>,
    path: &str,
) -> rusqlite::Result<bool> {
    let key = path.to_lowercase();
    let mut same = transaction
        .sql
        .prepare_cached("SELECT 1 FROM withdrawal WHERE path_key = ?1 AND path <> ?2")?;
    let folders = key.match_indices('/').map(|(end, _)| &key[..end]);
    for candidate in folders.chain([key.as_str()]) {
        if same.exists([candidate, path])? {
            return Ok(true);
        }
    }
    // `0` is the character after `/`.
    transaction.any(
        "SELECT 1 FROM withdrawal WHERE path_key > ?1 || '/' AND path_key < ?1 || '0'",
        [&key],
    )
}
