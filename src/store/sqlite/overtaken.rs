//! Verdicts that come too late: somebody else has decided since they were asked for.

use rusqlite::{Connection, params};

use super::event_row::insert_event;
use super::policy_in_force::InForce;
use super::set_aside::Subject;
use super::transaction::Transaction;
use super::verdict_tables::Tables;
use crate::domain::{Action, NewVerdict, Stamp, VerdictOutcome};
use crate::store::judged::Judged;
use crate::store::types::Seen;

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

/// Appends the event of a verdict that was left out. A promise that was kept before it was recorded gets none.
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
