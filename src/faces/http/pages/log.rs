//! `/log`: the events, newest first, by source and action.

use axum::response::Response;
use maud::{Markup, html};

use super::elements::{dash, table_box, text};
use super::history_tables::id_param;
use super::layout::Section;
use super::visit::Visit;
use crate::app::EventFilter;
use crate::domain::{Action, Event, EventId};
use crate::faces::http::problem::Problem;

/// The events of a page.
const EVENTS: usize = 100;

/// Shows a page of the log.
pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let filter = filter(&visit).await?;
    let (action, before) = (filter.action, filter.before);
    let events = visit.app().events(filter).await?;
    let older = events.first().filter(|_| events.len() == EVENTS);
    let older = older.map(|event| event.id.to_string());
    let content = html! {
        h1 { "Log" }
        (filter_form(&visit, action))
        div #log data-live=[before.is_none().then_some("")] {
            @if events.is_empty() { p.dim { "No events." } } @else { (table_box("Events", &table(&visit, &events))) }
            nav.pages aria-label="Pages" {
                @if before.is_some() { a href=(visit.link(&[("before", None)])) { "Newest" } }
                @if older.is_some() { a rel="next" href=(visit.link(&[("before", older.as_deref())])) { "Older" } }
            }
        }
    };
    Ok(visit.page(Section::Log, "Log", &content))
}

/// Returns which events the query asks for.
async fn filter(visit: &Visit) -> Result<EventFilter, Problem> {
    let given = |name: &str| visit.param(name).filter(|text| !text.trim().is_empty());
    let source_id = match given("source") {
        None => None,
        Some(source) => Some(visit.app().source(source.trim()).await?.id),
    };
    let action = given("action").map(|action| action.parse()).transpose();
    let wrong = |error| Problem::invalid(format!("`action`: {error}"));
    Ok(EventFilter {
        source_id,
        action: action.map_err(wrong)?,
        before: id_param(visit, "before")?.map(EventId),
        limit: EVENTS,
        ..EventFilter::default()
    })
}

fn filter_form(visit: &Visit, action: Option<Action>) -> Markup {
    let source = visit.param("source").unwrap_or_default();
    html! {
        form.filter method="get" action="/log" role="search" aria-label="Filter the log" {
            label for="log-source" { "Source" }
            input #log-source name="source" type="search" value=(text(&source)) data-filter="";
            label for="log-action" { "Action" }
            select #log-action name="action" {
                option value="" { "all" }
                @for one in Action::ALL { option value=(one) selected[action == Some(one)] { (one) } }
            }
            button type="submit" { "Show" }
        }
    }
}

fn table(visit: &Visit, events: &[Event]) -> Markup {
    html! {
        table.log.cards {
            thead { tr { th scope="col" { "Time" } th scope="col" { "Action" } th scope="col" { "Source" } th scope="col" { "Version" } th scope="col" { "Detail" } th scope="col" { "By" } } }
            tbody {
                @for event in events.iter().rev() {
                    @let about = &event.event;
                    tr {
                        td { (visit.time(Some(event.stamp.at))) }
                        td { span.action.(class(about.action)) { (about.action) } }
                        td { @match about.source_id {
                            Some(id) => { @match &event.source_name {
                                Some(name) => a href={ "/sources/" (id) } { (text(name)) },
                                None => { "source " (id) },
                            } },
                            None => (dash()),
                        } }
                        td { @match about.version_id { Some(id) => a href={ "/versions/" (id) } { "v" (id) }, None => (dash()) } }
                        td.why { @if let Some(detail) = &about.detail { (text(detail)) } }
                        td data-label="by " { (text(&event.stamp.actor.0)) }
                    }
                }
            }
        }
    }
}

/// Returns the class of an action: whether it is good or bad news.
fn class(action: Action) -> &'static str {
    let word = action.as_str();
    let ends = |ends: &[&str]| ends.iter().any(|end| word.ends_with(end));
    if ends(&[
        ".failed",
        ".failing",
        ".error",
        ".damaged",
        ".rejected",
        ".withdrawn",
    ]) {
        "bad"
    } else if ends(&[".passed", ".recovered", ".published", ".healed"]) {
        "good"
    } else {
        "plain"
    }
}
