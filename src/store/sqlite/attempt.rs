//! Attempts: each is recorded in one transaction with its results, under a claim that still holds.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::blob::insert_blob;
use super::damaged_state::of_state;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome};
use super::new_version::{NewVersion, insert_version};
use super::provenance::{Addresses, PROVENANCE, provenance_id, read_provenance};
use super::publication::is_file_due;
use super::recorded_before::recorded_before;
use super::refusals::repeat_on_version;
use super::row::{Columns, duration_ms, int, millis, row_limit, to_json};
use super::select::{Damage, Select};
use super::sql_damage::{read_row, sound_rows};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::version_row::Place;
use super::version_state::write_state;
use crate::domain::{
    About, Action, Attempt, AttemptId, AttemptOutcome, Interval, NewEvent, Slot, SourceId,
    VersionId, VersionState, event_of_health, next_slot,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::error::{Result, StoreError};
use crate::store::query::{
    AttemptsAfter, AttemptsBefore, AttemptsByHour, LastGoodAttempt, NewestAttempt,
};
use crate::store::types::{AttemptFacts, AttemptRecord, AttemptResult, HourOfAttempts, Recorded};

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

    /// Returns the source's attempts, newest first; all of them without a limit. Damaged rows are left out
    /// ([`Store::damage`]).
    pub async fn attempts(&self, source: SourceId, limit: Option<usize>) -> Result<Vec<Attempt>> {
        self.read_sound(move |sql, damaged| attempts_of(sql, source, None, limit, damaged))
            .await
    }
}

impl Select<Vec<Attempt>> for AttemptsBefore {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<Attempt>> {
        let Self(source, before, limit) = *self;
        attempts_of(sql, source, before, Some(limit), damaged)
    }
}

/// The newest attempts that are counted by hour: a day of 10,000 sources that are fetched every hour.
const MOST_COUNTED: i64 = 240_000;
/// The longest attempt, in milliseconds. Rows lie in the order in which attempts ended.
const LONGEST_MS: i64 = 6 * 3_600_000;
const MS_PER_HOUR: i64 = 3_600_000;

// Walks back from the newest attempt: no index leads to a time.
const NEWEST_ATTEMPTS: &str =
    "SELECT started_at, outcome_id = (SELECT id FROM text WHERE value = 'failed')
     FROM attempt ORDER BY id DESC LIMIT ?1";

impl Select<Vec<HourOfAttempts>> for AttemptsByHour {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Vec<HourOfAttempts>> {
        let since = millis(self.0);
        let mut statement = sql.prepare_cached(NEWEST_ATTEMPTS)?;
        let mut rows = statement.query([MOST_COUNTED])?;
        let mut hours = BTreeMap::<i64, (u64, u64)>::new();
        while let Some(row) = rows.next()? {
            // A damaged row is reported by the list of attempts, not here.
            let Ok(at) = row.get::<_, i64>(0) else {
                continue;
            };
            if at < since.saturating_sub(LONGEST_MS) {
                break;
            }
            if at >= since {
                let hour = hours.entry(at.div_euclid(MS_PER_HOUR)).or_default();
                hour.0 += 1;
                hour.1 += u64::from(row.get(1).unwrap_or(false));
            }
        }
        let hours = hours
            .into_iter()
            .filter_map(|(hour, (attempts, failures))| {
                Some(HourOfAttempts {
                    start: DateTime::from_timestamp_millis(hour * MS_PER_HOUR)?,
                    attempts,
                    failures,
                })
            });
        Ok(hours.collect())
    }
}

impl Select<AttemptId> for NewestAttempt {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<AttemptId> {
        let newest = "SELECT coalesce(max(id), 0) FROM attempt";
        Ok(sql.only(newest, [], |row| row.get(0).map(AttemptId))?)
    }
}

impl Select<Vec<AttemptFacts>> for AttemptsAfter {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<AttemptFacts>> {
        let facts = "SELECT a.id, o.value AS outcome_id, a.error_kind, a.duration_ms
             FROM attempt a LEFT JOIN text o ON o.id = a.outcome_id WHERE a.id > ?1 ORDER BY a.id LIMIT ?2";
        let params = params![self.0.0, int(self.1)];
        Ok(sql.sound("attempt", facts, params, damaged, |columns| {
            Ok(AttemptFacts {
                id: AttemptId(columns.get()?),
                outcome: columns.word()?,
                error_kind: columns.optional_word()?,
                duration: columns.duration()?,
            })
        })?)
    }
}

impl Select<Option<DateTime<Utc>>> for LastGoodAttempt {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<Option<DateTime<Utc>>> {
        let began_at = sql.first(LAST_GOOD, [self.0.0], |row| {
            Ok(Columns::new(row).time().ok())
        })?;
        // A damaged row is reported by the list of attempts, not here.
        Ok(began_at.flatten())
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

/// Returns the source's attempts before one of them (or all), newest first. A damaged provenance row does not make its attempt damaged.
pub(super) fn attempts_of(
    sql: &Connection,
    source: SourceId,
    before: Option<AttemptId>,
    limit: Option<usize>,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Attempt>> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT a.id, a.source_id, a.started_at, a.duration_ms, o.value AS outcome_id, a.http_status, a.size_bytes, a.tries,
             a.version_id, {PROVENANCE}, a.error_kind, a.error
         FROM attempt a LEFT JOIN text o ON o.id = a.outcome_id
         LEFT JOIN provenance p ON p.id = a.provenance_id AND (p.source_id IS NULL OR p.source_id = a.source_id)
         WHERE a.source_id = ?1 AND a.id < ?3 ORDER BY a.id DESC LIMIT ?2"
    ))?;
    let before = before.map_or(i64::MAX, |before| before.0);
    let addresses = Addresses::of(sql, source, damaged)?;
    let mut lost = Vec::new();
    let rows = statement.query_map([source.0, row_limit(limit), before], |row| {
        read_row("attempt", row, |columns| {
            read_attempt(columns, &addresses, &mut lost)
        })
    })?;
    let attempts = sound_rows(rows, damaged)?;
    damaged.append(&mut lost);
    Ok(attempts)
}

// Walks back from the newest attempt, past the failed ones.
const LAST_GOOD: &str =
    "SELECT a.started_at FROM attempt a CROSS JOIN text o ON o.id = a.outcome_id
     WHERE a.source_id = ?1 AND o.value IN ('new', 'unchanged') ORDER BY a.id DESC LIMIT 1";

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
        AttemptResult::Failed { .. } => None,
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
}

/// Returns the source if the claim holds.
fn claimed_source(transaction: &Transaction<'_>, record: &AttemptRecord) -> Outcome<ClaimedSource> {
    let source = record.source_id;
    let claimed = transaction
        .sql
        .prepare_cached(
            "SELECT s.address, s.settings, t.failures, t.version_id FROM source s JOIN source_state t ON t.source_id = s.id
             WHERE s.id = ?1 AND t.fence = ?2 AND t.lease_owner = ?3",
        )?
        .query_row(params![source.0, record.fence, record.worker.0], |row| {
            let mut columns = Columns::new(row);
            Ok(ClaimedSource {
                address: columns.get()?,
                interval: columns.settings()?.interval.unwrap_or(Interval::DEFAULT),
                failures: columns.count()?,
                newest: columns.optional()?.map(VersionId),
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
    let received_whole = outcome != AttemptOutcome::Failed && record.size_bytes.is_some();
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
        AttemptOutcome::New | AttemptOutcome::Unchanged => 0,
    };
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
        AttemptResult::Failed { .. } => AttemptOutcome::Failed,
    }
}

/// Reads one attempt of a source with these addresses; a damaged provenance row is added to `lost`.
fn read_attempt(
    columns: &mut Columns<'_>,
    addresses: &Addresses,
    lost: &mut Vec<DamagedRow>,
) -> rusqlite::Result<Attempt> {
    let id: i64 = columns.get()?;
    Ok(Attempt {
        id: AttemptId(id),
        source_id: SourceId(columns.get()?),
        started_at: columns.time()?,
        duration: columns.duration()?,
        outcome: columns.word()?,
        http_status: columns.get()?,
        size_bytes: columns.optional_count()?,
        tries: columns.count()?,
        version_id: columns.optional()?.map(VersionId),
        provenance: read_provenance(columns, id, addresses, lost)?,
        error_kind: columns.optional_word()?,
        error: columns.get()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::query_plan;

    #[test]
    fn the_last_good_one_is_found_by_index() {
        let plan = query_plan(LAST_GOOD);
        assert!(
            plan.contains("SEARCH a USING INDEX attempt_source"),
            "{plan}"
        );
        assert!(
            !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}
