//! Verdicts across versions, editions and sources: by verifier and outcome, and the newest ones of each version.

use std::collections::BTreeMap;

use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::failure::Outcome;
use super::interned::{DEFINITION, optional_text, sound_text};
use super::row::{Columns, int, row_limit, to_json};
use super::select::{Damage, Select};
use super::sql_damage::{damaged_row_in, read_row, sound_rows};
use super::verdict_row::{Said, read_verdict_row, read_what_was_said};
use super::verdict_tables::{OF_EDITIONS, OF_VERSIONS};
use crate::domain::{Digest, EditionId, SourceId, VerdictOutcome, VersionId};
use crate::store::damaged_row::DamagedRow;
use crate::store::types::{
    JudgedBy, JudgedOrder, JudgedRequest, LastVerdict, VerdictFilter, VerdictOn, VerdictSubject,
};

impl Select<Vec<JudgedBy>> for JudgedRequest {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<JudgedBy>> {
        list_judged(sql, self, damaged)
    }
}

impl Select<Vec<VerdictOn>> for VerdictFilter {
    fn select(&self, sql: &Connection, damaged: &mut Damage) -> Outcome<Vec<VerdictOn>> {
        let on_versions = match self.set {
            None => list_on_versions(sql, self, damaged)?,
            Some(_) => Vec::new(),
        };
        let on_editions = match (&self.sources, &self.versions) {
            (None, None) => list_on_editions(sql, self, damaged)?,
            _ => Vec::new(),
        };
        let most = self.limit.unwrap_or(usize::MAX);
        Ok(merge(on_versions, on_editions).take(most).collect())
    }
}

/// Merges two lists that are newest first. Each keeps its own order of recording; times decide only between the lists.
fn merge(one: Vec<VerdictOn>, other: Vec<VerdictOn>) -> impl Iterator<Item = VerdictOn> {
    let (mut one, mut other) = (one.into_iter().peekable(), other.into_iter().peekable());
    let began = |verdict: &VerdictOn| verdict.verdict.started_at;
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(first), Some(second)) if began(first) < began(second) => other.next(),
        (None, _) => other.next(),
        _ => one.next(),
    })
}

/// The columns of a verdict, from a table of verdicts `d` and the texts that it names.
fn said() -> String {
    let (verifier, fingerprint) = (sound_text!("n"), sound_text!("f"));
    format!(
        "{verifier} AS verifier_id, {fingerprint} AS fingerprint_id, d.outcome, d.detail, d.exit_code, d.output, d.started_at,
         d.duration_ms, {DEFINITION}, a.value AS actor_id, d.given_on"
    )
}
const TEXTS: &str = "LEFT JOIN text n ON n.id = d.verifier_id LEFT JOIN text f ON f.id = d.fingerprint_id
    LEFT JOIN text a ON a.id = d.actor_id LEFT JOIN definition p ON p.fingerprint_id = d.fingerprint_id";
// A text without a row has no verdict.
const MATCHES: &str = "(?1 IS NULL OR d.verifier_id = (SELECT id FROM text WHERE value = ?1))
    AND (?2 IS NULL OR substr(f.value, 1, length(?2)) = ?2) AND (?3 IS NULL OR d.outcome = ?3)";

fn list_on_versions(
    sql: &Connection,
    filter: &VerdictFilter,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<VerdictOn>> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT d.id, {}, {}, d.version_id, v.digest, s.id, s.name FROM verdict d {TEXTS}
         CROSS JOIN version v ON v.id = d.version_id
         CROSS JOIN source s ON s.id = v.source_id
         WHERE {MATCHES} AND (?4 IS NULL AND ?6 IS NULL OR v.source_id IN (SELECT value FROM json_each(?4))
            OR d.version_id IN (SELECT value FROM json_each(?6)))
         ORDER BY d.id DESC LIMIT ?5",
        said(),
        OF_VERSIONS.fits()
    ))?;
    let parameters = params![
        filter.verifier,
        filter.fingerprint,
        filter.outcome.map(VerdictOutcome::as_str),
        filter.sources.as_deref().map(id_list),
        row_limit(filter.limit),
        filter.versions.as_deref().map(|ids| to_json(&ids)),
    ];
    let rows = statement.query_map(parameters, |row| {
        read_verdict_row(OF_VERSIONS, row, None, |columns| {
            columns.get::<i64>()?;
            let said = read_what_was_said(columns)?;
            let on = VerdictSubject::Version {
                id: VersionId(columns.get()?),
                digest: Digest(columns.get()?),
                source_id: SourceId(columns.get()?),
                source_name: columns.get()?,
            };
            Ok(verdict_on(said, on))
        })
    })?;
    Ok(sound_rows(rows, damaged)?)
}

fn verdict_on(said: Said, on: VerdictSubject) -> VerdictOn {
    VerdictOn {
        verdict: said.verdict,
        actor: said.actor,
        on,
        given_on: said.given_on,
    }
}

fn list_on_editions(
    sql: &Connection,
    filter: &VerdictFilter,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<VerdictOn>> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT d.id, {}, {}, d.edition_id, e.set_name FROM edition_verdict d {TEXTS}
         CROSS JOIN edition e ON e.id = d.edition_id
         WHERE {MATCHES} AND (?4 IS NULL OR e.set_name = ?4) ORDER BY d.id DESC LIMIT ?5",
        said(),
        OF_EDITIONS.fits()
    ))?;
    let parameters = params![
        filter.verifier,
        filter.fingerprint,
        filter.outcome.map(VerdictOutcome::as_str),
        filter.set,
        row_limit(filter.limit),
    ];
    let rows = statement.query_map(parameters, |row| {
        read_verdict_row(OF_EDITIONS, row, None, |columns| {
            columns.get::<i64>()?;
            let said = read_what_was_said(columns)?;
            let on = VerdictSubject::Edition {
                id: EditionId(columns.get()?),
                set: columns.get()?,
            };
            Ok(verdict_on(said, on))
        })
    })?;
    Ok(sound_rows(rows, damaged)?)
}

fn id_list(ids: &[SourceId]) -> String {
    to_json(&ids.iter().map(|id| id.0).collect::<Vec<_>>())
}

/// Returns the next versions whose rows are all sound.
fn list_judged(
    sql: &Connection,
    request: &JudgedRequest,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<Vec<JudgedBy>> {
    let mut request = request.clone();
    loop {
        let (judged, last) = judged_page(sql, &request, damaged)?;
        if last.is_none() || !judged.is_empty() {
            return Ok(judged);
        }
        // All rows of the page are damaged, but it may not be the last page.
        request.after = last;
    }
}

/// Returns a page's versions whose rows are sound, and the page's last version, sound or not.
fn judged_page(
    sql: &Connection,
    request: &JudgedRequest,
    damaged: &mut Vec<DamagedRow>,
) -> Outcome<(Vec<JudgedBy>, Option<VersionId>)> {
    let mut statement = sql.prepare_cached(&judged_sql(request.order))?;
    let start = match request.order {
        JudgedOrder::OldestFirst => 0,
        JudgedOrder::NewestFirst => i64::MAX,
    };
    let parameters = params![
        request.after.map_or(start, |id| id.0),
        request.sources.as_deref().map(id_list),
        int(request.limit),
    ];
    let mut rows = statement.query(parameters)?;
    let mut judged: Vec<JudgedBy> = Vec::new();
    let (mut last, mut last_damaged) = (None, None);
    while let Some(row) = rows.next()? {
        let id = VersionId(row.get(0)?);
        last = Some(id);
        // With one verdict missing, the counting verdicts of a version are unknown.
        if last_damaged == last {
            continue;
        }
        match read_row("version", row, |columns| read_judged(columns, &mut judged)) {
            Ok(()) => {}
            Err(error) => {
                damaged.push(damaged_row_in(&error).ok_or(error)?);
                judged.retain(|one| one.version_id != id);
                last_damaged = last;
            }
        }
    }
    Ok((judged, last))
}

/// The verdicts on the next versions after ?1 in an order, of the sources ?2 or all, at most ?3 versions.
fn judged_sql(order: JudgedOrder) -> String {
    let (beyond, order) = match order {
        JudgedOrder::OldestFirst => (">", "ASC"),
        JudgedOrder::NewestFirst => ("<", "DESC"),
    };
    format!(
        "SELECT v.id, v.source_id, v.state, {}, {}, d.outcome, {}, d.id FROM
             (SELECT v.id, v.source_id, v.state FROM version v CROSS JOIN source s ON s.id = v.source_id
              WHERE v.id {beyond} ?1 AND s.removed_at IS NULL
                  AND (?2 IS NULL OR v.source_id IN (SELECT value FROM json_each(?2)))
              ORDER BY v.id {order} LIMIT ?3) v
         LEFT JOIN verdict d ON d.version_id = v.id LEFT JOIN text n ON n.id = d.verifier_id
         LEFT JOIN text f ON f.id = d.fingerprint_id
         ORDER BY v.id {order}, d.id",
        sound_text!("n"),
        sound_text!("f"),
        OF_VERSIONS.fits()
    )
}

/// Reads a verdict on a version, or its absence, into that version's entry.
fn read_judged(columns: &mut Columns<'_>, judged: &mut Vec<JudgedBy>) -> rusqlite::Result<()> {
    let version_id = VersionId(columns.get()?);
    let source_id = SourceId(columns.get()?);
    let state = columns.word()?;
    if judged
        .last()
        .is_none_or(|last| last.version_id != version_id)
    {
        judged.push(JudgedBy {
            version_id,
            source_id,
            state,
            last: BTreeMap::new(),
        });
    }
    let (verifier, fingerprint) = (optional_text(columns)?, optional_text(columns)?);
    let outcome = columns.optional_word()?;
    let (fits, verdict): (bool, Option<i64>) = (columns.get()?, columns.optional()?);
    match (judged.last_mut(), verifier, fingerprint, outcome) {
        (Some(one), Some(verifier), Some(fingerprint), Some(outcome)) if fits => {
            let last = LastVerdict {
                fingerprint,
                outcome,
            };
            one.last.insert(verifier, last);
        }
        _ if verdict.is_some() => {
            return Err(columns.malformed(Type::Integer, "this verdict on it is damaged"));
        }
        _ => {}
    }
    Ok(())
}
