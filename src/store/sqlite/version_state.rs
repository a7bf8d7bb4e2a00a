//! The state of a version, derived from all verdicts on it, with events for its changes.

use rusqlite::{Connection, params};

use super::event_row::insert_event;
use super::failure::{Outcome, found};
use super::policy_in_force::InForce;
use super::publication::refresh_publication;
use super::set_aside::Subject;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_row::newest_outcomes;
use super::version_row::{Place, place_by_id};
use crate::domain::{
    Action, NewEvent, NewVerdict, Stamp, VerdictId, VersionId, VersionState, event_of_state,
    event_of_verdict,
};
use crate::store::judged::Judged;

/// Derives a version's state from all verdicts on it, stores and returns it; `place` is its row before. Changes append
/// events. `said` are the new verdicts.
pub(super) fn derive_state(
    transaction: &Transaction<'_>,
    place: &Place,
    policy: &InForce,
    said: &[NewVerdict],
    stamp: &Stamp,
) -> Outcome<VersionState> {
    let (version, source, before) = (place.id, place.source_id, place.state);
    let outcomes = newest_outcomes(transaction.sql, Judged::Version(version))?;
    let state = policy.weights.state(&outcomes);
    write_state(transaction, place, state, policy.revision)?;
    if state == before {
        return Ok(state);
    }
    let event_of = |action| {
        let event = NewEvent::of(action).source(source).version(version);
        event.under(policy.revision)
    };
    if let Some((action, detail)) = event_of_state(before, state, said, &policy.weights) {
        insert_event(transaction, stamp, event_of(action).detail(detail))?;
    }
    if state == VersionState::Passed && ends_a_failure(transaction.sql, version, before)? {
        insert_event(transaction, stamp, event_of(Action::VersionRecovered))?;
    }
    refresh_publication(transaction, source)?;
    Ok(state)
}

/// Stores a version's state with the policy behind it, and the checksum.
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

/// Returns whether a version that passes now is its source's newest, and it or its predecessor had failed.
fn ends_a_failure(
    sql: &Connection,
    version: VersionId,
    before: VersionState,
) -> rusqlite::Result<bool> {
    const LAST_FAILED: &str = "SELECT 1 FROM version v CROSS JOIN source_state t ON t.source_id = v.source_id
         WHERE v.id = ?1 AND t.version_id = v.id AND (?2 OR EXISTS (SELECT 1 FROM version w
             WHERE w.source_id = v.source_id AND w.ordinal = v.ordinal - 1 AND w.state = 'failed'))";
    sql.any(
        LAST_FAILED,
        params![version.0, before == VersionState::Failed],
    )
}

/// Returns the row of a version; a missing one is damage.
pub(super) fn place_of(sql: &Connection, version: VersionId) -> Outcome<Place> {
    let place = place_by_id(sql, version)?;
    found(
        place.ok_or(rusqlite::Error::QueryReturnedNoRows),
        "version",
        version.0,
    )
}

/// Appends the event of a verdict on a version.
pub(super) fn insert_verdict_event(
    transaction: &Transaction<'_>,
    subject: &Subject<'_>,
    (id, verdict): (VerdictId, &NewVerdict),
    policy: &InForce,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let (action, detail) = event_of_verdict(verdict);
    let event = subject.event(action, Some(id), &detail);
    let event = event.under(policy.revision).by_hand(verdict.is_by_hand());
    insert_event(transaction, stamp, event).map(drop)
}
