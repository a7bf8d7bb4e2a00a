//! `/versions/{version}/diff/{other}`: the difference between two versions, unified or side by side.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::diff_words::marked_pair;
use super::elements::{grouped, text};
use super::layout::Section;
use super::visit::Visit;
use crate::domain::{Source, Version};
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;
use crate::faces::version_diff::{Diff, DiffLine, Side};

/// The most lines of a difference that are shown.
const MAX_LINES: usize = 4000;

/// Shows the difference between two versions.
pub(super) async fn show(
    visit: Visit,
    Part((new, old)): Part<(String, String)>,
) -> Result<Response, Problem> {
    let app = visit.app();
    let ((source, new), (other, old)) = (app.version(&new).await?, app.version(&old).await?);
    let _place = visit.shared.comparing().await;
    let comparison = app.compare(&old, &new).await?;
    let is_split = visit.param("view").as_deref() == Some("split");
    let (for_old, for_new) = (old.clone(), new.clone());
    let made = tokio::task::spawn_blocking(move || {
        let mut diff = Diff::of(&comparison, &for_old, &for_new);
        let is_cut = diff.lines.len() > MAX_LINES;
        diff.lines.truncate(MAX_LINES);
        (
            drawn(&diff.lines, is_split),
            diff.added,
            diff.removed,
            is_cut,
        )
    });
    let (shown, added, removed, is_cut) = made.await.map_err(|error| {
        let detail = format!("the comparison ended early: {error}");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    let title = title_of((&source, &new), (&other, &old));
    let content = html! {
        p.crumbs {
            a href="/sources" { "Sources" } " / " a href={ "/sources/" (source.id) } { (text(&source.settings.name)) }
            " / " a href={ "/versions/" (new.id) } { "v" (new.id) } " / "
        }
        h1 { (title) }
        (headline(&visit, (&old, removed), (&new, added)))
        (walk(&visit, &old, &new).await?)
        (views(&visit, is_split))
        div.scroll role="group" aria-label="Difference" tabindex="0" { (shown) }
        @if is_cut { p.dim { "More was cut after " (grouped(MAX_LINES as u64)) " lines: " code { "gannet diff" } " prints all." } }
    };
    Ok(visit.page(Section::Sources, &title, &content))
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
            a href=(visit.link(&[("view", None)])) aria-current=[(!is_split).then_some("true")] { "Unified" }
            a href=(visit.link(&[("view", Some("split"))])) aria-current=[is_split.then_some("true")] { "Side by side" }
        }
    }
}

/// Returns the lines one below the other, or side by side.
fn drawn(lines: &[DiffLine], is_split: bool) -> Markup {
    if is_split {
        split(lines)
    } else {
        unified(lines)
    }
}

/// Shows the way to the differences before this one, and to either version.
async fn walk(visit: &Visit, old: &Version, new: &Version) -> Result<Markup, Problem> {
    let older = visit.app().version_before(old.id).await?;
    Ok(html! {
        nav.pages aria-label="Versions" {
            a href={ "/versions/" (old.id) } { "v" (old.id) }
            a href={ "/versions/" (new.id) } { "v" (new.id) }
            @if let Some(older) = &older { a rel="prev" href={ "/versions/" (old.id) "/diff/" (older.id) } { "The difference before" } }
            a href={ "/versions/" (old.id) "/diff/" (new.id) } { "The other way round" }
        }
    })
}

fn unified(lines: &[DiffLine]) -> Markup {
    html! {
        table.diff { tbody {
            @for block in blocks(lines) {
                @match block {
                    Block::Head(words) => tr.head { td colspan="4" { (text(words)) } },
                    Block::Same(old, new) => tr { td.line { (old.number) } td.line { (new.number) } td.sign { " " } td { code { (new.text) } } },
                    Block::Changed(pairs) => {
                        @let marked = pairs.iter().map(|(old, new)| marked(old.as_ref(), new.as_ref())).collect::<Vec<_>>();
                        @for ((old, _), (shown, _)) in pairs.iter().zip(&marked) {
                            @if let Some(old) = old { tr.removed { td.line { (old.number) } td.line {} td.sign { "−" } td { code { (shown) } } } }
                        }
                        @for ((_, new), (_, shown)) in pairs.iter().zip(&marked) {
                            @if let Some(new) = new { tr.added { td.line {} td.line { (new.number) } td.sign { "+" } td { code { (shown) } } } }
                        }
                    },
                }
            }
        } }
    }
}

fn split(lines: &[DiffLine]) -> Markup {
    let side = |side: Option<&Side>, shown: &Markup, class: &str, sign: &str| {
        html! {
            @match side {
                Some(side) => { td.line.(class) { (side.number) } td.side.(class) { span.sign { (sign) } code { (shown) } } },
                None => { td.line.none {} td.side.none {} },
            }
        }
    };
    html! {
        table.diff.split { tbody {
            @for line in lines {
                @match line {
                    DiffLine::Head(words) => tr.head { td colspan="4" { (text(words)) } },
                    DiffLine::Same(old, new) => tr {
                        td.line { (old.number) } td.side { span.sign { " " } code { (old.text) } }
                        td.line { (new.number) } td.side { span.sign { " " } code { (new.text) } }
                    },
                    DiffLine::Changed(old, new) => {
                        @let (old_shown, new_shown) = marked(old.as_ref(), new.as_ref());
                        tr { (side(old.as_ref(), &old_shown, "removed", "−")) (side(new.as_ref(), &new_shown, "added", "+")) }
                    },
                }
            }
        } }
    }
}

fn marked(old: Option<&Side>, new: Option<&Side>) -> (Markup, Markup) {
    match (old, new) {
        (Some(old), Some(new)) => marked_pair(&old.text, &new.text),
        (old, new) => {
            let plain = |side: Option<&Side>| html! { @if let Some(side) = side { (side.text) } };
            (plain(old), plain(new))
        }
    }
}

/// A removed line and the one in its place; one of the two may be missing.
type Pair = (Option<Side>, Option<Side>);

/// Lines of a unified difference that belong together.
enum Block<'a> {
    Head(&'a str),
    Same(&'a Side, &'a Side),
    Changed(Vec<Pair>),
}

/// Gathers changed lines that follow each other: removed ones are shown before added ones.
fn blocks(lines: &[DiffLine]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    for line in lines {
        match line {
            DiffLine::Head(words) => blocks.push(Block::Head(words)),
            DiffLine::Same(old, new) => blocks.push(Block::Same(old, new)),
            DiffLine::Changed(old, new) => {
                let pair = (old.clone(), new.clone());
                match blocks.last_mut() {
                    Some(Block::Changed(pairs)) => pairs.push(pair),
                    _ => blocks.push(Block::Changed(vec![pair])),
                }
            }
        }
    }
    blocks
}
