//! `/data`: the tables of the catalogue, their rows, and the answer to a query, for admins.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::elements::{alert, dash, grouped, table_box, text};
use super::fields::FormError;
use super::layout::Section;
use super::visit::Visit;
use crate::app::{self, Cell, QueryLimits, Table, TableFacts};
use crate::domain::to_hex;
use crate::faces::http::problem::Problem;

/// The rows of a page.
const ROWS: usize = 100;
/// How many characters of a text, and how many bytes of a blob, a cell shows.
const SHOWN: usize = 200;

/// Shows the tables; with `?table=` the rows of one, with `?q=` those of a query.
pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let tables = visit.app().tables().await?;
    let offset = visit.param("offset").and_then(|text| text.parse().ok());
    let offset = offset.unwrap_or(0);
    let typed = visit.param("q").filter(|query| !query.trim().is_empty());
    let table = visit.param("table").filter(|_| typed.is_none());
    let table = table.and_then(|name| tables.iter().find(|one| one.name == name));
    let answer = match (&typed, table) {
        (Some(query), _) => visit.app().sql(query).await.map(Some),
        (None, Some(table)) => rows_of(&visit, table, offset).await.map(Some),
        (None, None) => Ok(None),
    };
    let (found, error) = match answer {
        Ok(found) => (found, None),
        Err(error) => (None, Some(FormError::from(error))),
    };
    let refused = error.as_ref().map(|error| error.status);
    let status = refused.unwrap_or(StatusCode::OK);
    let content = html! {
        h1 { "Data" }
        (query_form(typed.as_deref().unwrap_or_default(), error.as_ref()))
        @if let Some(found) = &found { (rows_section(&visit, found, table, offset)) }
        (tables_section(&tables))
    };
    Ok(visit.page_with(status, Section::Data, "Data", &content))
}

/// Returns the rows of a table on a page. The name is that of a table there is.
async fn rows_of(visit: &Visit, table: &TableFacts, offset: usize) -> app::Result<Table> {
    // One more than a page shows whether there is another.
    let (name, most) = (&table.name, ROWS + 1);
    let query = format!("SELECT * FROM \"{name}\" LIMIT {most} OFFSET {offset}");
    let limits = QueryLimits {
        rows: ROWS,
        ..QueryLimits::default()
    };
    visit.app().sql_within(&query, limits).await
}

fn query_form(query: &str, error: Option<&FormError>) -> Markup {
    html! {
        form.narrow method="get" action="/data" {
            (alert(error))
            p.field {
                label for="q" { "Query" }
                textarea #q name="q" rows="3" spellcheck="false" { (query) }
            }
            p.dim { "One SELECT in SQLite's SQL, for at most 5 seconds and 10,000 rows. Nothing can be changed here. " code { "gannet help schema" } " explains the tables." }
            button type="submit" { "Run" }
        }
    }
}

fn rows_section(visit: &Visit, found: &Table, table: Option<&TableFacts>, offset: usize) -> Markup {
    let title = table.map_or("Rows", |table| table.name.as_str());
    let place = |offset: usize| visit.link(&[("offset", Some(&offset.to_string()))]);
    html! {
        section aria-labelledby="rows" {
            h2 #rows { (text(title)) }
            @if found.rows.is_empty() { p.dim { "No rows." } } @else { (table_box(title, &rows_table(found))) }
            p {
                (grouped(found.rows.len() as u64)) " rows"
                @if found.is_cut && table.is_none() { ": there are more" }
            }
            @if table.is_some() {
                nav.pages aria-label="Rows" {
                    @if offset > 0 { a href=(place(offset.saturating_sub(ROWS))) { "← Before" } }
                    @if found.is_cut { a href=(place(offset + ROWS)) { "Next →" } }
                }
            }
        }
    }
}

fn rows_table(found: &Table) -> Markup {
    html! {
        table {
            thead { tr { @for column in &found.columns { th scope="col" { (text(column)) } } } }
            tbody { @for row in &found.rows { tr { @for cell in row { (shown(cell)) } } } }
        }
    }
}

fn shown(cell: &Cell) -> Markup {
    match cell {
        Cell::Null => html! { td { (dash()) } },
        Cell::Integer(number) => html! { td.number { (number) } },
        Cell::Real(number) => html! { td.number { (number) } },
        Cell::Text {
            text: value,
            is_cut,
            ..
        } => {
            let beginning: String = value.chars().take(SHOWN).collect();
            let is_cut = *is_cut || beginning.len() < value.len();
            html! { td { (text(&beginning)) @if is_cut { "…" } } }
        }
        Cell::Blob { head, size_bytes } => {
            let head = &head[..head.len().min(16)];
            html! { td { code { (to_hex(head)) } " … " (grouped(*size_bytes as u64)) " B" } }
        }
    }
}

fn tables_section(tables: &[TableFacts]) -> Markup {
    let table = html! {
        table {
            thead { tr { th scope="col" { "Table" } th.number scope="col" { "Rows" } th scope="col" { "Columns" } } }
            tbody {
                @for one in tables {
                    tr {
                        th scope="row" { a href={ "/data?table=" (one.name) } { (one.name) } }
                        td.number { (grouped(one.rows)) }
                        td { @for (at, column) in one.columns.iter().enumerate() {
                            @if at > 0 { ", " }
                            (column.name) " " span.dim { (column.value_type) @if column.is_nullable { ", or null" } }
                        } }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="tables" {
            h2 #tables { "Tables" }
            (table_box("Tables", &table))
        }
    }
}
