//! Overtaken verdicts: another decision was recorded after the verifier was asked.

use rusqlite::{Connection, params};

use super::event_row::insert_event;
use super::policy_in_force::InForce;
use super::set_aside::Subject;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_tables::Tables;
use crate::domain::{Action, NewVerdict, Stamp, VerdictOutcome};
use crate::store::judged::Judged;
use crate::store::types::Seen;

/// Reports whether a verdict is overtaken since `seen`: its promise was answered meanwhile; its verifier was redefined;
/// or a verdict from outside or by another definition was recorded, which stands until the verifier is asked again. A
/// verdict reached without `seen` is never overtaken.
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
    let query = format!(
        "SELECT 1 FROM {verdicts} d CROSS JOIN text n ON n.id = d.verifier_id CROSS JOIN text f ON f.id = d.fingerprint_id
         WHERE d.{column} = ?1 AND d.id > ?2 AND n.value = ?3 AND d.outcome <> 'pending' AND (?4 OR f.value <> ?5)"
    );
    sql.any(
        &query,
        params![
            on.id(),
            seen.map_or(0, |seen| seen.verdict.0),
            verdict.verifier,
            is_promise || verdict.fingerprint.is_outside(),
            verdict.fingerprint.hex,
        ],
    )
}

/// Appends the event of an overtaken verdict; an overtaken promise gets none.
pub(super) fn note_overtaken(
    transaction: &Transaction<'_>,
    subject: &Subject<'_>,
    verdict: &NewVerdict,
    policy: &InForce,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let outcome = verdict.judgement.outcome;
    if outcome == VerdictOutcome::Pending {
        return Ok(());
    }
    let words = format!("{}: {outcome}", verdict.verifier);
    let event = subject.event(Action::VerdictOvertaken, None, &words);
    insert_event(transaction, stamp, event.under(policy.revision))?;
    Ok(())
}
