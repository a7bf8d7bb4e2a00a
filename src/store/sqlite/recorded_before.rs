//! An attempt recorded a second time: its worker never received the first answer.
//!
//! Never writes anything.

use rusqlite::params;

use super::failure::Outcome;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::version_row::place_by_id;
use crate::domain::{AttemptId, NewBlob, StoredBody, VersionId};
use crate::store::error::StoreError;
use crate::store::types::{AttemptRecord, AttemptResult, Recorded};

const LAST_RECORDED: &str = "SELECT a.id, a.version_id FROM source_state t CROSS JOIN attempt a ON a.source_id = t.source_id
     WHERE t.source_id = ?1 AND t.recorded_claim = row_checksum(?2, ?3) ORDER BY a.id DESC LIMIT 1";

/// Returns the first record's result if this attempt was the source's last, under the same claim. The state is the
/// present one: the version may have been judged since.
pub(super) fn recorded_before(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
) -> Outcome<Recorded> {
    let (attempt_id, version_id) = transaction
        .first(
            LAST_RECORDED,
            params![record.source_id.0, record.fence, record.worker.0],
            |row| {
                Ok((
                    AttemptId(row.get(0)?),
                    row.get::<_, Option<i64>>(1)?.map(VersionId),
                ))
            },
        )?
        .ok_or(StoreError::StaleClaim(record.source_id))?;
    let mut recorded = Recorded {
        attempt_id,
        version_id,
        first_state: None,
        blob_was_known: false,
    };
    if let (AttemptResult::New { blob, .. }, Some(version)) = (&record.result, version_id) {
        let (what, id) = ("version", version.0);
        let place = place_by_id(transaction.sql, version)?;
        let place = place.ok_or(StoreError::Missing { what, id })?;
        recorded.first_state = Some(place.state);
        recorded.blob_was_known = was_known(transaction, blob, place.blob_id, version)?;
    }
    Ok(recorded)
}

/// Reports whether a version's blob existed before the version: it has another object, or an earlier version has it.
fn was_known(
    transaction: &Transaction<'_>,
    blob: &NewBlob,
    id: i64,
    version: VersionId,
) -> rusqlite::Result<bool> {
    match &blob.body {
        StoredBody::Object(name) => transaction.any(
            "SELECT 1 FROM blob WHERE id = ?1 AND object IS NOT ?2",
            params![id, name],
        ),
        StoredBody::Inline(_) => transaction.any(
            "SELECT 1 FROM version WHERE blob_id = ?1 AND id < ?2",
            [id, version.0],
        ),
    }
}
