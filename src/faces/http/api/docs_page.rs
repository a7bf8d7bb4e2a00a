//! The page that shows the description of the API: a frame of our own around the vendored Swagger UI.
//!
//! Loads nothing from elsewhere, and has no script inline.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use utoipa_swagger_ui::Config;

use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// The page shows itself and the description, and nothing from elsewhere. Its scripts set styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Our own files, in the place of the vendored ones of these names.
const OWN: [(&str, &str, &str); 3] = [
    (
        "index.html",
        "text/html; charset=utf-8",
        include_str!("../../../../assets/pages/api.html"),
    ),
    (
        "index.css",
        "text/css; charset=utf-8",
        include_str!("../../../../assets/pages/api.css"),
    ),
    (
        "swagger-initializer.js",
        "text/javascript; charset=utf-8",
        include_str!("../../../../assets/pages/api.js"),
    ),
];

/// Leads to the page.
pub(super) async fn to_page() -> Response {
    let place = [(header::LOCATION, "/api/docs/index.html")];
    (StatusCode::SEE_OTHER, place).into_response()
}

/// Sends a file of the page.
pub(super) async fn page(Part(path): Part<String>) -> Result<Response, Problem> {
    let Some(file) = file(&path) else {
        let detail = format!("there is nothing at /api/docs/{}", path.escape_debug());
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let mut response = file.bytes.into_response();
    let fields = response.headers_mut();
    if let Ok(media_type) = HeaderValue::try_from(file.media_type) {
        fields.insert(header::CONTENT_TYPE, media_type);
    }
    if file.is_gzipped {
        fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "max-age=3600"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// A file of the page.
struct File {
    bytes: Bytes,
    media_type: String,
    is_gzipped: bool,
}

fn file(path: &str) -> Option<File> {
    if let Some((_, media_type, text)) = OWN.iter().find(|(name, ..)| *name == path) {
        return Some(File {
            bytes: Bytes::from_static(text.as_bytes()),
            media_type: (*media_type).to_owned(),
            is_gzipped: false,
        });
    }
    let config = Arc::new(Config::new(["/api/openapi.json"]));
    let file = utoipa_swagger_ui::serve(path, config).ok().flatten()?;
    Some(File {
        bytes: file.bytes.into_owned().into(),
        media_type: file.content_type,
        is_gzipped: file.gzpipped,
    })
}
