//! Verdicts that a person gave in the place of a verifier end when the verifier judges the same contents anew, wherever these are: its
//! verdict is repeated on every other version of the source, or edition of the set, on which such a verdict counted.
//!
//! Never ends a verdict that a person gave while the verifier was judging.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::edition_row::{alike_editions, edition_by_id};
use super::edition_state::count_edition;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome};
use super::refusal_row::failed_or_refused;
use super::refusals::{alike_versions, is_decided, repeat_all_on_version};
use super::row::millis;
use super::set_aside::Subject;
use super::transaction::Transaction;
use super::verdict_row::{given, newest_outcomes, repeat};
use super::verdict_tables::Tables;
use super::version_state::place_of;
use crate::domain::{Action, EditionId, Fingerprint, NewVerdict, Stamp, VerdictId, VersionId};
use crate::store::judged::Judged;
use crate::store::types::{Ended, Seen};

/// A verifier's own verdict, which was recorded just now.
pub(super) struct Own<'a> {
    pub(super) id: VerdictId,
    pub(super) verdict: &'a NewVerdict,
    /// The newest verdict on the same that was known when the verifier was asked.
    pub(super) seen: VerdictId,
}

impl<'a> Own<'a> {
    pub(super) fn new(id: VerdictId, verdict: &'a NewVerdict, seen: Option<&Seen>) -> Self {
        let seen = seen.map_or(VerdictId(i64::MAX), |seen| seen.verdict);
        Self { id, verdict, seen }
    }
}

/// Repeats a verifier's own verdict on a version on the others with the same bytes where a person's counts in its place; their states
/// follow. Returns the verdicts that ended so.
pub(super) fn end_on_versions(
    transaction: &Transaction<'_>,
    version: VersionId,
    own: &Own<'_>,
    stamp: &Stamp,
) -> Outcome<Vec<Ended>> {
    let sql = transaction.sql;
    let Some(by_hand) = ends_others(sql, Judged::Version(version), own)? else {
        return Ok(Vec::new());
    };
    let (failed, _) = failed_or_refused(sql, version)?;
    let mut ended = Vec::new();
    for other in alike_versions(sql, version, &failed)? {
        let on = Judged::Version(other);
        if let Some(last) = last_to_end(sql, on, own, by_hand)? {
            let aside = ended_by_hand(sql, on, &last)?;
            let subject = Subject::Version(place_of(sql, other)?.source_id, other);
            note_ended(transaction, &subject, aside.as_ref(), stamp)?;
            let said = [(own.id, own.verdict.clone())];
            repeat_all_on_version(transaction, other, &said, stamp)?;
            ended.extend(aside.map(|(_, ended)| ended));
        }
    }
    Ok(ended)
}

/// Does the same of an edition and the others of the set with the same contents.
pub(super) fn end_on_editions(
    transaction: &Transaction<'_>,
    edition: EditionId,
    own: &Own<'_>,
    stamp: &Stamp,
) -> Outcome<Vec<Ended>> {
    let sql = transaction.sql;
    let Some(by_hand) = ends_others(sql, Judged::Edition(edition), own)? else {
        return Ok(Vec::new());
    };
    let judged = edition_by_id(sql, edition)?;
    let versions: Vec<_> = judged.members.iter().map(|one| one.version_id).collect();
    let policy = transaction.policy_for_set(&judged.set)?;
    let mut ended = Vec::new();
    for other in alike_editions(sql, &judged.set, &versions, false)? {
        let on = Judged::Edition(other);
        if other == edition {
            continue;
        }
        if let Some(last) = last_to_end(sql, on, own, by_hand)? {
            let aside = ended_by_hand(sql, on, &last)?;
            let words = format!("{}: edition {other}", judged.set);
            let subject = Subject::Edition(other, &words);
            note_ended(transaction, &subject, aside.as_ref(), stamp)?;
            repeat(transaction, own.id, false, on)?;
            count_edition(transaction, other, &policy)?;
            ended.extend(aside.map(|(_, ended)| ended));
        }
    }
    Ok(ended)
}

/// Returns the fingerprint of verdicts by hand when a verdict ends those on the same contents: a person had decided in the verifier's
/// place, or the verifier decides otherwise than it did. Its first verdict on a version that came later ends none.
fn ends_others(sql: &Connection, on: Judged, own: &Own<'_>) -> rusqlite::Result<Option<i64>> {
    if own.verdict.fingerprint.is_outside() {
        return Ok(None);
    }
    let Some(by_hand) = hand_fingerprint(sql)? else {
        return Ok(None);
    };
    let Tables {
        verdicts,
        on: column,
        ..
    } = on.tables();
    let ends = sql
        .prepare_cached(&format!(
            "SELECT d.fingerprint_id = ?4 OR ?5 AND d.outcome <> ?6 FROM {verdicts} d CROSS JOIN text n ON n.id = d.verifier_id
             WHERE d.{column} = ?1 AND d.id < ?2 AND n.value = ?3 AND d.outcome IN ('passed', 'failed') ORDER BY d.id DESC LIMIT 1"
        ))?
        .query_row(
            params![
                on.id(),
                own.id.0,
                own.verdict.verifier,
                by_hand,
                is_decided(own.verdict),
                own.verdict.judgement.outcome.as_str()
            ],
            |row| row.get(0),
        )
        .optional()?;
    Ok(ends.unwrap_or(false).then_some(by_hand))
}

/// Returns the id of the fingerprint of verdicts by hand; nothing while nobody ever gave one, which is the rule.
fn hand_fingerprint(sql: &Connection) -> rusqlite::Result<Option<i64>> {
    sql.prepare_cached("SELECT id FROM text WHERE value = ?1")?
        .query_row([Fingerprint::overruled().hex], |row| row.get(0))
        .optional()
}

/// A verdict in whose place the verifier's own comes.
struct Last {
    id: VerdictId,
    is_by_hand: bool,
}

/// Returns what counts of the verifier on this, when the verifier's own verdict on the same contents takes its place: a person's, or one
/// that did that before and decided nothing. Nothing where a row is damaged: that is not published either.
fn last_to_end(
    sql: &Connection,
    other: Judged,
    own: &Own<'_>,
    by_hand: i64,
) -> Outcome<Option<Last>> {
    match newest_outcomes(sql, other).map_err(Failure::from) {
        Err(error) if error.is_damage() => return Ok(None),
        known => known?,
    };
    let Tables {
        verdicts,
        on: column,
        ..
    } = other.tables();
    let last = sql
        .prepare_cached(&format!(
            "SELECT d.id, d.fingerprint_id = ?3, d.given_on IS NOT NULL AND d.outcome IN ('error', 'pending'), d.started_at
             FROM {verdicts} d CROSS JOIN text n ON n.id = d.verifier_id
             WHERE d.{column} = ?1 AND n.value = ?2 ORDER BY d.id DESC LIMIT 1"
        ))?
        .query_row(params![other.id(), own.verdict.verifier, by_hand], |row| {
            let last = Last {
                id: VerdictId(row.get(0)?),
                is_by_hand: row.get(1)?,
            };
            Ok((last, row.get::<_, bool>(2)?, row.get::<_, i64>(3)?))
        })
        .optional()?;
    Ok(last.and_then(|(last, is_undecided, started_at)| {
        let came_since = last.id > own.seen && started_at > millis(own.verdict.started_at);
        let ends = last.is_by_hand && !came_since || is_undecided && is_decided(own.verdict);
        ends.then_some(last)
    }))
}

/// Appends an event of the verdict by hand in whose place a verifier's own comes, which was recorded just now, if there is one.
pub(super) fn note_set_aside(
    transaction: &Transaction<'_>,
    subject: &Subject<'_>,
    (id, own): (VerdictId, &NewVerdict),
    stamp: &Stamp,
) -> Outcome<()> {
    let on = subject.on();
    if own.is_by_hand() {
        return Ok(());
    }
    let Some(by_hand) = hand_fingerprint(transaction.sql)? else {
        return Ok(());
    };
    let Tables {
        verdicts,
        on: column,
        ..
    } = on.tables();
    let last = transaction
        .sql
        .prepare_cached(&format!(
            "SELECT d.id, d.fingerprint_id = ?4 FROM {verdicts} d CROSS JOIN text n ON n.id = d.verifier_id
             WHERE d.{column} = ?1 AND d.id < ?2 AND n.value = ?3 ORDER BY d.id DESC LIMIT 1"
        ))?
        .query_row(params![on.id(), id.0, own.verifier, by_hand], |row| {
            let (id, is_by_hand) = (VerdictId(row.get(0)?), row.get(1)?);
            Ok(Last { id, is_by_hand })
        })
        .optional()?;
    let aside = match last {
        Some(last) => ended_by_hand(transaction.sql, on, &last)?,
        None => None,
    };
    note_ended(transaction, subject, aside.as_ref(), stamp)
}

fn note_ended(
    transaction: &Transaction<'_>,
    subject: &Subject<'_>,
    ended: Option<&(VerdictId, Ended)>,
    stamp: &Stamp,
) -> Outcome<()> {
    let Some((id, Ended { verdict, actor, .. })) = ended else {
        return Ok(());
    };
    let reason = match verdict.judgement.reason() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let (verifier, outcome) = (&verdict.verifier, verdict.outcome_words());
    let words =
        format!("{verifier} {outcome} ({actor}){reason}; counts no more, the verifier judged anew");
    let event = subject.event(Action::VerdictSetAside, Some(*id), &words);
    insert_event(transaction, stamp, event.by_hand(true))?;
    Ok(())
}

/// Returns a verdict by hand that ends, and its id; nothing when the last verdict is none by hand.
fn ended_by_hand(sql: &Connection, on: Judged, last: &Last) -> Outcome<Option<(VerdictId, Ended)>> {
    if !last.is_by_hand {
        return Ok(None);
    }
    let found = given(sql, on, last.id)?;
    Ok(found.map(|(verdict, actor)| {
        let on = on.id();
        let ended = Ended { on, verdict, actor };
        (last.id, ended)
    }))
}
