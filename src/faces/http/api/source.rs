//! `/api/v1/sources/{source}`: one source.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;

use super::answer::json;
use super::parameters::{SourcePart, check_length};
use super::settings_schema::SettingsSchema;
use crate::app::App;
use crate::domain::{Digest, SettingsPatch, SourceSettings};
use crate::faces::http::extract::Part;
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

/// Shows one source; its `ETag` is that of its settings.
#[utoipa::path(
    get,
    path = "/api/v1/sources/{source}",
    operation_id = "showSource",
    params(SourcePart),
    responses((status = 200, body = ShownSource)),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Part(source): Part<String>,
) -> Result<Response, Problem> {
    shown(shared.app(), &source).await
}

/// Returns the source that the text names as the answer.
pub(super) async fn shown(app: &App, selector: &str) -> Result<Response, Problem> {
    check_length(selector)?;
    let found = app.source_to_show(selector).await;
    let found = found.map_err(Problem::of_name)?;
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
