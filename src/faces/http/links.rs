//! `/links`: where a verifier fetches the content that it was sent a link to, and gives its verdict later.
//!
//! A link is its own credential, opens one thing once, and is never logged.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::body::Sendable;
use super::caller::Right::Anybody;
use super::conditions::Conditions;
use super::content::{Sent, send, unreadable};
use super::extract::{Json, Part};
use super::problem::Problem;
use super::route::{Route, route};
use super::shared::Shared;
use crate::app::LinkRefusal;
use crate::domain::VerdictOutcome;

/// Returns the routes of links.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/links/content/{link}", Anybody, content),
        route(Method::POST, "/links/verdict/{link}", Anybody, verdict),
    ]
}

/// Sends the bytes of a version, whole.
async fn content(
    State(shared): State<Shared>,
    method: Method,
    Part(link): Part<String>,
) -> Result<Response, Problem> {
    if method == Method::HEAD {
        let detail = "a link is used by GET, once: HEAD would use it up";
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail));
    }
    let (version, content) = shared.app().linked_content(&link).await?.map_err(refused)?;
    let content = Sendable::of(content)
        .await
        .map_err(|error| unreadable(&error))?;
    let sent = Sent {
        tag: format!("\"{}\"", version.digest.to_hex()),
        name: version.name.clone(),
        media_type: version.media_type.clone(),
        modified: Some(version.fetched_at),
        is_shown: false,
    };
    // Without the request's fields: there is no second time for another range.
    send(content, &sent, &Conditions::default()).await
}

/// The verdict of a verifier, as it would have answered at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    verdict: String,
    detail: Option<String>,
}

/// Records a verdict.
async fn verdict(
    State(shared): State<Shared>,
    Part(link): Part<String>,
    Json(given): Json<Given>,
) -> Result<Response, Problem> {
    let outcome = match given.verdict.as_str() {
        "passed" => VerdictOutcome::Passed,
        "failed" => VerdictOutcome::Failed,
        other => {
            let other = other.escape_debug();
            let detail = format!("`verdict` is `{other}`: expected passed or failed");
            return Err(Problem::invalid(detail));
        }
    };
    let recorded = shared
        .app()
        .verdict_by_link(&link, outcome, given.detail.as_deref());
    recorded.await?.map_err(refused)?;
    shared.fetching().wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn refused(refusal: LinkRefusal) -> Problem {
    let (status, detail) = match refusal {
        LinkRefusal::Unknown => (StatusCode::NOT_FOUND, "there is no such link"),
        LinkRefusal::Used => (StatusCode::GONE, "the link was used: each opens once"),
        LinkRefusal::Expired => (StatusCode::GONE, "the time of the link is over"),
        LinkRefusal::Removed => (StatusCode::GONE, "the version was removed"),
        LinkRefusal::OtherVerifier => (
            StatusCode::GONE,
            "the verifier was changed or removed since it was asked",
        ),
        LinkRefusal::Judged => (
            StatusCode::GONE,
            "the verifier has judged the version since it was asked",
        ),
    };
    let problem = Problem::new(status, detail);
    match refusal {
        LinkRefusal::Unknown => problem,
        _ => problem.hint("`gannet verify VERSION` has the verifier asked again, with new links"),
    }
}
