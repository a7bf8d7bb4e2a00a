//! Messages and their verifiers: which are to be judged, who does so, and the verdicts with the state that follows.
//!
//! Never judges a message that two processes took at once twice: the verdicts count of the one whose time is not over.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, params};

use super::Store;
use super::event_row::insert_event;
use super::failure::Outcome;
use super::message_query::message_with_row;
use super::row::{Columns, int, millis};
use super::select::{Damage, Select};
use super::sql_damage::damaged_row_in;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_row::{insert_row, verdicts_on_message};
use super::verdict_tables::OF_MESSAGES;
use crate::domain::{
    Action, MessageVerdict, NewEvent, NewVerdict, Policy, QueueName, Stamp, VerdictOutcome,
    VersionState, Weights, deciding_verdict,
};
use crate::store::error::Result;
use crate::store::message_types::{JudgedMessage, MAX_JUDGING_TRIES, MessageToJudge};
use crate::store::query::{MessageDue, VerdictsOnMessage};

/// The bytes of bodies after which no further message is taken.
const ENOUGH_BYTES: usize = 4 << 20;

/// The wait after a first try that ended in an error; four times as long after each further one.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);

impl Store {
    /// Takes messages that are due to be judged, so many at most, the one that is due for longest first. Until this time no other
    /// process takes them.
    pub async fn take_messages_to_judge(
        &self,
        most: usize,
        until: DateTime<Utc>,
        stamp: Stamp,
    ) -> Result<Vec<MessageToJudge>> {
        self.write(move |transaction| take(transaction, most, until, &stamp))
            .await
    }

    /// Leaves the messages that were taken until this time, and not judged, to whoever comes next.
    pub async fn give_messages_back(&self, until: DateTime<Utc>, stamp: Stamp) -> Result<()> {
        const GIVE_BACK: &str =
            "UPDATE message_state SET judge_at = ?2, tries = max(tries - 1, 0) WHERE judge_at = ?1";
        self.write(move |transaction| {
            let times = [millis(until), millis(stamp.at)];
            transaction.execute(GIVE_BACK, times)?;
            Ok(())
        })
        .await
    }

    /// Records the verdicts on messages, which were given under this policy, and the states that follow. Returns the state of
    /// each; `None` for one whose verdicts do not count: another policy is in force, it is another process's to judge by
    /// now, or it was deleted.
    pub async fn record_message_verdicts(
        &self,
        judged: Vec<JudgedMessage>,
        policy: Arc<Policy>,
        stamp: Stamp,
    ) -> Result<Vec<Option<VersionState>>> {
        self.write(move |transaction| record(transaction, &judged, &policy, &stamp))
            .await
    }
}

/// The policy in force.
enum Found {
    None,
    One(Arc<Policy>),
    Damaged,
}

/// What messages of a queue are before any verdict; `None` when nobody judges them.
pub(super) struct FirstStates {
    policy: Found,
    known: BTreeMap<i64, Option<VersionState>>,
}

impl FirstStates {
    pub(super) fn read(transaction: &Transaction<'_>) -> rusqlite::Result<Self> {
        let policy = match transaction.policy.read(transaction.sql) {
            Ok(policy) => policy.map_or(Found::None, |(_, policy)| Found::One(policy)),
            Err(error) if damaged_row_in(&error).is_some() => Found::Damaged,
            Err(error) => return Err(error),
        };
        Ok(Self {
            policy,
            known: BTreeMap::new(),
        })
    }

    pub(super) fn of(
        &mut self,
        transaction: &Transaction<'_>,
        queue_id: i64,
    ) -> rusqlite::Result<Option<VersionState>> {
        let policy = match &self.policy {
            // Messages are persisted all the same, and judged when the policy is mended.
            Found::Damaged => return Ok(Some(VersionState::Pending)),
            Found::None => return Ok(None),
            Found::One(policy) => policy,
        };
        if let Some(known) = self.known.get(&queue_id) {
            return Ok(*known);
        }
        let name = "SELECT name FROM queue WHERE id = ?1";
        let name: Option<QueueName> = transaction
            .sql
            .first(name, [queue_id], |row| Ok(Columns::new(row).sound_word()))?
            .flatten();
        let weights = name.and_then(|name| policy.for_queue(&name));
        let state = weights.as_ref().map(Weights::first_state);
        self.known.insert(queue_id, state);
        Ok(state)
    }
}

/// Gives a message that was just persisted its first state, and has it judged.
pub(super) fn insert_state(
    sql: &Connection,
    message: i64,
    state: VersionState,
    now: i64,
) -> rusqlite::Result<()> {
    const INSERT: &str = "INSERT INTO message_state (message_id, state, checksum, judge_at)
         VALUES (?1, ?2, row_checksum(?1, ?2), ?3)";
    let mut insert = sql.prepare_cached(INSERT)?;
    insert
        .execute(params![message, state.as_str(), now])
        .map(drop)
}

impl Select<bool> for MessageDue {
    fn select(&self, sql: &Connection, _: &mut Damage) -> Outcome<bool> {
        Ok(sql.any(DUE, params![millis(self.0), 1])?)
    }
}

impl Select<Vec<MessageVerdict>> for VerdictsOnMessage {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<MessageVerdict>> {
        verdicts_on_message(sql, self.0, damaged)
    }
}

const DUE: &str =
    "SELECT message_id, tries FROM message_state WHERE judge_at <= ?1 ORDER BY judge_at LIMIT ?2";

fn take(
    transaction: &Transaction<'_>,
    most: usize,
    until: DateTime<Utc>,
    stamp: &Stamp,
) -> Outcome<Vec<MessageToJudge>> {
    const TAKE: &str =
        "UPDATE message_state SET judge_at = ?2, tries = tries + 1 WHERE message_id = ?1";
    let due = params![millis(stamp.at), int(most)];
    let due = transaction.sql.all(DUE, due, |row| {
        let mut columns = Columns::new(row);
        Ok((columns.get::<i64>()?, columns.count::<u32>()?))
    })?;
    let (mut taken, mut bytes) = (Vec::new(), 0);
    for (id, tries) in due {
        if bytes >= ENOUGH_BYTES {
            break;
        }
        match message_with_row(transaction.sql, id) {
            Ok(Some(message)) => {
                transaction.execute(TAKE, params![id, millis(until)])?;
                bytes += message.body.len();
                taken.push(MessageToJudge {
                    message,
                    tries: tries + 1,
                    until,
                });
            }
            // A damaged message is reported when it is read.
            Ok(None) => set_state(transaction, id, VersionState::Error, None, tries)?,
            Err(error) if damaged_row_in(&error).is_some() => {
                set_state(transaction, id, VersionState::Error, None, tries)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(taken)
}

/// Stores the state of a message, from when on it is to be judged again, and the tries so far.
fn set_state(
    transaction: &Transaction<'_>,
    message: i64,
    state: VersionState,
    judge_at: Option<DateTime<Utc>>,
    tries: u32,
) -> rusqlite::Result<()> {
    const SET: &str = "INSERT INTO message_state (message_id, state, checksum, judge_at, tries)
         VALUES (?1, ?2, row_checksum(?1, ?2), ?3, ?4)
         ON CONFLICT (message_id) DO UPDATE SET state = excluded.state, checksum = excluded.checksum,
             judge_at = excluded.judge_at, tries = excluded.tries";
    let judge_at = judge_at.map(millis);
    let row = params![message, state.as_str(), judge_at, tries];
    transaction.execute(SET, row).map(drop)
}

/// A message whose verdicts are recorded.
struct Place {
    id: i64,
    queue: QueueName,
    judge_at: Option<i64>,
    tries: u32,
}

impl Place {
    fn of(transaction: &Transaction<'_>, judged: &JudgedMessage) -> rusqlite::Result<Option<Self>> {
        const PLACE: &str = "SELECT m.id, q.name, s.judge_at, coalesce(s.tries, 0)
             FROM message m JOIN queue q ON q.id = m.queue_id LEFT JOIN message_state s ON s.message_id = m.id WHERE m.uuid = ?1";
        let place = transaction
            .sql
            .first(PLACE, [judged.id.0.as_bytes()], |row| {
                let mut columns = Columns::new(row);
                Ok(Self {
                    id: columns.get()?,
                    queue: columns.word()?,
                    judge_at: columns.optional()?,
                    tries: columns.count()?,
                })
            })?;
        let is_own = |place: &Self| {
            judged
                .until
                .is_none_or(|until| place.judge_at == Some(millis(until)))
        };
        Ok(place.filter(is_own))
    }
}

fn record(
    transaction: &Transaction<'_>,
    judged: &[JudgedMessage],
    policy: &Policy,
    stamp: &Stamp,
) -> Outcome<Vec<Option<VersionState>>> {
    let in_force = transaction.policy.read(transaction.sql)?;
    let (revision, is_in_force) = match &in_force {
        Some((revision, in_force)) => (Some(*revision), **in_force == *policy),
        None => (None, policy.is_empty()),
    };
    let policy = Some(policy).filter(|_| is_in_force);
    let mut noted = Noted::default();
    let states = judged
        .iter()
        .map(|one| record_one(transaction, one, policy, &mut noted, stamp))
        .collect::<Outcome<_>>()?;
    noted.insert(transaction, revision, stamp)?;
    Ok(states)
}

/// Records the verdicts on a message, which were given under the policy in force; without one it is left to others.
fn record_one(
    transaction: &Transaction<'_>,
    judged: &JudgedMessage,
    policy: Option<&Policy>,
    noted: &mut Noted,
    stamp: &Stamp,
) -> Outcome<Option<VersionState>> {
    let Some(place) = Place::of(transaction, judged)? else {
        return Ok(None);
    };
    let (Some(policy), Some(verdicts)) = (policy, &judged.verdicts) else {
        give_back(transaction, judged, &place, stamp)?;
        return Ok(None);
    };
    let weights = policy.for_queue(&place.queue).unwrap_or_default();
    let state = weights.state(&verdicts.iter().map(outcome_of).collect());
    for verdict in verdicts {
        insert_row(transaction, (OF_MESSAGES, place.id), verdict, stamp)?;
    }
    let again = again_at(judged, &place, state, verdicts, stamp.at);
    let tries = if again.is_some() { place.tries } else { 0 };
    set_state(transaction, place.id, state, again, tries)?;
    let required = |one: &&NewVerdict| weights.requires(&one.verifier);
    let deciding = deciding_verdict(state, verdicts.iter().rev().filter(required));
    noted.note(judged, &place, (state, deciding), again.is_some());
    Ok(Some(state))
}

fn outcome_of(verdict: &NewVerdict) -> (String, VerdictOutcome) {
    (verdict.verifier.clone(), verdict.judgement.outcome)
}

/// Leaves a message that was taken and not judged to whoever comes next.
fn give_back(
    transaction: &Transaction<'_>,
    judged: &JudgedMessage,
    place: &Place,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    const GIVE_BACK: &str =
        "UPDATE message_state SET judge_at = ?2, tries = max(tries - 1, 0) WHERE message_id = ?1";
    if judged.until.is_some() {
        transaction.execute(GIVE_BACK, params![place.id, millis(stamp.at)])?;
    }
    Ok(())
}

/// Returns when a message that could not be judged is tried again; `None` for one that was, or that was tried often enough.
fn again_at(
    judged: &JudgedMessage,
    place: &Place,
    state: VersionState,
    verdicts: &[NewVerdict],
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let is_error = |one: &NewVerdict| one.judgement.outcome == VerdictOutcome::Error;
    let is_decided = state == VersionState::Failed || !verdicts.iter().any(is_error);
    if is_decided {
        return None;
    }
    if judged.until.is_none() {
        // At the request of somebody, who takes no try away.
        return place.judge_at.and_then(DateTime::from_timestamp_millis);
    }
    if place.tries >= MAX_JUDGING_TRIES {
        return None;
    }
    let earlier = place.tries.saturating_sub(1);
    Some(now + FIRST_WAIT * 4_i32.pow(earlier))
}

/// The events about messages that were judged together: one for those of a queue that failed, one for those that could not be
/// judged, so that many bad messages do not flood the log.
#[derive(Default)]
struct Noted(BTreeMap<(QueueName, bool), (String, usize)>);

impl Noted {
    fn note(
        &mut self,
        judged: &JudgedMessage,
        place: &Place,
        (state, deciding): (VersionState, Option<&NewVerdict>),
        is_tried_again: bool,
    ) {
        let is_error = match state {
            VersionState::Failed => false,
            // Between the first try and the last, nothing new is known.
            VersionState::Error if !is_tried_again || place.tries <= 1 => true,
            _ => return,
        };
        let why = deciding.map(NewVerdict::with_reason).unwrap_or_default();
        let then = match (is_error, is_tried_again) {
            (false, _) => "",
            (true, true) => "; tried again later",
            (true, false) => "; not tried again",
        };
        let words = || format!("{} of {}: {why}{then}", judged.id, place.queue);
        let of_queue = self.0.entry((place.queue.clone(), is_error));
        of_queue.or_insert_with(|| (words(), 0)).1 += 1;
    }

    fn insert(
        self,
        transaction: &Transaction<'_>,
        revision: Option<i64>,
        stamp: &Stamp,
    ) -> rusqlite::Result<()> {
        for ((queue, is_error), (words, count)) in self.0 {
            let action = if is_error {
                Action::MessageError
            } else {
                Action::MessageFailed
            };
            let words = match count {
                1 => words,
                _ => format!("{words} (and {} more of {queue})", count - 1),
            };
            let event = NewEvent::of(action).detail(words).under(revision);
            insert_event(transaction, stamp, event)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema::assert_plan;

    #[test]
    fn what_is_due_is_found_by_its_index() {
        let index = "message_state USING INDEX message_state_due";
        assert_plan(DUE, &[index], &["TEMP B-TREE"]);
    }
}
