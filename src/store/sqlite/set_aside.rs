//! Sets aside unreadable verdicts, and refusals without a verdict, when the verifiers are asked anew. An event for each
//! records the row's values.
//!
//! Never touches a readable row.

use rusqlite::{Connection, params};

use super::event_row::insert_event;
use super::failure::{Failure, Outcome};
use super::refusal_row::{lossy, without_verdict};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_row::{damage_of, newest_outcomes, verdicts_on};
use super::verdict_tables::Tables;
use crate::domain::{About, Action, EditionId, NewEvent, SourceId, Stamp, VerdictId, VersionId};
use crate::store::judged::Judged;

/// Returns the newest verdict's id, sound or not, when any verdict is unreadable or lost; `None` when all are sound.
pub(super) fn newest_unless_sound(sql: &Connection, on: Judged) -> Outcome<Option<VerdictId>> {
    let known = newest_outcomes(sql, on).map_err(Failure::from);
    match known.and_then(|_| verdicts_on(sql, on)) {
        Ok(_) => Ok(None),
        Err(error) if error.is_damage() => {
            let newest = rows_on(sql, on)?.into_iter().map(|(id, _)| id).max();
            Ok(Some(VerdictId(newest.unwrap_or_default())))
        }
        Err(error) => Err(error),
    }
}

/// The subject of a verdict, as the verdict's events name it.
pub(super) enum Subject<'a> {
    Version(SourceId, VersionId),
    /// An edition, with the prefix of its events: the set's name.
    Edition(EditionId, &'a str),
}

impl Subject<'_> {
    pub(super) fn on(&self) -> Judged {
        match self {
            Self::Version(_, version) => Judged::Version(*version),
            Self::Edition(edition, _) => Judged::Edition(*edition),
        }
    }

    /// Returns an event of a verdict on this subject. The event names the verdict of a version; of an edition it names
    /// the edition, whose verdicts are numbered separately.
    pub(super) fn event(
        &self,
        action: Action,
        verdict: Option<VerdictId>,
        words: &str,
    ) -> NewEvent {
        let event = NewEvent::of(action);
        match self {
            Self::Version(source, version) => event
                .source(*source)
                .version(*version)
                .about(verdict.map(About::Verdict))
                .detail(words.to_owned()),
            Self::Edition(edition, set) => event
                .about(About::Edition(*edition))
                .detail(format!("{set}: {words}")),
        }
    }
}

/// Deletes the unreadable verdicts on a version or an edition, and the second records of refusals whose verdicts are
/// lost.
pub(super) fn set_aside_unreadable(
    transaction: &Transaction<'_>,
    subject: &Subject<'_>,
    stamp: &Stamp,
) -> Outcome<()> {
    let on = subject.on();
    let tables = on.tables();
    let Tables {
        verdicts,
        on: column,
        ..
    } = tables;
    let refusals = tables.refusals();
    let sql = transaction.sql;
    let mut aside = Vec::new();
    for (id, held) in rows_on(sql, on)? {
        if let Some(row) = damage_of(sql, on, id)? {
            transaction.execute(&format!("DELETE FROM {verdicts} WHERE id = ?1"), [id])?;
            aside.push((id, format!("{row}; it held {held}")));
        }
    }
    for (id, by) in without_verdict(sql, on)? {
        if aside.iter().all(|(other, _)| *other != id) {
            aside.push((
                id,
                format!("it failed this in the name of {by}, and is lost"),
            ));
        }
    }
    for (id, why) in aside {
        let delete = format!("DELETE FROM {refusals} WHERE {column} = ?1 AND verdict_id = ?2");
        transaction.execute(&delete, params![on.id(), id])?;
        let words = format!("verdict {id} counts no more, the verifiers were asked anew: {why}");
        let event = subject.event(Action::VerdictSetAside, Some(VerdictId(id)), &words);
        insert_event(transaction, stamp, event)?;
    }
    Ok(())
}

/// Returns the ids of all verdicts on a version or an edition, sound or not, each with the values of its row.
fn rows_on(sql: &Connection, on: Judged) -> rusqlite::Result<Vec<(i64, String)>> {
    let Tables {
        verdicts,
        on: column,
        ..
    } = on.tables();
    let query = format!(
        "SELECT d.id, 'outcome ' || quote(d.outcome) || ', verifier ' || quote(coalesce(n.value, d.verifier_id)) || ', fingerprint '
             || quote(coalesce(f.value, d.fingerprint_id)) || ', actor ' || quote(coalesce(a.value, d.actor_id)) || ', started_at '
             || quote(d.started_at) || ', detail ' || quote(substr(d.detail, 1, 200))
         FROM {verdicts} d LEFT JOIN text n ON n.id = d.verifier_id LEFT JOIN text f ON f.id = d.fingerprint_id
         LEFT JOIN text a ON a.id = d.actor_id WHERE d.{column} = ?1"
    );
    sql.all(&query, [on.id()], |row| Ok((row.get(0)?, lossy(row, 1)?)))
}
