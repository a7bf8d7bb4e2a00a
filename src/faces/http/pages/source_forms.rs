//! The forms of a source's page: its settings, on and off, fetch, and bring back.

use std::time::Duration;

use axum::response::Response;

use super::fields::{Fields, FormError};
use super::settings_form::wanted;
use super::source::shown;
use super::visit::{Visit, see_other};
use crate::domain::{Source, SourceId};
use crate::faces::http::api::{edit_source, settings_tag};
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// The time that a form waits for the outcome of a fetch.
const WAIT: Duration = Duration::from_secs(20);

/// Gives a source other settings; shows the form again when they are refused.
pub(super) async fn edit(
    visit: Visit,
    Part(source): Part<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let source = visit.app().source(&source).await?;
    match edited(&visit, &source, &fields).await {
        Ok(()) => Ok(see_other(&format!("/sources/{}?done=edited", source.id))),
        Err(error) => shown(&visit, source, Some((&fields, &error))).await,
    }
}

async fn edited(visit: &Visit, source: &Source, fields: &Fields) -> Result<(), FormError> {
    if fields.text("seen") != settings_tag(&source.settings) {
        let detail = "somebody else changed the settings meanwhile";
        let status = axum::http::StatusCode::PRECONDITION_FAILED;
        let hint = "go to the page of the source, which has the present settings, and change them again there";
        return Err(Problem::new(status, detail).hint(hint).into());
    }
    let after = wanted(&source.settings, fields)?;
    let edited = edit_source(&visit.shared, &visit.caller, source.clone(), after, true).await;
    edited
        .map(drop)
        .map_err(|problem| FormError::from(problem).in_fields())
}

/// Switches a source on or off.
pub(super) async fn enable(
    visit: Visit,
    Part(source): Part<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let source = visit.app().source(&source).await?;
    let mut after = source.settings.clone();
    after.enabled = fields.is_on("enabled");
    let done = if after.enabled { "on" } else { "off" };
    let place = format!("/sources/{}?done={done}", source.id);
    edit_source(&visit.shared, &visit.caller, source, after, false).await?;
    Ok(see_other(&place))
}

/// Fetches a source, and waits for the outcome for a while.
pub(super) async fn fetch(visit: Visit, Part(source): Part<String>) -> Result<Response, Problem> {
    let source = visit.app().source(&source).await?;
    if source.removed_at.is_some() {
        let detail = format!(
            "{} was removed: nothing is fetched for it",
            source.settings.name
        );
        return Err(Problem::new(axum::http::StatusCode::CONFLICT, detail));
    }
    let done = fetch_now(&visit, vec![source.id]).await?;
    Ok(see_other(&format!("/sources/{}?done={done}", source.id)))
}

/// Fetches sources, and returns whether they are fetched or still being fetched.
pub(super) async fn fetch_now(visit: &Visit, ids: Vec<SourceId>) -> Result<&'static str, Problem> {
    let under_way = visit.shared.fetching().fetch(ids, visit.caller.actor());
    match tokio::time::timeout(WAIT, under_way).await {
        Ok(results) => results.map(|_| "fetched").map_err(Problem::from),
        Err(_) => Ok("fetching"),
    }
}

/// Brings a removed source back.
pub(super) async fn restore(visit: Visit, Part(source): Part<String>) -> Result<Response, Problem> {
    let restored = visit
        .acting()
        .restore(std::slice::from_ref(&source))
        .await?;
    visit.shared.fetching().wake();
    let place = match restored.first() {
        Some(added) => format!("/sources/{}?done=restored", added.source.id),
        None => "/sources".to_owned(),
    };
    Ok(see_other(&place))
}
