//! The forms of a source's page: its settings, on and off, and bring back.

use axum::response::Response;

use super::fields::{Fields, FormError};
use super::settings_form::wanted;
use super::source::shown;
use super::visit::{Visit, see_other};
use crate::domain::Source;
use crate::faces::http::api::{edit_source, settings_tag};
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

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
        let hint = "look at the present settings, and change them again there";
        return Err(Problem::new(status, detail).hint(hint).into());
    }
    let after = wanted(&source.settings, fields)?;
    let edited = edit_source(&visit.shared, &visit.caller, source.clone(), after, true).await;
    edited.map(drop).map_err(FormError::from)
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

/// Brings a removed source back.
pub(super) async fn restore(visit: Visit, Part(source): Part<String>) -> Result<Response, Problem> {
    let id = visit.app().source(&source).await?.id.to_string();
    let restored = visit.acting().restore(&[id]).await?;
    visit.shared.fetching().wake();
    let place = match restored.first() {
        Some(added) => format!("/sources/{}?done=restored", added.source.id),
        None => "/sources".to_owned(),
    };
    Ok(see_other(&place))
}
