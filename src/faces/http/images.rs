//! `/images/{name}`: published files that passed an `image` verifier, shown inline.
//!
//! The verdict decides, and its format is the media type, whatever the origin called the file. Bytes come from the
//! archive, checked against the digest on which the verdict was given.

use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::body::Sendable;
use super::caller::Right;
use super::conditions::Conditions;
use super::content::{Sent, segment, send, unreadable};
use super::extract::Part;
use super::problem::Problem;
use super::route::{Route, route};
use super::shared::Shared;

/// Returns the routes of single pictures.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/images", Right::Anybody, to_page),
        route(Method::GET, "/images/{name}", Right::Read, show),
    ]
}

/// Returns the address of a picture.
pub(super) fn image_place(name: &str) -> String {
    let name = segment(name);
    format!("/images/{name}")
}

/// Leads to the page of all pictures.
async fn to_page() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/images/")]).into_response()
}

/// Sends a picture.
async fn show(
    State(shared): State<Shared>,
    Part(name): Part<String>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let (picture, version) = shared.app().picture(&name).await?;
    let sent = Sent {
        tag: format!("\"{}\"", version.digest.to_hex()),
        name: picture.file_name,
        media_type: Some(picture.facts.format.media_type().to_owned()),
        // An older version may be published again: the time of its fetch would go back.
        modified: picture.published_at,
        is_shown: true,
    };
    if let Some(answer) = sent.without_bytes(&conditions) {
        return Ok(answer);
    }
    let content = Sendable::of(shared.app().content(&version).await?)
        .await
        .map_err(|error| unreadable(&error))?;
    send(content, &sent, &conditions).await
}
