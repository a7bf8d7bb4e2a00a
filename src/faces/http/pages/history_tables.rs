//! The versions and the attempts of a source as tables, by page, newest first.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::elements::{badge, dash, size, table_box, text, verdict_outcome, version_state};
use super::visit::Visit;
use crate::domain::{
    Attempt, AttemptId, AttemptOutcome, Source, Verdict, Version, VersionId, last_of_each,
};
use crate::faces::http::problem::Problem;

/// The rows of a page of either table.
const ROWS: usize = 20;

/// Shows the versions of a source before the one that the query names.
pub(super) async fn versions_section(visit: &Visit, source: &Source) -> Result<Markup, Problem> {
    let app = visit.app();
    let before = id_param(visit, "versions")?.map(VersionId);
    // One more than is shown: the last one's predecessor, and whether there is another page.
    let mut versions = app.versions_before(source.id, before, ROWS + 1).await?;
    let served = app.served(source.id).await?;
    let mut rows = Vec::new();
    for (at, version) in versions.iter().take(ROWS).enumerate() {
        let verdicts = app.verdicts(version.id).await?;
        let older = versions.get(at + 1);
        rows.push(version_row(
            visit,
            version,
            older,
            &verdicts,
            served == Some(version.id),
        ));
    }
    let has_more = versions.len() > ROWS;
    versions.truncate(ROWS);
    let next = versions
        .last()
        .filter(|_| has_more)
        .map(|last| last.id.to_string());
    let table = table_box("Versions", &versions_table(&rows));
    let table = html! {
        form method="get" action="/compare" {
            (table)
            @if rows.len() > 1 { p.buttons { button type="submit" { "Compare the two that are marked" } } }
        }
    };
    Ok(section(
        visit,
        "versions",
        "Versions",
        versions.is_empty(),
        &table,
        next.as_deref(),
    ))
}

fn versions_table(rows: &[Markup]) -> Markup {
    html! {
        table.cards {
            thead { tr {
                th.mark scope="col" { span.hidden { "Mark" } }
                th scope="col" { "Version" } th scope="col" { "Fetched" } th.number scope="col" { "Size" }
                th scope="col" { "State" } th scope="col" { "Published" } th scope="col" { "Verdicts" } th scope="col" { "Compare" }
            } }
            tbody { @for row in rows { (row) } }
        }
    }
}

fn version_row(
    visit: &Visit,
    version: &Version,
    older: Option<&Version>,
    verdicts: &[Verdict],
    is_served: bool,
) -> Markup {
    html! {
        tr {
            td.mark { input type="checkbox" name="version" value=(version.id) aria-label={ "Mark v" (version.id) }; }
            th scope="row" { a href={ "/versions/" (version.id) } { "v" (version.id) } }
            td { (visit.age(Some(version.fetched_at))) }
            td.number { (size(Some(version.size_bytes))) }
            td { (version_state(version.state)) }
            @if is_served { td data-label="published " { "now" } } @else { td.blank { (dash()) } }
            td.why {
                @for verdict in last_of_each(verdicts, |one| &one.verdict) {
                    span.verdict { (text(&verdict.verdict.judge_words())) " " (verdict_outcome(verdict.verdict.judgement.outcome)) }
                }
            }
            @match older {
                Some(older) => td data-label="compare " { a href={ "/versions/" (older.id) "/diff/" (version.id) } { "to v" (older.id) } },
                None => td.blank { (dash()) },
            }
        }
    }
}

/// Shows the attempts at a source before the one that the query names.
pub(super) async fn attempts_section(visit: &Visit, source: &Source) -> Result<Markup, Problem> {
    let before = id_param(visit, "attempts")?.map(AttemptId);
    let mut attempts = visit
        .app()
        .attempts_before(source.id, before, ROWS + 1)
        .await?;
    let has_more = attempts.len() > ROWS;
    attempts.truncate(ROWS);
    let next = attempts
        .last()
        .filter(|_| has_more)
        .map(|last| last.id.to_string());
    let table = html! {
        table.cards {
            thead { tr {
                th scope="col" { "Started" } th scope="col" { "Outcome" } th.number scope="col" { "Status" } th.number scope="col" { "Size" }
                th.number scope="col" { "Took" } th.number scope="col" { "Tries" } th scope="col" { "Version" } th scope="col" { "Error" }
            } }
            tbody { @for attempt in &attempts { (attempt_row(visit, attempt)) } }
        }
    };
    let table = table_box("Attempts", &table);
    Ok(section(
        visit,
        "attempts",
        "Attempts",
        attempts.is_empty(),
        &table,
        next.as_deref(),
    ))
}

fn attempt_row(visit: &Visit, attempt: &Attempt) -> Markup {
    let (glyph, class) = match attempt.outcome {
        AttemptOutcome::New => ("✱", "new"),
        AttemptOutcome::Unchanged => ("✓", "good"),
        AttemptOutcome::Failed => ("✗", "bad"),
        AttemptOutcome::Absent => ("◌", "dim"),
    };
    let error = attempt
        .error
        .as_deref()
        .map(|error| match attempt.error_kind {
            Some(kind) => format!("{kind}: {error}"),
            None => error.to_owned(),
        });
    html! {
        tr {
            td { (visit.age(Some(attempt.started_at))) }
            td { (badge(glyph, class, attempt.outcome.as_str(), "")) }
            @match attempt.http_status { Some(status) => td.number data-label="status " { (status) }, None => td.number.blank { (dash()) } }
            td.number { (size(attempt.size_bytes)) }
            td.number data-label="took " { (took(attempt.duration)) }
            td.number data-label="tries " { (attempt.tries) }
            td { @match attempt.version_id { Some(id) => a href={ "/versions/" (id) } { "v" (id) }, None => (dash()) } }
            td.why { @if let Some(error) = &error { (text(error)) } }
        }
    }
}

/// Prints a duration: `83 ms`, `8.2 s`.
pub(super) fn took(duration: std::time::Duration) -> String {
    match duration.as_millis() {
        millis @ ..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

fn section(
    visit: &Visit,
    id: &str,
    title: &str,
    is_empty: bool,
    table: &Markup,
    next: Option<&str>,
) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            @if is_empty { p.dim { "None yet." } } @else { (table) }
            nav.pages aria-label={ "Pages of " (title.to_lowercase()) } {
                @if visit.param(id).is_some() { a href={ (visit.link(&[(id, None)])) "#" (id) } { "Newest" } }
                @if next.is_some() { a rel="next" href={ (visit.link(&[(id, next)])) "#" (id) } { "Older" } }
            }
        }
    }
}

/// Returns an id of the query.
pub(super) fn id_param(visit: &Visit, name: &str) -> Result<Option<i64>, Problem> {
    let value = visit.param(name).filter(|value| !value.is_empty());
    let value = value.map(|value| value.parse::<i64>()).transpose();
    value.map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("`{name}` is to be a number"),
        )
    })
}
