//! Deletes a source with its history, and stored bytes that nothing else needs; they are overwritten in the catalogue's
//! file and its write-ahead log.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::params;

use super::Store;
use super::blob::delete_unneeded;
use super::edition::delete_editions_with;
use super::failure::Failure;
use super::row::to_json;
use super::transaction::Transaction;
use crate::domain::{Action, BlobId, Digest, EditionId, Source, SourceId};
use crate::store::error::Result;

impl Store {
    /// Returns size in bytes and digest of every version of these sources. Unreadable rows are left out.
    pub async fn contents_of(&self, sources: Vec<SourceId>) -> Result<HashSet<(u64, Digest)>> {
        self.read(move |sql| {
            let mut statement = sql.prepare_cached(
                "SELECT DISTINCT b.size_bytes, b.digest FROM version v CROSS JOIN blob b ON b.id = v.blob_id
                 WHERE v.source_id IN (SELECT value FROM json_each(?1))",
            )?;
            let rows = statement.query_map([to_json(&sources)], |row| {
                let size: i64 = row.get(0)?;
                Ok((size.unsigned_abs(), row.get(1).map(Digest)?))
            })?;
            Ok(rows.flatten().collect())
        })
        .await
    }

    /// Returns those of these editions that the catalogue once had and has deleted.
    pub async fn deleted_editions(&self, ids: Vec<EditionId>) -> Result<HashSet<EditionId>> {
        self.read(move |sql| {
            // SQLite's table of sequences has the highest id ever given.
            let mut statement = sql.prepare_cached(
                "SELECT j.value FROM json_each(?1) j CROSS JOIN sqlite_sequence q ON q.name = 'edition'
                 WHERE j.value <= q.seq AND NOT EXISTS (SELECT 1 FROM edition e WHERE e.id = j.value)",
            )?;
            let rows = statement.query_map([to_json(&ids)], |row| row.get(0).map(EditionId))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns when the last source with this name was purged; `None` when none was.
    pub async fn purged_at(&self, name: String) -> Result<Option<DateTime<Utc>>> {
        self.read(move |sql| {
            let at = sql
                .prepare_cached("SELECT max(e.at) FROM event e NOT INDEXED CROSS JOIN text w ON w.id = e.action_id
                     WHERE w.value = ?1 AND e.detail = ?2")?
                .query_row(params![Action::SourcePurged.as_str(), name], |row| {
                    row.get::<_, Option<i64>>(0)
                })?;
            Ok(at.and_then(DateTime::from_timestamp_millis))
        })
        .await
    }

    /// Sets whether later deletions are overwritten with zeros wholly, freed pages too, or only in pages that are
    /// written anyway. The first needs as much room in the write-ahead log as is deleted.
    pub async fn overwrite_deleted(&self, wholly: bool) -> Result<()> {
        let mode = if wholly { "ON" } else { "FAST" };
        self.write(move |transaction| {
            Ok(transaction.sql.pragma_update(None, "secure_delete", mode)?)
        })
        .await
    }
}

/// Deletes a source with all its rows. Returns the names of the objects that no blob names any more.
pub(super) fn purge(
    transaction: &Transaction<'_>,
    source: &Source,
    at: DateTime<Utc>,
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
        "DELETE FROM refusal WHERE source_id = ?1",
        "DELETE FROM verdict WHERE version_id IN (SELECT id FROM version WHERE source_id = ?1)",
        "DELETE FROM attempt WHERE source_id = ?1",
        "DELETE FROM provenance WHERE source_id = ?1",
        "DELETE FROM former_address WHERE source_id = ?1",
        "DELETE FROM event WHERE source_id = ?1",
        "DELETE FROM told WHERE source_id = ?1",
        "DELETE FROM version WHERE source_id = ?1",
        "DELETE FROM source_state WHERE source_id = ?1",
        "DELETE FROM source WHERE id = ?1",
    ] {
        transaction.execute(sql, [source.id.0])?;
    }
    Ok(delete_unneeded(transaction, blobs, at)?)
}
