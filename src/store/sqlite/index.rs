//! Indexes that disagree with their tables: found by SQLite's integrity check, and built anew from the rows.
//!
//! Never changes a row.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::damaged_state::source_name;
use super::failure::{Outcome, is_malformed};
use super::statements::Statements as _;
use crate::domain::SourceId;
use crate::store::damaged_row::{DamagedRow, INDEX};

/// The tables whose indexes decide which sources are fetched and which files are published.
pub(super) const STATES: &[&str] = &["source_state"];

/// The other tables whose indexes decide what is done.
pub(super) const WORK: &[&str] = &[
    "source",
    "version",
    "verdict",
    "refusal",
    "file_set",
    "set_member",
    "edition",
    "edition_member",
    "edition_verdict",
    "edition_refusal",
    "withdrawal",
    "left_file",
    "notifier",
    "told",
    "worker",
    "chore",
    "pending_object",
    "text",
    "person",
    "session",
    "token",
    "verifier_link",
    "queue",
    "queued_message",
    "dead_message",
    "message_key",
    "message_state",
];

/// Large tables whose indexes serve histories and stored bytes: checked only after SQLite met damage.
pub(super) const HISTORIES: &[&str] = &[
    "attempt",
    "event",
    "provenance",
    "blob",
    "message",
    "message_verdict",
    "rate_day",
];

/// Tables whose rows are found by their keys alone.
const WITHOUT_INDEX: &[&str] = &[
    "definition",
    "policy",
    "judging_death",
    "archive_mark",
    "kept_object",
    "told_set",
    "told_event",
    "removed_file",
    "former_address",
    "service",
    "queue_rate",
];

/// How many rows that an index disagrees with are named.
const MAX_ROWS: usize = 5;

/// Returns the name of a table of the catalogue; of another one, the empty name.
pub(super) fn known_table(name: &str) -> &'static str {
    let mut all = [STATES, WORK, HISTORIES, WITHOUT_INDEX]
        .into_iter()
        .flatten();
    all.find(|table| **table == name)
        .copied()
        .unwrap_or_default()
}

/// The indexes that were found to disagree with their tables.
#[derive(Default)]
pub(super) struct MendedIndexes {
    /// One for each such index, and for each table whose own pages are damaged.
    pub(super) damaged: Vec<DamagedRow>,
    /// How many were built anew.
    pub(super) rebuilt: usize,
}

/// Checks the indexes of all tables, and builds anew those that disagree with their rows.
pub(super) fn mend_all(sql: &Connection) -> Outcome<MendedIndexes> {
    mend(sql, &[STATES, WORK, HISTORIES].concat())
}

/// Checks the indexes of these tables, and builds anew those that disagree with their rows.
pub(super) fn mend(sql: &Connection, tables: &[&'static str]) -> Outcome<MendedIndexes> {
    let mut mended = MendedIndexes::default();
    for table in tables {
        let mut tried = Vec::new();
        // SQLite names a limited number of faults at once.
        loop {
            let mut found = match disagreeing(sql, table) {
                Ok(found) => found,
                Err(error) if is_malformed(&error) => {
                    BTreeMap::from([(String::new(), Fault::of_pages(&error.to_string()))])
                }
                Err(error) => return Err(error.into()),
            };
            found.retain(|index, _| !tried.contains(index));
            if found.is_empty() {
                break;
            }
            for (index, fault) in found {
                mended.damaged.push(match index.as_str() {
                    "" => fault.of_table(table),
                    index => rebuild(sql, table, index, &fault, &mut mended.rebuilt)?,
                });
                tried.push(index);
            }
        }
    }
    Ok(mended)
}

/// Builds an index anew, and returns the damage in words.
fn rebuild(
    sql: &Connection,
    table: &str,
    index: &str,
    fault: &Fault,
    rebuilt: &mut usize,
) -> rusqlite::Result<DamagedRow> {
    let done = match sql.execute_batch(&format!("REINDEX \"{index}\"")) {
        Ok(()) => {
            *rebuilt += 1;
            "it was built anew".to_owned()
        }
        Err(error) => format!("it cannot be built anew: {error}"),
    };
    let source = match (table, fault.rows.as_slice()) {
        ("source" | "source_state", [row]) => source_name(sql, SourceId(*row))?,
        _ => None,
    };
    Ok(DamagedRow {
        table: INDEX,
        id: index.to_owned(),
        source,
        reason: format!(
            "it disagrees with {} `{table}`; {done}",
            fault.rows_in_words()
        ),
    })
}

/// How an index disagrees with its table.
#[derive(Default)]
pub(super) struct Fault {
    /// The ids of the first rows that it disagrees with, as far as they are known.
    rows: Vec<i64>,
    /// SQLite's words for a fault of pages.
    pages: String,
}

impl Fault {
    fn of_pages(words: &str) -> Self {
        Self {
            rows: Vec::new(),
            pages: words.to_owned(),
        }
    }

    fn rows_in_words(&self) -> String {
        match self.rows.as_slice() {
            [] => "the table".to_owned(),
            [row] => format!("row {row} of the table"),
            [row, more @ ..] => format!("row {row} and {} more of the table", more.len()),
        }
    }

    fn of_table(&self, table: &'static str) -> DamagedRow {
        DamagedRow {
            table,
            id: String::new(),
            source: None,
            reason: self.pages.clone(),
        }
    }
}

/// Returns the indexes that disagree with the table, by name; under the empty name, damage of the table's own pages.
pub(super) fn disagreeing(
    sql: &Connection,
    table: &str,
) -> rusqlite::Result<BTreeMap<String, Fault>> {
    let mut found = BTreeMap::<String, Fault>::new();
    let mut statement = sql.prepare(&format!("PRAGMA integrity_check({table})"))?;
    let mut rows = statement.query([])?;
    loop {
        let row = match rows.next() {
            // The check itself meets the pages that it has named.
            Err(error) if is_malformed(&error) && !found.is_empty() => break,
            row => row?,
        };
        let Some(row) = row else { break };
        for line in row.get::<_, String>(0)?.lines() {
            let Some(index) = index_named_in(sql, table, line)? else {
                continue;
            };
            let fault = found.entry(index).or_default();
            let row = line
                .split_once("row ")
                .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
            match row {
                Some(row) if fault.rows.len() < MAX_ROWS && !fault.rows.contains(&row) => {
                    fault.rows.push(row);
                }
                None if fault.pages.is_empty() => line.clone_into(&mut fault.pages),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Returns the index that a line of the integrity check is about, or the empty name for the table's own pages; `None`
/// for a line about values.
fn index_named_in(sql: &Connection, table: &str, line: &str) -> rusqlite::Result<Option<String>> {
    if let Some(tree) = line.strip_prefix("Tree ") {
        let root = tree.split(' ').next().unwrap_or_default();
        let owner = "SELECT iif(type = 'index', name, '') FROM sqlite_schema
             WHERE rootpage = CAST(?1 AS INTEGER) AND tbl_name = ?2";
        return sql.first(owner, [root, table], |row| row.get(0));
    }
    let name = line.rsplit_once(" index ").map(|(_, name)| name);
    let is_there =
        "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1 AND tbl_name = ?2";
    match name {
        Some(name) if sql.any(is_there, [name, table])? => Ok(Some(name.to_owned())),
        _ => Ok(None),
    }
}
