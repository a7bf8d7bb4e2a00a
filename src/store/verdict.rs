//! Verdicts: appended with the state that they give their version, read by version and by source.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::Store;
use super::damage::{DamagedRow, read_row, sound_rows, strictly};
use super::error::{Failure, Result, found};
use super::event::insert_event_under;
use super::policy::InForce;
use super::publication::refresh_publication;
use super::row::{Columns, duration_ms, millis, row_limit};
use super::transaction::Transaction;
use super::types::{Counted, Seen};
use super::version_row::{Place, place_by_id};
use crate::domain::{
    Action, EditionId, EditionVerdict, Fingerprint, Judgement, NewEvent, NewVerdict, SourceId,
    Stamp, Verdict, VerdictId, VerdictOutcome, VersionId, VersionState, Weights, deciding_verdict,
};

impl Store {
    /// Returns all verdicts on a version, oldest first. Those whose rows are damaged are left out ([`Store::damage`]).
    pub async fn verdicts(&self, version: VersionId) -> Result<Vec<Verdict>> {
        self.read_sound(move |sql, damaged| {
            list(sql, OUTPUT, "d.version_id = ?1", [version.0], damaged)
        })
        .await
    }

    /// Returns the id of the newest verdict on a version; 0 while there is none.
    pub async fn newest_verdict(&self, version: VersionId) -> Result<VerdictId> {
        self.read(move |sql| {
            let newest = sql
                .prepare_cached("SELECT coalesce(max(id), 0) FROM verdict WHERE version_id = ?1")?
                .query_row([version.0], |row| row.get(0))?;
            Ok(VerdictId(newest))
        })
        .await
    }

    /// Returns the id of the newest verdict on any version; 0 while there is none.
    pub async fn newest_verdict_of_all(&self) -> Result<VerdictId> {
        self.read(|sql| {
            let newest = sql
                .prepare_cached("SELECT coalesce(max(id), 0) FROM verdict")?
                .query_row([], |row| row.get(0))?;
            Ok(VerdictId(newest))
        })
        .await
    }

    /// Returns the verdicts on the newest `limit` versions of a source, all without a limit; oldest first, and without what
    /// the verifiers printed: that may be 128 KiB each, and no list shows it.
    pub async fn verdicts_of_source(
        &self,
        source: SourceId,
        limit: Option<usize>,
    ) -> Result<Vec<Verdict>> {
        const OF_SOURCE: &str = "d.version_id IN
             (SELECT id FROM version WHERE source_id = ?1 ORDER BY ordinal DESC LIMIT ?2)";
        self.read_sound(move |sql, damaged| {
            let of_source = [source.0, row_limit(limit)];
            list(sql, NO_OUTPUT, OF_SOURCE, of_source, damaged)
        })
        .await
    }

    /// Records verdicts, an event each, and the state that all verdicts on the version give it by the policy in force. Returns
    /// that state, and which of the verdicts count. Its source's published file becomes due when it has to change ([`Store::publication`]).
    ///
    /// The state is derived in the same transaction, so that verdicts that come at once from several sides all count. One that was
    /// reached in view of what was `seen` is left out when it is overtaken: a promise to answer later when the answer came since;
    /// any other when somebody outside, or the verifier by another definition, decided since, or when the verifier is defined
    /// otherwise by now.
    ///
    /// # Errors
    ///
    /// [`super::StoreError::Missing`] when the version was purged meanwhile.
    pub async fn record_verdicts(
        &self,
        version: VersionId,
        verdicts: Vec<NewVerdict>,
        seen: impl Into<Seen>,
        stamp: Stamp,
    ) -> Result<Counted> {
        let seen = seen.into();
        self.write(move |transaction| {
            judge_version(transaction, version, &verdicts, Some(&seen), &stamp)
        })
        .await
    }
}

/// Appends verdicts on a version, an event each, and writes down the state that follows from all there are, which comes back with
/// those that count: verdicts that were reached in view of what was `seen` are left out when they are overtaken.
pub(super) fn judge_version(
    transaction: &Transaction<'_>,
    version: VersionId,
    verdicts: &[NewVerdict],
    seen: Option<&Seen>,
    stamp: &Stamp,
) -> std::result::Result<Counted, Failure> {
    let place = place_of(transaction.sql, version)?;
    let policy = transaction.policy_for_source(place.source_id)?;
    let mut counted = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        let on = Judged::Version(version);
        if is_overtaken(transaction.sql, on, verdict, seen, &policy)? {
            let subject = (Some(place.source_id), Some(version), String::new());
            note_overtaken(transaction, subject, verdict, &policy, stamp)?;
            continue;
        }
        insert_verdict(transaction, on, verdict, stamp)?;
        let source = place.source_id;
        insert_verdict_event(transaction, source, version, verdict, &policy, stamp)?;
        counted.push(verdict.clone());
    }
    Ok(Counted {
        state: derive_state(transaction, &place, &policy, &counted, stamp)?,
        verdicts: counted,
    })
}

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
    let checksum = Place { state, ..*place }.checksum();
    transaction.execute(
        "UPDATE version SET state = ?2, policy_revision = ?3, checksum = ?4
         WHERE id = ?1 AND (state <> ?2 OR policy_revision IS NOT ?3)",
        params![version.0, state.as_str(), policy.revision, checksum],
    )?;
    if state == before {
        return Ok(state);
    }
    let insert = |action, detail| {
        let event = NewEvent {
            action,
            source_id: Some(source),
            version_id: Some(version),
            detail,
        };
        insert_event_under(transaction, stamp, policy.revision, event)
    };
    if let Some((action, detail)) = turn(before, state, said, &policy.weights) {
        insert(action, detail)?;
    }
    if state == VersionState::Passed && ends_a_failure(transaction.sql, version, before)? {
        insert(Action::VersionRecovered, None)?;
    }
    refresh_publication(transaction, source)?;
    Ok(state)
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

/// Returns the event of a changed state: that the version failed and why, or that verdicts which were recorded before count
/// otherwise now. Nothing when the events of the new verdicts say it.
fn turn(
    before: VersionState,
    state: VersionState,
    verdicts: &[NewVerdict],
    weights: &Weights,
) -> Option<(Action, Option<String>)> {
    if state == VersionState::Failed {
        return Some((Action::VersionFailed, reasons(verdicts, weights)));
    }
    let words = || Some(format!("{before} -> {state}"));
    verdicts
        .is_empty()
        .then(|| (Action::VersionRecounted, words()))
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

/// What a verdict is on: both are kept alike, each in a table of its own.
#[derive(Clone, Copy)]
pub(super) enum Judged {
    Version(VersionId),
    Edition(EditionId),
}

impl Judged {
    pub(super) fn id(self) -> i64 {
        match self {
            Self::Version(id) => id.0,
            Self::Edition(id) => id.0,
        }
    }

    /// Returns the table, and its column that names what the verdicts are on.
    pub(super) fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Version(_) => ("verdict", "version_id"),
            Self::Edition(_) => ("edition_verdict", "edition_id"),
        }
    }
}

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
    let (table, column) = on.table();
    sql.prepare_cached(&format!(
        "SELECT 1 FROM {table} d CROSS JOIN text n ON n.id = d.verifier_id CROSS JOIN text f ON f.id = d.fingerprint_id
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

/// Returns what each verifier said last of a version or an edition, in the order in which verdicts were recorded: the clock may
/// have been set back meanwhile.
pub(super) fn newest_outcomes(
    sql: &Connection,
    on: Judged,
) -> rusqlite::Result<BTreeMap<String, VerdictOutcome>> {
    let (table, column) = on.table();
    // One that cannot be read is no verdict that was not given: it may be the one that failed.
    sql.prepare_cached(&format!(
        "SELECT d.id, n.value AS verifier_id, d.outcome FROM {table} d LEFT JOIN text n ON n.id = d.verifier_id
         WHERE d.{column} = ?1 ORDER BY d.id",
    ))?
    .query_map([on.id()], |row| {
        read_row(table, row, |columns| {
            columns.get::<i64>()?;
            Ok((columns.get()?, columns.word()?))
        })
    })?
    .collect()
}

/// Appends one verdict.
pub(super) fn insert_verdict(
    transaction: &Transaction<'_>,
    on: Judged,
    verdict: &NewVerdict,
    stamp: &Stamp,
) -> rusqlite::Result<i64> {
    let verifier = transaction.text_id(&verdict.verifier)?;
    let fingerprint = transaction.text_id(&verdict.fingerprint.hex)?;
    keep_definition(transaction, fingerprint, &verdict.fingerprint.definition)?;
    let actor = transaction.text_id(&stamp.actor.0)?;
    let (table, column) = on.table();
    transaction.insert(
        &format!(
            "INSERT INTO {table} ({column}, verifier_id, fingerprint_id, actor_id, outcome, detail, exit_code, output,
             started_at, duration_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        ),
        params![
            on.id(),
            verifier,
            fingerprint,
            actor,
            verdict.judgement.outcome.as_str(),
            verdict.judgement.detail,
            verdict.judgement.exit_code,
            verdict.judgement.output,
            millis(verdict.started_at),
            duration_ms(verdict.duration)
        ],
    )
}

/// Keeps what a fingerprint stands for, once. One from before definitions were kept has none.
fn keep_definition(
    transaction: &Transaction<'_>,
    fingerprint: i64,
    definition: &str,
) -> rusqlite::Result<()> {
    if definition.is_empty() {
        return Ok(());
    }
    transaction.execute(
        "INSERT INTO definition (fingerprint_id, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![fingerprint, definition],
    )?;
    Ok(())
}

/// Appends the event of a verdict on a version.
pub(super) fn insert_verdict_event(
    transaction: &Transaction<'_>,
    source: SourceId,
    version: VersionId,
    verdict: &NewVerdict,
    policy: &InForce,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let (action, detail) = match verdict.judgement.outcome {
        VerdictOutcome::Passed => (Action::VerdictPassed, verdict.verifier.clone()),
        VerdictOutcome::Failed => (Action::VerdictFailed, with_reason(verdict)),
        VerdictOutcome::Error => (Action::VerdictError, with_reason(verdict)),
        VerdictOutcome::Pending => (Action::VerdictPending, with_reason(verdict)),
    };
    let event = NewEvent {
        action,
        source_id: Some(source),
        version_id: Some(version),
        detail: Some(detail),
    };
    insert_event_under(transaction, stamp, policy.revision, event)?;
    Ok(())
}

/// Appends the event of a verdict that was left out; what it is on is a version, or what the text names. Of a promise that was kept
/// before it was recorded nothing is said.
pub(super) fn note_overtaken(
    transaction: &Transaction<'_>,
    (source_id, version_id, what): (Option<SourceId>, Option<VersionId>, String),
    verdict: &NewVerdict,
    policy: &InForce,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let outcome = verdict.judgement.outcome;
    if outcome == VerdictOutcome::Pending {
        return Ok(());
    }
    let event = NewEvent {
        action: Action::VerdictOvertaken,
        source_id,
        version_id,
        detail: Some(format!("{what}{}: {outcome}", verdict.verifier)),
    };
    insert_event_under(transaction, stamp, policy.revision, event)?;
    Ok(())
}

/// Returns what the verifiers that decide found wrong; nothing when none of these verdicts is what failed the version.
fn reasons(verdicts: &[NewVerdict], weights: &Weights) -> Option<String> {
    let reasons: Vec<_> = verdicts
        .iter()
        .filter(|verdict| verdict.judgement.outcome == VerdictOutcome::Failed)
        .filter(|verdict| weights.requires(&verdict.verifier))
        .map(with_reason)
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Returns who said it, and why.
pub(super) fn with_reason(verdict: &NewVerdict) -> String {
    if verdict.judgement.detail.is_empty() {
        return verdict.verifier.clone();
    }
    format!("{}: {}", verdict.verifier, verdict.judgement.detail)
}

/// Returns who failed a version, and why; nothing when nobody did.
pub(super) fn failure_of(
    sql: &Connection,
    version: VersionId,
) -> std::result::Result<Option<String>, Failure> {
    // What is damaged is no reason that could be told.
    let mut damaged = Vec::new();
    let of_version = [version.0];
    let verdicts = list(
        sql,
        NO_OUTPUT,
        "d.version_id = ?1",
        of_version,
        &mut damaged,
    )?;
    let newest_first = verdicts.iter().rev().map(|one| &one.verdict);
    Ok(deciding_verdict(VersionState::Failed, newest_first).map(with_reason))
}

/// Returns all verdicts on a version or an edition, oldest first. A damaged row is an error: it may be a refusal.
pub(super) fn verdicts_on(
    sql: &Connection,
    on: Judged,
) -> std::result::Result<Vec<(VerdictId, NewVerdict)>, Failure> {
    Ok(match on {
        Judged::Version(id) => {
            strictly(|damaged| list(sql, OUTPUT, "d.version_id = ?1", [id.0], damaged))?
                .into_iter()
                .map(|one| (one.id, one.verdict))
                .collect()
        }
        Judged::Edition(id) => strictly(|damaged| verdicts_on_edition(sql, id, damaged))?
            .into_iter()
            .map(|one| (one.id, one.verdict))
            .collect(),
    })
}

/// Returns all verdicts on an edition, oldest first.
pub(super) fn verdicts_on_edition(
    sql: &Connection,
    edition: EditionId,
    damaged: &mut Vec<DamagedRow>,
) -> std::result::Result<Vec<EditionVerdict>, Failure> {
    let mut statement = sql.prepare_cached(&list_sql(
        "edition_verdict",
        "edition_id",
        OUTPUT,
        "d.edition_id = ?1",
    ))?;
    let rows = statement.query_map([edition.0], |row| {
        read_row("edition_verdict", row, |columns| {
            let (id, edition_id) = (VerdictId(columns.get()?), EditionId(columns.get()?));
            let Said {
                verdict,
                actor,
                given_on,
            } = read_what_was_said(columns)?;
            Ok(EditionVerdict {
                id,
                edition_id,
                verdict,
                actor,
                given_on: given_on.map(EditionId),
            })
        })
    })?;
    Ok(sound_rows(rows, damaged)?)
}

/// What is read of the text that a verifier printed.
const OUTPUT: &str = "d.output";
const NO_OUTPUT: &str = "''";

fn list_sql(table: &str, column: &str, output: &str, condition: &str) -> String {
    format!(
        "SELECT d.id, d.{column}, n.value AS verifier_id, f.value AS fingerprint_id, d.outcome, d.detail, d.exit_code,
             {output}, d.started_at, d.duration_ms, coalesce(p.value, ''), a.value AS actor_id, d.given_on
         FROM {table} d LEFT JOIN text n ON n.id = d.verifier_id LEFT JOIN text f ON f.id = d.fingerprint_id
         LEFT JOIN text a ON a.id = d.actor_id LEFT JOIN definition p ON p.fingerprint_id = d.fingerprint_id
         WHERE {condition} ORDER BY d.id"
    )
}

fn list(
    sql: &Connection,
    output: &str,
    condition: &str,
    params: impl rusqlite::Params,
    damaged: &mut Vec<DamagedRow>,
) -> std::result::Result<Vec<Verdict>, Failure> {
    let mut statement =
        sql.prepare_cached(&list_sql("verdict", "version_id", output, condition))?;
    let rows = statement.query_map(params, |row| read_row("verdict", row, read_verdict))?;
    Ok(sound_rows(rows, damaged)?)
}

fn read_verdict(columns: &mut Columns<'_>) -> rusqlite::Result<Verdict> {
    let (id, version_id) = (VerdictId(columns.get()?), VersionId(columns.get()?));
    let Said {
        verdict,
        actor,
        given_on,
    } = read_what_was_said(columns)?;
    Ok(Verdict {
        id,
        version_id,
        verdict,
        actor,
        given_on: given_on.map(VersionId),
    })
}

/// A verdict as it is kept, but for what it is on.
pub(super) struct Said {
    pub(super) verdict: NewVerdict,
    /// Who ran the verifier or gave the verdict.
    pub(super) actor: String,
    /// The id of what has the same contents and was given it.
    pub(super) given_on: Option<i64>,
}

/// Reads a verdict from the columns after its own id and that of what it is on.
pub(super) fn read_what_was_said(columns: &mut Columns<'_>) -> rusqlite::Result<Said> {
    let (verifier, hex) = (columns.get()?, columns.get()?);
    let judgement = Judgement {
        outcome: columns.word()?,
        detail: columns.get()?,
        exit_code: columns.get()?,
        output: columns.get()?,
    };
    let (started_at, duration) = (columns.time()?, columns.duration()?);
    let definition = columns.get()?;
    let verdict = NewVerdict {
        verifier,
        fingerprint: Fingerprint { hex, definition },
        judgement,
        started_at,
        duration,
    };
    Ok(Said {
        verdict,
        actor: columns.get()?,
        given_on: columns.get()?,
    })
}
