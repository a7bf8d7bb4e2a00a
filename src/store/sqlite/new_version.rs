//! Appends a version as the newest of its source's history, with the checksum of its row.

use chrono::{DateTime, Utc};
use rusqlite::params;

use super::row::millis;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::version_row::{Place, last_ordinal};
use crate::domain::{BlobId, Digest, LastModified, SourceId, VersionId, VersionState};

/// A version to record; its blob is recorded already.
pub(super) struct NewVersion<'a> {
    pub(super) source_id: SourceId,
    pub(super) blob_id: BlobId,
    pub(super) digest: Digest,
    pub(super) name: &'a str,
    pub(super) media_type: Option<&'a str>,
    pub(super) last_modified: Option<&'a LastModified>,
    pub(super) fetched_at: DateTime<Utc>,
    pub(super) state: VersionState,
    pub(super) policy_revision: Option<i64>,
}

/// Appends a version to its source's history and returns its place. The caller stores it as newest in the source's
/// state.
pub(super) fn insert_version(
    transaction: &Transaction<'_>,
    version: &NewVersion<'_>,
) -> rusqlite::Result<Place> {
    let name = transaction.text_id(version.name)?;
    let media_type = version
        .media_type
        .map(|text| transaction.text_id(text))
        .transpose()?;
    let unreadable = match version.last_modified {
        Some(LastModified::Unreadable(text)) => Some(text),
        _ => None,
    };
    let place = next_place(transaction, version, name)?;
    transaction.execute(
        "INSERT INTO version (id, source_id, ordinal, blob_id, name_id, media_type_id, last_modified, last_modified_text,
             fetched_at, state, policy_revision, digest, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            place.id.0,
            version.source_id.0,
            place.ordinal,
            version.blob_id.0,
            name,
            media_type,
            version.last_modified.and_then(LastModified::time).map(millis),
            unreadable,
            place.fetched_at_ms,
            version.state.as_str(),
            version.policy_revision,
            version.digest.0,
            place.checksum(),
        ],
    )?;
    Ok(place)
}

/// Returns the place of the next version in its source's history.
fn next_place(
    transaction: &Transaction<'_>,
    version: &NewVersion<'_>,
    name_id: i64,
) -> rusqlite::Result<Place> {
    // The checksum covers the id, too: the one that AUTOINCREMENT gives.
    let (id, last) = transaction.only(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'version'), 0) + 1,
                 (SELECT max(ordinal) FROM version WHERE source_id = ?1)",
        [version.source_id.0],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let last = last_ordinal(transaction.sql, version.source_id, &last)?;
    let ordinal = last.map_or(0, |last| last.saturating_add(1));
    Ok(Place {
        id: VersionId(id),
        source_id: version.source_id,
        ordinal,
        blob_id: version.blob_id.0,
        name_id,
        fetched_at_ms: millis(version.fetched_at),
        state: version.state,
    })
}
