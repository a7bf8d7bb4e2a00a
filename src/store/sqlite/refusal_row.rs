//! The second record of each refusal: the refused bytes, apart from the verdict and its subject.
//!
//! It reveals that a verdict is lost, was moved or altered. Without it, the verdict still counts. By itself it never
//! refuses anything: a missing verdict is damage.

use rusqlite::{Connection, Row, params};

use super::failure::Failure;
use super::row::to_json;
use super::sql_damage::damaged_error;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_tables::Tables;
use super::version_row::damaged_row;
use crate::domain::{EditionId, VerdictId, VersionId};
use crate::store::damaged_row::DamagedRow;
use crate::store::judged::Judged;

/// The second record of a refusal.
pub(super) struct KeptRefusal {
    pub(super) verdict: VerdictId,
    pub(super) on: Judged,
    /// The verifier; `None` when its name is lost.
    pub(super) verifier: Option<String>,
}

/// The digests of the contents of the versions that a query names, in order.
pub(super) const CONTENTS: &str = "group_concat(hex(v.digest), '' ORDER BY v.digest)";

/// Writes the second record of a new verdict from outside, if it is a refusal.
pub(super) fn keep_refusal(
    transaction: &Transaction<'_>,
    on: Judged,
    verdict: i64,
) -> rusqlite::Result<()> {
    let insert = match on {
        Judged::Version(_) => {
            "INSERT INTO refusal (verdict_id, version_id, source_id, digest, verifier_id)
             SELECT d.id, d.version_id, v.source_id, v.digest, d.verifier_id
             FROM verdict d CROSS JOIN version v ON v.id = d.version_id
             WHERE d.id = ?1 AND d.outcome = 'failed' AND v.digest IS NOT NULL"
                .to_owned()
        }
        Judged::Edition(_) => format!(
            "INSERT INTO edition_refusal (verdict_id, edition_id, set_name, contents, verifier_id)
             SELECT d.id, d.edition_id, e.set_name, (SELECT coalesce({CONTENTS}, '') FROM edition_member m
                 CROSS JOIN version v ON v.id = m.version_id WHERE m.edition_id = e.id), d.verifier_id
             FROM edition_verdict d CROSS JOIN edition e ON e.id = d.edition_id WHERE d.id = ?1 AND d.outcome = 'failed'"
        ),
    };
    transaction.execute(&insert, [verdict])?;
    Ok(())
}

/// Whether a refusal of ?1 has lost its verdict, or has another one, and no later verdict of the verifier ended it.
pub(super) fn is_refusal_lost(tables: Tables) -> String {
    let Tables { verdicts, on, .. } = tables;
    let refusals = tables.refusals();
    format!(
        "EXISTS (SELECT 1 FROM {refusals} r WHERE r.{on} = ?1 AND NOT EXISTS (SELECT 1 FROM {verdicts} k
             WHERE k.{on} = ?1 AND k.verifier_id = r.verifier_id AND (k.id = r.verdict_id AND k.outcome = 'failed'
                 OR k.id > r.verdict_id AND k.outcome IN ('passed', 'failed'))))"
    )
}

/// Returns the refusals of a version or an edition whose verdicts are lost or differ, ended or not: each id, with the
/// verifier or its number.
pub(super) fn without_verdict(
    sql: &Connection,
    on: Judged,
) -> rusqlite::Result<Vec<(i64, String)>> {
    let tables = on.tables();
    let Tables {
        verdicts,
        on: column,
        ..
    } = tables;
    let refusals = tables.refusals();
    let query = format!(
        "SELECT r.verdict_id, coalesce(w.value, 'verifier ' || r.verifier_id) FROM {refusals} r LEFT JOIN text w ON w.id = r.verifier_id
         WHERE r.{column} = ?1 AND NOT EXISTS (SELECT 1 FROM {verdicts} k WHERE k.id = r.verdict_id AND k.{column} = ?1
             AND k.verifier_id = r.verifier_id AND k.outcome = 'failed')"
    );
    sql.all(&query, [on.id()], |row| Ok((row.get(0)?, lossy(row, 1)?)))
}

/// Returns a text column, even of a damaged row.
pub(super) fn lossy(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let bytes = row.get_ref(column)?.as_bytes();
    Ok(String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned())
}

const LOST_REFUSAL: &str =
    "somebody failed it, and the verdict that says so, or what it is on, is missing or damaged";

/// Returns the damage of a version's or edition's lost refusal as an SQLite error.
pub(super) fn lost_refusal(on: Judged) -> rusqlite::Error {
    match on {
        Judged::Version(version) => {
            let way_on = format!("`gannet verify v{version}` has the verifiers judge it anew");
            damaged_row(version, format!("{LOST_REFUSAL}; {way_on}"))
        }
        Judged::Edition(edition) => damaged_error(DamagedRow {
            table: "edition",
            id: edition.to_string(),
            source: None,
            reason: format!(
                "{LOST_REFUSAL}; `gannet verify set:NAME` has the newest edition of a set judged anew"
            ),
        }),
    }
}

/// Whichever blob each row names: a row, or its blob's digest, may be damaged.
const FAILED_OR_REFUSED: &str = "SELECT v.id, NULL, NULL FROM version n CROSS JOIN version v INDEXED BY version_failed
         ON v.source_id = n.source_id AND v.digest = n.digest AND v.id <> n.id WHERE n.id = ?1 AND v.state = 'failed'
     UNION ALL SELECT r.version_id, r.verdict_id, CASE WHEN w.checksum = row_checksum(w.id, w.value) THEN w.value END FROM version n CROSS JOIN refusal r
         ON r.source_id = n.source_id AND r.digest = n.digest AND r.version_id <> n.id LEFT JOIN text w ON w.id = r.verifier_id
         WHERE n.id = ?1";

/// Returns the source's other failed versions with the same bytes, and the recorded refusals of these bytes.
pub(super) fn failed_or_refused(
    sql: &Connection,
    version: VersionId,
) -> rusqlite::Result<(Vec<VersionId>, Vec<KeptRefusal>)> {
    let (mut failed, mut kept) = (Vec::new(), Vec::new());
    let mut statement = sql.prepare_cached(FAILED_OR_REFUSED)?;
    let mut rows = statement.query([version.0])?;
    while let Some(row) = rows.next()? {
        let on = VersionId(row.get(0)?);
        match row.get::<_, Option<i64>>(1)? {
            None => failed.push(on),
            Some(verdict) => kept.push(KeptRefusal {
                verdict: VerdictId(verdict),
                on: Judged::Version(on),
                verifier: row.get(2)?,
            }),
        }
    }
    Ok((failed, kept))
}

/// Returns the recorded refusals of these contents in a set.
pub(super) fn kept_refusals_of_contents(
    sql: &Connection,
    set: &str,
    versions: &[VersionId],
) -> Result<Vec<KeptRefusal>, Failure> {
    let query = format!(
        "SELECT r.edition_id, r.verdict_id, CASE WHEN w.checksum = row_checksum(w.id, w.value) THEN w.value END
         FROM edition_refusal r LEFT JOIN text w ON w.id = r.verifier_id
         WHERE r.set_name = ?1 AND r.contents =
             (SELECT {CONTENTS} FROM json_each(?2) j CROSS JOIN version v ON v.id = j.value)"
    );
    Ok(sql.all(&query, params![set, to_json(&versions)], |row| {
        Ok(KeptRefusal {
            on: Judged::Edition(EditionId(row.get(0)?)),
            verdict: VerdictId(row.get(1)?),
            verifier: row.get(2)?,
        })
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn what_was_refused_is_found_by_index() {
        let plan = query_plan(FAILED_OR_REFUSED);
        for index in ["version_failed", "refusal_digest"] {
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
        }
    }
}
