//! The end of a source with its history, and of the stored bytes that nothing else needs.

use super::blob::delete_unneeded;
use super::edition::delete_editions_with;
use super::error::Failure;
use super::transaction::Transaction;
use crate::domain::{BlobId, Source};

/// Deletes a source and all that is recorded of it. Returns the names of the objects that no blob names any more.
pub(super) fn purge(
    transaction: &Transaction<'_>,
    source: &Source,
) -> std::result::Result<Vec<String>, Failure> {
    let blobs = transaction
        .sql
        .prepare_cached("SELECT DISTINCT blob_id FROM version WHERE source_id = ?1")?
        .query_map([source.id.0], |row| row.get(0).map(BlobId))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    delete_editions_with(transaction, source)?;
    for sql in [
        "DELETE FROM set_member WHERE source_id = ?1",
        "DELETE FROM removed_file WHERE source_id = ?1",
        "DELETE FROM verdict WHERE version_id IN (SELECT id FROM version WHERE source_id = ?1)",
        "DELETE FROM attempt WHERE source_id = ?1",
        "DELETE FROM event WHERE source_id = ?1",
        "DELETE FROM told WHERE source_id = ?1",
        "DELETE FROM version WHERE source_id = ?1",
        "DELETE FROM source_state WHERE source_id = ?1",
        "DELETE FROM source WHERE id = ?1",
    ] {
        transaction.execute(sql, [source.id.0])?;
    }
    Ok(delete_unneeded(transaction, blobs)?)
}
