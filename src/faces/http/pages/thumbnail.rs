//! `/versions/{version}/thumbnail`: a small picture of a version, or a placeholder for what cannot be drawn.
//!
//! Never a refusal for bytes that no decoder reads: a page of pictures has no holes.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::visit::Visit;
use crate::app::Thumbnail;
use crate::domain::{Digest, VersionId};
use crate::faces::http::conditions::Conditions;
use crate::faces::http::content::Sent;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

const PLACEHOLDER: &str = include_str!("../../../../assets/pages/no-picture.svg");

/// Returns the address of a thumbnail, which is another one when the bytes are others.
pub(super) fn thumbnail_place(version: VersionId, digest: Digest) -> String {
    format!("/versions/{version}/thumbnail?digest={}", digest.to_hex())
}

/// Sends a thumbnail.
pub(super) async fn show(
    visit: Visit,
    Part(version): Part<String>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let (_, version) = visit.app().version(&version).await?;
    let digest = version.digest.to_hex();
    let sent = Sent {
        tag: format!("\"thumbnail-{digest}\""),
        name: version.name.clone(),
        media_type: None,
        modified: None,
        is_shown: true,
    };
    if let Some(answer) = sent.without_bytes(&conditions) {
        return Ok(answer);
    }
    let thumbnail = match visit.app().thumbnail(&version).await {
        Ok(thumbnail) => thumbnail,
        Err(error) => {
            tracing::warn!("no thumbnail of v{}: {error}", version.id);
            None
        }
    };
    let Some(thumbnail) = thumbnail else {
        let fields = [
            (header::CONTENT_TYPE, "image/svg+xml"),
            (header::CACHE_CONTROL, "private, max-age=60"),
        ];
        return Ok((fields, PLACEHOLDER).into_response());
    };
    let is_fixed = visit.param("digest") == Some(digest);
    Ok(drawn(thumbnail, &sent.tag, is_fixed))
}

/// Returns the answer with a thumbnail. Under a fixed address it never changes: other bytes have another address.
fn drawn(thumbnail: Thumbnail, tag: &str, is_fixed: bool) -> Response {
    let kept = if is_fixed {
        "private, max-age=31536000, immutable"
    } else {
        "private, no-cache"
    };
    let fields = [
        (header::CONTENT_TYPE, thumbnail.media_type()),
        (header::CACHE_CONTROL, kept),
    ];
    let mut response = (fields, thumbnail.0).into_response();
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
