//! `/versions/{version}/diff/{other}`: the difference between two versions, unified or side by side.

use axum::response::Response;
use maud::{Markup, html};

use super::compare::compare_form;
use super::diff_lines::drawn;
use super::elements::{grouped, text};
use super::history_tables::id_param;
use super::layout::Section;
use super::picture_diff;
use super::visit::Visit;
use crate::app::Comparison;
use crate::domain::{Source, Version};
use crate::faces::http::comparing;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;
use crate::faces::version_diff::Diff;

/// The lines of a window.
const LINES: usize = 500;

/// No difference has so many lines.
const MAX_FROM: usize = 1 << 20;

/// A window of a difference, drawn.
struct Drawn {
    table: Markup,
    added: usize,
    removed: usize,
    /// The lines of the whole difference.
    total: usize,
    /// Whether one of the two is no text.
    is_of_bytes: bool,
}

/// Shows what changed from one version to another one, as the API orders them.
pub(super) async fn show(
    visit: Visit,
    Part((old, new)): Part<(String, String)>,
) -> Result<Response, Problem> {
    let app = visit.app();
    let ((other, old), (source, new)) = (app.version(&old).await?, app.version(&new).await?);
    let is_split = visit.param("view").as_deref() == Some("split");
    let from = id_param(&visit, "from")?.unwrap_or(0);
    let from = usize::try_from(from).unwrap_or(0).min(MAX_FROM);
    let shown = compared(&visit, (&old, &new), from, is_split).await?;
    let pictures = if shown.is_of_bytes {
        picture_diff::beside(&visit, &old, &new).await?
    } else {
        None
    };
    let windows = windows(&visit, from, shown.total);
    let title = title_of((&source, &new), (&other, &old));
    let content = html! {
        p.crumbs {
            a href="/sources" { "Sources" } " / " a href={ "/sources/" (source.id) } { (text(&source.settings.name)) }
            " / " a href={ "/versions/" (new.id) } { "v" (new.id) }
        }
        h1 { (title) }
        @if pictures.is_none() { (headline(&visit, (&old, shown.removed), (&new, shown.added))) }
        (walk(&visit, &old, &new).await?)
        @if let Some(pictures) = &pictures { (pictures) } @else {
            (views(&visit, is_split))
            (windows)
            div.scroll role="group" aria-label="Difference" tabindex="0" { (shown.table) }
            (windows)
        }
    };
    Ok(visit.page(Section::Sources, &title, &content))
}

/// Compares two versions, and draws the window from this line on.
async fn compared(
    visit: &Visit,
    (old, new): (&Version, &Version),
    from: usize,
    is_split: bool,
) -> Result<Drawn, Problem> {
    let later = visit.link(&[("from", Some(&(from + LINES).to_string()))]);
    let (old, new) = (old.clone(), new.clone());
    comparing::compared(&visit.shared, old, new, move |old, new, comparison| {
        let diff = Diff::of(comparison, old, new);
        Drawn {
            table: drawn(&diff.lines, from..from + LINES, is_split, &later),
            added: diff.added,
            removed: diff.removed,
            total: diff.lines.len(),
            is_of_bytes: matches!(comparison, Comparison::Bytes(_)),
        }
    })
    .await
}

fn headline(
    visit: &Visit,
    (old, removed): (&Version, usize),
    (new, added): (&Version, usize),
) -> Markup {
    html! {
        p.headline {
            span.state.good { "+" (grouped(added as u64)) } " " span.state.bad { "−" (grouped(removed as u64)) } " lines"
            span.dim { ", " (visit.time(Some(old.fetched_at))) " to " (visit.time(Some(new.fetched_at))) }
        }
    }
}

fn title_of((source, new): (&Source, &Version), (other, old): (&Source, &Version)) -> String {
    let name = text(&source.settings.name);
    if source.id == other.id {
        return format!("v{} to v{} of {name}", old.id, new.id);
    }
    let other = text(&other.settings.name);
    format!("v{} of {other} to v{} of {name}", old.id, new.id)
}

fn views(visit: &Visit, is_split: bool) -> Markup {
    html! {
        nav.views aria-label="Forms of the difference" {
            a href=(visit.link(&[("view", None), ("from", None)])) aria-current=[(!is_split).then_some("true")] { "Unified" }
            a href=(visit.link(&[("view", Some("split")), ("from", None)])) aria-current=[is_split.then_some("true")] { "Side by side" }
        }
    }
}

/// Shows the way to the other windows of a difference that has several.
fn windows(visit: &Visit, from: usize, total: usize) -> Markup {
    let link = |from: usize| {
        let from = (from > 0).then(|| from.to_string());
        visit.link(&[("from", from.as_deref())])
    };
    html! {
        @if from > 0 || total > LINES {
            nav.pages aria-label="Windows" {
                span { (grouped(from as u64 + 1)) "–" (grouped((from + LINES).min(total) as u64)) " of " (grouped(total as u64)) " lines" }
                @if from > 0 { a rel="prev" href=(link(from.saturating_sub(LINES))) { "Earlier" } }
                @if from + LINES < total { a rel="next" href=(link(from + LINES)) { "Later" } }
            }
        }
    }
}

/// Shows the way to the difference before this one, to the same one turned round, and to either version.
async fn walk(visit: &Visit, old: &Version, new: &Version) -> Result<Markup, Problem> {
    let first = old.id.min(new.id);
    let older = visit.app().version_before(first).await?;
    Ok(html! {
        nav.pages aria-label="Versions" {
            a href={ "/versions/" (old.id) } { "v" (old.id) }
            a href={ "/versions/" (new.id) } { "v" (new.id) }
            @if let Some(older) = &older { a href={ "/versions/" (older.id) "/diff/" (first) } { "The difference before" } }
            a href={ "/versions/" (new.id) "/diff/" (old.id) } { "The other way round" }
        }
        (compare_form(new.id, Some(old.id)))
    })
}
