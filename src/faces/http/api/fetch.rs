//! Fetches a source at once, due or not.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use super::answer::json;
use super::parameters::{OnceHeader, SourcePart, source_named};
use crate::app::{SourceOutcome, SourceResult};
use crate::domain::{Source, masked};
use crate::faces::http::caller::Caller;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;
use crate::faces::http::shared::Shared;
use crate::faces::json::SourceResultJson;

/// The longest wait for an outcome.
const MAX_WAIT: Duration = Duration::from_secs(50);

/// What the client prefers.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what the handler reads of the headers")]
pub(super) struct Preference {
    /// `wait=N`: the outcome, if it comes within N seconds, at most 50. Other preferences have no effect.
    #[param(rename = "Prefer", value_type = String, required = false)]
    prefer: Option<String>,
}

/// Starts a fetch: 202 with the address of the attempts, or with `Prefer: wait=N` (RFC 7240) the outcome if it comes
/// within N seconds. A source that is being fetched at somebody's request is not fetched a second time: the outcome is that
/// of the fetch under way.
#[utoipa::path(
    post,
    path = "/api/v1/sources/{source}/fetch",
    operation_id = "fetchSource",
    params(SourcePart, Preference, OnceHeader),
    responses((status = 200, body = SourceResultJson), (status = 202, description = "Under way", headers(("Location" = String, description = "The address of the attempts")))),
)]
pub(super) async fn fetch(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Part(source): Part<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let source = source_named(shared.app(), &source).await?;
    if source.removed_at.is_some() {
        let detail = format!(
            "{} was removed: nothing is fetched for it",
            source.settings.name
        );
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let under_way = shared.fetching().fetch(vec![source.id], caller.actor());
    match wait_of(&headers) {
        Some(wait) => {
            if let Ok(fetched) = tokio::time::timeout(wait, under_way).await {
                return outcome(&shared, &source, &fetched?).await;
            }
        }
        // A refusal is known at once.
        None => drop(under_way.now_or_never().transpose()?),
    }
    let mut response = StatusCode::ACCEPTED.into_response();
    let place = format!("/api/v1/sources/{}/attempts", source.id);
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn outcome(
    shared: &Shared,
    source: &Source,
    results: &[SourceResult],
) -> Result<Response, Problem> {
    let named = shared.app().named_versions(vec![source.id]).await?;
    let served = shared.app().served(source.id).await?;
    let Some(result) = results.iter().find(|result| result.id == source.id) else {
        let name = &source.settings.name;
        let detail = format!("{name} was not fetched: it was removed meanwhile");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    };
    if result.outcome == SourceOutcome::Untried {
        let why = result.error.as_deref().unwrap_or("the service ends");
        let detail = format!("{} was not tried: {why}", source.settings.name);
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    }
    let why = result.error.as_deref().map(masked).map(Into::into);
    json(&SourceResultJson::new(result, named.first(), why, served))
}

/// Returns the time of `Prefer: wait=N`, at most [`MAX_WAIT`].
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let fields = headers
        .get_all("prefer")
        .iter()
        .filter_map(|field| field.to_str().ok());
    let mut preferences = fields.flat_map(|field| field.split([',', ';']));
    let seconds =
        preferences.find_map(|one| one.trim().strip_prefix("wait=")?.parse::<u64>().ok())?;
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}
