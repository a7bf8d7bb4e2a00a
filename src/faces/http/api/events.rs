//! `/api/v1/events`: the log.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::list::page;
use super::pages_schema::EventPageJson;
use super::parameters::{Place, action_schema, parsed, source_named};
use crate::app::{self, App, EventFilter};
use crate::domain::{Event, EventId};
use crate::faces::http::extract::Params;
use crate::faces::http::live::EventTerms;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::http::source_page::page_size;
use crate::faces::json::EventJson;

/// The events that are read at once for a filter.
const BATCH: usize = 1_000;
/// The most events that are read for one page with a filter.
const MAX_READ: usize = 20 * BATCH;

/// The query of the log.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// The last event that is known; then the oldest events after it.
    #[param(minimum = 0, value_type = Option<i64>)]
    after: Option<Place>,
    /// A source: its id, name or address.
    #[param(min_length = 1, max_length = 512, format = "source")]
    source: Option<String>,
    /// The name of a set, present or past.
    #[param(min_length = 1, max_length = 512, format = "set")]
    set: Option<String>,
    /// An action, such as `fetch.new`.
    #[param(schema_with = action_schema)]
    action: Option<String>,
    /// Words that an event must match, in the language of `/live?filter=`. A page with a filter reads 20,000 events at
    /// most: its `next` may come with few events, or none.
    #[param(max_length = 4096, format = "event-filter")]
    filter: Option<String>,
    /// At most so many; by default 100.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<usize>,
}

/// Lists events, oldest first, each as in `log --json`: those after an event, or without one the newest.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "listEvents",
    params(EventsQuery),
    responses((status = 200, body = EventPageJson)),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Params(query): Params<EventsQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let app = shared.app();
    let limit = page_size(query.limit)?;
    let source_id = match &query.source {
        Some(source) => Some(source_named(app, source).await?.id),
        None => None,
    };
    let set = match &query.set {
        Some(set) => Some(app.set_in_log(set).await.map_err(Problem::of_name)?),
        None => None,
    };
    let terms = parsed("filter", query.filter.as_deref())?;
    let filter = EventFilter {
        source_id,
        set,
        action: parsed("action", query.action.as_deref())?,
        after: query.after.map(|after| EventId(after.0)),
        limit,
        ..EventFilter::default()
    };
    let (events, next) = match terms {
        None => all(app, filter).await?,
        Some(terms) => matching(app, filter, &terms).await?,
    };
    let next = next.map(|event| event.to_string());
    let events: Vec<_> = events.iter().map(EventJson::new).collect();
    page("events", &events, next.as_deref(), &uri)
}

/// Returns a page of events, and the event behind which the next page begins.
async fn all(app: &App, filter: EventFilter) -> app::Result<(Vec<Event>, Option<EventId>)> {
    let limit = filter.limit;
    let events = app.events(filter).await?;
    let next = events.last().filter(|_| events.len() >= limit);
    let next = next.map(|event| event.id);
    Ok((events, next))
}

/// Returns a page of the events that match the terms, as [`all`] does. It ends early when too many events do not match.
async fn matching(
    app: &App,
    filter: EventFilter,
    terms: &EventTerms,
) -> app::Result<(Vec<Event>, Option<EventId>)> {
    let (limit, is_forward) = (filter.limit, filter.after.is_some());
    let (mut found, end) = scan(app, filter, terms).await?;
    if is_forward {
        return Ok((found, end));
    }
    // Later events come after the newest.
    found.reverse();
    let next = found.last().filter(|_| found.len() == limit);
    let next = next.map(|event| event.id);
    Ok((found, next))
}

/// Returns the newest events that match, oldest first, and the event before which older ones may match.
pub(in crate::faces::http) async fn matching_before(
    app: &App,
    filter: EventFilter,
    terms: &EventTerms,
) -> app::Result<(Vec<Event>, Option<EventId>)> {
    let (mut found, end) = scan(app, filter, terms).await?;
    found.reverse();
    Ok((found, end))
}

/// Reads events until so many match as the filter says; without `after` the newest first. Returns those that match, and the
/// event at which the reading ended; `None` when there are no more.
async fn scan(
    app: &App,
    mut filter: EventFilter,
    terms: &EventTerms,
) -> app::Result<(Vec<Event>, Option<EventId>)> {
    let limit = filter.limit;
    if !terms.is_empty() {
        filter.limit = BATCH;
    }
    let is_forward = filter.after.is_some();
    let mut found: Vec<Event> = Vec::new();
    let mut read = 0;
    loop {
        let mut events = app.events(filter.clone()).await?;
        let is_all = events.len() < filter.limit;
        read += events.len();
        if !is_forward {
            events.reverse();
        }
        let last = events.last().map(|event| event.id);
        let matching = events.into_iter().filter(|event| terms.matches(event));
        found.extend(matching.take(limit - found.len()));
        if found.len() == limit {
            let end = found.last().map(|event| event.id);
            return Ok((found, end));
        }
        if is_all || read >= MAX_READ {
            return Ok((found, last.filter(|_| !is_all)));
        }
        if is_forward {
            filter.after = last;
        } else {
            filter.before = last;
        }
    }
}
