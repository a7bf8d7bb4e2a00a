//! The stylesheet, the script and the icon of the pages: served under names that hold their digests, for browsers to keep.

use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::domain::Digest;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

const STYLE: &str = include_str!("../../../../assets/pages/style.css");
const SCRIPT: &str = include_str!("../../../../assets/pages/script.js");
const ICON: &str = include_str!("../../../../assets/pages/icon.svg");

/// The length of the digest in a name, in hexadecimal digits.
const DIGITS: usize = 16;

/// The address of the stylesheet.
pub(super) static STYLE_PLACE: LazyLock<String> = LazyLock::new(|| place("style", "css", STYLE));
/// The address of the script.
pub(super) static SCRIPT_PLACE: LazyLock<String> = LazyLock::new(|| place("script", "js", SCRIPT));
/// The address of the icon.
pub(super) static ICON_PLACE: LazyLock<String> = LazyLock::new(|| place("icon", "svg", ICON));

fn place(stem: &str, extension: &str, text: &str) -> String {
    let digest = Digest::of(text.as_bytes()).to_hex();
    format!("/assets/{stem}-{}.{extension}", &digest[..DIGITS])
}

/// Sends the stylesheet, the script or the icon.
pub(super) async fn asset(Part(name): Part<String>) -> Result<Response, Problem> {
    let place = format!("/assets/{name}");
    let (media_type, text) = if place == *STYLE_PLACE {
        ("text/css; charset=utf-8", STYLE)
    } else if place == *SCRIPT_PLACE {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else if place == *ICON_PLACE {
        ("image/svg+xml", ICON)
    } else {
        let detail = format!("there is nothing at {place}");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let fields = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((fields, text).into_response())
}
