//! The days of a dated source, on its page.
//!
//! Never shows their versions: each day has a page of its own.

use maud::{Markup, html};

use super::elements::{dash, state, table_box, text};
use super::visit::Visit;
use crate::domain::Source;
use crate::faces::http::problem::Problem;
use crate::faces::state_word::next_due;

/// The number of days that are shown.
const SHOWN: usize = 62;

/// Returns the newest days of a dated source; `None` for other sources.
pub(super) async fn days_section(
    visit: &Visit,
    source: &Source,
) -> Result<Option<Markup>, Problem> {
    if source.state.days.is_none() {
        return Ok(None);
    }
    let days = visit.app().days_of(source.id, SHOWN).await?;
    let table = html! {
        table.cards {
            thead { tr { th scope="col" { "Day" } th scope="col" { "State" } th scope="col" { "Newest version" } th scope="col" { "Last fetched" } th scope="col" { "Next due" } } }
            tbody { @for day in &days { (row(visit, day)) } }
        }
    };
    let filter: String =
        url::form_urlencoded::byte_serialize(format!("of:\"{}\"", source.settings.name).as_bytes())
            .collect();
    Ok(Some(html! {
        section aria-labelledby="days" {
            h2 #days { "Days" }
            @if days.is_empty() { p.dim { "None yet." } } @else { (table_box("Days", &table)) }
            @if days.len() == SHOWN { p { a href={ "/sources?filter=" (filter) } { "All days" } } }
        }
    }))
}

fn row(visit: &Visit, day: &Source) -> Markup {
    let name = day.day.map(|of| of.day.to_string());
    html! {
        tr {
            td { a href={ "/sources/" (day.id) } { (text(&name.unwrap_or_default())) } }
            td { (state(day)) }
            td { @match day.state.version_id { Some(id) => a href={ "/versions/" (id) } { "v" (id) }, None => (dash()) } }
            td data-label="last " { (visit.age(day.state.last_attempt_at)) }
            td data-label="next " { (visit.due(next_due(day))) }
        }
    }
}
