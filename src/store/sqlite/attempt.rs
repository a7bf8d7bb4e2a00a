//! Attempts: each is recorded in one transaction with its results, under a claim that still holds.

use rusqlite::{OptionalExtension as _, params};

use super::Store;
use super::blob::insert_blob;
use super::damaged_state::of_state;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome};
use super::new_version::{NewVersion, insert_version};
use super::provenance::provenance_id;
use super::publication::is_file_due;
use super::recorded_before::recorded_before;
use super::refusals::repeat_on_version;
use super::row::{Columns, duration_ms, int, millis, to_json};
use super::transaction::Transaction;
use super::version_row::Place;
use super::version_state::write_state;
use crate::domain::{
    About, Action, AttemptId, AttemptOutcome, Interval, NewEvent, Slot, SourceId, VersionId,
    VersionState, event_of_health, next_slot,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::{Result, StoreError};
use crate::store::types::{AttemptRecord, AttemptResult, Recorded};

impl Store {
    /// Records attempt, version, blob, validators, next slot, failures and event together, and ends the claim. A new
    /// version is pending when a damaged row may hold a refusal of its bytes; that row is noted ([`Store::damage`]).
    ///
    /// Recording the same attempt again, before the source's next attempt, writes nothing and returns the same result:
    /// its worker may have lost the first answer.
    ///
    /// # Errors
    ///
    /// [`StoreError::StaleClaim`] when the claim was taken over, released or used for another attempt, or the source
    /// removed.
    pub async fn record_attempt(&self, record: AttemptRecord) -> Result<Recorded> {
        // Not in the writer's time, which all attempts share.
        let validators = &record.validators;
        let validators = (!validators.is_empty()).then(|| to_json(validators));
        let recorded = self
            .write(move |transaction| write_attempt(transaction, &record, validators.as_deref()));
        let (recorded, damaged) = recorded.await?;
        self.noted().add(damaged.into_iter().collect());
        Ok(recorded)
    }
}

/// Deletes a source's validators: its next request is unconditional.
pub(super) fn forget_validators(
    transaction: &Transaction<'_>,
    source: SourceId,
) -> rusqlite::Result<()> {
    let forget = "UPDATE source_state SET validators = NULL WHERE source_id = ?1";
    let forgotten = transaction.execute(forget, [source.0]).map(drop);
    forgotten.map_err(|error| of_state(transaction.sql, source, error))
}

fn write_attempt(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
    validators: Option<&str>,
) -> Outcome<(Recorded, Option<DamagedRow>)> {
    let claimed = match claimed_source(transaction, record) {
        Err(Failure::Refused(StoreError::StaleClaim(_))) => {
            return Ok((recorded_before(transaction, record)?, None));
        }
        claimed => claimed?,
    };
    let new = insert_content(transaction, record)?;
    let version_id = match record.result {
        AttemptResult::New { .. } => new.as_ref().map(|new| new.place.id),
        AttemptResult::Unchanged => claimed.newest,
        AttemptResult::Failed { .. } | AttemptResult::Absent => None,
    };
    let attempt_id = insert_attempt(transaction, record, &claimed.address, version_id)?;
    insert_fetch_event(transaction, record, attempt_id, version_id)?;
    insert_turn(transaction, record, attempt_id, claimed.failures)?;
    let (first_state, damaged) = match &new {
        Some(new) => {
            let (state, damaged) = first_state(transaction, record, new)?;
            (Some(state), damaged)
        }
        None => (None, None),
    };
    end_claim(transaction, record, validators, &claimed, new.as_ref())?;
    let recorded = Recorded {
        attempt_id,
        version_id,
        first_state,
        blob_was_known: new.is_some_and(|new| new.blob_was_known),
    };
    Ok((recorded, damaged))
}

/// A new version, as an attempt records it.
struct NewContent {
    place: Place,
    blob_was_known: bool,
}

/// Appends an attempt's new version to the source's history; returns `None` when the content is unchanged.
fn insert_content(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
) -> rusqlite::Result<Option<NewContent>> {
    let AttemptResult::New {
        blob,
        name,
        media_type,
        last_modified,
    } = &record.result
    else {
        return Ok(None);
    };
    let (blob_id, blob_was_known) = insert_blob(transaction, blob)?;
    let policy = transaction.policy_for_source(record.source_id)?;
    let version = NewVersion {
        source_id: record.source_id,
        blob_id,
        digest: blob.digest,
        name,
        media_type: media_type.as_deref(),
        last_modified: last_modified.as_ref(),
        fetched_at: record.stamp.at,
        state: policy.weights.first_state(),
        policy_revision: policy.revision,
    };
    Ok(Some(NewContent {
        place: insert_version(transaction, &version)?,
        blob_was_known,
    }))
}

/// Returns a new version's first state: the policy's, unless the same bytes were refused. When a damaged row hides
/// whether they were refused, the state is pending, and that row is returned.
fn first_state(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
    new: &NewContent,
) -> Outcome<(VersionState, Option<DamagedRow>)> {
    let place = &new.place;
    // New blobs are checked, too: the row of the refused blob may be the damaged one.
    let refused = if place.ordinal > 0 {
        repeat_on_version(transaction, place.id, &record.stamp)
    } else {
        Ok(None)
    };
    match refused {
        Err(error) if error.is_damage() => {
            write_state(transaction, place, VersionState::Pending, None)?;
            Ok((VersionState::Pending, error.damaged_row()))
        }
        refused => Ok((refused?.unwrap_or(place.state), None)),
    }
}

/// A source whose claim holds, as it is before the attempt is recorded.
struct ClaimedSource {
    /// The present address and interval: the source may have been edited since the claim.
    address: String,
    interval: Interval,
    failures: u32,
    newest: Option<VersionId>,
    /// A day of a dated source, which decides when it is due.
    is_day: bool,
}

/// Returns the source if the claim holds.
fn claimed_source(transaction: &Transaction<'_>, record: &AttemptRecord) -> Outcome<ClaimedSource> {
    let source = record.source_id;
    let claimed = transaction
        .sql
        .prepare_cached(
            "SELECT s.address, s.settings, t.failures, t.version_id, s.day IS NOT NULL FROM source s JOIN source_state t ON t.source_id = s.id
             WHERE s.id = ?1 AND t.fence = ?2 AND t.lease_owner = ?3",
        )?
        .query_row(params![source.0, record.fence, record.worker.0], |row| {
            let mut columns = Columns::new(row);
            Ok(ClaimedSource {
                address: columns.get()?,
                interval: columns.settings()?.interval.unwrap_or(Interval::DEFAULT),
                failures: columns.count()?,
                newest: columns.optional()?.map(VersionId),
                is_day: columns.get()?,
            })
        })
        .optional()?;
    Ok(claimed.ok_or(StoreError::StaleClaim(source))?)
}

/// The columns of a source's state that every attempt writes.
macro_rules! end_claim {
    ($more:literal) => {
        concat!(
            "UPDATE source_state SET recorded_claim = row_checksum(fence, lease_owner), lease_owner = NULL, next_slot = ?2, failures = ?3,
                 requests = ?4, validators = ?5, last_attempt_at = ?6, last_outcome = ?7, whole_at = iif(?8, ?6, whole_at),
                 checked_at = iif(?9, ?6, checked_at)",
            $more,
            " WHERE source_id = ?1"
        )
    };
}
const END_CLAIM: &str = end_claim!("");
const END_CLAIM_WITH_VERSION: &str = end_claim!(
    ", version_id = ?10, publish_error = iif(?11 < publish_due, NULL, publish_error),
         publish_unsure = iif(?11 < publish_due, 2, publish_unsure), publish_due = ?11"
);

/// Updates the state of the source in one statement, since every update rewrites a row of many columns. Marks the
/// source, as [`refresh_publication`] would, when the new version may change its published file.
fn end_claim(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
    validators: Option<&str>,
    claimed: &ClaimedSource,
    new: Option<&NewContent>,
) -> Outcome<()> {
    let outcome = outcome_of(&record.result);
    let (slot, failures) = due_after(record, claimed, outcome);
    let has_answer = matches!(outcome, AttemptOutcome::New | AttemptOutcome::Unchanged);
    let received_whole = has_answer && record.size_bytes.is_some();
    // New content was written just now, which counts as checked.
    let is_checked = record.checked || outcome == AttemptOutcome::New;
    let state = params![
        record.source_id.0,
        slot.0,
        failures,
        int(record.requests),
        validators,
        millis(record.started_at),
        outcome.as_str(),
        received_whole,
        is_checked,
    ];
    let Some(new) = new else {
        return Ok(transaction.execute(END_CLAIM, state).map(drop)?);
    };
    let version = new.place.id;
    let is_due = is_file_due(transaction, record.source_id, Some(version))?;
    let more = params![version.0, is_due];
    let all: Vec<_> = state.iter().chain(more).copied().collect();
    Ok(transaction
        .execute(END_CLAIM_WITH_VERSION, all.as_slice())
        .map(drop)?)
}

/// Returns the slot in which a source is due after an attempt, and its failures in a row.
fn due_after(
    record: &AttemptRecord,
    claimed: &ClaimedSource,
    outcome: AttemptOutcome,
) -> (Slot, u32) {
    let failures = match outcome {
        AttemptOutcome::Failed => claimed.failures.saturating_add(1),
        AttemptOutcome::New | AttemptOutcome::Unchanged | AttemptOutcome::Absent => 0,
    };
    if claimed.is_day && failures == 0 {
        return (Slot::REST, 0);
    }
    let slot = Slot::containing(record.started_at);
    let slot = next_slot(slot, claimed.interval, failures);
    let slot = record.not_before.map_or(slot, |floor| floor.max(slot));
    (slot, failures)
}

fn insert_attempt(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
    address: &str,
    version: Option<VersionId>,
) -> rusqlite::Result<AttemptId> {
    let (kind, error) = match &record.result {
        AttemptResult::Failed { kind, detail } => (Some(kind.as_str()), Some(detail)),
        _ => (None, None),
    };
    let outcome = transaction.text_id(outcome_of(&record.result).as_str())?;
    let provenance = record.provenance.as_ref();
    let source = (record.source_id, address);
    let provenance = provenance.map(|one| provenance_id(transaction, source, one));
    let id = transaction.insert(
        "INSERT INTO attempt (source_id, started_at, duration_ms, tries, outcome_id, http_status, size_bytes, version_id,
             error_kind, error, provenance_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            record.source_id.0,
            millis(record.started_at),
            duration_ms(record.duration),
            record.tries,
            outcome,
            record.http_status,
            record.size_bytes.map(int),
            version.map(|id| id.0),
            kind,
            error,
            provenance.transpose()?
        ],
    )?;
    Ok(AttemptId(id))
}

fn insert_fetch_event(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
    attempt: AttemptId,
    version: Option<VersionId>,
) -> rusqlite::Result<()> {
    // New and unchanged content needs no words: the version and the attempt record both.
    let (action, detail) = match &record.result {
        AttemptResult::New { .. } => (Action::FetchNew, None),
        AttemptResult::Unchanged => (Action::FetchUnchanged, None),
        AttemptResult::Absent => (Action::FetchAbsent, None),
        AttemptResult::Failed { kind, detail } => {
            (Action::FetchFailed, Some(format!("{kind}: {detail}")))
        }
    };
    let event = NewEvent::of(action).source(record.source_id);
    let event = event.version(version).about(About::Attempt(attempt));
    insert_event(transaction, &record.stamp, event.detail(detail)).map(drop)
}

/// Appends an event when a source starts or stops failing.
fn insert_turn(
    transaction: &Transaction<'_>,
    record: &AttemptRecord,
    attempt: AttemptId,
    failures_before: u32,
) -> rusqlite::Result<()> {
    let has_failed = matches!(record.result, AttemptResult::Failed { .. });
    let Some((action, detail)) = event_of_health(failures_before, has_failed) else {
        return Ok(());
    };
    let event = NewEvent::of(action).source(record.source_id);
    let event = event.about(About::Attempt(attempt)).detail(detail);
    insert_event(transaction, &record.stamp, event).map(drop)
}

fn outcome_of(result: &AttemptResult) -> AttemptOutcome {
    match result {
        AttemptResult::New { .. } => AttemptOutcome::New,
        AttemptResult::Unchanged => AttemptOutcome::Unchanged,
        AttemptResult::Absent => AttemptOutcome::Absent,
        AttemptResult::Failed { .. } => AttemptOutcome::Failed,
    }
}
