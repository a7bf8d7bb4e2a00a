//! The files that should lie at published paths, to compare with files that another catalogue published.

use rusqlite::{OptionalExtension as _, params};

use super::Store;
use super::sql_damage::{read_row, sound_rows};
use crate::domain::{Digest, SourceId, VersionId};
use crate::store::error::Result;
use crate::store::published_types::ExpectedFile;

impl Store {
    /// Returns the published path of every source that is not removed, by id. Damaged rows are left out
    /// ([`Store::damage`]).
    pub async fn expected_files(&self) -> Result<Vec<ExpectedFile>> {
        self.read_sound(|sql, damaged| {
            let mut statement = sql.prepare_cached(
                "SELECT s.id, s.published_path, v.id, v.digest FROM source s
                 JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = t.published_version_id
                 WHERE s.removed_at IS NULL ORDER BY s.id",
            )?;
            let rows = statement.query_map([], |row| {
                read_row("source", row, |columns| {
                    let (id, path) = (columns.get()?, columns.get()?);
                    let (version, digest) = (columns.optional()?, columns.optional()?);
                    Ok(ExpectedFile {
                        source_id: SourceId(id),
                        path,
                        published: version.map(VersionId).zip(digest.map(Digest)),
                    })
                })
            })?;
            Ok(sound_rows(rows, damaged)?)
        })
        .await
    }

    /// Returns a source's newest version with this content, if any.
    pub async fn version_with(
        &self,
        source: SourceId,
        content: Digest,
    ) -> Result<Option<VersionId>> {
        self.read(move |sql| {
            let found = sql
                .prepare_cached("SELECT max(id) FROM version WHERE source_id = ?1 AND digest = ?2")?
                .query_row(params![source.0, content.0], |row| {
                    row.get::<_, Option<i64>>(0)
                })
                .optional()?;
            Ok(found.flatten().map(VersionId))
        })
        .await
    }
}
