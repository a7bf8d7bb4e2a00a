//! The forms of the pages of a version and of a set: a verdict, and verifying again.

use axum::http::StatusCode;
use axum::response::Response;

use super::fields::{Fields, FormError};
use super::sets::shown_set;
use super::version::shown;
use super::visit::{Visit, see_other};
use crate::app::SetAside;
use crate::domain::EditionId;
use crate::faces::http::api::{NewVerdictBody, record_set_verdict, record_verdict};
use crate::faces::http::content::segment;
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
    let given = record_verdict(&visit.shared, &visit.caller, &reference, said(&fields));
    match given.await {
        Ok(_) => Ok(see_other(&format!("/versions/{}?done=verdict", version.id))),
        Err(problem) => {
            let error = FormError::from(problem);
            shown(&visit, &source, &version, Some((&fields, &error))).await
        }
    }
}

/// Returns the verdict that a form says.
fn said(fields: &Fields) -> NewVerdictBody {
    NewVerdictBody {
        verifier: Some(fields.text("verifier").to_owned()),
        outcome: fields.text("outcome").to_owned(),
        detail: fields.typed("detail").map(str::to_owned),
    }
}

/// Runs the verifiers again on a version.
pub(super) async fn verify(visit: Visit, Part(version): Part<String>) -> Result<Response, Problem> {
    let app = visit.acting();
    let (source, version) = app.version(&version).await?;
    let asked = app.asked_now().await?;
    let verified = app.verify(&source, &version, asked).await?;
    let done = verified_word(&verified.set_aside);
    Ok(see_other(&format!("/versions/{}?done={done}", version.id)))
}

/// Returns the word for what verifying again did.
fn verified_word(set_aside: &[SetAside]) -> &'static str {
    if set_aside.is_empty() {
        "verified"
    } else {
        "verified-anew"
    }
}

/// Records a verdict on the edition that the form was shown with; shows the form again when it is refused.
pub(super) async fn give_on_set(
    visit: Visit,
    Part(name): Part<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let edition = fields.text("edition").parse().map(EditionId);
    let edition = edition.map_err(|_| Problem::invalid("`edition` is missing, or no number"))?;
    let given = record_set_verdict(&visit.shared, &visit.caller, &name, edition, said(&fields));
    match given.await {
        Ok(_) => Ok(see_other(&set_page(&name, "verdict"))),
        Err(problem) => {
            let error = FormError::from(problem);
            // What was chosen was chosen for another edition than the one that is shown now.
            let fields = match error.status {
                StatusCode::PRECONDITION_FAILED => fields.without("outcome"),
                _ => fields,
            };
            shown_set(&visit, &name, Some((&fields, &error))).await
        }
    }
}

/// Runs the verifiers again on a set.
pub(super) async fn verify_set(
    visit: Visit,
    Part(name): Part<String>,
) -> Result<Response, Problem> {
    let verified = visit.acting().verify_set(&name).await?;
    Ok(see_other(&set_page(
        &name,
        verified_word(&verified.set_aside),
    )))
}

/// Returns the address of a set's page that says what a form did.
fn set_page(name: &str, done: &str) -> String {
    format!("/sets/{}?done={done}", segment(name))
}
