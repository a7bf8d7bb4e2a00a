//! `/sources`: the sources as a table, by page; adds sources.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::add_form::{add_form, added};
use super::elements::{alert, dash, done, grouped, size, table_box, text, version_state};
use super::fetching::state_or_fetching;
use super::fields::{Fields, FormError};
use super::layout::Section;
use super::visit::{Visit, see_other};
use crate::app::Newest;
use crate::domain::{Source, filter_keys};
use crate::faces::http::caller::Right;
use crate::faces::http::cursor::Cursor;
use crate::faces::http::extract::Params;
use crate::faces::http::problem::Problem;
use crate::faces::http::source_page::{SourceListing, SourcePage, counts, source_page};
use crate::faces::publication::published_briefly;
use crate::faces::state_word::next_due;

/// The headings: the words of their orders where they have one.
const HEADINGS: [(&str, Option<&str>, &str); 9] = [
    ("State", Some("state"), ""),
    ("Source", Some("name"), ""),
    ("Every", None, ""),
    ("Last", Some("last"), ""),
    ("Next", Some("next"), ""),
    ("Verified", None, ""),
    ("Size", None, "number"),
    ("Published", None, ""),
    ("Tags", None, ""),
];

/// About as many rows are seen at once: longer tables have the buttons below them, too.
const ROWS_OF_SCREEN: usize = 20;

/// The query: which sources, and what a form did.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct SourcesQuery {
    filter: Option<String>,
    sort: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

impl SourcesQuery {
    fn listing(self) -> SourceListing {
        SourceListing {
            filter: self.filter,
            sort: self.sort,
            limit: self.limit,
            after: self.after,
        }
    }
}

/// Shows a page of sources.
pub(super) async fn show(
    visit: Visit,
    Params(query): Params<SourcesQuery>,
) -> Result<Response, Problem> {
    let (typed, listing) = (Fields::default(), query.listing());
    match source_page(visit.app(), &listing).await {
        Ok(found) => listed(&visit, &listing, &found, &typed, None).await,
        Err(problem) if listing.filter.is_some() => {
            let content = html! {
                h1 { "Sources" }
                (filter_form(&listing))
                (alert(Some(&FormError::from(problem))))
            };
            let status = StatusCode::BAD_REQUEST;
            Ok(visit.page_with(status, Section::Sources, "Sources", &content))
        }
        Err(problem) => Err(problem),
    }
}

/// Adds one source, or all that were pasted.
pub(super) async fn add(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    match added(&visit, &fields).await {
        Ok(ids) => Ok(see_other(&match ids.as_slice() {
            [only] => format!("/sources/{only}?done=added"),
            several => format!("/sources?sort=-id&done=added-{}", several.len()),
        })),
        Err(error) => {
            let listing = SourceListing::default();
            let found = source_page(visit.app(), &listing).await?;
            listed(&visit, &listing, &found, &fields, Some(&error)).await
        }
    }
}

/// Shows a page of sources, with a form that was not carried out and the reason.
async fn listed(
    visit: &Visit,
    listing: &SourceListing,
    found: &SourcePage,
    typed: &Fields,
    error: Option<&FormError>,
) -> Result<Response, Problem> {
    let may_change = visit.may(Right::Operate);
    let (total, before) = counts(visit.app(), listing, found).await?;
    let table = html! {
        div #sources data-live="" {
            (table_box("Sources", &table(visit, listing, found)))
            (pages(visit, listing, found, (total, before)))
        }
    };
    let mut shown = found.sources.iter().map(|(source, _)| source);
    let are_removed = shown.all(|one| one.removed_at.is_some());
    let content = html! {
        h1 { "Sources" }
        (done(visit))
        @if may_change { (add_form(typed, error)) }
        (filter_form(listing))
        @if found.sources.is_empty() {
            p { @match listing.filter.as_deref() {
                Some(filter) if !filter.is_empty() => { "No source matches " code { (text(filter)) } "." },
                _ => "No sources here.",
            } }
        } @else if may_change {
            form method="post" action="/sources/-" {
                input type="hidden" name="filter" value=(listing.filter.as_deref().unwrap_or_default());
                input type="hidden" name="back" value=(visit.link(&[]));
                (actions(Some(total).filter(|total| *total > 1), are_removed))
                (table)
                @if found.sources.len() > ROWS_OF_SCREEN { (actions(None, are_removed)) }
            }
        } @else { (table) }
    };
    let status = error.map_or(StatusCode::OK, |error| error.status);
    Ok(visit.page_with(status, Section::Sources, "Sources", &content))
}

fn filter_form(listing: &SourceListing) -> Markup {
    let filter = listing.filter.as_deref().unwrap_or_default();
    html! {
        form.filter method="get" action="/sources" role="search" aria-label="Filter the sources" {
            label for="filter" { "Filter" }
            input #filter name="filter" type="search" value=(text(filter)) placeholder="is:failing tag:eu" autocomplete="off" spellcheck="false" data-filter="" aria-describedby="filter-help";
            @if let Some(sort) = &listing.sort { input type="hidden" name="sort" value=(text(sort)); }
            button type="submit" { "Show" }
            @if !filter.is_empty() { a href="/sources" { "All" } }
            a href="/sources?filter=state:removed" { "Removed" }
            p.help #filter-help { "words, globs, " @for key in filter_keys() { code { (key) ":" } " " } "; " code { "!" } " turns one round" }
        }
    }
}

/// Shows the way to the other pages, and which of all sources this one has.
fn pages(
    visit: &Visit,
    listing: &SourceListing,
    found: &SourcePage,
    (total, before): (u64, u64),
) -> Markup {
    let next = found.next.as_ref().map(Cursor::text);
    let last = before + found.sources.len() as u64;
    html! {
        nav.pages aria-label="Pages" {
            @if before > 0 || next.is_some() { span { (grouped(before + 1)) "–" (grouped(last)) " of " (grouped(total)) } }
            @if listing.after.is_some() { a href=(visit.link(&[("after", None)])) { "First page" } }
            @if let Some(next) = &next { a rel="next" href=(visit.link(&[("after", Some(next))])) { "Next page" } }
        }
    }
}

/// Shows the buttons for those that are marked; with a number, for all that match, too.
fn actions(all: Option<u64>, are_removed: bool) -> Markup {
    let actions: &[_] = if are_removed {
        &[("restore", "Bring back")]
    } else {
        &[
            ("fetch", "Fetch now"),
            ("on", "Switch on"),
            ("off", "Switch off"),
            ("remove", "Remove …"),
        ]
    };
    html! {
        fieldset.actions {
            legend { "With those that are marked" }
            @for (word, name) in actions { button type="submit" name="do" value=(word) { (name) } }
            @if let Some(all) = all {
                label.check { input type="checkbox" name="all" value="yes"; " all " (grouped(all)) " that match, on every page" }
            }
        }
    }
}

fn table(visit: &Visit, listing: &SourceListing, found: &SourcePage) -> Markup {
    let may_change = visit.may(Right::Operate);
    html! {
        table.sources.cards {
            thead { tr {
                @if may_change { th.mark scope="col" { span.hidden { "Mark" } } }
                @for (name, sort, class) in HEADINGS { (heading(visit, listing, name, sort, class)) }
            } }
            tbody {
                @for (source, newest) in &found.sources {
                    (row(visit, source, newest, may_change))
                }
            }
        }
    }
}

fn heading(
    visit: &Visit,
    listing: &SourceListing,
    name: &str,
    sort: Option<&str>,
    class: &str,
) -> Markup {
    let Some(sort) = sort else {
        return html! { th.(class) scope="col" { (name) } };
    };
    let present = listing.sort.as_deref().unwrap_or("name");
    let reversed = format!("-{sort}");
    let (order, next, arrow) = match present {
        one if one == sort => (Some("ascending"), reversed.as_str(), " ▲"),
        one if one == reversed => (Some("descending"), sort, " ▼"),
        _ => (None, sort, ""),
    };
    let link = visit.link(&[("sort", Some(next)), ("after", None)]);
    html! {
        th scope="col" aria-sort=[order] { a href=(link) { (name) span aria-hidden="true" { (arrow) } } }
    }
}

fn row(visit: &Visit, source: &Source, newest: &Newest, may_change: bool) -> Markup {
    let settings = &source.settings;
    let name = text(&settings.name);
    html! {
        tr {
            @if may_change {
                td.mark { input type="checkbox" name="source" value=(source.id) aria-label={ "Mark " (name) }; }
            }
            td { (state_or_fetching(visit, source)) }
            th scope="row" { a href={ "/sources/" (source.id) } title=(text(settings.address.as_str())) { (name) } }
            td data-label="every " { (settings.interval) }
            td data-label="last " { (visit.age(source.state.last_attempt_at)) }
            td data-label="next " { (visit.due(next_due(source))) }
            (verified_cell(source))
            @match newest.size_bytes { Some(bytes) => td.number { (size(Some(bytes))) }, None => td.number.blank { (dash()) } }
            @match published_briefly(source, true) { Some(words) => td.why data-label="published " { (text(&words)) }, None => td.why.blank { (dash()) } }
            @if settings.tags.is_empty() { td.blank {} } @else { td data-label="tags " { (text(&settings.tags.join(", "))) } }
        }
    }
}

fn verified_cell(source: &Source) -> Markup {
    html! {
        @match (source.state.version_state, source.state.version_id) {
            (Some(state), Some(id)) => td { a.plain href={ "/versions/" (id) "#verdicts" } { (version_state(state)) } },
            (Some(state), None) => td { (version_state(state)) },
            (None, _) => td.blank { (dash()) },
        }
    }
}

/// Shows why a form of several sources was not carried out.
pub(super) fn refused(visit: &Visit, error: &FormError) -> Response {
    let content = html! {
        h1 { "Sources" }
        (alert(Some(error)))
        p { a href="/sources" { "Back to the sources" } }
    };
    visit.page_with(error.status, Section::Sources, "Sources", &content)
}
