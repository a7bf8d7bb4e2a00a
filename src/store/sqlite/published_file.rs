//! Published files as they are recorded: how they looked, so that a later change or removal is found without reading
//! them, which version each should hold, and the paths at which none may lie.

use rusqlite::{Connection, params};
use tokio::sync::mpsc;

use super::Store;
use super::failure::Outcome;
use super::publication::be_unsure;
use super::row::{Columns, int, to_json};
use super::select::{Damage, Select};
use super::source_row::source_fits;
use super::sql_damage::{read_row, sound_rows};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{Digest, FileSeal, SourceId, VersionId};
use crate::store::error::Result;
use crate::store::published_types::{BarePath, ExpectedFile, FilesToLookAt, PublishedFile};
use crate::store::query::{BarePaths, ExpectedFiles, UnsureFiles, VersionWith};

/// How many files are sent together.
const SHARE: usize = 1024;

impl Store {
    /// Sends the published files without a pending task, a share at a time; repeats some when the catalogue had to be
    /// read again. Ends early when the receiver is gone. Damaged rows are left out ([`Store::damage`]).
    pub async fn published_files(
        &self,
        which: FilesToLookAt,
        shares: mpsc::Sender<Vec<PublishedFile>>,
    ) -> Result<()> {
        self.read_sound(move |sql, damaged| {
            let (condition, value) = match &which {
                FilesToLookAt::These(ids) => (THESE, to_json(ids)),
                FilesToLookAt::All => (ALL, String::new()),
            };
            let mut statement = sql.prepare_cached(&format!("{COLUMNS} {condition}"))?;
            let rows = statement.query_map([value], |row| read_row("source_state", row, read))?;
            let mut rows = rows.peekable();
            while rows.peek().is_some() {
                let share = sound_rows(rows.by_ref().take(SHARE), damaged)?;
                if shares.blocking_send(share).is_err() {
                    break;
                }
            }
            Ok(())
        })
        .await
    }
}

impl Select<Vec<PublishedFile>> for UnsureFiles {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<PublishedFile>> {
        let query = format!("{COLUMNS} {UNSURE}");
        Ok(sql.sound("source_state", &query, [], damaged, read)?)
    }
}

const COLUMNS: &str = "SELECT t.source_id, s.published_path, t.published_version_id, t.published_size, t.published_mtime,
         t.published_inode
     FROM source_state t CROSS JOIN source s ON s.id = t.source_id
     WHERE t.published_version_id IS NOT NULL AND t.publish_due = 0 AND s.removed_at IS NULL AND";
const THESE: &str = "t.source_id IN (SELECT value FROM json_each(?1))";
const ALL: &str = "?1 IS NOT NULL";
const UNSURE: &str = "t.publish_unsure = 2";

/// Records the look of a correct published file; an incorrect one becomes due for publishing.
pub(super) fn write_look(
    transaction: &Transaction<'_>,
    source: SourceId,
    seal: Option<FileSeal>,
) -> Outcome<()> {
    match seal {
        Some(seal) => Ok(write_seal(transaction, source, seal)?),
        None => be_unsure(transaction, source),
    }
}

fn write_seal(
    transaction: &Transaction<'_>,
    source: SourceId,
    seal: FileSeal,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE source_state SET published_size = ?2, published_mtime = ?3, published_inode = ?4,
             publish_unsure = iif(publish_unsure = 2, 0, publish_unsure)
         WHERE source_id = ?1",
        params![
            source.0,
            int(seal.size_bytes),
            seal.modified_ns,
            seal.inode.cast_signed()
        ],
    )?;
    Ok(())
}

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<PublishedFile> {
    let source_id = SourceId(columns.get()?);
    let path = columns.get()?;
    Ok(PublishedFile {
        source_id,
        path,
        version_id: VersionId(columns.get()?),
        seal: read_seal(columns)?,
    })
}

/// The columns of the seal of a source's published file.
pub(super) const SEAL_COLUMNS: &str = "t.published_size, t.published_mtime, t.published_inode";

/// Reads [`SEAL_COLUMNS`].
pub(super) fn read_seal(columns: &mut Columns<'_>) -> rusqlite::Result<Option<FileSeal>> {
    let (size, modified_ns) = (columns.optional::<i64>()?, columns.optional()?);
    let inode = columns.optional::<i64>()?;
    let seal = size.zip(modified_ns).zip(inode);
    Ok(seal.map(|((size, modified_ns), inode)| FileSeal {
        size_bytes: size.unsigned_abs(),
        modified_ns,
        inode: inode.cast_unsigned(),
    }))
}

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

impl Select<Vec<BarePath>> for BarePaths {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<BarePath>> {
        let Self(which) = self;
        let (condition, value) = match which {
            FilesToLookAt::These(ids) => (LOST_OF_THESE, to_json(ids)),
            FilesToLookAt::All => (BARE_OF_ALL, String::new()),
        };
        let query = format!("{BARE} {condition}");
        let mut bare = sql.sound("source", &query, [value], damaged, read_bare)?;
        if matches!(which, FilesToLookAt::All) {
            bare.extend(sql.sound("left_file", BARE_OF_PURGED, [], damaged, read_left)?);
        }
        Ok(bare)
    }
}

/// Schedules the removal of files at paths of no source, which were withdrawn before.
pub(super) fn leave_strays(
    transaction: &Transaction<'_>,
    paths: &[String],
) -> rusqlite::Result<()> {
    for path in paths {
        transaction.execute(
            "INSERT OR IGNORE INTO withdrawal (path, path_key, problem) VALUES (?1, ?2, 'it is there again')",
            params![path, path.to_lowercase()],
        )?;
    }
    Ok(())
}

const BARE: &str =
    "SELECT s.id, s.published_path, s.removed_at IS NOT NULL, t.published_version_id IS NOT NULL
     FROM source_state t CROSS JOIN source s ON s.id = t.source_id WHERE t.publish_due = 0 AND";
const LOST_OF_THESE: &str =
    "t.published_version_id IS NULL AND t.published_size IS NOT NULL AND t.active = 1
         AND t.source_id IN (SELECT value FROM json_each(?1))";
// The file of a removed source that is still recorded has a withdrawal, unless its row is lost. A damaged row does not
// prove that its source was removed. A source without versions has no content that a file could hold.
const BARE_OF_ALL: &str = concat!(
    "?1 IS NOT NULL AND (t.published_version_id IS NOT NULL OR EXISTS (SELECT 1 FROM version v WHERE v.source_id = t.source_id))
     AND (s.removed_at IS NULL AND t.published_version_id IS NULL
         OR s.removed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM source o WHERE o.removed_at IS NULL AND o.path_key = s.path_key)
             AND NOT EXISTS (SELECT 1 FROM withdrawal w WHERE w.path = s.published_path)
             AND (t.published_version_id IS NULL OR ",
    source_fits!(),
    "))"
);
const BARE_OF_PURGED: &str = "SELECT l.path, l.size_bytes, l.modified_ns, l.inode FROM left_file l
     WHERE NOT EXISTS (SELECT 1 FROM source o WHERE o.removed_at IS NULL AND o.path_key = lower(l.path))
         AND NOT EXISTS (SELECT 1 FROM withdrawal w WHERE w.path = l.path)";

fn read_bare(columns: &mut Columns<'_>) -> rusqlite::Result<BarePath> {
    Ok(BarePath {
        source_id: Some(SourceId(columns.get()?)),
        path: columns.get()?,
        is_removed: columns.get()?,
        is_recorded: columns.get()?,
        seal: None,
    })
}

fn read_left(columns: &mut Columns<'_>) -> rusqlite::Result<BarePath> {
    let path = columns.get()?;
    let size: i64 = columns.get()?;
    let seal = FileSeal {
        size_bytes: size.unsigned_abs(),
        modified_ns: columns.get()?,
        inode: columns.get::<i64>()?.cast_unsigned(),
    };
    Ok(BarePath {
        source_id: None,
        path,
        is_removed: true,
        is_recorded: false,
        seal: Some(seal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn files_of_sources_are_found_by_index() {
        assert_plan(&format!("{COLUMNS} {THESE}"), &[], &["SCAN t"]);
        assert_plan(&format!("{BARE} {LOST_OF_THESE}"), &[], &["SCAN t"]);
    }
}
