//! `/api/v1/sources/{source}`: one source.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::answer::json;
use super::parameters::{SourcePart, check_length, check_present};
use super::settings_schema::SettingsSchema;
use crate::app::{App, SourceToShow};
use crate::domain::{Digest, SettingsPatch, SourceId, SourceSettings};
use crate::faces::http::extract::{Params, Part};
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::json::WholeSourceJson;

/// A source as in `show --json`, without its history, and its settings as PATCH takes them.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ShownSource<'a> {
    #[serde(flatten)]
    source: WholeSourceJson<'a>,
    #[schema(value_type = SettingsSchema)]
    settings: SettingsPatch,
}

/// Which sources are shown.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowQuery {
    /// Whether a source that was removed is shown; else the answer is 404.
    removed: bool,
}

/// Shows one source; its `ETag` is that of its settings.
#[utoipa::path(
    get,
    path = "/api/v1/sources/{source}",
    operation_id = "showSource",
    params(SourcePart, ShowQuery),
    responses((status = 200, body = ShownSource)),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Part(source): Part<String>,
    Params(query): Params<ShowQuery>,
) -> Result<Response, Problem> {
    check_length(&source)?;
    let found = shared.app().source_to_show(&source).await;
    let found = found.map_err(Problem::of_name)?;
    check_present(&found.source, query.removed)?;
    answer(shared.app(), &found)
}

/// Returns the source with this id as the answer.
pub(super) async fn shown(app: &App, id: SourceId) -> Result<Response, Problem> {
    let found = app.source_to_show(&id.to_string()).await;
    answer(app, &found.map_err(Problem::of_name)?)
}

fn answer(app: &App, found: &SourceToShow) -> Result<Response, Problem> {
    let source = &found.source;
    let whole = WholeSourceJson::new(
        source,
        found.set_failure.as_deref(),
        &found.newest,
        app.published_folder(),
        Some(&found.verifiers),
    );
    let mut response = json(&ShownSource {
        source: whole,
        settings: SettingsPatch::whole(&source.settings),
    })?;
    if let Ok(tag) = HeaderValue::try_from(settings_tag(&source.settings)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Returns the entity tag of settings (RFC 9110 §8.8.3).
pub(in crate::faces::http) fn settings_tag(settings: &SourceSettings) -> String {
    let whole = serde_json::to_vec(&SettingsPatch::whole(settings)).unwrap_or_default();
    format!("\"{}\"", &Digest::of(&whole).to_hex()[..32])
}
