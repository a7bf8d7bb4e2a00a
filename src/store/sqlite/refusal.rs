//! Refusals: verdicts from outside that failed a version or an edition. Each holds for the same bytes wherever they
//! come again, until a verdict from outside passes them or the verifier is asked again.
//!
//! Never judges: repeats a recorded verdict on the same bytes, with its actor and time.

use rusqlite::Connection;

use super::Store;
use super::edition::record_on_edition;
use super::edition_row::{alike_editions, edition_by_id};
use super::edition_state::count_edition;
use super::failure::{Outcome, strictly};
use super::refusal_row::failed_or_refused;
use super::refusals::{
    alike_versions, concerns, refusals_of_contents, refusals_of_version, repeat_all_on_version,
};
use super::row::{Columns, to_json};
use super::verdict::judge_version;
use super::verdict_row::{repeat, verdicts_on_edition};
use super::verdict_tables::Tables;
use super::version_state::place_of;
use crate::domain::{
    EditionId, EditionVerdict, NewVerdict, SourceId, Stamp, VerdictId, VersionId, VersionState,
};
use crate::store::error::Result;
use crate::store::judged::Judged;
use crate::store::types::RefusalsBy;

const REFUSALS_BY: &str = "SELECT w.value, r.source_id, NULL, count(DISTINCT r.version_id)
     FROM refusal r JOIN version v ON v.id = r.version_id JOIN text w ON w.id = r.verifier_id
     WHERE v.state = 'failed' AND w.value IN (SELECT value FROM json_each(?1)) GROUP BY w.value, r.source_id
     UNION ALL SELECT w.value, NULL, r.set_name, count(DISTINCT r.edition_id)
     FROM edition_refusal r JOIN edition e ON e.id = r.edition_id JOIN text w ON w.id = r.verifier_id
     WHERE e.state = 'failed' AND w.value IN (SELECT value FROM json_each(?1)) GROUP BY w.value, r.set_name";

impl Store {
    /// Returns the standing refusals in the names of these verifiers, by source and set.
    pub async fn refusals_by(&self, verifiers: Vec<String>) -> Result<Vec<RefusalsBy>> {
        if verifiers.is_empty() {
            return Ok(Vec::new());
        }
        self.read(move |sql| {
            let mut statement = sql.prepare_cached(REFUSALS_BY)?;
            let rows = statement.query_map([to_json(&verifiers)], |row| {
                let mut columns = Columns::new(row);
                Ok(RefusalsBy {
                    verifier: columns.get()?,
                    source_id: columns.get::<Option<i64>>()?.map(SourceId),
                    set: columns.get()?,
                    count: columns.count()?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Records a verdict from outside on a version, and on every other version of the source with the same bytes when
    /// it refuses them or ends their refusal. Returns the version's state by the policy in force, and those other
    /// versions.
    ///
    /// # Errors
    ///
    /// [`crate::store::StoreError::Missing`] when the version was purged meanwhile.
    pub async fn record_outside_verdict(
        &self,
        version: VersionId,
        verdict: NewVerdict,
        stamp: Stamp,
    ) -> Result<(VersionState, Vec<VersionId>)> {
        self.write(move |transaction| {
            let said = std::slice::from_ref(&verdict);
            let state = judge_version(transaction, version, said, None, &stamp)?.state;
            let given = last_on(transaction.sql, Judged::Version(version))?;
            let mut others = Vec::new();
            let (failed, _) = failed_or_refused(transaction.sql, version)?;
            for other in alike_versions(transaction.sql, version, &failed)? {
                if !concerns(transaction.sql, Judged::Version(other), &verdict)? {
                    continue;
                }
                match repeat_all_on_version(transaction, other, &[(given, verdict.clone())], &stamp)
                {
                    // An unreadable version cannot be published either.
                    Err(error) if error.is_damage() => {}
                    repeated => {
                        repeated?;
                        others.push(other);
                    }
                }
            }
            Ok((state, others))
        })
        .await
    }

    /// Records a verdict from outside on an edition, and on every other edition of the set with the same contents when
    /// it refuses them or ends their refusal. Returns the edition's state by the policy in force, and those other
    /// editions.
    ///
    /// # Errors
    ///
    /// [`crate::store::StoreError::Missing`] when a member was purged meanwhile, and the edition with it.
    pub async fn record_outside_edition_verdict(
        &self,
        edition: EditionId,
        verdict: NewVerdict,
        stamp: Stamp,
    ) -> Result<(VersionState, Vec<EditionId>)> {
        self.write(move |transaction| {
            let said = std::slice::from_ref(&verdict);
            let state = record_on_edition(transaction, edition, said, None, &stamp)?.state;
            let given = last_on(transaction.sql, Judged::Edition(edition))?;
            let mut others = Vec::new();
            let judged = edition_by_id(transaction.sql, edition)?;
            let versions: Vec<_> = judged.members.iter().map(|one| one.version_id).collect();
            let policy = transaction.policy_for_set(&judged.set)?;
            for other in alike_editions(transaction.sql, &judged.set, &versions, false)? {
                if other != edition && concerns(transaction.sql, Judged::Edition(other), &verdict)?
                {
                    let is_refusal = verdict.is_refusal();
                    repeat(transaction, given, is_refusal, Judged::Edition(other))?;
                    count_edition(transaction, other, &policy)?;
                    others.push(other);
                }
            }
            Ok((state, others))
        })
        .await
    }

    /// Returns the standing refusals of these versions' contents in a set, whatever their sources were called, by
    /// verifier.
    pub async fn edition_refusals(
        &self,
        set: String,
        versions: Vec<VersionId>,
    ) -> Result<Vec<EditionVerdict>> {
        self.read(move |sql| {
            let mut found = Vec::new();
            for (id, on) in refusals_of_contents(sql, &set, &versions)? {
                let verdicts = strictly(|damaged| verdicts_on_edition(sql, on, damaged))?;
                found.extend(verdicts.into_iter().filter(|one| one.id == id));
            }
            Ok(found)
        })
        .await
    }
}

/// Fails when damage hides whether the bytes of an undecided version were refused.
pub(super) fn refuse_unknown_refusals(sql: &Connection, version: VersionId) -> Outcome<()> {
    let place = place_of(sql, version)?;
    if place.state == VersionState::Pending && place.ordinal > 0 {
        refusals_of_version(sql, version)?;
    }
    Ok(())
}

/// Returns the newest verdict on a version or an edition.
fn last_on(sql: &Connection, on: Judged) -> rusqlite::Result<VerdictId> {
    let Tables {
        verdicts,
        on: column,
        ..
    } = on.tables();
    sql.prepare_cached(&format!(
        "SELECT max(id) FROM {verdicts} WHERE {column} = ?1"
    ))?
    .query_row([on.id()], |row| row.get(0).map(VerdictId))
}
