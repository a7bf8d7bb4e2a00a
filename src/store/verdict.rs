//! Verdicts: appended with the state that they give their version, read by version and by source.

use rusqlite::{Connection, params};

use super::Store;
use super::error::{Failure, Result, found};
use super::event::insert_event;
use super::publication::refresh_publication;
use super::row::{Columns, duration_ms, millis, row_limit};
use super::transaction::Transaction;
use crate::domain::{
    Action, Judgement, NewVerdict, SourceId, Stamp, Verdict, VerdictId, VerdictOutcome, VersionId,
    VersionState,
};

impl Store {
    /// Returns all verdicts on a version, oldest first.
    pub async fn verdicts(&self, version: VersionId) -> Result<Vec<Verdict>> {
        self.read(move |sql| list(sql, "d.version_id = ?1", [version.0]))
            .await
    }

    /// Returns the verdicts on the newest `limit` versions of a source, all without a limit; oldest first.
    pub async fn verdicts_of_source(
        &self,
        source: SourceId,
        limit: Option<usize>,
    ) -> Result<Vec<Verdict>> {
        const OF_SOURCE: &str = "d.version_id IN
             (SELECT id FROM version WHERE source_id = ?1 ORDER BY ordinal DESC LIMIT ?2)";
        self.read(move |sql| list(sql, OF_SOURCE, [source.0, row_limit(limit)]))
            .await
    }

    /// Records verdicts, an event each, and the state that they give the version; its source's published file becomes
    /// due when it has to change ([`Store::publication`]).
    ///
    /// # Errors
    ///
    /// [`super::StoreError::Missing`] when the version was purged meanwhile.
    pub async fn record_verdicts(
        &self,
        version: VersionId,
        verdicts: Vec<NewVerdict>,
        state: VersionState,
        stamp: Stamp,
    ) -> Result<()> {
        self.write(move |transaction| {
            let source = transaction
                .sql
                .prepare_cached("UPDATE version SET state = ?2 WHERE id = ?1 RETURNING source_id")?
                .query_row(params![version.0, state.as_str()], |row| row.get(0));
            let source = SourceId(found(source, "version", version.0)?);
            for verdict in &verdicts {
                insert_verdict(transaction, version, verdict, &stamp)?;
                insert_verdict_event(transaction, source, version, verdict, &stamp)?;
            }
            refresh_publication(transaction, source)
        })
        .await
    }
}

fn insert_verdict(
    transaction: &Transaction<'_>,
    version: VersionId,
    verdict: &NewVerdict,
    stamp: &Stamp,
) -> rusqlite::Result<i64> {
    let verifier = transaction.text_id(&verdict.verifier)?;
    let fingerprint = transaction.text_id(&verdict.fingerprint)?;
    let actor = transaction.text_id(&stamp.actor.0)?;
    transaction.insert(
        "INSERT INTO verdict (version_id, verifier_id, fingerprint_id, actor_id, outcome, detail, exit_code, output,
             started_at, duration_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            version.0,
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

fn insert_verdict_event(
    transaction: &Transaction<'_>,
    source: SourceId,
    version: VersionId,
    verdict: &NewVerdict,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let (action, detail) = match verdict.judgement.outcome {
        VerdictOutcome::Passed => (Action::VerdictPassed, verdict.verifier.clone()),
        VerdictOutcome::Failed => (Action::VerdictFailed, with_reason(verdict)),
        VerdictOutcome::Error => (Action::VerdictError, with_reason(verdict)),
    };
    insert_event(
        transaction,
        stamp,
        action,
        Some(source),
        Some(version),
        Some(&detail),
    )?;
    Ok(())
}

fn with_reason(verdict: &NewVerdict) -> String {
    if verdict.judgement.detail.is_empty() {
        return verdict.verifier.clone();
    }
    format!("{}: {}", verdict.verifier, verdict.judgement.detail)
}

fn list(
    sql: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> std::result::Result<Vec<Verdict>, Failure> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT d.id, d.version_id, n.value, f.value, d.outcome, d.detail, d.exit_code, d.output, d.started_at,
             d.duration_ms, a.value
         FROM verdict d CROSS JOIN text n ON n.id = d.verifier_id CROSS JOIN text f ON f.id = d.fingerprint_id
         CROSS JOIN text a ON a.id = d.actor_id
         WHERE {condition} ORDER BY d.id"
    ))?;
    let rows = statement.query_map(params, |row| read_verdict(&mut Columns::new(row)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read_verdict(columns: &mut Columns<'_>) -> rusqlite::Result<Verdict> {
    Ok(Verdict {
        id: VerdictId(columns.get()?),
        version_id: VersionId(columns.get()?),
        verdict: NewVerdict {
            verifier: columns.get()?,
            fingerprint: columns.get()?,
            judgement: Judgement {
                outcome: columns.word()?,
                detail: columns.get()?,
                exit_code: columns.get()?,
                output: columns.get()?,
            },
            started_at: columns.time()?,
            duration: columns.duration()?,
        },
        actor: columns.get()?,
    })
}
