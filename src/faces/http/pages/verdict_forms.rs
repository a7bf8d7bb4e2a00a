//! The forms of a version's page: a verdict, and verifying again.

use axum::response::Response;

use super::fields::{Fields, FormError};
use super::version::shown;
use super::visit::{Visit, see_other};
use crate::faces::http::api::record_verdict;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// Records a verdict; shows the form again when it is refused.
pub(super) async fn give(
    visit: Visit,
    Part(version): Part<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (source, version) = visit.app().version(&version).await?;
    let reference = format!("v{}", version.id);
    let detail = fields.typed("detail").map(str::to_owned);
    let (verifier, outcome) = (fields.text("verifier"), fields.text("outcome"));
    let given = record_verdict(
        &visit.shared,
        &visit.caller,
        &reference,
        verifier,
        outcome,
        detail,
    );
    match given.await {
        Ok(_) => Ok(see_other(&format!("/versions/{}?done=verdict", version.id))),
        Err(problem) => {
            let error = FormError::from(problem);
            shown(&visit, &source, &version, Some((&fields, &error))).await
        }
    }
}

/// Runs the verifiers again on a version.
pub(super) async fn verify(visit: Visit, Part(version): Part<String>) -> Result<Response, Problem> {
    let app = visit.acting();
    let (source, version) = app.version(&version).await?;
    let asked = app.asked_now().await?;
    app.verify(&source, &version, asked).await?;
    Ok(see_other(&format!(
        "/versions/{}?done=verified",
        version.id
    )))
}
