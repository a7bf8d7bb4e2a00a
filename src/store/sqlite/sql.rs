//! Runs a query that a person wrote, and describes the tables.
//!
//! The query has a connection of its own, which only reads, with SQLite's authorizer ([`super::sql_rights`]) and limits
//! on time, memory and results. Never writes, and never waits for a lock longer than other reads do.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::AuthContext;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, ErrorCode, Row, Statement};

use super::Store;
use super::failure::{Failure, Outcome};
use super::sql_rights::{Rights, unaskable};
use crate::store::error::{Result, StoreError};
use crate::store::table::{Cell, ColumnFacts, QueryLimits, Table, TableFacts};

/// How many instructions of SQLite's machine run between two looks at the clock.
const LOOK_EVERY: i32 = 1000;

/// The pause between two looks at the memory of this process.
const LOOK_AT_MEMORY: Duration = Duration::from_millis(10);

/// By how much the memory of this process may grow while a query runs.
const MAX_GROWTH_BYTES: u64 = 512 << 20;

/// The limits of SQLite itself. No stored value is as large as the first; one call of a function on two values of that
/// size cannot be interrupted.
const LIMITS: [(Limit, i32); 6] = [
    (Limit::SQLITE_LIMIT_LENGTH, 4 << 20),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_QUERY_BYTES),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
    (Limit::SQLITE_LIMIT_COLUMN, 500),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
];

const MAX_QUERY_BYTES: i32 = 64 << 10;

impl Store {
    /// Runs one query that only reads, within these limits.
    ///
    /// # Errors
    ///
    /// [`StoreError::Query`] for a query that is not allowed, that SQLite does not accept, or that was stopped.
    pub async fn sql(&self, query: String, limits: QueryLimits) -> Result<Table> {
        self.read_alone(limits.timeout, move |connection| {
            run(connection, &query, limits)
        })
        .await
    }

    /// Returns the tables of the catalogue by name, with their columns and numbers of rows. Counting takes time in
    /// proportion to the rows.
    pub async fn tables(&self) -> Result<Vec<TableFacts>> {
        self.read_with(tables).await
    }
}

fn run(connection: &mut Connection, query: &str, limits: QueryLimits) -> Outcome<Table> {
    if query.contains('\0') {
        return Err(refused("the query holds a NUL character"));
    }
    if let Some(reason) = unaskable(query) {
        return Err(refused(reason));
    }
    for (limit, value) in LIMITS {
        connection.set_limit(limit, value)?;
    }
    let rights = Rights::over(connection)?;
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        rights.decide(&context)
    }))?;
    let stop = Watch::start(connection, limits.timeout)?;
    let answer = answer(connection, query, limits);
    answer.map_err(|error| stop.explained(error, query, limits))
}

/// The handler that stops a query, and the reason for which it did.
struct Watch {
    is_out_of_time: Arc<AtomicBool>,
    is_too_large: Arc<AtomicBool>,
}

impl Watch {
    fn start(connection: &mut Connection, timeout: Duration) -> rusqlite::Result<Self> {
        let watch = Self {
            is_out_of_time: Arc::default(),
            is_too_large: Arc::default(),
        };
        let (late, large) = (
            Arc::clone(&watch.is_out_of_time),
            Arc::clone(&watch.is_too_large),
        );
        let start = Instant::now();
        let most = resident_bytes().map(|bytes| bytes.saturating_add(MAX_GROWTH_BYTES));
        let mut looked = start;
        let handler = move || {
            let now = Instant::now();
            if now - start >= timeout {
                late.store(true, Ordering::Relaxed);
            } else if now - looked >= LOOK_AT_MEMORY {
                looked = now;
                if resident_bytes()
                    .zip(most)
                    .is_some_and(|(now, most)| now > most)
                {
                    large.store(true, Ordering::Relaxed);
                }
            }
            late.load(Ordering::Relaxed) || large.load(Ordering::Relaxed)
        };
        connection.progress_handler(LOOK_EVERY, Some(handler))?;
        Ok(watch)
    }

    /// Returns the failure with a reason that the author of the query understands, if the query is the cause.
    fn explained(&self, failure: Failure, query: &str, limits: QueryLimits) -> Failure {
        let Failure::Sql(error) = failure else {
            return failure;
        };
        if self.is_out_of_time.load(Ordering::Relaxed) {
            return StoreError::out_of_time(limits.timeout).into();
        }
        if self.is_too_large.load(Ordering::Relaxed) {
            return refused("the query was stopped: it needs too much memory");
        }
        match reason_in(&error, query) {
            Some(reason) => refused(reason),
            None => error.into(),
        }
    }
}

fn refused(reason: impl Into<String>) -> Failure {
    let reason = reason.into();
    StoreError::Query { reason }.into()
}

/// Returns the resident memory of this process; `None` where the system does not say.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let size = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = size.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib << 10)
}

/// Returns why SQLite does not accept the query; `None` when the catalogue is the cause.
fn reason_in(error: &rusqlite::Error, query: &str) -> Option<String> {
    if let rusqlite::Error::SqlInputError { msg, offset, .. } = error {
        return Some(format!("{msg} ({})", position(query, *offset)));
    }
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return None;
    };
    let of_query = match code.code {
        ErrorCode::AuthorizationForStatementDenied => {
            let rule = "only queries that read the tables are allowed: SELECT, VALUES, WITH, EXPLAIN, PRAGMA table_info";
            let message = message
                .as_deref()
                .filter(|message| *message != "not authorized");
            return Some(
                message.map_or_else(|| rule.to_owned(), |message| format!("{message}; {rule}")),
            );
        }
        ErrorCode::Unknown | ErrorCode::TypeMismatch | ErrorCode::ConstraintViolation => {
            "the query failed"
        }
        ErrorCode::TooBig => "the query, or a value in it, is too large",
        _ => return None,
    };
    Some(message.clone().unwrap_or_else(|| of_query.to_owned()))
}

/// Returns the place of this byte of the query in words.
fn position(query: &str, offset: i32) -> String {
    let offset = usize::try_from(offset).unwrap_or_default();
    let before = query.get(..offset).unwrap_or(query);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    format!("line {line}, column {column}")
}

fn answer(connection: &Connection, query: &str, limits: QueryLimits) -> Outcome<Table> {
    let mut batch = Batch::new(connection, query);
    let Some(mut statement) = batch.next()? else {
        return Err(refused("there is no query"));
    };
    if statement.column_count() == 0 || !statement.readonly() {
        return Err(refused(
            "the query returns nothing: only queries that read are allowed",
        ));
    }
    if statement.parameter_count() > 0 {
        return Err(refused(
            "the query has parameters, and nothing gives them a value",
        ));
    }
    // What follows is not prepared twice: any second statement is one too many.
    if !matches!(batch.next(), Ok(None)) {
        return Err(refused("only one query at a time"));
    }
    read(&mut statement, limits)
}

fn read(statement: &mut Statement<'_>, limits: QueryLimits) -> Outcome<Table> {
    let names = statement.column_names();
    let mut table = Table {
        columns: names.into_iter().map(str::to_owned).collect(),
        ..Table::default()
    };
    let (width, mut left) = (table.columns.len(), limits.total_bytes);
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let cells = cells(row, width, limits.value_bytes)?;
        let bytes: usize = cells.iter().map(cost).sum();
        if table.rows.len() == limits.rows || bytes > left {
            table.is_cut = true;
            break;
        }
        left -= bytes;
        table.rows.push(cells);
    }
    Ok(table)
}

fn cells(row: &Row<'_>, width: usize, most: usize) -> rusqlite::Result<Vec<Cell>> {
    let cells = (0..width).map(|index| Ok(cell(row.get_ref(index)?, most)));
    cells.collect()
}

fn cell(value: ValueRef<'_>, most: usize) -> Cell {
    let head = |bytes: &[u8]| bytes.len().min(most);
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(bytes) => Cell::Text {
            text: String::from_utf8_lossy(&bytes[..head(bytes)]).into_owned(),
            size_bytes: bytes.len(),
            is_cut: bytes.len() > most,
        },
        ValueRef::Blob(bytes) => Cell::Blob {
            head: bytes[..head(bytes)].to_vec(),
            size_bytes: bytes.len(),
        },
    }
}

/// Returns about how many bytes a cell takes.
fn cost(cell: &Cell) -> usize {
    let bytes = match cell {
        Cell::Text { text, .. } => text.len(),
        Cell::Blob { head, .. } => head.len(),
        Cell::Null | Cell::Integer(_) | Cell::Real(_) => 0,
    };
    size_of::<Cell>() + bytes
}

fn tables(sql: &Connection) -> Outcome<Vec<TableFacts>> {
    let names = "SELECT name FROM sqlite_schema
                 WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let mut statement = sql.prepare(names)?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut tables = Vec::new();
    for name in names {
        let name = name?;
        let quoted = name.replace('"', "\"\"");
        let count = format!("SELECT count(*) FROM \"{quoted}\"");
        tables.push(TableFacts {
            columns: columns(sql, &name)?,
            rows: sql.query_row(&count, [], |row| row.get(0).map(i64::cast_unsigned))?,
            name,
        });
    }
    Ok(tables)
}

fn columns(sql: &Connection, table: &str) -> rusqlite::Result<Vec<ColumnFacts>> {
    let columns = "SELECT name, type, \"notnull\" = 0 AND pk = 0 FROM pragma_table_xinfo(?1) WHERE hidden <> 1";
    let mut statement = sql.prepare_cached(columns)?;
    let columns = statement.query_map([table], |row| {
        Ok(ColumnFacts {
            name: row.get(0)?,
            value_type: row.get(1)?,
            is_nullable: row.get(2)?,
        })
    })?;
    columns.collect()
}
