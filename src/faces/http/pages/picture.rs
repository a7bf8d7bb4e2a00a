//! Sends the bytes of a version as a picture, when they are one of a format that browsers draw.
//!
//! Never sends anything else inline: the format is read from the bytes, whatever the origin called them.

use axum::http::StatusCode;
use axum::response::Response;

use super::visit::Visit;
use crate::faces::http::body::Sendable;
use crate::faces::http::conditions::Conditions;
use crate::faces::http::content::{Sent, picture_type, send, unreadable};
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// Sends a picture.
pub(super) async fn show(
    visit: Visit,
    Part(version): Part<String>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let app = visit.app();
    let (_, version) = app.version(&version).await?;
    let content = app.content(&version).await?;
    let start = super::content_window::beginning(&content).await?;
    let Some(media_type) = picture_type(&start) else {
        let detail = format!(
            "v{} is no picture: expected PNG, JPEG, GIF or WebP",
            version.id
        );
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let sent = Sent {
        tag: format!("\"{}\"", version.digest.to_hex()),
        name: version.name.clone(),
        media_type: Some(media_type.to_owned()),
        modified: Some(version.fetched_at),
        is_shown: true,
    };
    if let Some(answer) = sent.without_bytes(&conditions) {
        return Ok(answer);
    }
    let content = Sendable::of(content)
        .await
        .map_err(|error| unreadable(&error))?;
    send(content, &sent, &conditions).await
}
