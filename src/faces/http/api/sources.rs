//! `/api/v1/sources`: the sources, by page.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::list::page;
use super::pages_schema::SourcePageJson;
use crate::app::failure_among;
use crate::faces::http::cursor::Cursor;
use crate::faces::http::extract::Params;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::http::source_page::{SourceListing, source_page};
use crate::faces::json::SourceJson;

/// Lists the sources, each as in `list --json`.
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    operation_id = "listSources",
    params(SourceListing),
    responses((status = 200, body = SourcePageJson)),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Params(listing): Params<SourceListing>,
    uri: Uri,
) -> Result<Response, Problem> {
    let app = shared.app();
    let found = source_page(app, &listing).await?;
    let failing_sets = app
        .failing_sets_of(found.sources.iter().map(|(source, _)| source))
        .await?;
    let sources = found.sources.iter().map(|(source, newest)| {
        let set_error = failure_among(source, &failing_sets);
        SourceJson::new(source, newest, set_error, app.published_folder())
    });
    let next = found.next.as_ref().map(Cursor::text);
    page(
        "sources",
        &sources.collect::<Vec<_>>(),
        next.as_deref(),
        &uri,
    )
}
