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
use super::select::{Damage, Select};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict::judge_version;
use super::verdict_row::{repeat, verdicts_on_edition};
use super::verdict_tables::Tables;
use super::version_state::place_of;
use crate::domain::{
    EditionId, EditionVerdict, NewVerdict, SourceId, Stamp, VerdictId, VersionId, VersionState,
};
use crate::store::error::Result;
use crate::store::judged::Judged;
use crate::store::query::{EditionRefusals, RefusalsInNameOf};
use crate::store::types::RefusalsBy;

const REFUSALS_BY: &str = "SELECT w.value, r.source_id, NULL, count(DISTINCT r.version_id)
     FROM refusal r JOIN version v ON v.id = r.version_id JOIN text w ON w.id = r.verifier_id
     WHERE v.state = 'failed' AND w.value IN (SELECT value FROM json_each(?1)) GROUP BY w.value, r.source_id
     UNION ALL SELECT w.value, NULL, r.set_name, count(DISTINCT r.edition_id)
     FROM edition_refusal r JOIN edition e ON e.id = r.edition_id JOIN text w ON w.id = r.verifier_id
     WHERE e.state = 'failed' AND w.value IN (SELECT value FROM json_each(?1)) GROUP BY w.value, r.set_name";

impl Store {
    /// Records a verdict from outside on a version or an edition, and on every other one of the source or the set with
    /// the same contents when it refuses them or ends their refusal. Returns the state by the policy in force, and the
    /// ids of those others.
    ///
    /// # Errors
    ///
    /// [`crate::store::StoreError::Missing`] when the version, or a member of the edition, was purged meanwhile.
    pub async fn record_outside_verdict(
        &self,
        on: impl Into<Judged>,
        verdict: NewVerdict,
        stamp: Stamp,
    ) -> Result<(VersionState, Vec<i64>)> {
        let on = on.into();
        self.write(move |transaction| match on {
            Judged::Version(version) => refuse_version(transaction, version, &verdict, &stamp),
            Judged::Edition(edition) => refuse_edition(transaction, edition, &verdict, &stamp),
        })
        .await
    }
}

impl Select<Vec<EditionVerdict>> for EditionRefusals {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<EditionVerdict>> {
        let Self(set, versions) = self;
        let mut found = Vec::new();
        for (id, on) in refusals_of_contents(sql, set, versions)? {
            let verdicts = strictly(|damaged| verdicts_on_edition(sql, on, damaged))?;
            found.extend(verdicts.into_iter().filter(|one| one.id == id));
        }
        Ok(found)
    }
}

impl Select<Vec<RefusalsBy>> for RefusalsInNameOf {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<RefusalsBy>> {
        Ok(sql.all(REFUSALS_BY, [to_json(&self.0)], |row| {
            let mut columns = Columns::new(row);
            Ok(RefusalsBy {
                verifier: columns.get()?,
                source_id: columns.get::<Option<i64>>()?.map(SourceId),
                set: columns.get()?,
                count: columns.count()?,
            })
        })?)
    }
}

/// Records a verdict from outside on a version, and on the source's other versions with the same bytes.
pub(super) fn refuse_version(
    transaction: &Transaction<'_>,
    version: VersionId,
    verdict: &NewVerdict,
    stamp: &Stamp,
) -> Outcome<(VersionState, Vec<i64>)> {
    let said = std::slice::from_ref(verdict);
    let state = judge_version(transaction, version, said, None, stamp)?.state;
    let given = last_on(transaction.sql, version.into())?;
    let mut others = Vec::new();
    let (failed, _) = failed_or_refused(transaction.sql, version)?;
    for other in alike_versions(transaction.sql, version, &failed)? {
        if !concerns(transaction.sql, other.into(), verdict)? {
            continue;
        }
        match repeat_all_on_version(transaction, other, &[(given, verdict.clone())], stamp) {
            // An unreadable version cannot be published either.
            Err(error) if error.is_damage() => {}
            repeated => {
                repeated?;
                others.push(other.0);
            }
        }
    }
    Ok((state, others))
}

/// Records a verdict from outside on an edition, and on the set's other editions with the same contents.
fn refuse_edition(
    transaction: &Transaction<'_>,
    edition: EditionId,
    verdict: &NewVerdict,
    stamp: &Stamp,
) -> Outcome<(VersionState, Vec<i64>)> {
    let said = std::slice::from_ref(verdict);
    let state = record_on_edition(transaction, edition, said, None, stamp)?.state;
    let given = last_on(transaction.sql, edition.into())?;
    let mut others = Vec::new();
    let judged = edition_by_id(transaction.sql, edition)?;
    let versions: Vec<_> = judged.members.iter().map(|one| one.version_id).collect();
    let policy = transaction.policy_for_set(&judged.set)?;
    for other in alike_editions(transaction.sql, &judged.set, &versions, false)? {
        if other != edition && concerns(transaction.sql, other.into(), verdict)? {
            repeat(transaction, given, verdict.is_refusal(), other.into())?;
            count_edition(transaction, other, &policy)?;
            others.push(other.0);
        }
    }
    Ok((state, others))
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
    sql.only(
        &format!("SELECT max(id) FROM {verdicts} WHERE {column} = ?1"),
        [on.id()],
        |row| row.get(0).map(VerdictId),
    )
}
