//! Verdicts: appended with the state that they give their version, read by version and by source.

use rusqlite::{Connection, params};

use super::Store;
use super::damage::DamagedRow;
use super::error::{Failure, Result, found};
use super::event::insert_event_under;
use super::hand_verdict::{Own, end_on_versions};
use super::policy::InForce;
use super::publication::refresh_publication;
use super::refusal::repeat_late;
use super::row::row_limit;
use super::set_aside::set_aside_unreadable;
use super::transaction::Transaction;
use super::types::{Counted, Seen};
use super::verdict_row::{
    Judged, NO_OUTPUT, OUTPUT, Tables, insert_verdict, list, newest_outcomes,
};
use super::version_row::{Place, place_by_id};
use crate::domain::{
    Action, NewEvent, NewVerdict, SourceId, Stamp, Verdict, VerdictId, VerdictOutcome, VersionId,
    VersionState, Weights, deciding_verdict,
};

impl Store {
    /// Returns all verdicts on a version, oldest first. Those whose rows are damaged are left out ([`Store::damage`]).
    pub async fn verdicts(&self, version: VersionId) -> Result<Vec<Verdict>> {
        self.read_sound(move |sql, damaged| verdicts_on(sql, version, damaged))
            .await
    }

    /// Returns the id of the newest verdict on a version; 0 while there is none.
    pub async fn newest_verdict(&self, version: VersionId) -> Result<VerdictId> {
        self.read(move |sql| Ok(newest_verdict(sql, version)?))
            .await
    }

    /// Returns the id of the newest verdict on any version; 0 while there is none.
    pub async fn newest_verdict_of_all(&self) -> Result<VerdictId> {
        self.read(|sql| {
            let newest = sql
                .prepare_cached("SELECT coalesce(max(id), 0) FROM verdict")?
                .query_row([], |row| row.get(0))?;
            Ok(VerdictId(newest))
        })
        .await
    }

    /// Returns the verdicts on the newest `limit` versions of a source, all without a limit; oldest first, and without what
    /// the verifiers printed: that may be 128 KiB each, and no list shows it.
    pub async fn verdicts_of_source(
        &self,
        source: SourceId,
        limit: Option<usize>,
    ) -> Result<Vec<Verdict>> {
        const OF_SOURCE: &str = "d.version_id IN
             (SELECT id FROM version WHERE source_id = ?1 ORDER BY ordinal DESC LIMIT ?2)";
        self.read_sound(move |sql, damaged| {
            let of_source = [source.0, row_limit(limit)];
            list(sql, NO_OUTPUT, OF_SOURCE, of_source, damaged)
        })
        .await
    }

    /// Records verdicts, an event each, and the state that all verdicts on the version give it by the policy in force. Returns
    /// that state, and which of the verdicts count. Its source's published file becomes due when it has to change ([`Store::publication`]).
    ///
    /// The state is derived in the same transaction, so that verdicts that come at once from several sides all count. One that was
    /// reached in view of what was `seen` is left out when it is overtaken: a promise to answer later when the answer came since;
    /// any other when somebody outside, or the verifier by another definition, decided since, or when the verifier is defined
    /// otherwise by now.
    ///
    /// # Errors
    ///
    /// [`super::StoreError::Missing`] when the version was purged meanwhile.
    pub async fn record_verdicts(
        &self,
        version: VersionId,
        verdicts: Vec<NewVerdict>,
        seen: impl Into<Seen>,
        stamp: Stamp,
    ) -> Result<Counted> {
        let seen = seen.into();
        self.write(move |transaction| {
            judge_version(transaction, version, &verdicts, Some(&seen), &stamp)
        })
        .await
    }
}

/// Appends verdicts on a version, an event each, and writes down the state that follows from all there are, which comes back with
/// those that count: verdicts that were reached in view of what was `seen` are left out when they are overtaken. Verdicts by hand on the
/// same contents end where these take their place.
pub(super) fn judge_version(
    transaction: &Transaction<'_>,
    version: VersionId,
    verdicts: &[NewVerdict],
    seen: Option<&Seen>,
    stamp: &Stamp,
) -> std::result::Result<Counted, Failure> {
    let place = place_of(transaction.sql, version)?;
    let policy = transaction.policy_for_source(place.source_id)?;
    repeat_late(transaction, &place, &policy, stamp)?;
    let mut counted = Vec::with_capacity(verdicts.len());
    let mut ids = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        let on = Judged::Version(version);
        if is_overtaken(transaction.sql, on, verdict, seen, &policy)? {
            let subject = (Some(place.source_id), Some(version), String::new());
            note_overtaken(transaction, subject, verdict, &policy, stamp)?;
            continue;
        }
        ids.push(insert_verdict(transaction, on, verdict, stamp)?);
        let source = place.source_id;
        insert_verdict_event(transaction, source, version, verdict, &policy, stamp)?;
        counted.push(verdict.clone());
    }
    if seen.is_some_and(|seen| seen.is_anew) {
        let subject = (Some(place.source_id), Some(version), String::new());
        set_aside_unreadable(transaction, Judged::Version(version), &subject, stamp)?;
    }
    let state = derive_state(transaction, &place, &policy, &counted, stamp)?;
    let mut ended = Vec::new();
    for (id, verdict) in ids.into_iter().zip(&counted) {
        let own = Own::new(id, verdict, seen);
        ended.extend(end_on_versions(transaction, version, &own, stamp)?);
    }
    Ok(Counted {
        state,
        verdicts: counted,
        ended,
    })
}

/// Writes down the state that follows from all verdicts on a version, given its row as it was before, and returns it; events say what
/// changed. `said` are the verdicts that came just now.
pub(super) fn derive_state(
    transaction: &Transaction<'_>,
    place: &Place,
    policy: &InForce,
    said: &[NewVerdict],
    stamp: &Stamp,
) -> std::result::Result<VersionState, Failure> {
    let (version, source, before) = (place.id, place.source_id, place.state);
    let outcomes = newest_outcomes(transaction.sql, Judged::Version(version))?;
    let state = policy.weights.state(&outcomes);
    write_state(transaction, place, state, policy.revision)?;
    if state == before {
        return Ok(state);
    }
    let insert = |action, detail| {
        let event = NewEvent {
            action,
            source_id: Some(source),
            version_id: Some(version),
            detail,
        };
        insert_event_under(transaction, stamp, policy.revision, event)
    };
    if let Some((action, detail)) = turn(before, state, said, &policy.weights) {
        insert(action, detail)?;
    }
    if state == VersionState::Passed && ends_a_failure(transaction.sql, version, before)? {
        insert(Action::VersionRecovered, None)?;
    }
    refresh_publication(transaction, source)?;
    Ok(state)
}

/// Writes down the state of a version, and the policy by which it follows; its checksum with it.
pub(super) fn write_state(
    transaction: &Transaction<'_>,
    place: &Place,
    state: VersionState,
    revision: Option<i64>,
) -> rusqlite::Result<()> {
    let checksum = Place { state, ..*place }.checksum();
    transaction.execute(
        "UPDATE version SET state = ?2, policy_revision = ?3, checksum = ?4
         WHERE id = ?1 AND (state <> ?2 OR policy_revision IS NOT ?3)",
        params![place.id.0, state.as_str(), revision, checksum],
    )?;
    Ok(())
}

/// Returns whether a version that passes now is its source's newest, and it or the one before it had failed.
fn ends_a_failure(
    sql: &Connection,
    version: VersionId,
    before: VersionState,
) -> rusqlite::Result<bool> {
    const LAST_FAILED: &str = "SELECT 1 FROM version v CROSS JOIN source_state t ON t.source_id = v.source_id
         WHERE v.id = ?1 AND t.version_id = v.id AND (?2 OR EXISTS (SELECT 1 FROM version w
             WHERE w.source_id = v.source_id AND w.ordinal = v.ordinal - 1 AND w.state = 'failed'))";
    sql.prepare_cached(LAST_FAILED)?
        .exists(params![version.0, before == VersionState::Failed])
}

/// Returns the event of a changed state: that the version failed and why, or that verdicts which were recorded before count
/// otherwise now. Nothing when the events of the new verdicts say it.
fn turn(
    before: VersionState,
    state: VersionState,
    verdicts: &[NewVerdict],
    weights: &Weights,
) -> Option<(Action, Option<String>)> {
    if state == VersionState::Failed {
        return Some((Action::VersionFailed, reasons(verdicts, weights)));
    }
    let words = || Some(format!("{before} -> {state}"));
    verdicts
        .is_empty()
        .then(|| (Action::VersionRecounted, words()))
}

/// Returns the row of a version that has to be there.
pub(super) fn place_of(
    sql: &Connection,
    version: VersionId,
) -> std::result::Result<Place, Failure> {
    let place = place_by_id(sql, version)?;
    found(
        place.ok_or(rusqlite::Error::QueryReturnedNoRows),
        "version",
        version.0,
    )
}

/// Tells whether a verdict comes too late, which was reached in view of what was `seen`, of nothing that could be overtaken
/// without. Its verifier has answered since what this one only promises to; or it is defined otherwise by now; or somebody
/// outside, or the verifier by another definition, has decided since, which stands until the verifier is asked again.
pub(super) fn is_overtaken(
    sql: &Connection,
    on: Judged,
    verdict: &NewVerdict,
    seen: Option<&Seen>,
    policy: &InForce,
) -> rusqlite::Result<bool> {
    let is_promise = verdict.judgement.outcome == VerdictOutcome::Pending;
    if seen.is_none() && !is_promise {
        return Ok(false);
    }
    if seen.is_some_and(|seen| policy.redefines(verdict, seen)) {
        return Ok(true);
    }
    let Tables {
        verdicts,
        on: column,
        ..
    } = on.tables();
    sql.prepare_cached(&format!(
        "SELECT 1 FROM {verdicts} d CROSS JOIN text n ON n.id = d.verifier_id CROSS JOIN text f ON f.id = d.fingerprint_id
         WHERE d.{column} = ?1 AND d.id > ?2 AND n.value = ?3 AND d.outcome <> 'pending' AND (?4 OR f.value <> ?5)"
    ))?
    .exists(params![
        on.id(),
        seen.map_or(0, |seen| seen.verdict.0),
        verdict.verifier,
        is_promise || verdict.fingerprint.is_outside(),
        verdict.fingerprint.hex,
    ])
}

/// Appends the event of a verdict on a version.
pub(super) fn insert_verdict_event(
    transaction: &Transaction<'_>,
    source: SourceId,
    version: VersionId,
    verdict: &NewVerdict,
    policy: &InForce,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let (action, detail) = match verdict.judgement.outcome {
        VerdictOutcome::Passed => (Action::VerdictPassed, verdict.verifier.clone()),
        VerdictOutcome::Failed => (Action::VerdictFailed, with_reason(verdict)),
        VerdictOutcome::Error => (Action::VerdictError, with_reason(verdict)),
        VerdictOutcome::Pending => (Action::VerdictPending, with_reason(verdict)),
    };
    let event = NewEvent {
        action,
        source_id: Some(source),
        version_id: Some(version),
        detail: Some(detail),
    };
    insert_event_under(transaction, stamp, policy.revision, event)?;
    Ok(())
}

/// Appends the event of a verdict that was left out; what it is on is a version, or what the text names. Of a promise that was kept
/// before it was recorded nothing is said.
pub(super) fn note_overtaken(
    transaction: &Transaction<'_>,
    (source_id, version_id, what): (Option<SourceId>, Option<VersionId>, String),
    verdict: &NewVerdict,
    policy: &InForce,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let outcome = verdict.judgement.outcome;
    if outcome == VerdictOutcome::Pending {
        return Ok(());
    }
    let event = NewEvent {
        action: Action::VerdictOvertaken,
        source_id,
        version_id,
        detail: Some(format!("{what}{}: {outcome}", verdict.verifier)),
    };
    insert_event_under(transaction, stamp, policy.revision, event)?;
    Ok(())
}

/// Returns what the verifiers that decide found wrong; nothing when none of these verdicts is what failed the version.
fn reasons(verdicts: &[NewVerdict], weights: &Weights) -> Option<String> {
    let reasons: Vec<_> = verdicts
        .iter()
        .filter(|verdict| verdict.judgement.outcome == VerdictOutcome::Failed)
        .filter(|verdict| weights.requires(&verdict.verifier))
        .map(with_reason)
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Returns who said it, and why.
pub(super) fn with_reason(verdict: &NewVerdict) -> String {
    if verdict.judgement.detail.is_empty() {
        return verdict.verifier.clone();
    }
    format!("{}: {}", verdict.verifier, verdict.judgement.detail)
}

/// Returns who failed a version, and why; nothing when nobody did.
pub(super) fn failure_of(
    sql: &Connection,
    version: VersionId,
) -> std::result::Result<Option<String>, Failure> {
    // What is damaged is no reason that could be told.
    let mut damaged = Vec::new();
    let of_version = [version.0];
    let verdicts = list(
        sql,
        NO_OUTPUT,
        "d.version_id = ?1",
        of_version,
        &mut damaged,
    )?;
    let newest_first = verdicts.iter().rev().map(|one| &one.verdict);
    Ok(deciding_verdict(VersionState::Failed, newest_first).map(with_reason))
}

/// Returns all verdicts on a version, oldest first; those whose rows are damaged are left out.
pub(super) fn verdicts_on(
    sql: &Connection,
    version: VersionId,
    damaged: &mut Vec<DamagedRow>,
) -> std::result::Result<Vec<Verdict>, Failure> {
    list(sql, OUTPUT, "d.version_id = ?1", [version.0], damaged)
}

/// Returns the id of the newest verdict on a version; 0 while there is none.
pub(super) fn newest_verdict(sql: &Connection, version: VersionId) -> rusqlite::Result<VerdictId> {
    let mut newest =
        sql.prepare_cached("SELECT coalesce(max(id), 0) FROM verdict WHERE version_id = ?1")?;
    newest
        .query_row([version.0], |row| row.get(0))
        .map(VerdictId)
}
