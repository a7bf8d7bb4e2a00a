//! Verdicts: appended with the state that follows for the version; read by version and by source.

use rusqlite::Connection;

use super::failure::Outcome;
use super::hand_verdict::{Own, end_on_versions, note_set_aside};
use super::overtaken::{is_overtaken, note_overtaken};
use super::refusals::repeat_late;
use super::row::{row_limit, to_json};
use super::set_aside::{Subject, set_aside_unreadable};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_row::{NO_OUTPUT, OUTPUT, insert_verdict, list};
use super::version_state::{derive_state, insert_verdict_event, place_of};
use crate::domain::{NewVerdict, SourceId, Stamp, Verdict, VerdictId, VersionId};
use crate::store::damaged_row::DamagedRow;
use crate::store::types::{Counted, Seen};

/// Appends verdicts on a version, with an event each, and stores the state that follows from all its verdicts. Returns
/// the state and the verdicts that count: overtaken ones since `seen` are left out. Ends verdicts by hand on the same
/// contents that these replace.
pub(super) fn judge_version(
    transaction: &Transaction<'_>,
    version: VersionId,
    verdicts: &[NewVerdict],
    seen: Option<&Seen>,
    stamp: &Stamp,
) -> Outcome<Counted> {
    let place = place_of(transaction.sql, version)?;
    let policy = transaction.policy_for_source(place.source_id)?;
    repeat_late(transaction, &place, &policy, stamp)?;
    let mut counted = Vec::with_capacity(verdicts.len());
    let mut ids = Vec::with_capacity(verdicts.len());
    let subject = Subject::Version(place.source_id, version);
    for verdict in verdicts {
        let on = subject.on();
        if is_overtaken(transaction.sql, on, verdict, seen, &policy)? {
            note_overtaken(transaction, &subject, verdict, &policy, stamp)?;
            continue;
        }
        let id = insert_verdict(transaction, on, verdict, stamp)?;
        note_set_aside(transaction, &subject, (id, verdict), stamp)?;
        insert_verdict_event(transaction, &subject, (id, verdict), &policy, stamp)?;
        ids.push(id);
        counted.push(verdict.clone());
    }
    if seen.is_some_and(|seen| seen.is_anew) {
        set_aside_unreadable(transaction, &subject, stamp)?;
    }
    let state = derive_state(transaction, &place, &policy, &counted, stamp)?;
    let mut ended = Vec::new();
    for (id, verdict) in ids.into_iter().zip(&counted) {
        let own = Own::new(id, verdict, seen);
        ended.extend(end_on_versions(transaction, version, &own, stamp)?);
    }
    Ok(Counted {
        state,
        verdicts: counted,
        ended,
    })
}

/// Returns all verdicts on a version, oldest first; damaged rows are left out.
pub(super) fn verdicts_on(
    sql: &Connection,
    version: VersionId,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Verdict>> {
    list(sql, OUTPUT, "d.version_id = ?1", [version.0], damaged)
}

/// Returns all verdicts on these versions, oldest first; damaged rows are left out.
pub(super) fn verdicts_on_all(
    sql: &Connection,
    versions: &[VersionId],
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Verdict>> {
    const ON_ALL: &str = "d.version_id IN (SELECT value FROM json_each(?1))";
    list(sql, OUTPUT, ON_ALL, [to_json(&versions)], damaged)
}

/// Returns the id of the newest verdict on a version; 0 while there is none.
pub(super) fn newest_verdict(sql: &Connection, version: VersionId) -> rusqlite::Result<VerdictId> {
    let mut newest =
        sql.prepare_cached("SELECT coalesce(max(id), 0) FROM verdict WHERE version_id = ?1")?;
    newest
        .query_row([version.0], |row| row.get(0))
        .map(VerdictId)
}

/// Returns the id of the newest verdict on any version; 0 while there is none.
pub(super) fn newest_verdict_of_all(sql: &Connection) -> rusqlite::Result<VerdictId> {
    sql.only("SELECT coalesce(max(id), 0) FROM verdict", [], |row| {
        row.get(0)
    })
    .map(VerdictId)
}

/// Returns the verdicts on a source's newest `limit` versions (all without a limit), oldest first, without the
/// verifiers' output.
pub(super) fn verdicts_of_source(
    sql: &Connection,
    source: SourceId,
    limit: Option<usize>,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Verdict>> {
    const OF_SOURCE: &str = "d.version_id IN
         (SELECT id FROM version WHERE source_id = ?1 ORDER BY ordinal DESC LIMIT ?2)";
    let of_source = [source.0, row_limit(limit)];
    list(sql, NO_OUTPUT, OF_SOURCE, of_source, damaged)
}
