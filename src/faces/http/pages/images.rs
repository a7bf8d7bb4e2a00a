//! `/images/`: thumbnails of the published files that passed an `image` verifier, by page.

use axum::response::Response;
use maud::{Markup, html};

use super::elements::{grouped, size, text};
use super::layout::Section;
use super::thumbnail::thumbnail_place;
use super::visit::Visit;
use crate::app::PicturePage;
use crate::domain::{Picture, SourceId};
use crate::faces::http::cursor::Cursor;
use crate::faces::http::images::image_place;
use crate::faces::http::problem::Problem;

/// The pictures of a page.
const PICTURES: usize = 60;

/// Shows a page of pictures.
pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let after = visit.param("after");
    let after = after.as_deref().map(Cursor::read).transpose()?;
    let is_first = after.is_none();
    let place = after.map(|place| (place.key, SourceId(place.id)));
    let page = visit.app().pictures(place, PICTURES).await?;
    let content = html! {
        h1 { "Images" }
        @if page.pictures.is_empty() && is_first {
            p { "No pictures. A published file is shown here once it has passed a verifier with " code { "builtin = \"image\"" } ": " code { "gannet help verifiers" } "." }
        }
        div #images data-live="" {
            @if page.pictures.is_empty() && !is_first { p.dim { "No pictures here." } }
            (pages(&visit, &page, is_first, "Pages"))
            ul.images { @for one in &page.pictures { li { (shown(&visit, one)) } } }
            (pages(&visit, &page, is_first, "Pages, below"))
        }
    };
    Ok(visit.page(Section::Images, "Images", &content))
}

/// Shows which of all pictures these are, and leads to the others.
fn pages(visit: &Visit, page: &PicturePage, is_first: bool, label: &str) -> Markup {
    let next = page.next.as_ref().map(|(key, id)| {
        let key = key.clone();
        Cursor { key, id: id.0 }.text()
    });
    let last = page.before + page.pictures.len() as u64;
    html! {
        nav.pages aria-label=(label) {
            @if last > page.before { span { (grouped(page.before + 1)) "–" (grouped(last)) " of " (grouped(page.total)) } }
            @if !is_first { a href=(visit.link(&[("after", None)])) { "First page" } }
            @if let Some(next) = &next { a rel="next" href=(visit.link(&[("after", Some(next))])) { "Next page" } }
        }
    }
}

fn shown(visit: &Visit, picture: &Picture) -> Markup {
    let (name, facts) = (text(&picture.name), picture.facts);
    let (id, version) = (picture.source_id, picture.version_id);
    html! {
        figure {
            a.thumbnail href=(image_place(&picture.name)) {
                img src=(thumbnail_place(version, picture.digest)) alt={ "Picture " (name) } loading="lazy" decoding="async";
            }
            figcaption {
                b { a href={ "/sources/" (id) } { (name) } }
                @if picture.source != picture.name { span { "of " (text(&picture.source)) } }
                span { (facts.format) ", " (facts.width) " × " (facts.height) }
                span { (size(Some(picture.size_bytes))) ", " a href={ "/versions/" (version) } { "v" (version) } }
                span { "published " (visit.age(picture.published_at)) }
            }
        }
    }
}
