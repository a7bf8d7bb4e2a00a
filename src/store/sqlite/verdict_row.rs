//! The rows of verdicts: appended with a checksum; read strictly, or in lists without damaged ones.
//!
//! The checksum covers what decides: id, subject, verifier, fingerprint, actor, time, outcome, and what the verdict was
//! given on. Never repairs a row, and never uses one that does not fit its checksum.

use std::collections::BTreeMap;

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::failure::{Failure, Outcome, strictly};
use super::interned::{DEFINITION, definition, sound_text, text};
use super::refusal_row::{is_refusal_lost, keep_refusal, lost_refusal};
use super::row::{Columns, duration_ms, millis};
use super::sql_damage::{damaged_error, damaged_row_in, read_row, sound_rows};
use super::statements::Statements as _;
use super::transaction::Transaction;
use super::verdict_tables::{GIVEN, OF_EDITIONS, OF_MESSAGES, OF_VERSIONS, Tables};
use crate::domain::{
    EditionId, EditionVerdict, Fingerprint, Judgement, MessageId, MessageVerdict, NewVerdict,
    Stamp, Verdict, VerdictId, VerdictOutcome, VersionId,
};
use crate::store::damaged_row::DamagedRow;
use crate::store::judged::Judged;

/// Reads whether a row fits its checksum ([`Tables::fits`]); a misfit is an error.
pub(super) fn read_fit(columns: &mut Columns<'_>) -> rusqlite::Result<()> {
    if columns.get()? {
        return Ok(());
    }
    Err(columns.malformed(Type::Integer, "the row does not fit it"))
}

/// Reads a verdict's row, whose first column is the id. Damage names the subject and the command that sets it aside.
pub(super) fn read_verdict_row<T>(
    tables: Tables,
    row: &Row<'_>,
    on: Option<i64>,
    read: impl FnOnce(&mut Columns<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    read_row(tables.verdicts, row, read).map_err(|error| match damaged_row_in(&error) {
        Some(damaged) if damaged.table == tables.verdicts => {
            let of = match on.or_else(|| row.get(tables.on).ok()) {
                Some(id) if tables.on == OF_VERSIONS.on => format!("v{id}`"),
                _ => "set:NAME`, if it is on the set's newest edition,".to_owned(),
            };
            let reason = damaged.reason;
            let reason =
                format!("{reason}; `gannet verify {of} sets it aside and asks the verifiers anew");
            damaged_error(DamagedRow { reason, ..damaged })
        }
        _ => error,
    })
}

/// Returns each verifier's newest outcome for a version or an edition, by order of recording: the clock may have been
/// set back.
pub(super) fn newest_outcomes(
    sql: &Connection,
    on: Judged,
) -> rusqlite::Result<BTreeMap<String, VerdictOutcome>> {
    let tables = on.tables();
    let Tables {
        verdicts,
        on: column,
        ..
    } = tables;
    // An unreadable verdict is an error: it may be the one that failed.
    let mut statement = sql.prepare_cached(&format!(
        "SELECT d.id, {} AS verifier_id, d.outcome, {}, {} FROM {verdicts} d LEFT JOIN text n ON n.id = d.verifier_id
         WHERE d.{column} = ?1 ORDER BY d.id",
        sound_text!("n"),
        tables.fits(),
        is_refusal_lost(tables),
    ))?;
    let mut outcomes = BTreeMap::new();
    let mut is_lost = None;
    let mut rows = statement.query([on.id()])?;
    while let Some(row) = rows.next()? {
        let (verifier, outcome) = read_verdict_row(tables, row, Some(on.id()), |columns| {
            columns.get::<i64>()?;
            let said: (String, VerdictOutcome) = (text(columns)?, columns.word()?);
            read_fit(columns)?;
            is_lost = Some(columns.get()?);
            Ok(said)
        })?;
        outcomes.insert(verifier, outcome);
    }
    if is_lost.is_none() {
        let alone = format!("SELECT {}", is_refusal_lost(tables));
        is_lost = Some(sql.only(&alone, [on.id()], |row| row.get(0))?);
    }
    if is_lost == Some(true) {
        return Err(lost_refusal(on));
    }
    Ok(outcomes)
}

/// Appends one verdict and returns its id.
pub(super) fn insert_verdict(
    transaction: &Transaction<'_>,
    on: Judged,
    verdict: &NewVerdict,
    stamp: &Stamp,
) -> rusqlite::Result<VerdictId> {
    let id = insert_row(transaction, (on.tables(), on.id()), verdict, stamp)?;
    if verdict.is_refusal() {
        keep_refusal(transaction, on, id.0)?;
    }
    Ok(id)
}

/// Appends one verdict to the table, on the subject with this id, and returns the verdict's id.
pub(super) fn insert_row(
    transaction: &Transaction<'_>,
    (tables, on): (Tables, i64),
    verdict: &NewVerdict,
    stamp: &Stamp,
) -> rusqlite::Result<VerdictId> {
    let verifier = transaction.text_id(&verdict.verifier)?;
    let fingerprint = transaction.text_id(&verdict.fingerprint.hex)?;
    keep_definition(transaction, fingerprint, &verdict.fingerprint.definition)?;
    let actor = transaction.text_id(&stamp.actor.0)?;
    let values = format!(
        "?1 AS {}, ?2 AS verifier_id, ?3 AS fingerprint_id, ?4 AS actor_id, ?5 AS outcome, ?6 AS detail, ?7 AS exit_code, ?8 AS output,
         ?9 AS started_at, ?10 AS duration_ms, NULL AS given_on",
        tables.on
    );
    let id = transaction.insert(
        &tables.insert(&values),
        params![
            on,
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
    )?;
    Ok(VerdictId(id))
}

/// Repeats a verdict on another subject with the same contents and returns its id there; a refusal gets its second
/// record, too.
pub(super) fn repeat(
    transaction: &Transaction<'_>,
    verdict: VerdictId,
    is_refusal: bool,
    on: Judged,
) -> rusqlite::Result<VerdictId> {
    let tables = on.tables();
    let Tables {
        verdicts,
        on: column,
        ..
    } = tables;
    let of_known = format!(
        "k.* FROM (SELECT ?1 AS {column}, {GIVEN}, coalesce(given_on, {column}) AS given_on FROM {verdicts} WHERE id = ?2) k"
    );
    let id = transaction.insert(&tables.insert(&of_known), params![on.id(), verdict.0])?;
    if is_refusal {
        keep_refusal(transaction, on, id)?;
    }
    Ok(VerdictId(id))
}

/// Stores a fingerprint's definition once; older rows have none.
fn keep_definition(
    transaction: &Transaction<'_>,
    fingerprint: i64,
    definition: &str,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO definition (fingerprint_id, value, checksum) VALUES (?1, ?2, row_checksum(?1, ?2))
         ON CONFLICT DO UPDATE SET value = excluded.value, checksum = excluded.checksum WHERE value = '' AND excluded.value <> ''",
        params![fingerprint, definition],
    )?;
    Ok(())
}

/// Returns all verdicts on a version or an edition, oldest first. A damaged row is an error: it may be a refusal.
pub(super) fn verdicts_on(sql: &Connection, on: Judged) -> Outcome<Vec<(VerdictId, NewVerdict)>> {
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

/// Returns one verdict on a version or an edition, without the verifier's output, and its actor; `None` for a damaged
/// row.
pub(super) fn given(
    sql: &Connection,
    on: Judged,
    id: VerdictId,
) -> Outcome<Option<(NewVerdict, String)>> {
    let mut damaged = Vec::new();
    Ok(match on {
        Judged::Version(_) => list(sql, NO_OUTPUT, "d.id = ?1", [id.0], &mut damaged)?
            .pop()
            .map(|one| (one.verdict, one.actor)),
        Judged::Edition(edition) => verdicts_on_edition(sql, edition, &mut damaged)?
            .into_iter()
            .find(|one| one.id == id)
            .map(|one| (one.verdict, one.actor)),
    })
}

/// Returns all verdicts on an edition, oldest first.
pub(super) fn verdicts_on_edition(
    sql: &Connection,
    edition: EditionId,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<EditionVerdict>> {
    let mut statement = sql.prepare_cached(&list_sql(OF_EDITIONS, OUTPUT, "d.edition_id = ?1"))?;
    let rows = statement.query_map([edition.0], |row| {
        read_verdict_row(OF_EDITIONS, row, None, |columns| {
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

/// Returns all verdicts on a message, oldest first; damaged rows are left out.
pub(super) fn verdicts_on_message(
    sql: &Connection,
    message: MessageId,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<MessageVerdict>> {
    const ON: &str = "d.message_id = (SELECT id FROM message WHERE uuid = ?1)";
    let mut statement = sql.prepare_cached(&list_sql(OF_MESSAGES, OUTPUT, ON))?;
    let rows = statement.query_map([message.0.as_bytes()], |row| {
        read_row(OF_MESSAGES.verdicts, row, |columns| {
            let id = VerdictId(columns.get()?);
            columns.skip();
            let Said { verdict, actor, .. } = read_what_was_said(columns)?;
            Ok(MessageVerdict { id, verdict, actor })
        })
    })?;
    Ok(sound_rows(rows, damaged)?)
}

/// Returns the damage of a verdict's row, or of a row that it names; `None` when it can be read.
pub(super) fn damage_of(sql: &Connection, on: Judged, id: i64) -> Outcome<Option<DamagedRow>> {
    let tables = on.tables();
    let read = sql.only(&list_sql(tables, NO_OUTPUT, "d.id = ?1"), [id], |row| {
        read_row(tables.verdicts, row, |columns| {
            columns.get::<i64>()?;
            columns.get::<i64>()?;
            read_what_was_said(columns).map(drop)
        })
    });
    match read.map_err(Failure::from) {
        Ok(()) => Ok(None),
        Err(error) => error.damaged_row().map(Some).ok_or(error),
    }
}

/// The column of a verifier's output.
pub(super) const OUTPUT: &str = "d.output";
pub(super) const NO_OUTPUT: &str = "''";

fn list_sql(tables: Tables, output: &str, condition: &str) -> String {
    let Tables {
        verdicts,
        on: column,
        ..
    } = tables;
    let fits = tables.fits();
    let (verifier, fingerprint) = (sound_text!("n"), sound_text!("f"));
    format!(
        "SELECT d.id, d.{column}, {verifier} AS verifier_id, {fingerprint} AS fingerprint_id, d.outcome, d.detail, d.exit_code,
             {output}, d.started_at, d.duration_ms, {DEFINITION}, a.value AS actor_id, d.given_on, {fits}
         FROM {verdicts} d LEFT JOIN text n ON n.id = d.verifier_id LEFT JOIN text f ON f.id = d.fingerprint_id
         LEFT JOIN text a ON a.id = d.actor_id LEFT JOIN definition p ON p.fingerprint_id = d.fingerprint_id
         WHERE {condition} ORDER BY d.id"
    )
}

/// Returns the verdicts on versions that meet the condition, oldest first.
pub(super) fn list(
    sql: &Connection,
    output: &str,
    condition: &str,
    params: impl rusqlite::Params,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<Verdict>> {
    let mut statement = sql.prepare_cached(&list_sql(OF_VERSIONS, output, condition))?;
    let rows = statement.query_map(params, |row| {
        read_verdict_row(OF_VERSIONS, row, None, read_verdict)
    })?;
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

/// A stored verdict without its subject.
pub(super) struct Said {
    pub(super) verdict: NewVerdict,
    /// Who ran the verifier or gave the verdict.
    pub(super) actor: String,
    /// The id of the version or edition with the same contents on which it was given.
    pub(super) given_on: Option<i64>,
}

/// Reads a verdict from the columns after its own id and its subject's.
pub(super) fn read_what_was_said(columns: &mut Columns<'_>) -> rusqlite::Result<Said> {
    let (verifier, hex) = (text(columns)?, text(columns)?);
    let judgement = Judgement {
        outcome: columns.word()?,
        detail: columns.get()?,
        exit_code: columns.get()?,
        output: columns.get()?,
    };
    let (started_at, duration) = (columns.time()?, columns.duration()?);
    let definition = definition(columns)?;
    let verdict = NewVerdict {
        verifier,
        fingerprint: Fingerprint { hex, definition },
        judgement,
        started_at,
        duration,
    };
    let said = Said {
        verdict,
        actor: columns.get()?,
        given_on: columns.get()?,
    };
    read_fit(columns)?;
    Ok(said)
}
