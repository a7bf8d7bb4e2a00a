//! Paths below `published/` that must be empty: a file found there is a stray.

use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::row::{Columns, int, to_json};
use super::select::{Damage, Select};
use super::statements::Statements as _;
use super::transaction::Transaction;
use crate::domain::{FileSeal, Slot, SourceId};
use crate::store::published_types::{BarePath, FilesToLookAt};
use crate::store::query::BarePaths;

impl Select<Vec<BarePath>> for BarePaths {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<BarePath>> {
        let Self(which) = self;
        let (condition, value) = match which {
            FilesToLookAt::Due(now) => (LOST_OF_DUE, int(Slot::containing(*now).0).to_string()),
            FilesToLookAt::These(ids) => (LOST_OF_THESE, to_json(ids)),
            FilesToLookAt::All => (ALL, String::new()),
        };
        let query = format!("{COLUMNS} {condition}");
        let mut bare = sql.sound("source", &query, [value], damaged, read)?;
        if matches!(which, FilesToLookAt::All) {
            bare.extend(sql.sound("left_file", LEFT, [], damaged, read_left)?);
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
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn the_sources_that_are_due_are_found_by_index() {
        assert_plan(
            &format!("{COLUMNS} {LOST_OF_DUE}"),
            &["source_state_due"],
            &["SCAN"],
        );
    }
}
