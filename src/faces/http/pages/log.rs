//! `/log`: the events, newest first, by source, set, action and words.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::elements::{alert, dash, table_box, text};
use super::fields::FormError;
use super::history_tables::id_param;
use super::layout::Section;
use super::visit::Visit;
use crate::app::EventFilter;
use crate::domain::{About, Action, EditionId, Event, EventId, NewEvent};
use crate::faces::http::api::matching_before;
use crate::faces::http::content::segment;
use crate::faces::http::live::EventTerms;
use crate::faces::http::problem::Problem;

/// The events of a page.
const EVENTS: usize = 100;
/// Groups of actions: their headings, and what their names begin with.
const SUBJECTS: [(&str, &[&str]); 8] = [
    ("Sources", &["source"]),
    ("Fetches and passes", &["fetch", "pass"]),
    ("Verdicts and versions", &["verdict", "version"]),
    ("Published files and sets", &["file", "publish", "set"]),
    ("Messages", &["message"]),
    ("People and tokens", &["person", "token"]),
    ("Archive and catalogue", &["archive", "catalogue", "times"]),
    (
        "Configuration and notices",
        &["policy", "config", "certificate", "notice", "log"],
    ),
];

/// Shows a page of the log; an empty one, with the reason, when the filter names nothing that is known.
pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let (shown, status) = match filter(&visit).await {
        Ok((filter, terms)) => (events(&visit, filter, &terms).await?, StatusCode::OK),
        Err(problem) => {
            let error = FormError::from(problem);
            let shown = html! { (alert(Some(&error))) p.dim { "No events." } };
            (shown, error.status)
        }
    };
    let content = html! {
        h1 { "Log" }
        (filter_form(&visit))
        (shown)
    };
    Ok(visit.page_with(status, Section::Log, "Log", &content))
}

async fn events(visit: &Visit, filter: EventFilter, terms: &EventTerms) -> Result<Markup, Problem> {
    let before = filter.before;
    let (events, older) = matching_before(visit.app(), filter, terms).await?;
    let older = older.map(|event| event.to_string());
    Ok(html! {
        div #log data-live=[before.is_none().then_some("")] {
            @if events.is_empty() { p.dim { "No events." } } @else { (table_box("Events", &table(visit, &events))) }
            nav.pages aria-label="Pages" {
                @if before.is_some() { a href=(visit.link(&[("before", None)])) { "Newest" } }
                @if older.is_some() { a rel="next" href=(visit.link(&[("before", older.as_deref())])) { "Older" } }
            }
        }
    })
}

/// Returns which events the query asks for.
async fn filter(visit: &Visit) -> Result<(EventFilter, EventTerms), Problem> {
    let given = |name: &str| visit.param(name).filter(|text| !text.trim().is_empty());
    let source_id = match given("source") {
        None => None,
        Some(source) => {
            let found = visit.app().source(source.trim()).await;
            let of_page = |error| {
                Problem::from(error)
                    .hint("give the name or the id of a source, or leave the field empty")
            };
            Some(found.map_err(of_page)?.id)
        }
    };
    let set = match given("set") {
        None => None,
        Some(set) => Some(visit.app().set_in_log(set.trim()).await?),
    };
    let terms = given("filter").unwrap_or_default().parse();
    let terms = terms.map_err(|error| Problem::invalid(format!("`filter`: {error}")))?;
    let action = given("action").map(|action| action.parse()).transpose();
    let wrong = |error| Problem::invalid(format!("`action`: {error}"));
    let filter = EventFilter {
        source_id,
        set,
        action: action.map_err(wrong)?,
        before: id_param(visit, "before")?.map(EventId),
        limit: EVENTS,
        ..EventFilter::default()
    };
    Ok((filter, terms))
}

fn filter_form(visit: &Visit) -> Markup {
    let source = visit.param("source").unwrap_or_default();
    let [chosen, set, words] =
        ["action", "set", "filter"].map(|name| visit.param(name).unwrap_or_default());
    let mut sets = visit.app().set_names();
    // One that ended keeps its events.
    if !set.is_empty() && !sets.contains(&set) {
        sets.push(set.clone());
    }
    html! {
        form.filter method="get" action="/log" role="search" aria-label="Filter the log" {
            label for="log-source" { "Source" }
            input #log-source name="source" type="search" value=(text(&source)) data-filter="";
            label for="log-action" { "Action" }
            select #log-action name="action" {
                option value="" { "all" }
                @for (group, actions) in groups() {
                    optgroup label=(group) {
                        @for one in actions { option value=(one) selected[chosen == one.as_str()] { (one) } }
                    }
                }
            }
            @if !sets.is_empty() {
                label for="log-set" { "Set" }
                select #log-set name="set" {
                    option value="" { "all" }
                    @for one in &sets { option value=(one) selected[*one == set] { (text(one)) } }
                }
            }
            label for="log-words" { "Words" }
            input #log-words name="filter" type="search" value=(text(&words)) placeholder="actor:anna* 503";
            button type="submit" { "Show" }
            @if visit.uri.query().is_some() { a href="/log" { "All" } }
        }
    }
}

/// Returns the actions by what they are about.
fn groups() -> Vec<(&'static str, Vec<Action>)> {
    let mut groups: Vec<(&str, Vec<Action>)> = Vec::new();
    for action in Action::ALL {
        let subject = action.as_str().split('.').next().unwrap_or_default();
        let known = SUBJECTS
            .iter()
            .find(|(_, subjects)| subjects.contains(&subject));
        let group = known.map_or("Other", |(group, _)| *group);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, actions)) => actions.push(action),
            None => groups.push((group, vec![action])),
        }
    }
    groups
}

fn table(visit: &Visit, events: &[Event]) -> Markup {
    let sets = visit.app().set_names();
    html! {
        table.log.cards {
            thead { tr { th scope="col" { "Time" } th scope="col" { "Action" } th scope="col" { "About" } th scope="col" { "Version" } th scope="col" { "Detail" } th scope="col" { "By" } } }
            tbody {
                @for event in events.iter().rev() {
                    @let about = &event.event;
                    tr {
                        td { (visit.second(event.stamp.at)) }
                        td { span.action.(class(about.action)) { (about.action) } }
                        @match subject(event, &sets) { Some(subject) => td { (subject) }, None => td.blank { (dash()) } }
                        @match (about.version_id, edition(about)) {
                            (Some(id), _) => td { a href={ "/versions/" (id) } { "v" (id) } },
                            (None, Some(edition)) => td { "edition " (edition) },
                            (None, None) => td.blank { (dash()) },
                        }
                        @match detail(about) { Some(detail) => td.why { (text(detail)) }, None => td.why.blank {} }
                        td data-label="by " { (text(&event.stamp.actor.0)) }
                    }
                }
            }
        }
    }
}

/// Returns the source or the set that an event is about.
fn subject(event: &Event, sets: &[String]) -> Option<Markup> {
    let about = &event.event;
    if let Some(id) = about.source_id {
        return Some(html! {
            @match &event.source_name {
                Some(name) => a href={ "/sources/" (id) } { (text(name)) },
                None => { "source " (id) },
            }
        });
    }
    let set = about.set()?;
    Some(html! {
        "set " @if sets.iter().any(|one| one == set) { a href={ "/sets/" (segment(set)) } { (text(set)) } } @else { (text(set)) }
    })
}

/// Returns the edition of a set that an event is about.
fn edition(about: &NewEvent) -> Option<EditionId> {
    about.about.and_then(About::edition)
}

/// Returns the details, without the name of a set that stands beside them.
fn detail(about: &NewEvent) -> Option<&str> {
    match about.set_and_rest() {
        Some((_, rest)) => rest,
        None => about.detail.as_deref(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_its_group() {
        let groups = groups();
        assert!(
            groups.iter().all(|(group, _)| *group != "Other"),
            "{groups:?}"
        );
        let count: usize = groups.iter().map(|(_, actions)| actions.len()).sum();
        assert_eq!(count, Action::ALL.len());
    }
}
