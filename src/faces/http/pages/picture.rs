//! Sends the bytes of a version as a picture, when they are one of a format that browsers draw.
//!
//! Never sends anything else inline: the format is read from the bytes, whatever the origin called them.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::visit::Visit;
use crate::faces::http::content::{Sent, send};
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// Returns the media type of a picture that begins with these bytes.
pub(super) fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some("image/gif")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

/// Sends a picture.
pub(super) async fn show(
    visit: Visit,
    Part(version): Part<String>,
    headers: HeaderMap,
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
    };
    if let Some(unchanged) = sent.unchanged(&headers) {
        return Ok(unchanged);
    }
    let mut response = send(content, &sent, &headers).await?;
    let inline = HeaderValue::from_static("inline");
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, inline);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n..."[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF....WEBPVP8 ", Some("image/webp")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"RIFF....WAVE", None),
            (b"", None),
        ] {
            assert_eq!(picture_type(bytes), expected);
        }
    }
}
