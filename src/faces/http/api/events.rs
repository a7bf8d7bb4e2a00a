//! `/api/v1/events`: the log.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::list::page;
use crate::app::EventFilter;
use crate::domain::EventId;
use crate::faces::http::extract::Params;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::http::source_page::page_size;
use crate::faces::json::EventJson;

/// The query of the log.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EventsQuery {
    after: Option<i64>,
    source: Option<String>,
    action: Option<String>,
    limit: Option<usize>,
}

/// Lists events, oldest first, each as in `log --json`: those after an event, or without one the newest.
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
    // A page that is not full is the last one for now.
    let last = events.last().filter(|_| events.len() == limit);
    let next = last.map(|event| event.id.to_string());
    let events: Vec<_> = events.iter().map(EventJson::new).collect();
    page("events", &events, next.as_deref(), &uri)
}
