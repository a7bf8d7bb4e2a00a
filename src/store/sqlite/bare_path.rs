//! Paths below `published/` that must be empty: a file found there is a stray.

use rusqlite::params;

use super::Store;
use super::row::{Columns, int, to_json};
use super::sql_damage::{read_row, sound_rows};
use super::transaction::Transaction;
use crate::domain::{Digest, FileSeal, Slot, SourceId};
use crate::store::error::Result;
use crate::store::published_types::{BarePath, FilesToLookAt};

impl Store {
    /// Returns the paths that must be empty and have no pending task: all of them (those of removed and purged sources
    /// too), or only those of the given sources that have no recorded publication.
    pub async fn bare_paths(&self, which: FilesToLookAt) -> Result<Vec<BarePath>> {
        self.read_sound(move |sql, damaged| {
            let (condition, value) = match &which {
                FilesToLookAt::Due(now) => (LOST_OF_DUE, int(Slot::containing(*now).0).to_string()),
                FilesToLookAt::These(ids) => (LOST_OF_THESE, to_json(ids)),
                FilesToLookAt::All => (ALL, String::new()),
            };
            let mut statement = sql.prepare_cached(&format!("{COLUMNS} {condition}"))?;
            let rows = statement.query_map([value], |row| read_row("source", row, read))?;
            let mut bare = sound_rows(rows, damaged)?;
            if matches!(which, FilesToLookAt::All) {
                let mut statement = sql.prepare_cached(LEFT)?;
                let rows = statement.query_map([], |row| read_row("left_file", row, read_left))?;
                bare.extend(sound_rows(rows, damaged)?);
            }
            Ok(bare)
        })
        .await
    }

    /// Reports whether a source has a version with this content.
    pub async fn has_content(&self, source: SourceId, content: Digest) -> Result<bool> {
        self.read(move |sql| {
            let mut found =
                sql.prepare_cached("SELECT 1 FROM version WHERE source_id = ?1 AND digest = ?2")?;
            Ok(found.exists(params![source.0, content.0])?)
        })
        .await
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

const COLUMNS: &str = "SELECT s.id, s.published_path, s.removed_at IS NOT NULL
     FROM source_state t CROSS JOIN source s ON s.id = t.source_id
     WHERE t.published_version_id IS NULL AND t.publish_due = 0 AND";
const LOST_OF_DUE: &str =
    "t.published_size IS NOT NULL AND t.active = 1 AND t.next_slot <= CAST(?1 AS INTEGER)";
const LOST_OF_THESE: &str = "t.published_size IS NOT NULL AND t.active = 1 AND t.source_id IN (SELECT value FROM json_each(?1))";
const ALL: &str = "?1 IS NOT NULL AND (s.removed_at IS NULL
         OR NOT EXISTS (SELECT 1 FROM source o WHERE o.removed_at IS NULL AND o.path_key = s.path_key)
             AND NOT EXISTS (SELECT 1 FROM withdrawal w WHERE w.path = s.published_path))";
const LEFT: &str = "SELECT l.path, l.size_bytes, l.modified_ns, l.inode FROM left_file l
     WHERE NOT EXISTS (SELECT 1 FROM source o WHERE o.removed_at IS NULL AND o.path_key = lower(l.path))
         AND NOT EXISTS (SELECT 1 FROM withdrawal w WHERE w.path = l.path)";

fn read(columns: &mut Columns<'_>) -> rusqlite::Result<BarePath> {
    Ok(BarePath {
        source_id: Some(SourceId(columns.get()?)),
        path: columns.get()?,
        is_removed: columns.get()?,
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
        seal: Some(seal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn the_sources_that_are_due_are_found_by_index() {
        let plan = query_plan(&format!("{COLUMNS} {LOST_OF_DUE}"));
        assert!(plan.contains("source_state_due"), "{plan}");
        assert!(!plan.contains("SCAN"), "{plan}");
    }
}
