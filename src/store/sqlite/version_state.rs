//! The state of a version, as it follows from all verdicts on it, with the events that say what changed.

use rusqlite::{Connection, params};

use super::event_row::{insert_event_of_verdict, insert_event_under};
use super::failure::{Failure, found};
use super::policy_in_force::InForce;
use super::publication::refresh_publication;
use super::transaction::Transaction;
use super::verdict_row::newest_outcomes;
use super::version_row::{Place, place_by_id};
use crate::domain::{
    About, Action, NewEvent, NewVerdict, Stamp, VerdictId, VersionId, VersionState, event_of_state,
    event_of_verdict,
};
use crate::store::judged::Judged;

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
            source_id: Some(source),
            version_id: Some(version),
            detail,
            ..NewEvent::of(action)
        };
        insert_event_under(transaction, stamp, policy.revision, event)
    };
    if let Some((action, detail)) = event_of_state(before, state, said, &policy.weights) {
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

/// Appends the event of a verdict on a version.
pub(super) fn insert_verdict_event(
    transaction: &Transaction<'_>,
    place: &Place,
    (id, verdict): (VerdictId, &NewVerdict),
    policy: &InForce,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let (action, detail) = event_of_verdict(verdict);
    let event = NewEvent {
        source_id: Some(place.source_id),
        version_id: Some(place.id),
        about: Some(About::Verdict(id)),
        detail: Some(detail),
        ..NewEvent::of(action)
    };
    let by_hand = Some(verdict.is_by_hand());
    insert_event_of_verdict(transaction, stamp, policy.revision, by_hand, event)?;
    Ok(())
}
