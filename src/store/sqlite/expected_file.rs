//! The files that should lie at published paths, to compare with files that another catalogue published.

use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::select::{Damage, Select};
use super::statements::Statements as _;
use crate::domain::{Digest, SourceId, VersionId};
use crate::store::published_types::ExpectedFile;
use crate::store::query::{ExpectedFiles, VersionWith};

const EXPECTED: &str = "SELECT s.id, s.published_path, v.id, v.digest FROM source s
     JOIN source_state t ON t.source_id = s.id LEFT JOIN version v ON v.id = t.published_version_id
     WHERE s.removed_at IS NULL ORDER BY s.id";

impl Select<Option<VersionId>> for VersionWith {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<VersionId>> {
        let Self(source, content) = self;
        let newest = "SELECT max(id) FROM version WHERE source_id = ?1 AND digest = ?2";
        let id: Option<i64> = sql.only(newest, params![source.0, content.0], |row| row.get(0))?;
        Ok(id.map(VersionId))
    }
}

impl Select<Vec<ExpectedFile>> for ExpectedFiles {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<ExpectedFile>> {
        Ok(sql.sound("source", EXPECTED, [], damaged, |columns| {
            let (id, path) = (columns.get()?, columns.get()?);
            let (version, digest) = (columns.optional()?, columns.optional()?);
            Ok(ExpectedFile {
                source_id: SourceId(id),
                path,
                published: version.map(VersionId).zip(digest.map(Digest)),
            })
        })?)
    }
}
