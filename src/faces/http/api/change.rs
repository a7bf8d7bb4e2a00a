//! Adds, edits and removes sources.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::merge_patch::{check_names, patched, settings_of};
use super::parameters::{OnceHeader, SourcePart, source_named};
use super::remote::{check_edited, check_new};
use super::settings_schema::{NewSourceSchema, SettingsSchema};
use super::source::{ShownSource, settings_tag, shown};
use crate::app::{NewSource, Refusal, check_settings};
use crate::domain::{SettingsPatch, Source, SourceId};
use crate::faces::http::caller::Caller;
use crate::faces::http::conditions::matches;
use crate::faces::http::extract::{Json, Params, Part};
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;

/// Adds a source with the settings of the body, of which only `address` must be given.
#[utoipa::path(
    post,
    path = "/api/v1/sources",
    operation_id = "addSource",
    params(OnceHeader),
    request_body = NewSourceSchema,
    responses((status = 201, body = ShownSource, headers(("Location" = String, description = "The address of the source")))),
)]
pub(super) async fn add(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Json(mut settings): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    check_names(&settings)?;
    // As in a merge patch, null stands for the default.
    settings.retain(|_, value| !value.is_null());
    let settings = settings_of(settings)?;
    let source = add_source(&shared, &caller, settings).await?;
    let place = format!("/api/v1/sources/{}", source.id);
    let mut response = shown(shared.app(), source.id).await?;
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Adds a source for somebody at the other end of a connection.
async fn add_source(
    shared: &Shared,
    caller: &Caller,
    settings: SettingsPatch,
) -> Result<Source, Problem> {
    let added = add_sources(shared, caller, vec![settings]).await;
    let added = added.map_err(|(_, problem)| problem)?.pop();
    added.ok_or_else(|| Problem::new(StatusCode::CONFLICT, "the source was removed at once"))
}

/// Adds sources, all or none. The problem comes with the place of its source in the list, from 0.
pub(in crate::faces::http) async fn add_sources(
    shared: &Shared,
    caller: &Caller,
    wanted: Vec<SettingsPatch>,
) -> Result<Vec<Source>, (usize, Problem)> {
    let app = shared.app_of(caller.actor());
    let mut new = Vec::with_capacity(wanted.len());
    for (at, settings) in wanted.into_iter().enumerate() {
        let source = new_source(settings).map_err(|problem| (at, problem))?;
        let settings = source.clone().into_settings();
        let checked = settings.map_err(Problem::from);
        let checked = checked.and_then(|settings| check_new(&settings, &app.config().http));
        checked.map_err(|problem| (at, problem))?;
        new.push(source);
    }
    let of_all = |error: crate::app::Error| (0, Problem::from(error));
    let refusals = app.refusals(&new).await.map_err(of_all)?;
    let refusals = refusals.into_iter().enumerate();
    if let Some((at, Some(refusal))) = refusals.into_iter().find(|(_, one)| one.is_some()) {
        return Err((at, refused(refusal)));
    }
    let added = app.add(new).await.map_err(of_all)?;
    shared.fetching().wake();
    Ok(added.into_iter().map(|added| added.source).collect())
}

fn new_source(mut settings: SettingsPatch) -> Result<NewSource, Problem> {
    let Some(address) = settings.address.take() else {
        return Err(Problem::invalid("the address of the source is missing"));
    };
    Ok(NewSource {
        address: address.to_string(),
        settings,
        literal: false,
    })
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Invalid(error) => error.into(),
        Refusal::Taken { what, id, name } => {
            let detail = format!("the {what} is taken by source {id} ({name})");
            Problem::new(StatusCode::CONFLICT, detail)
        }
        Refusal::Repeated { what, .. } => Problem::invalid(format!("the {what} is given twice")),
        Refusal::Former { id, name } => {
            let detail = format!("source {id} ({name}) had this address and was removed");
            Problem::new(StatusCode::CONFLICT, detail).hint(format!(
                "POST /api/v1/sources/{id}/restore brings it back with its history"
            ))
        }
    }
}

/// How often a merge patch is applied to settings that change meanwhile.
const MAX_TRIES: u32 = 8;

/// The condition of a change.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what the handler reads of the headers")]
pub(super) struct ChangeCondition {
    /// The `ETag` of the settings that are to be changed, or of the source that is to be removed; `*` for any.
    #[param(rename = "If-Match", value_type = String, required = false, min_length = 1)]
    if_match: Option<String>,
}

/// Changes the settings of a source by a JSON merge patch. With `If-Match` only if nobody else was first.
#[utoipa::path(
    patch,
    path = "/api/v1/sources/{source}",
    operation_id = "editSource",
    params(SourcePart, ChangeCondition),
    request_body(content((SettingsSchema = "application/merge-patch+json"), (SettingsSchema = "application/json"))),
    responses((status = 200, body = ShownSource)),
)]
pub(super) async fn edit(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(source): Part<String>,
    headers: HeaderMap,
    Json(patch): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let mut tries = 0;
    loop {
        let seen = source_named(shared.app(), &source).await?;
        let is_bound = check_seen(&seen, &headers)?;
        let after = patched(&seen.settings, patch.clone())?;
        tries += 1;
        match edit_source(&shared, &caller, seen, after, is_bound).await {
            // Somebody else was first, which matters to a caller with If-Match alone.
            Err(problem)
                if problem.status() == StatusCode::PRECONDITION_FAILED
                    && !is_bound
                    && tries < MAX_TRIES => {}
            edited => return shown(shared.app(), edited?.id).await,
        }
    }
}

/// Refuses a change by a caller who saw other settings, by its `If-Match`; returns whether there is one.
fn check_seen(seen: &Source, headers: &HeaderMap) -> Result<bool, Problem> {
    match matches(headers, &settings_tag(&seen.settings)) {
        Some(false) => {
            let name = &seen.settings.name;
            let detail = format!("the settings of {name} are not those that If-Match names");
            let hint = "GET it again: ETag names its present settings";
            Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail).hint(hint))
        }
        matched => Ok(matched.is_some()),
    }
}

/// Gives a source other settings, for somebody at the other end of a connection.
pub(in crate::faces::http) async fn edit_source(
    shared: &Shared,
    caller: &Caller,
    seen: Source,
    after: crate::domain::SourceSettings,
    only_if_seen: bool,
) -> Result<Source, Problem> {
    let app = shared.app_of(caller.actor());
    check_edited(&seen.settings, &after, &app.config().http)?;
    let patch = SettingsPatch::between(&seen.settings, &after);
    if patch == SettingsPatch::default() {
        return Ok(seen);
    }
    // What was checked here must be what is changed: a secret or an address may have been added meanwhile.
    let is_bound =
        only_if_seen || patch.address.is_some() || patch.headers.is_some() || patch.user.is_some();
    check_settings(&patch)?;
    let of_edit = match patch.address {
        Some(_) => Problem::from,
        // Each setting is right in itself, and contradicts one that the source has.
        None => Problem::of_conflict,
    };
    let edited = if is_bound {
        app.edit_seen(&seen, patch).await.map_err(of_edit)?
    } else {
        let edited = app.edit(&[seen.id.to_string()], patch).await;
        edited.map_err(of_edit)?.pop()
    };
    shared.fetching().wake();
    Ok(edited.map_or(seen, |edited| edited.source))
}

/// What happens to the history of a source that is removed.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct RemovalQuery {
    /// Whether the history is deleted, too.
    purge: bool,
}

/// Removes a source; with `?purge=true` its history too. With `If-Match` only if nobody changed its settings meanwhile.
#[utoipa::path(
    delete,
    path = "/api/v1/sources/{source}",
    operation_id = "removeSource",
    params(SourcePart, RemovalQuery, ChangeCondition),
    responses((status = 204)),
)]
pub(super) async fn remove(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(source): Part<String>,
    Params(query): Params<RemovalQuery>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let source = source_named(shared.app(), &source).await?;
    let is_bound = check_seen(&source, &headers)?;
    if source.removed_at.is_some() && !query.purge {
        let detail = format!("{} was removed already", source.settings.name);
        let problem = Problem::new(StatusCode::CONFLICT, detail);
        return Err(problem.hint("?purge=true deletes its history, too"));
    }
    if is_bound {
        let app = shared.app_of(caller.actor());
        app.remove_seen(&source, query.purge).await?;
        shared.fetching().wake();
    } else {
        remove_source(&shared, &caller, source.id, query.purge).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(in crate::faces::http) async fn remove_source(
    shared: &Shared,
    caller: &Caller,
    source: SourceId,
    purge: bool,
) -> Result<(), Problem> {
    let app = shared.app_of(caller.actor());
    app.remove(&[source.to_string()], purge).await?;
    shared.fetching().wake();
    Ok(())
}

/// Brings a removed source back, with its history.
#[utoipa::path(
    post,
    path = "/api/v1/sources/{source}/restore",
    operation_id = "restoreSource",
    params(SourcePart, OnceHeader),
    responses((status = 200, body = ShownSource), (status = 204, description = "The source was removed again at once")),
)]
pub(super) async fn restore(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(source): Part<String>,
) -> Result<Response, Problem> {
    let app = shared.app_of(caller.actor());
    let source = source_named(&app, &source).await?;
    let restored = app.restore(&[source.id.to_string()]).await?;
    shared.fetching().wake();
    match restored.into_iter().next() {
        Some(added) => shown(&app, added.source.id).await,
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}
