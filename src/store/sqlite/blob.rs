//! Blobs: one stored form per digest, and the chains of deltas that lead to a blob stored whole.
//!
//! Never encodes or decodes: the archive does.

use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome};
use super::pending_object::{abandon, settle};
use super::row::{Columns, int};
use super::select::{Damage, Select};
use super::sql_damage::named;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::version_row::{damaged, place_by_id};
use crate::domain::{
    Action, BlobForm, BlobId, BlobLink, Digest, NewBlob, NewEvent, SourceId, Stamp, StoredBody,
    VersionId,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::{Result, StoreError};
use crate::store::query::UnnamedObjects;
use crate::store::version_query::ChainOf;

impl Store {
    /// Returns the chain of stored forms for a content: its own blob first, a blob stored whole last.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when there is no such version, [`StoreError::Damaged`] when the chain leads to a content
    /// with another digest than the version had when it was read.
    pub async fn chain(&self, of: impl Into<ChainOf>) -> Result<Vec<BlobLink>> {
        let of = of.into();
        self.read_with(move |sql| match of {
            ChainOf::Ordinal { source, ordinal } => chain_of_ordinal(sql, source, ordinal),
            ChainOf::Version { id, digest } => chain_of_version(sql, id, digest),
        })
        .await
    }

    /// Replaces the damaged stored form of a content by a whole one. Returns the name of the object that is no longer
    /// needed.
    ///
    /// Deltas against this blob stay valid: they depend on its content, not on its stored form.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when there is no such blob with this content.
    pub async fn replace_blob(
        &self,
        version: VersionId,
        blob: NewBlob,
        stamp: Stamp,
    ) -> Result<Option<String>> {
        self.write(move |transaction| {
            let (id, source, object) = transaction.first(BLOB_OF, params![version.0, blob.digest.0], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?))
                })?
                .ok_or(StoreError::Missing { what: "blob of version", id: version.0 })?;
            let (new_object, body) = body_columns(&blob.body);
            transaction.execute(
                "UPDATE blob SET form = ?2, base_id = NULL, depth = 0, stored_bytes = ?3, object = ?4, body = ?5
                 WHERE id = ?1",
                params![id, form_word(blob.form), int(blob.stored_bytes), new_object, body],
            )?;
            settle(transaction, &blob.body, true)?;
            abandon(transaction, &object, stamp.at)?;
            let event = NewEvent::of(Action::Healed).source(SourceId(source)).version(version);
            insert_event(transaction, &stamp, event)?;
            Ok(object)
        })
        .await
    }
}

impl Select<Vec<String>> for UnnamedObjects {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<String>> {
        let mut named = sql.prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM blob WHERE object = ?2 AND id IN ({BY_DIGEST}))
                 OR EXISTS (SELECT 1 FROM kept_object WHERE name = ?2)
                 OR EXISTS (SELECT 1 FROM pending_object WHERE name = ?2)"
        ))?;
        let mut unnamed = Vec::new();
        for (digest, object) in &self.0 {
            if !named.query_row(params![digest.0, object], |row| row.get(0))? {
                unnamed.push(object.clone());
            }
        }
        Ok(unnamed)
    }
}

const BLOB_OF: &str =
    "SELECT b.id, v.source_id, b.object FROM version v JOIN blob b ON b.id = v.blob_id
     WHERE v.id = ?1 AND b.digest = ?2";

fn chain_of_ordinal(sql: &Connection, source: SourceId, ordinal: u64) -> Outcome<Vec<BlobLink>> {
    let blob = sql.first(
        "SELECT blob_id FROM version WHERE source_id = ?1 AND ordinal = ?2",
        [source.0, int(ordinal)],
        |row| row.get(0),
    )?;
    let missing = StoreError::Missing {
        what: "version with the ordinal",
        id: int(ordinal),
    };
    chain(sql, BlobId(blob.ok_or(missing)?))
}

fn chain_of_version(sql: &Connection, id: VersionId, digest: Digest) -> Outcome<Vec<BlobLink>> {
    let missing = StoreError::Missing {
        what: "version",
        id: id.0,
    };
    let place = place_by_id(sql, id)?.ok_or(missing)?;
    let chain = chain(sql, BlobId(place.blob_id))?;
    match chain.first() {
        Some(link) if link.digest == digest => Ok(chain),
        _ => Err(damaged(id, "it names a blob of other content")),
    }
}

fn body_columns(body: &StoredBody) -> (Option<&String>, Option<&Vec<u8>>) {
    match body {
        StoredBody::Inline(bytes) => (None, Some(bytes)),
        StoredBody::Object(name) => (Some(name), None),
    }
}
const BY_DIGEST: &str =
    "SELECT id FROM blob WHERE substr(digest, 1, 8) = substr(?1, 1, 8) AND digest = ?1";

/// Records a blob unless its content is stored already. Returns the blob's id and whether it was stored already.
pub(super) fn insert_blob(
    transaction: &Transaction<'_>,
    blob: &NewBlob,
) -> rusqlite::Result<(BlobId, bool)> {
    let known = transaction.first(BY_DIGEST, [blob.digest.0], |row| row.get(0))?;
    settle(transaction, &blob.body, known.is_none())?;
    if let Some(id) = known {
        return Ok((BlobId(id), true));
    }
    let (object, body) = body_columns(&blob.body);
    let id = transaction.insert(
        "INSERT INTO blob (digest, size_bytes, form, base_id, depth, stored_bytes, object, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            blob.digest.0,
            int(blob.size_bytes),
            form_word(blob.form),
            blob.base.map(|id| id.0),
            blob.depth,
            int(blob.stored_bytes),
            object,
            body
        ],
    )?;
    Ok((BlobId(id), false))
}

/// Deletes the `candidates` that no version and no other blob needs, then bases that only those needed. Returns the
/// names of their objects, which are pending until their files are in the trash.
pub(super) fn delete_unneeded(
    transaction: &Transaction<'_>,
    candidates: Vec<BlobId>,
    at: DateTime<Utc>,
) -> rusqlite::Result<Vec<String>> {
    let mut objects = Vec::new();
    let mut candidates = candidates;
    // A delta is younger than its base: youngest first, most bases are free when their turn comes.
    candidates.sort_unstable();
    while let Some(id) = candidates.pop() {
        let deleted = transaction.first(
            "DELETE FROM blob WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM version WHERE blob_id = ?1)
                 AND NOT EXISTS (SELECT 1 FROM blob WHERE base_id = ?1)
                 RETURNING base_id, object",
            [id.0],
            |row| {
                Ok((
                    row.get::<_, Option<i64>>(0)?,
                    row.get::<_, Option<String>>(1)?,
                ))
            },
        )?;
        if let Some((base, object)) = deleted {
            candidates.extend(base.map(BlobId));
            objects.extend(object);
        }
    }
    abandon(transaction, &objects, at)?;
    Ok(objects)
}

fn chain(sql: &Connection, first: BlobId) -> Outcome<Vec<BlobLink>> {
    let mut statement = sql.prepare_cached(
        "SELECT digest, size_bytes, form, depth, object, body, base_id FROM blob WHERE id = ?1",
    )?;
    let mut links: Vec<BlobLink> = Vec::new();
    let mut next = Some(first);
    while let Some(id) = next {
        let link = statement.query_row([id.0], |row| {
            let link = read_link(id, &mut Columns::new(row));
            link.map_err(|error| named("blob", id.to_string(), row, error))
        });
        let (link, base) = link
            .optional()?
            .ok_or_else(|| damaged_blob(id, "it is missing"))?;
        // A base has a smaller depth than its delta: this ends the loop in a damaged catalogue with a cycle.
        if links.last().is_some_and(|last| last.depth <= link.depth) {
            return Err(damaged_blob(id, "it is no base for a delta"));
        }
        links.push(link);
        next = base;
    }
    Ok(links)
}

fn damaged_blob(id: BlobId, reason: &str) -> Failure {
    let row = DamagedRow {
        table: "blob",
        id: id.to_string(),
        source: None,
        reason: reason.to_owned(),
    };
    StoreError::DamagedRow(Box::new(row)).into()
}

fn read_link(
    id: BlobId,
    columns: &mut Columns<'_>,
) -> rusqlite::Result<(BlobLink, Option<BlobId>)> {
    let digest = Digest(columns.get()?);
    let size_bytes = columns.count()?;
    let form = read_form(columns)?;
    let depth = columns.count()?;
    let object: Option<String> = columns.get()?;
    let body: Option<Vec<u8>> = columns.get()?;
    let body = match object {
        Some(name) => StoredBody::Object(name),
        None => StoredBody::Inline(body.unwrap_or_default()),
    };
    let link = BlobLink {
        id,
        digest,
        size_bytes,
        form,
        depth,
        body,
    };
    Ok((link, columns.optional()?.map(BlobId)))
}

fn read_form(columns: &mut Columns<'_>) -> rusqlite::Result<BlobForm> {
    let word: String = columns.get()?;
    [BlobForm::Raw, BlobForm::Zstd, BlobForm::Delta]
        .into_iter()
        .find(|form| form_word(*form) == word)
        .ok_or_else(|| columns.malformed(Type::Text, "not the form of a blob"))
}

fn form_word(form: BlobForm) -> &'static str {
    match form {
        BlobForm::Raw => "raw",
        BlobForm::Zstd => "zstd",
        BlobForm::Delta => "delta",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn known_content_is_found_by_index() {
        assert_plan(BY_DIGEST, &["USING INDEX blob_digest"], &[]);
    }
}
