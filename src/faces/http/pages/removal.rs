//! Removes sources, in two steps: the first page says what will happen.

use axum::response::Response;
use maud::{Markup, html};

use super::elements::{grouped, text};
use super::fields::Fields;
use super::layout::Section;
use super::visit::{Visit, see_other};
use crate::domain::Source;
use crate::faces::http::api::remove_source;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;
use crate::faces::text::count;

/// The most sources that are named.
const MAX_NAMED: usize = 20;

/// Asks before a source is removed.
pub(super) async fn ask(visit: Visit, Part(source): Part<String>) -> Result<Response, Problem> {
    let source = visit.app().source(&source).await?;
    let target = format!("/sources/{}/remove", source.id);
    if source.removed_at.is_some() {
        return confirmation_of_purge(&visit, &source, &target).await;
    }
    confirmation(&visit, &[source.id.to_string()], &target).await
}

/// Shows what a removal does, and the button that does it.
pub(super) async fn confirmation(
    visit: &Visit,
    marked: &[String],
    target: &str,
) -> Result<Response, Problem> {
    let sources = visit.app().kept_sources(marked).await?;
    let versions = visit.app().count_versions(&sources).await?;
    let sets = visit.app().sets_showing(&sources).await?;
    let is_one = sources.len() == 1;
    let title = match sources.as_slice() {
        [only] => format!("Remove {}?", text(&only.settings.name)),
        several => format!("Remove {}?", count(several.len() as u64, "source")),
    };
    let back = match sources.as_slice() {
        [only] => format!("/sources/{}", only.id),
        _ => "/sources".to_owned(),
    };
    let content = html! {
        h1 { (title) }
        ul { @for source in sources.iter().take(MAX_NAMED) { li { (text(&source.settings.name)) " " span.dim { (text(source.settings.address.as_str())) } } } }
        @if sources.len() > MAX_NAMED { p { "and " (sources.len() - MAX_NAMED) " more" } }
        (what_happens(is_one, versions, &sets))
        form method="post" action=(target) {
            @for source in &sources { input type="hidden" name="source" value=(source.id); }
            input type="hidden" name="do" value="remove";
            input type="hidden" name="confirmed" value="yes";
            p { label.check { input type="checkbox" name="purge" value="yes"; " Delete the history too. This cannot be undone." } }
            @if !sets.is_empty() {
                p.help { "With its history, " (folders(&sets)) " is taken away at once: its readers find nothing until an edition without " @if is_one { "it" } @else { "them" } " passes." }
            }
            p.buttons {
                button.danger type="submit" { "Remove" }
                a.button href=(back) { "Keep" }
            }
        }
    };
    Ok(visit.page(Section::Sources, &title, &content))
}

/// Asks before the history of a source that was removed is deleted.
async fn confirmation_of_purge(
    visit: &Visit,
    source: &Source,
    target: &str,
) -> Result<Response, Problem> {
    let versions = visit
        .app()
        .count_versions(std::slice::from_ref(source))
        .await?;
    let title = format!("Delete the history of {}?", text(&source.settings.name));
    let content = html! {
        h1 { (title) }
        p { "It was removed already. Its history (" (count(versions, "version")) ") is deleted now: this cannot be undone." }
        form method="post" action=(target) {
            input type="hidden" name="confirmed" value="yes";
            input type="hidden" name="purge" value="yes";
            p.buttons {
                button.danger type="submit" { "Delete" }
                a.button href={ "/sources/" (source.id) } { "Keep" }
            }
        }
    };
    Ok(visit.page(Section::Sources, &title, &content))
}

/// Says what becomes of the files and the history.
fn what_happens(is_one: bool, versions: u64, sets: &[String]) -> Markup {
    html! {
        p {
            @if is_one { "It is" } @else { "They are" }
            " fetched no more, and what is published alone is withdrawn: the "
            @if is_one { "file" } @else { "files" }
            " below published/. The history (" (grouped(versions)) @if versions == 1 { " version" } @else { " versions" } ") is kept, and a removed source can be brought back with it."
            @if !sets.is_empty() {
                " In " (folders(sets)) @if is_one { " it stays until an edition without it" } @else { " they stay until an edition without them" } " passes."
            }
        }
    }
}

/// Names the folders of sets.
fn folders(sets: &[String]) -> String {
    let names: Vec<_> = sets.iter().map(|set| text(set)).collect();
    match names.as_slice() {
        [set] => format!("the folder of the set {set}"),
        sets => format!("the folder of each of the sets {}", sets.join(", ")),
    }
}

/// Removes a source.
pub(super) async fn remove(
    visit: Visit,
    Part(source): Part<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let source = visit.app().source(&source).await?;
    if !fields.is_on("confirmed") {
        return Ok(see_other(&format!("/sources/{}/remove", source.id)));
    }
    let purge = fields.is_on("purge");
    remove_source(&visit.shared, &visit.caller, source.id, purge).await?;
    Ok(see_other(&if purge {
        "/sources?done=purged".to_owned()
    } else {
        format!("/sources/{}?done=removed", source.id)
    }))
}
