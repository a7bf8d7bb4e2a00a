//! Versions: appended, read by id, by how far back, or by time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::error::{Failure, Result, found};
use super::publication::wanted_version;
use super::row::{Columns, int, millis, row_limit, to_json};
use super::transaction::Transaction;
use super::types::Newest;
use crate::domain::{BlobId, Digest, SourceId, Version, VersionId, VersionState};

/// The columns of [`read_version`], of the tables in [`VERSION_TABLES`].
const VERSION_COLUMNS: &str =
    "v.id, v.source_id, v.ordinal, v.blob_id, b.digest, b.size_bytes, b.stored_bytes, n.value,
    m.value, v.last_modified, v.fetched_at, v.state, v.policy_revision";

/// In this order: the version is what is looked for.
const VERSION_TABLES: &str = "version v CROSS JOIN blob b ON b.id = v.blob_id
    CROSS JOIN text n ON n.id = v.name_id LEFT JOIN text m ON m.id = v.media_type_id";

impl Store {
    /// Returns the version with this id.
    pub async fn version(&self, id: VersionId) -> Result<Option<Version>> {
        self.read(move |sql| one(sql, "v.id = ?1", [id.0])).await
    }

    /// Returns the source's version so many steps before its newest.
    pub async fn version_back(&self, source: SourceId, steps: u64) -> Result<Option<Version>> {
        // Ordinals have no gaps.
        const BACK: &str = "v.source_id = ?1
             AND v.ordinal = (SELECT max(ordinal) FROM version WHERE source_id = ?1) - ?2";
        self.read(move |sql| one(sql, BACK, [source.0, int(steps)]))
            .await
    }

    /// Returns the source's newest version that was fetched by `time`.
    pub async fn version_at(
        &self,
        source: SourceId,
        time: DateTime<Utc>,
    ) -> Result<Option<Version>> {
        const AT: &str = "v.id = (SELECT id FROM version WHERE source_id = ?1 AND fetched_at <= ?2
             ORDER BY ordinal DESC LIMIT 1)";
        self.read(move |sql| one(sql, AT, [source.0, millis(time)]))
            .await
    }

    /// Returns the newest version of the same source before this one that passed or that no verifier judges.
    pub async fn good_version_before(&self, version: VersionId) -> Result<Option<Version>> {
        self.read(move |sql| one(sql, GOOD_BEFORE, [version.0]))
            .await
    }

    /// Returns the version that this one followed in its source's history.
    pub async fn version_before(&self, version: VersionId) -> Result<Option<Version>> {
        const BEFORE: &str =
            "v.id = (SELECT w.id FROM version t CROSS JOIN version w ON w.source_id = t.source_id
             AND w.ordinal = t.ordinal - 1 WHERE t.id = ?1)";
        self.read(move |sql| one(sql, BEFORE, [version.0])).await
    }

    /// Returns the version that followed this one in its source's history.
    pub async fn version_after(&self, version: VersionId) -> Result<Option<Version>> {
        const AFTER: &str =
            "v.id = (SELECT w.id FROM version t CROSS JOIN version w ON w.source_id = t.source_id
             AND w.ordinal = t.ordinal + 1 WHERE t.id = ?1)";
        self.read(move |sql| one(sql, AFTER, [version.0])).await
    }

    /// Returns the source's versions, newest first, that were its newest at some time from `from` until `until`.
    pub async fn versions_in_force(
        &self,
        source: SourceId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Version>> {
        self.read(move |sql| {
            let mut statement = sql.prepare_cached(&format!(
                "SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} WHERE {IN_FORCE} ORDER BY v.ordinal DESC LIMIT ?4"
            ))?;
            let rows = statement
                .query_map([source.0, millis(from), millis(until), int(limit)], |row| {
                    read_version(&mut Columns::new(row))
                })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns the source's versions, newest first; all without a limit.
    pub async fn versions(&self, source: SourceId, limit: Option<usize>) -> Result<Vec<Version>> {
        self.read(move |sql| {
            let mut statement = sql.prepare_cached(&format!(
                "SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES}
                 WHERE v.source_id = ?1 ORDER BY v.ordinal DESC LIMIT ?2"
            ))?;
            let rows = statement.query_map([source.0, row_limit(limit)], |row| {
                read_version(&mut Columns::new(row))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Returns how many versions these sources have together.
    pub async fn count_versions(&self, sources: Vec<SourceId>) -> Result<u64> {
        const COUNT: &str =
            "SELECT count(*) FROM version WHERE source_id IN (SELECT value FROM json_each(?1))";
        self.read(move |sql| {
            let count: i64 = sql
                .prepare_cached(COUNT)?
                .query_row([to_json(&sources)], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    /// Returns what is known of the newest version and of the last attempt of these sources.
    pub async fn newest(&self, sources: Vec<SourceId>) -> Result<HashMap<SourceId, Newest>> {
        self.read(move |sql| {
            let mut statement = sql.prepare_cached(NEWEST)?;
            let rows = statement.query_map([to_json(&sources)], |row| {
                let mut columns = Columns::new(row);
                let newest = Newest {
                    size_bytes: {
                        columns.get::<i64>()?;
                        columns.optional_count()?
                    },
                    digest: columns.optional()?.map(Digest),
                    error_kind: columns.optional_word()?,
                    error: columns.get()?,
                    wanted_version_id: columns.optional()?.map(VersionId),
                };
                Ok((SourceId(row.get(0)?), newest, columns.get::<bool>()?))
            })?;
            rows.map(|row| {
                let (source, mut newest, is_due) = row?;
                if is_due {
                    newest.wanted_version_id = wanted_version(sql, source)?;
                }
                Ok((source, newest))
            })
            .collect()
        })
        .await
    }

    /// Returns the newest versions that are decided, and that a verifier which only advises has promised a verdict on.
    pub async fn promised(&self) -> Result<Vec<(SourceId, VersionId)>> {
        self.read(|sql| Ok(pairs(sql, PROMISED)?)).await
    }

    /// Returns the versions that are pending or could not be judged and whose verdict may change what is published, of sources
    /// that are not removed: the published one, and of the newest eight those after it; of a member of a set the newest.
    pub async fn unjudged(&self) -> Result<Vec<(SourceId, VersionId)>> {
        self.read(|sql| Ok(pairs(sql, UNJUDGED)?)).await
    }
}

fn pairs(sql: &Connection, query: &str) -> rusqlite::Result<Vec<(SourceId, VersionId)>> {
    let mut statement = sql.prepare_cached(query)?;
    let rows = statement.query_map([], |row| {
        Ok((SourceId(row.get(0)?), VersionId(row.get(1)?)))
    })?;
    rows.collect()
}

const NEWEST: &str = "SELECT t.source_id, b.size_bytes, b.digest, a.error_kind, a.error,
         t.published_version_id, t.publish_due
     FROM json_each(?1) j CROSS JOIN source_state t ON t.source_id = j.value
     LEFT JOIN version v ON v.id = t.version_id LEFT JOIN blob b ON b.id = v.blob_id
     LEFT JOIN attempt a ON a.id = (SELECT max(id) FROM attempt WHERE source_id = t.source_id)";

// Walks back from the version: as far as the bad ones before it go.
const GOOD_BEFORE: &str =
    "v.id = (SELECT w.id FROM version t CROSS JOIN version w ON w.source_id = t.source_id
     AND w.ordinal < t.ordinal WHERE t.id = ?1 AND w.state IN ('passed', 'unverified')
     ORDER BY w.ordinal DESC LIMIT 1)";

const IN_FORCE: &str = "v.source_id = ?1 AND v.fetched_at <= ?3 AND v.ordinal >=
     coalesce((SELECT max(w.ordinal) FROM version w WHERE w.source_id = ?1 AND w.fetched_at <= ?2), 0)";

// Versions that are decided, and of which an advisory verifier's promise is still open.
const PROMISED: &str = "SELECT DISTINCT v.source_id, v.id FROM verdict d INDEXED BY verdict_promise
     CROSS JOIN version v ON v.id = d.version_id CROSS JOIN source_state t ON t.source_id = v.source_id
     WHERE d.outcome = 'pending' AND t.version_id = v.id AND v.state NOT IN ('pending', 'error')
     AND NOT EXISTS (SELECT 1 FROM verdict n WHERE n.version_id = d.version_id AND n.verifier_id = d.verifier_id
         AND n.id > d.id)";

// Without INDEXED BY, SQLite would walk the whole table by id.
const UNJUDGED: &str = "SELECT t.source_id, v.id FROM version v INDEXED BY version_unjudged
     CROSS JOIN source_state t ON t.source_id = v.source_id CROSS JOIN source s ON s.id = v.source_id
     WHERE v.state IN ('pending', 'error') AND s.removed_at IS NULL AND (v.id = t.published_version_id
         OR v.ordinal > (SELECT w.ordinal FROM version w WHERE w.id = t.version_id) - 8
             AND v.id > coalesce(t.published_version_id,
                 iif(EXISTS (SELECT 1 FROM set_member m WHERE m.source_id = s.id), t.version_id - 1, 0)))";

/// A version that is about to be recorded; its blob is already.
pub(super) struct NewVersion<'a> {
    pub(super) source_id: SourceId,
    pub(super) blob_id: BlobId,
    pub(super) name: &'a str,
    pub(super) media_type: Option<&'a str>,
    pub(super) last_modified: Option<DateTime<Utc>>,
    pub(super) fetched_at: DateTime<Utc>,
    pub(super) state: VersionState,
    pub(super) policy_revision: Option<i64>,
}

/// Appends a version to its source's history, as its newest.
pub(super) fn insert_version(
    transaction: &Transaction<'_>,
    version: &NewVersion<'_>,
) -> rusqlite::Result<VersionId> {
    let name = transaction.text_id(version.name)?;
    let media_type = version
        .media_type
        .map(|text| transaction.text_id(text))
        .transpose()?;
    let id = transaction.insert(
        "INSERT INTO version (source_id, ordinal, blob_id, name_id, media_type_id, last_modified, fetched_at, state,
             policy_revision)
         VALUES (?1, (SELECT coalesce(max(ordinal) + 1, 0) FROM version WHERE source_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            version.source_id.0,
            version.blob_id.0,
            name,
            media_type,
            version.last_modified.map(millis),
            millis(version.fetched_at),
            version.state.as_str(),
            version.policy_revision
        ],
    )?;
    transaction.execute(
        "UPDATE source_state SET version_id = ?2 WHERE source_id = ?1",
        [version.source_id.0, id],
    )?;
    Ok(VersionId(id))
}

fn one(
    sql: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> std::result::Result<Option<Version>, Failure> {
    let version = sql
        .prepare_cached(&format!(
            "SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} WHERE {condition}"
        ))?
        .query_row(params, |row| read_version(&mut Columns::new(row)))
        .optional()?;
    Ok(version)
}

/// Returns the version with this id.
pub(super) fn version_by_id(
    sql: &Connection,
    id: VersionId,
) -> std::result::Result<Version, Failure> {
    let version = one(sql, "v.id = ?1", [id.0])?;
    found(
        version.ok_or(rusqlite::Error::QueryReturnedNoRows),
        "version",
        id.0,
    )
}

fn read_version(columns: &mut Columns<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        id: VersionId(columns.get()?),
        source_id: SourceId(columns.get()?),
        ordinal: columns.count()?,
        blob_id: BlobId(columns.get()?),
        digest: Digest(columns.get()?),
        size_bytes: columns.count()?,
        stored_bytes: columns.count()?,
        name: columns.get()?,
        media_type: columns.get()?,
        last_modified: columns.optional_time()?,
        fetched_at: columns.time()?,
        state: columns.word()?,
        policy_revision: columns.get()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::query_plan;

    #[test]
    fn the_newest_of_each_is_found_by_index() {
        let plan = query_plan(NEWEST);
        assert!(
            plan.contains("SEARCH attempt USING COVERING INDEX attempt_source"),
            "{plan}"
        );
        for table in ["t", "v", "b", "a", "attempt"] {
            assert!(!plan.contains(&format!("SCAN {table}\n")), "{plan}");
        }
    }

    #[test]
    fn the_last_good_one_is_found_by_index() {
        let plan = query_plan(&format!(
            "SELECT {VERSION_COLUMNS} FROM {VERSION_TABLES} WHERE {GOOD_BEFORE}"
        ));
        assert!(
            plan.contains("SEARCH w USING INDEX version_ordinal"),
            "{plan}"
        );
        assert!(
            !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }

    #[test]
    fn open_promises_are_found_by_index() {
        let plan = query_plan(PROMISED);
        assert!(plan.contains("USING INDEX verdict_promise"), "{plan}");
        assert!(
            !plan.contains("SCAN v") && !plan.contains("SCAN t"),
            "{plan}"
        );
    }

    #[test]
    fn what_waits_for_a_verdict_is_found_by_index() {
        let plan = query_plan(UNJUDGED);
        assert!(plan.contains("version_unjudged"), "{plan}");
        assert!(
            !plan.contains("SCAN t") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}
