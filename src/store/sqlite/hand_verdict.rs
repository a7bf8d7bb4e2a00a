//! A verdict by hand counts in the place of a verifier until that verifier judges the same contents anew, anywhere. Its
//! new verdict is then repeated on every other version of the source, or edition of the set, where the verdict by hand
//! counted.
//!
//! Never ends a verdict by hand that was given while the verifier was judging.

use rusqlite::{Connection, params};

use super::edition_row::{alike_editions, edition_by_id};
use super::edition_state::count_edition;
use super::event_row::insert_event;
use super::failure::{Failure, Outcome};
use super::refusal_row::failed_or_refused;
use super::refusals::{alike_versions, is_decided, repeat_all_on_version};
use super::row::millis;
use super::set_aside::Subject;
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_row::{given, newest_outcomes, repeat};
use super::verdict_tables::Tables;
use super::version_state::place_of;
use crate::domain::{Action, EditionId, Fingerprint, NewVerdict, Stamp, VerdictId, VersionId};
use crate::store::judged::Judged;
use crate::store::types::{Ended, Seen};

/// A verifier's own verdict that was just recorded.
pub(super) struct Own<'a> {
    pub(super) id: VerdictId,
    pub(super) verdict: &'a NewVerdict,
    /// The newest verdict on the same contents when the verifier was asked.
    pub(super) seen: VerdictId,
}

impl<'a> Own<'a> {
    pub(super) fn new(id: VerdictId, verdict: &'a NewVerdict, seen: Option<&Seen>) -> Self {
        let seen = seen.map_or(VerdictId(i64::MAX), |seen| seen.verdict);
        Self { id, verdict, seen }
    }
}

/// Repeats a verifier's verdict on other versions with the same bytes where a verdict by hand counts in its place, and
/// derives their states. Returns the verdicts by hand that ended.
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

/// The same for other editions of the set with the same contents.
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

/// Returns the fingerprint of verdicts by hand when this verdict ends verdicts on the same contents: it replaces a
/// verdict by hand, or differs from the verifier's last one. A verifier's first verdict on a later version ends none.
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
    let query = format!(
        "SELECT d.fingerprint_id = ?4 OR ?5 AND d.outcome <> ?6 FROM {verdicts} d CROSS JOIN text n ON n.id = d.verifier_id
         WHERE d.{column} = ?1 AND d.id < ?2 AND n.value = ?3 AND d.outcome IN ('passed', 'failed') ORDER BY d.id DESC LIMIT 1"
    );
    let ends = sql.first(
        &query,
        params![
            on.id(),
            own.id.0,
            own.verdict.verifier,
            by_hand,
            is_decided(own.verdict),
            own.verdict.judgement.outcome.as_str()
        ],
        |row| row.get(0),
    )?;
    Ok(ends.unwrap_or(false).then_some(by_hand))
}

/// Returns the id of the fingerprint of verdicts by hand; `None`, as usual, when there never was one.
fn hand_fingerprint(sql: &Connection) -> rusqlite::Result<Option<i64>> {
    sql.first(
        "SELECT id FROM text WHERE value = ?1",
        [Fingerprint::overruled().hex],
        |row| row.get(0),
    )
}

/// The verdict that the verifier's own replaces.
struct Last {
    id: VerdictId,
    is_by_hand: bool,
}

/// Returns the verifier's counting verdict on this subject if it is to be replaced: one by hand, or an undecided one
/// that had replaced one by hand. `None` for a damaged row, which keeps the version unpublished anyway.
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
    let query = format!(
        "SELECT d.id, d.fingerprint_id = ?3, d.given_on IS NOT NULL AND d.outcome IN ('error', 'pending'), d.started_at
         FROM {verdicts} d CROSS JOIN text n ON n.id = d.verifier_id
         WHERE d.{column} = ?1 AND n.value = ?2 ORDER BY d.id DESC LIMIT 1"
    );
    let last = sql.first(
        &query,
        params![other.id(), own.verdict.verifier, by_hand],
        |row| {
            let last = Last {
                id: VerdictId(row.get(0)?),
                is_by_hand: row.get(1)?,
            };
            Ok((last, row.get::<_, bool>(2)?, row.get::<_, i64>(3)?))
        },
    )?;
    Ok(last.and_then(|(last, is_undecided, started_at)| {
        let came_since = last.id > own.seen && started_at > millis(own.verdict.started_at);
        let ends = last.is_by_hand && !came_since || is_undecided && is_decided(own.verdict);
        ends.then_some(last)
    }))
}

/// Appends an event for a verdict by hand that a verifier's new verdict replaces, if there is one.
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
    let query = format!(
        "SELECT d.id, d.fingerprint_id = ?4 FROM {verdicts} d CROSS JOIN text n ON n.id = d.verifier_id
         WHERE d.{column} = ?1 AND d.id < ?2 AND n.value = ?3 ORDER BY d.id DESC LIMIT 1"
    );
    let last = transaction.first(
        &query,
        params![on.id(), id.0, own.verifier, by_hand],
        |row| {
            let (id, is_by_hand) = (VerdictId(row.get(0)?), row.get(1)?);
            Ok(Last { id, is_by_hand })
        },
    )?;
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

/// Returns the verdict by hand that ends, with its id; `None` when the last verdict is not by hand.
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
