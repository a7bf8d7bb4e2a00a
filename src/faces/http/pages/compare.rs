//! `/compare`: leads to the difference between any two versions, those that were marked or typed.

use axum::response::Response;
use maud::{Markup, html};

use super::visit::{Visit, see_other};
use crate::domain::VersionId;
use crate::faces::http::problem::Problem;

/// Leads to the difference between the two versions of the query, from the older one to the newer one.
pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let asked: Vec<String> = visit.params("version");
    let asked: Vec<&str> = asked.iter().map(|one| one.trim()).collect();
    let [first, second] = asked.as_slice() else {
        let detail = format!("two versions are compared: {} were marked", asked.len());
        return Err(Problem::invalid(detail).hint("go back, and mark two"));
    };
    let (_, first) = visit.app().version(first).await?;
    let (_, second) = visit.app().version(second).await?;
    let (old, new) = (first.id.min(second.id), first.id.max(second.id));
    Ok(see_other(&format!("/versions/{old}/diff/{new}")))
}

/// Shows a form that compares a version with another one.
pub(super) fn compare_form(version: VersionId, other: Option<VersionId>) -> Markup {
    html! {
        form.filter method="get" action="/compare" {
            input type="hidden" name="version" value={ "v" (version) };
            label for="compare-with" { "Compare v" (version) " with" }
            input.short #compare-with name="version" type="text" autocomplete="off" placeholder="v12" value=[other.map(|other| format!("v{other}"))] required;
            button type="submit" { "Compare" }
        }
    }
}
