//! Verdicts from outside, on versions and on editions of sets: what a request says, whether its sender may say it, and
//! the record.
//!
//! Never lets a token of a verifier speak for another one.

use axum::http::StatusCode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::parameters::{check_length, version_named};
use crate::app::GivenVerdict;
use crate::domain::{Edition, EditionId, VerdictOutcome};
use crate::faces::http::caller::{Caller, CallerRole};
use crate::faces::http::problem::Problem;
use crate::faces::http::schema::words_schema;
use crate::faces::http::shared::Shared;

/// A verdict from outside.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVerdict)]
pub(in crate::faces::http) struct NewVerdictBody {
    /// A verifier of the configuration; a token of a verifier may leave out its own.
    #[schema(min_length = 1, max_length = 512, format = "verifier")]
    pub(in crate::faces::http) verifier: Option<String>,
    #[schema(schema_with = outcome_schema)]
    pub(in crate::faces::http) outcome: String,
    pub(in crate::faces::http) detail: Option<String>,
}

/// A verdict from outside on an edition of a set.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSetVerdict)]
pub(super) struct NewSetVerdictBody {
    /// The edition that was looked at. It is refused with 412 when the set has a newer one: other versions of its members.
    #[serde(deserialize_with = "edition")]
    edition_id: EditionId,
    /// A verifier that judges the set; a token of a verifier may leave out its own.
    #[schema(min_length = 1, max_length = 512, format = "verifier")]
    verifier: Option<String>,
    #[schema(schema_with = outcome_schema)]
    outcome: String,
    detail: Option<String>,
}

impl NewSetVerdictBody {
    /// Returns the edition and what is said of it.
    pub(super) fn split(self) -> (EditionId, NewVerdictBody) {
        let said = NewVerdictBody {
            verifier: self.verifier,
            outcome: self.outcome,
            detail: self.detail,
        };
        (self.edition_id, said)
    }
}

/// Reads an edition's id: 7, or 7.0, which is an integer in JSON Schema too (draft 2020-12 §4.2.3).
fn edition<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EditionId, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole = number.as_f64().filter(|number| number.fract() == 0.0);
    let id = number
        .as_i64()
        .or_else(|| format!("{:.0}", whole?).parse().ok());
    let wrong = || {
        D::Error::custom(format!(
            "`edition_id` is {number}: expected an edition's id"
        ))
    };
    id.map(EditionId).ok_or_else(wrong)
}

fn outcome_schema() -> utoipa::openapi::Schema {
    let about = "What the verifier says";
    words_schema(about, ["passed", "failed"].map(str::to_owned))
}

impl NewVerdictBody {
    /// Returns the verifier and the outcome, if this caller may give verdicts of that verifier.
    fn checked(&self, caller: &Caller) -> Result<(String, VerdictOutcome), Problem> {
        let verifier = match (&self.verifier, &caller.role) {
            (Some(given), CallerRole::Verifier(own)) if given != own => {
                let detail = format!("the token is for verdicts of {own}, not of {given}");
                return Err(Problem::new(StatusCode::FORBIDDEN, detail));
            }
            (Some(given), _) => given,
            (None, CallerRole::Verifier(own)) => own,
            // The body is valid, but only for a token of a verifier (RFC 9110 §15.5.21).
            (None, _) => {
                let detail = "the body: missing field `verifier`";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
            }
        };
        let outcome = match self.outcome.as_str() {
            "passed" => VerdictOutcome::Passed,
            "failed" => VerdictOutcome::Failed,
            other => {
                let other = other.escape_debug();
                let detail = format!("`outcome` is `{other}`: expected passed or failed");
                return Err(Problem::invalid(detail));
            }
        };
        Ok((verifier.clone(), outcome))
    }
}

/// Records a verdict on a version for somebody at the other end of a connection.
pub(in crate::faces::http) async fn record_verdict(
    shared: &Shared,
    caller: &Caller,
    version: &str,
    said: NewVerdictBody,
) -> Result<GivenVerdict, Problem> {
    let (verifier, outcome) = said.checked(caller)?;
    let app = shared.app_of(caller.actor());
    let (_, version) = version_named(&app, version).await?;
    let version = format!("v{}", version.id);
    let given = app.verdict(&version, &verifier, outcome, said.detail).await;
    // The request is right in itself: what the policy has the verifier judge stands against it.
    let given = given.map_err(Problem::of_conflict)?;
    shared.fetching().wake();
    Ok(given)
}

/// Records a verdict on the newest edition of a set, if that is still `on`, for somebody at the other end of a
/// connection.
pub(in crate::faces::http) async fn record_set_verdict(
    shared: &Shared,
    caller: &Caller,
    set: &str,
    on: EditionId,
    said: NewVerdictBody,
) -> Result<Edition, Problem> {
    check_length(set)?;
    let (verifier, outcome) = said.checked(caller)?;
    let app = shared.app_of(caller.actor());
    let given = app.set_verdict(set, Some(on), &verifier, outcome, said.detail);
    let (edition, _) = given.await.map_err(Problem::of_conflict)?;
    shared.fetching().wake();
    Ok(edition)
}
