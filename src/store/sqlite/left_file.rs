//! Files of removed sources that consumers still find: their records stay until the files are gone.
//!
//! Never removes a file or looks for one.

use rusqlite::params;

use super::event_row::insert_event;
use super::row::millis;
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Action, NewEvent, Source, SourceId, Stamp, VersionId};

const LEFT_AT: &str = "SELECT s.id, t.published_version_id FROM source s CROSS JOIN source_state t ON t.source_id = s.id
     WHERE s.removed_at IS NOT NULL AND s.path_key = ?1 AND s.published_path = ?2 AND t.published_version_id IS NOT NULL";

/// Records that no removed source's file lies at this path any more: its withdrawal. Returns whether there was such a
/// file.
pub(super) fn end_left_at(
    transaction: &Transaction<'_>,
    path: &str,
    because: &str,
    stamp: &Stamp,
) -> rusqlite::Result<bool> {
    let left = transaction.all(LEFT_AT, params![path.to_lowercase(), path], |row| {
        Ok((SourceId(row.get(0)?), row.get(1).ok().map(VersionId)))
    })?;
    for &(source, version) in &left {
        end_left(transaction, source, version, because, stamp)?;
    }
    Ok(!left.is_empty())
}

/// The same for one source, if its file was left.
pub(super) fn end_left_file(
    transaction: &Transaction<'_>,
    source: &Source,
    because: &str,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    match source.state.published_version_id {
        Some(version) => end_left(transaction, source.id, Some(version), because, stamp),
        None => Ok(()),
    }
}

fn end_left(
    transaction: &Transaction<'_>,
    source: SourceId,
    version: Option<VersionId>,
    because: &str,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    forget_file(transaction, source)?;
    transaction.execute(
        "UPDATE source_state SET withdrawn_at = ?2, withdrawn_because = ?3 WHERE source_id = ?1",
        params![source.0, millis(stamp.at), because],
    )?;
    let event = NewEvent::of(Action::Withdrawn)
        .source(source)
        .version(version);
    insert_event(transaction, stamp, event.detail(because.to_owned())).map(drop)
}

/// Records that a source has no file at its path.
pub(super) fn forget_file(transaction: &Transaction<'_>, source: SourceId) -> rusqlite::Result<()> {
    let nothing = "UPDATE source_state SET published_version_id = NULL, published_size = NULL, published_mtime = NULL,
             published_inode = NULL WHERE source_id = ?1";
    transaction.execute(nothing, [source.0]).map(drop)
}

/// Deletes the recorded look of a source's file when another file may lie at its path.
pub(super) fn forget_unsure_looks(
    transaction: &Transaction<'_>,
    source: SourceId,
) -> rusqlite::Result<()> {
    let looks = "UPDATE source_state SET published_size = NULL, published_mtime = NULL, published_inode = NULL
         WHERE source_id = ?1 AND (publish_due <> 0 OR publish_unsure <> 0)";
    transaction.execute(looks, [source.0]).map(drop)
}

/// Reports whether a source's file lies at its path and its look is recorded.
pub(super) fn has_file(transaction: &Transaction<'_>, source: SourceId) -> rusqlite::Result<bool> {
    let known = "SELECT 1 FROM source_state WHERE source_id = ?1 AND published_version_id IS NOT NULL AND published_size IS NOT NULL";
    transaction.any(known, [source.0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn what_was_left_is_found_by_its_path() {
        assert_plan(LEFT_AT, &["source_removed_path (path_key=?)"], &["SCAN"]);
    }
}
