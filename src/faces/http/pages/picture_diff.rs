//! Two versions of which one is a picture, side by side: a picture has no lines that differ.

use maud::{Markup, html};

use super::elements::{size, text};
use super::thumbnail::thumbnail_place;
use super::visit::Visit;
use crate::domain::{ImageFormat, PictureFacts, Version};
use crate::faces::http::problem::Problem;

/// Shows two versions side by side; `None` when neither is a picture.
pub(super) async fn beside(
    visit: &Visit,
    old: &Version,
    new: &Version,
) -> Result<Option<Markup>, Problem> {
    let app = visit.app();
    let (before, after) = (app.picture_facts(old).await?, app.picture_facts(new).await?);
    if before.is_none() && after.is_none() {
        return Ok(None);
    }
    Ok(Some(html! {
        p.headline { (changes((old, before), (new, after))) }
        div.beside {
            (side(visit, old, before))
            (side(visit, new, after))
        }
    }))
}

/// Says what differs beside the pixels.
fn changes(
    (old, before): (&Version, Option<PictureFacts>),
    (new, after): (&Version, Option<PictureFacts>),
) -> Markup {
    let (Some(before), Some(after)) = (before, after) else {
        return html! { "One of the two is no picture." };
    };
    let is_as_large = (before.width, before.height) == (after.width, after.height);
    let changed = new.size_bytes.abs_diff(old.size_bytes);
    let sign = if new.size_bytes < old.size_bytes {
        "−"
    } else {
        "+"
    };
    html! {
        @if before.format == after.format { (after.format) } @else { (before.format) " to " (after.format) }
        ", "
        @if is_as_large { "the same dimensions" } @else { (before.width) " × " (before.height) " to " (after.width) " × " (after.height) }
        ", "
        @if changed == 0 { "the same size" } @else { (sign) (size(Some(changed))) }
    }
}

fn side(visit: &Visit, version: &Version, facts: Option<PictureFacts>) -> Markup {
    let name = text(&version.name);
    html! {
        figure {
            figcaption {
                a href={ "/versions/" (version.id) } { "v" (version.id) } ", "
                @if let Some(facts) = facts { (facts.format) ", " (facts.width) " × " (facts.height) ", " }
                (size(Some(version.size_bytes))) ", "
                span.dim { (visit.time(Some(version.fetched_at))) }
            }
            @match facts {
                Some(facts) => p.picture { img src=(place(version, facts.format)) alt={ "v" (version.id) ": " (name) }; },
                None => p.picture { "No picture that can be drawn" @if let Some(media_type) = &version.media_type { ", sent as " (text(media_type)) } },
            }
        }
    }
}

/// Returns the address of the whole picture, or of a small one in a format that every browser draws.
fn place(version: &Version, format: ImageFormat) -> String {
    match format {
        ImageFormat::Gif | ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP => {
            format!("/versions/{}/picture", version.id)
        }
        ImageFormat::Bmp | ImageFormat::Ico | ImageFormat::Tiff => {
            thumbnail_place(version.id, version.digest)
        }
    }
}
