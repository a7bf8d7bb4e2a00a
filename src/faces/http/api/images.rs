//! `/api/v1/images`: the published files that passed an `image` verifier, as `/images/` shows them.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::list::page;
use super::pages_schema::ImagePageJson;
use crate::domain::SourceId;
use crate::faces::http::cursor::Cursor;
use crate::faces::http::extract::Params;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::http::source_page::page_size;
use crate::faces::json::ImageJson;

/// The query of the pictures.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ImagesQuery {
    /// The `next` of the page before.
    #[param(max_length = 2048, pattern = "^[0-9]{1,18}-([0-9a-f]{2})*$")]
    after: Option<String>,
    /// At most so many; by default 100.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<usize>,
}

/// Lists the published files that passed an `image` verifier, by name.
#[utoipa::path(
    get,
    path = "/api/v1/images",
    operation_id = "listImages",
    params(ImagesQuery),
    responses((status = 200, body = ImagePageJson)),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Params(query): Params<ImagesQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let limit = page_size(query.limit)?;
    let after = query.after.as_deref().map(Cursor::read).transpose()?;
    let after = after.map(|place| (place.key, SourceId(place.id)));
    let found = shared.app().pictures(after, limit).await?;
    let next = found.next.map(|(key, id)| Cursor { key, id: id.0 }.text());
    let images: Vec<_> = found.pictures.iter().map(ImageJson::new).collect();
    page("images", &images, next.as_deref(), &uri)
}
