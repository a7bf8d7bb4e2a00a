//! Changes several sources at once: those that are marked in the table.

use axum::response::Response;

use super::fields::{Fields, FormError};
use super::removal::confirmation;
use super::source_forms::fetch_now;
use super::sources::refused;
use super::visit::{Visit, see_other};
use crate::domain::{SettingsPatch, SourceId};
use crate::faces::http::problem::Problem;

/// Carries out what a button says for every marked source.
pub(super) async fn change(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let marked = fields.all("source");
    if marked.is_empty() {
        return Ok(see_other("/sources?done=nothing"));
    }
    let changed = match fields.text("do") {
        "fetch" => fetch(&visit, &marked).await,
        "on" => switch(&visit, &marked, true).await,
        "off" => switch(&visit, &marked, false).await,
        "remove" if fields.is_on("confirmed") => {
            remove(&visit, &marked, fields.is_on("purge")).await
        }
        "remove" => return confirmation(&visit, &marked, "/sources/-").await,
        _ => Err(Problem::invalid("the form does not say what to do")),
    };
    Ok(match changed {
        Ok(done) => see_other(&format!("/sources?done={done}")),
        Err(problem) => refused(&visit, &FormError::from(problem)),
    })
}

async fn fetch(visit: &Visit, marked: &[String]) -> Result<&'static str, Problem> {
    let sources = visit.app().sources(marked).await?;
    let ids: Vec<SourceId> = sources.iter().map(|source| source.id).collect();
    fetch_now(visit, ids).await
}

async fn switch(visit: &Visit, marked: &[String], enabled: bool) -> Result<&'static str, Problem> {
    let patch = SettingsPatch {
        enabled: Some(enabled),
        ..SettingsPatch::default()
    };
    visit.acting().edit(marked, patch).await?;
    visit.shared.fetching().wake();
    Ok(if enabled { "on" } else { "off" })
}

async fn remove(visit: &Visit, marked: &[String], purge: bool) -> Result<&'static str, Problem> {
    visit.acting().remove(marked, purge).await?;
    visit.shared.fetching().wake();
    Ok("removed")
}
