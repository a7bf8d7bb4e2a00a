//! `sql`: the rows that a query in SQL returns.

use std::io::{self, Read as _, Write};

use serde_json::{Map, Number, Value};

use crate::app::{self, App, Cell, Error, ErrorKind, QueryLimits};
use crate::domain::to_hex;
use crate::faces::cli::args::{SqlArgs, TableFormat};
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, flexible, right};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::json;
use crate::faces::text::{clean, count};

/// The longest query that is read from stdin; the store accepts none that is longer.
const MAX_QUERY_BYTES: u64 = 64 << 10;

/// How many bytes of a blob a table for people shows.
const SHOWN_BYTES: usize = 16;

pub(super) async fn run(app: &App, args: &SqlArgs, console: &mut Console<'_>) -> CommandResult {
    let query = match args.query.as_str() {
        "-" => read_stdin()?,
        query => query.to_owned(),
    };
    let mut limits = QueryLimits::default();
    limits.timeout = args
        .timeout
        .map_or(limits.timeout, |timeout| timeout.min(limits.timeout));
    let found = app.sql_within(&query, limits).await?;
    match args.format() {
        TableFormat::Json => json::write(&mut console.out, &objects(&found))?,
        TableFormat::Csv => write_csv(&mut console.out, &found)?,
        TableFormat::People if found.rows.is_empty() => {}
        TableFormat::People => {
            let look = Look::of(app, console);
            table(&found).write(&mut console.out, 0, &look)?;
        }
    }
    for note in notes(&found, limits) {
        console.warn(&note);
    }
    Ok(if found.rows.is_empty() {
        ExitStatus::Problems
    } else {
        ExitStatus::Done
    })
}

fn read_stdin() -> Result<String, Error> {
    let mut text = String::new();
    let read = io::stdin()
        .take(MAX_QUERY_BYTES + 1)
        .read_to_string(&mut text);
    read.map_err(|cause| Error::invalid(format!("cannot read stdin: {cause}")))?;
    if text.len() as u64 > MAX_QUERY_BYTES {
        return Err(Error::new(
            ErrorKind::Invalid,
            "the query is longer than 64 KiB",
        ));
    }
    Ok(text)
}

/// Returns what is missing in the result, in words.
fn notes(found: &app::Table, limits: QueryLimits) -> Vec<String> {
    let mut notes = Vec::new();
    if found.is_cut && found.rows.len() == limits.rows {
        notes.push(format!(
            "only the first {} rows: there are more",
            limits.rows
        ));
    } else if found.is_cut {
        let rows = count(found.rows.len(), "row");
        notes.push(format!(
            "only the first {rows}: the next one would exceed 16 MiB"
        ));
    }
    let cut = found
        .rows
        .iter()
        .flatten()
        .filter(|cell| cell.is_cut())
        .count();
    if cut > 0 {
        let values = count(cut, "value");
        notes.push(format!(
            "{values} cut: only the first 64 KiB of each are read"
        ));
    }
    notes
}

fn table(found: &app::Table) -> Table {
    let columns = found.columns.iter().enumerate().map(|(index, name)| {
        let mut cells = found.rows.iter().filter_map(|row| row.get(index));
        let heading = clean(name).into_owned();
        let is_number = |cell: &Cell| matches!(cell, Cell::Null | Cell::Integer(_) | Cell::Real(_));
        if cells.all(is_number) {
            right(heading)
        } else {
            flexible(heading)
        }
    });
    let mut table = Table::new(columns.collect::<Vec<_>>());
    for row in &found.rows {
        table.row(row.iter().map(shown));
    }
    table
}

/// Returns a value in words for people.
fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => real(*number),
        Cell::Text { text, is_cut, .. } => {
            let end = if *is_cut { "…" } else { "" };
            format!("{text}{end}")
        }
        Cell::Blob { head, size_bytes } => {
            let first = &head[..head.len().min(SHOWN_BYTES)];
            let end = if first.len() < *size_bytes { "…" } else { "" };
            format!("{}: {}{end}", count(*size_bytes, "byte"), to_hex(first))
        }
    }
}

/// Returns a number as SQLite prints it: with a point or an exponent.
fn real(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    Number::from_f64(number).map_or_else(|| number.to_string(), |number| number.to_string())
}

/// Returns a value for programs: blobs as hexadecimal digits, infinite numbers as texts.
fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => (*number).into(),
        Cell::Real(number) => {
            Number::from_f64(*number).map_or_else(|| real(*number).into(), Value::Number)
        }
        Cell::Text { text, .. } => text.as_str().into(),
        Cell::Blob { head, .. } => to_hex(head).into(),
    }
}

/// Returns an object for each row.
fn objects(found: &app::Table) -> Vec<Map<String, Value>> {
    let names = distinct(&found.columns);
    let object = |row: &Vec<Cell>| names.iter().cloned().zip(row.iter().map(value)).collect();
    found.rows.iter().map(object).collect()
}

/// Returns the names of the columns; a name that was there before is followed by `:1`, `:2`.
fn distinct(names: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let numbered = (1..).map(|number| format!("{name}:{number}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        distinct.extend(candidates.find(|name| !distinct.contains(name)));
    }
    distinct
}

fn write_csv(out: &mut dyn Write, found: &app::Table) -> io::Result<()> {
    csv::write_values(out, distinct(&found.columns).into_iter().map(Value::from))?;
    for row in &found.rows {
        csv::write_values(out, row.iter().map(value))?;
    }
    Ok(())
}
