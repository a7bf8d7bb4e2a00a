//! The standing refusals of bytes or contents, found and repeated wherever these come again.
//!
//! Never judges: repeats a recorded verdict on the same bytes, with its actor and time.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;

use super::edition_row::{alike_editions, damaged_edition};
use super::failure::Outcome;
use super::policy_in_force::InForce;
use super::refusal_row::{KeptRefusal, failed_or_refused, kept_refusals_of_contents, lost_refusal};
use super::row::Columns;
use super::set_aside::Subject;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_row::{repeat, verdicts_on};
use super::version_row::{Place, damaged, read_place};
use super::version_state::{derive_state, insert_verdict_event, place_of};
use crate::domain::{
    EditionId, NewVerdict, SourceId, Stamp, VerdictId, VerdictOutcome, VersionId, VersionState,
};
use crate::store::judged::Judged;

/// Repeats the refusals of a version's bytes, given on other versions of the source, on this new one. Returns the state
/// that follows; `None` without refusals.
pub(super) fn repeat_on_version(
    transaction: &Transaction<'_>,
    version: VersionId,
    stamp: &Stamp,
) -> Outcome<Option<VersionState>> {
    let refusals = refusals_of_version(transaction.sql, version)?;
    if refusals.is_empty() {
        return Ok(None);
    }
    repeat_all_on_version(transaction, version, &refusals, stamp).map(Some)
}

/// Returns the standing refusals of a version's bytes, given on other versions of the source.
pub(super) fn refusals_of_version(
    sql: &Connection,
    version: VersionId,
) -> Outcome<Vec<(VerdictId, NewVerdict)>> {
    let (failed, kept) = failed_or_refused(sql, version)?;
    let alike = alike_versions(sql, version, &failed)?.into_iter();
    let refusals = refusals(sql, alike.map(Judged::Version), &kept)?;
    if refusals.is_empty() {
        refuse_lost_refusal(sql, &failed)?;
    }
    let refusals = refusals.into_iter().map(|(id, _, verdict)| (id, verdict));
    Ok(refusals.collect())
}

/// Repeats refusals that were unreadable when the version was recorded; the version is pending until then.
///
/// # Errors
///
/// Damage while the refusals are still unreadable.
pub(super) fn repeat_late(
    transaction: &Transaction<'_>,
    place: &Place,
    policy: &InForce,
    stamp: &Stamp,
) -> Outcome<()> {
    if place.state != VersionState::Pending || place.ordinal == 0 {
        return Ok(());
    }
    let subject = Subject::Version(place.source_id, place.id);
    let on = subject.on();
    let refusals = refusals_of_version(transaction.sql, place.id)?;
    if refusals.is_empty() {
        return Ok(());
    }
    let known = verdicts_on(transaction.sql, on)?;
    for (id, verdict) in refusals {
        let is_known = |(own, known): &(VerdictId, NewVerdict)| {
            *own > id && known.verifier == verdict.verifier
        };
        if !known.iter().any(is_known) {
            let repeated = repeat(transaction, id, true, on)?;
            insert_verdict_event(transaction, &subject, (repeated, &verdict), policy, stamp)?;
        }
    }
    Ok(())
}

/// Repeats verdicts on a version, with an event each, and returns the state that follows from all verdicts.
pub(super) fn repeat_all_on_version(
    transaction: &Transaction<'_>,
    version: VersionId,
    verdicts: &[(VerdictId, NewVerdict)],
    stamp: &Stamp,
) -> Outcome<VersionState> {
    let place = place_of(transaction.sql, version)?;
    let policy = transaction.policy_for_source(place.source_id)?;
    let subject = Subject::Version(place.source_id, version);
    for (id, verdict) in verdicts {
        let repeated = repeat(transaction, *id, verdict.is_refusal(), subject.on())?;
        insert_verdict_event(transaction, &subject, (repeated, verdict), &policy, stamp)?;
    }
    let said: Vec<_> = verdicts.iter().map(|(_, one)| one.clone()).collect();
    derive_state(transaction, &place, &policy, &said, stamp)
}

/// Repeats the wanted ones of these refusals on an edition.
pub(super) fn repeat_on_edition(
    transaction: &Transaction<'_>,
    edition: EditionId,
    refusals: &[(VerdictId, EditionId)],
    is_wanted: impl Fn(VerdictId) -> bool,
) -> rusqlite::Result<()> {
    for (id, _) in refusals.iter().filter(|(id, _)| is_wanted(*id)) {
        repeat(transaction, *id, true, Judged::Edition(edition))?;
    }
    Ok(())
}

/// Returns the standing refusals of these contents in a set, each with its edition.
pub(super) fn refusals_of_contents(
    sql: &Connection,
    set: &str,
    versions: &[VersionId],
) -> Outcome<Vec<(VerdictId, EditionId)>> {
    let alike = alike_editions(sql, set, versions, true)?;
    let kept = kept_refusals_of_contents(sql, set, versions)?;
    let refusals = refusals(sql, alike.iter().copied().map(Judged::Edition), &kept)?;
    if refusals.is_empty() {
        refuse_lost_refusal_of_edition(sql, &alike)?;
    }
    let on_edition = |(id, on, _)| match on {
        Judged::Edition(edition) => Some((id, edition)),
        Judged::Version(_) => None,
    };
    Ok(refusals.into_iter().filter_map(on_edition).collect())
}

/// Returns each verifier's newest verdict on any of these subjects when it is a refusal. A recorded refusal whose
/// verdict is missing and that no later verdict ended is damage.
fn refusals(
    sql: &Connection,
    alike: impl Iterator<Item = Judged>,
    kept: &[KeptRefusal],
) -> Outcome<Vec<(VerdictId, Judged, NewVerdict)>> {
    let mut last: BTreeMap<String, (VerdictId, Judged, NewVerdict)> = BTreeMap::new();
    let mut met = HashSet::new();
    for on in alike {
        for (id, verdict) in verdicts_on(sql, on)? {
            if verdict.is_refusal() {
                met.insert(id);
            }
            let is_newer = last
                .get(&verdict.verifier)
                .is_none_or(|(known, ..)| *known < id);
            if is_newer && is_decided(&verdict) {
                last.insert(verdict.verifier.clone(), (id, on, verdict));
            }
        }
    }
    let is_known = |kept: &&KeptRefusal| {
        let later = kept.verifier.as_ref().and_then(|name| last.get(name));
        met.contains(&kept.verdict) || later.is_some_and(|(id, ..)| *id > kept.verdict)
    };
    if let Some(lost) = kept.iter().find(|kept| !is_known(kept)) {
        return Err(lost_refusal(lost.on).into());
    }
    let last = last.into_values();
    Ok(last
        .filter(|(_, _, verdict)| verdict.is_refusal())
        .collect())
}

/// Reports whether a verdict from outside changes the refusal of another subject with the same content.
pub(super) fn concerns(sql: &Connection, other: Judged, verdict: &NewVerdict) -> Outcome<bool> {
    let refusals = refusals(sql, std::iter::once(other), &[])?;
    let is_refused = refusals
        .iter()
        .any(|(_, _, known)| known.verifier == verdict.verifier);
    Ok(match verdict.judgement.outcome {
        VerdictOutcome::Failed => verdict.is_refusal() && !is_refused,
        VerdictOutcome::Passed => is_refused,
        VerdictOutcome::Error | VerdictOutcome::Pending => false,
    })
}

pub(super) fn is_decided(verdict: &NewVerdict) -> bool {
    matches!(
        verdict.judgement.outcome,
        VerdictOutcome::Passed | VerdictOutcome::Failed
    )
}

const WITH_BLOB: &str = "SELECT v.id, v.source_id, v.ordinal, v.blob_id, v.name_id, v.fetched_at, v.state, v.checksum, n.source_id
     FROM version n CROSS JOIN version v INDEXED BY version_blob ON v.blob_id = n.blob_id AND v.id <> n.id WHERE n.id = ?1";

/// Returns the source's other versions with the same bytes, oldest first; the failed ones are given. Includes damaged
/// rows that may be the source's.
pub(super) fn alike_versions(
    sql: &Connection,
    version: VersionId,
    failed: &[VersionId],
) -> rusqlite::Result<Vec<VersionId>> {
    let mut alike = failed.to_vec();
    let mut statement = sql.prepare_cached(WITH_BLOB)?;
    let mut rows = statement.query([version.0])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::new(row);
        let is_of_source = match read_place(&mut columns) {
            Ok(place) => place.source_id == SourceId(columns.get()?),
            Err(_) => true,
        };
        if is_of_source {
            alike.push(VersionId(row.get(0)?));
        }
    }
    alike.sort_unstable();
    alike.dedup();
    Ok(alike)
}

const LOST_REFUSAL: &str = "it failed, and the verdict that says so is missing";

/// Fails when a failed version lacks the verdict that failed it: its bytes may be refused.
fn refuse_lost_refusal(sql: &Connection, failed: &[VersionId]) -> Outcome<()> {
    let has_failed = "SELECT 1 FROM verdict WHERE version_id = ?1 AND outcome = 'failed'";
    for failed in failed {
        if !sql.any(has_failed, [failed.0])? {
            return Err(damaged(*failed, LOST_REFUSAL));
        }
    }
    Ok(())
}

/// Fails when a failed edition lacks the verdict that failed it.
fn refuse_lost_refusal_of_edition(sql: &Connection, alike: &[EditionId]) -> Outcome<()> {
    let has_lost = "SELECT 1 FROM edition e WHERE e.id = ?1 AND e.state = 'failed' AND NOT EXISTS (
             SELECT 1 FROM edition_verdict d WHERE d.edition_id = e.id AND d.outcome = 'failed')";
    for edition in alike {
        if sql.any(has_lost, [edition.0])? {
            return Err(damaged_edition(*edition, LOST_REFUSAL.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn the_same_bytes_are_found_by_index() {
        assert_plan(WITH_BLOB, &["version_blob"], &["SCAN"]);
    }
}
