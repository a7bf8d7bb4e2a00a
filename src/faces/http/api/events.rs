//! `/api/v1/events`: the log.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::list::page;
use super::pages_schema::EventPageJson;
use crate::app::EventFilter;
use crate::domain::EventId;
use crate::faces::http::extract::Params;
use crate::faces::http::problem::{Problem, ProblemJson};
use crate::faces::http::shared::Shared;
use crate::faces::http::source_page::{last_of_full, page_size};
use crate::faces::json::EventJson;

/// The query of the log.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// The last event that is known; then the oldest events after it.
    after: Option<i64>,
    /// A source: its id, name or address.
    source: Option<String>,
    /// An action, such as `fetch.new`.
    action: Option<String>,
    /// At most so many, 1 to 500; by default 100.
    limit: Option<usize>,
}

/// Lists events, oldest first, each as in `log --json`: those after an event, or without one the newest.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    params(EventsQuery),
    responses((status = 200, body = EventPageJson), (status = "4XX", body = ProblemJson, content_type = "application/problem+json")),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Params(query): Params<EventsQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let app = shared.app();
    let limit = page_size(query.limit)?;
    let source = match &query.source {
        Some(source) => Some(app.source(source).await?.id),
        None => None,
    };
    let action = query.action.as_deref().map(str::parse).transpose();
    let action = action.map_err(|error| Problem::invalid(format!("`action`: {error}")))?;
    let filter = EventFilter {
        source_id: source,
        action,
        after: query.after.map(EventId),
        limit,
        ..EventFilter::default()
    };
    let events = app.events(filter).await?;
    let next = last_of_full(&events, limit).map(|event| event.id.to_string());
    let events: Vec<_> = events.iter().map(EventJson::new).collect();
    page("events", &events, next.as_deref(), &uri)
}
