//! Deletes a source with its history, and stored bytes that nothing else needs; they are overwritten in the catalogue's
//! file and its write-ahead log.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::Store;
use super::blob::delete_unneeded;
use super::edition::delete_editions_with;
use super::failure::Outcome;
use super::row::to_json;
use super::select::{Damage, Select};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Action, BlobId, Digest, EditionId, Source};
use crate::store::error::Result;
use crate::store::query::{ContentsOf, DeletedEditions, PurgedAt};

impl Store {
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

impl Select<Option<DateTime<Utc>>> for PurgedAt {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<DateTime<Utc>>> {
        let parameters = params![Action::SourcePurged.as_str(), self.0];
        let at: Option<i64> = sql.only(LAST_PURGE, parameters, |row| row.get(0))?;
        Ok(at.and_then(DateTime::from_timestamp_millis))
    }
}

impl Select<HashSet<EditionId>> for DeletedEditions {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<HashSet<EditionId>> {
        let ids = sql.all(DELETED_EDITIONS, [to_json(&self.0)], |row| row.get(0))?;
        Ok(ids.into_iter().map(EditionId).collect())
    }
}

impl Select<HashSet<(u64, Digest)>> for ContentsOf {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<HashSet<(u64, Digest)>> {
        let contents = sql.all(CONTENTS, [to_json(&self.0)], |row| {
            let (size, digest) = (row.get::<_, i64>(0), row.get(1));
            Ok(size.ok().zip(digest.ok()))
        })?;
        let contents = contents.into_iter().flatten();
        Ok(contents
            .map(|(size, digest)| (size.unsigned_abs(), Digest(digest)))
            .collect())
    }
}

const CONTENTS: &str =
    "SELECT DISTINCT b.size_bytes, b.digest FROM version v CROSS JOIN blob b ON b.id = v.blob_id
     WHERE v.source_id IN (SELECT value FROM json_each(?1))";
const LAST_PURGE: &str =
    "SELECT max(e.at) FROM event e NOT INDEXED CROSS JOIN text w ON w.id = e.action_id
     WHERE w.value = ?1 AND e.detail = ?2";
// SQLite's table of sequences has the highest id ever given.
const DELETED_EDITIONS: &str =
    "SELECT j.value FROM json_each(?1) j CROSS JOIN sqlite_sequence q ON q.name = 'edition'
     WHERE j.value <= q.seq AND NOT EXISTS (SELECT 1 FROM edition e WHERE e.id = j.value)";

/// Deletes a source with all its rows. Returns the names of the objects that no blob names any more.
pub(super) fn purge(
    transaction: &Transaction<'_>,
    source: &Source,
    at: DateTime<Utc>,
) -> Outcome<Vec<String>> {
    let blobs = transaction.all(
        "SELECT DISTINCT blob_id FROM version WHERE source_id = ?1",
        [source.id.0],
        |row| row.get(0).map(BlobId),
    )?;
    delete_editions_with(transaction, source)?;
    for sql in [
        "DELETE FROM set_member WHERE source_id = ?1",
        "DELETE FROM removed_file WHERE source_id = ?1",
        "DELETE FROM refusal WHERE source_id = ?1",
        "DELETE FROM verdict WHERE version_id IN (SELECT id FROM version WHERE source_id = ?1)",
        "DELETE FROM rate_day WHERE source_id = ?1",
        "DELETE FROM rate_day WHERE version_id IN (SELECT id FROM version WHERE source_id = ?1)",
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
