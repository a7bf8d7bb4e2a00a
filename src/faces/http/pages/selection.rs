//! Changes several sources at once: those that are marked in the table, or all that match its filter.

use axum::response::Response;
use maud::html;

use super::elements::{grouped, text};
use super::fetching::{fetch_now, is_removed};
use super::fields::{Fields, FormError};
use super::layout::Section;
use super::removal::confirmation;
use super::sources::refused;
use super::visit::{Visit, local_path, see_other, with_done};
use crate::domain::{Digest, SettingsPatch, SourceId};
use crate::faces::http::problem::Problem;
use crate::faces::http::source_page::all_of;
use crate::faces::text::count;

/// The most sources that are changed at once.
const MAX_SOURCES: usize = 10_000;

/// What is done with sources: the word of a form, its button, and its question.
const ACTIONS: [(&str, &str, &str); 5] = [
    ("fetch", "Fetch now", "Fetch"),
    ("on", "Switch on", "Switch on"),
    ("off", "Switch off", "Switch off"),
    ("remove", "Remove", "Remove"),
    ("restore", "Bring back", "Bring back"),
];

/// Carries out what a button says for every marked source, or for all that match after a question.
pub(super) async fn change(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let mut marked = marked_ids(&fields)?;
    if fields.is_on("all") {
        let found = all_of(visit.app(), fields.text("filter")).await?;
        if found.len() > MAX_SOURCES {
            return Ok(refused(&visit, &FormError::from(too_many(found.len()))));
        }
        marked = found.iter().map(|source| source.id.to_string()).collect();
        if fields.text("do") == "remove" && !marked.is_empty() {
            // Its form names the sources one by one.
            return confirmation(&visit, &marked, "/sources/-").await;
        }
        // Those that the question was about are changed, or it is asked again.
        let is_asked = fields.is_on("confirmed") && fields.text("these") == digest_of(&marked);
        if !is_asked && !marked.is_empty() {
            return question(&visit, &fields, &marked);
        }
    }
    let back = local_path(fields.text("back")).unwrap_or("/sources");
    if marked.is_empty() {
        return Ok(see_other(&with_done(back, "nothing")));
    }
    let changed = match fields.text("do") {
        "fetch" => fetch(&visit, &marked).await,
        "on" => switch(&visit, &marked, true).await,
        "off" => switch(&visit, &marked, false).await,
        "restore" => restore(&visit, &marked).await,
        "remove" if fields.is_on("confirmed") => {
            remove(&visit, &marked, fields.is_on("purge")).await
        }
        "remove" => return confirmation(&visit, &marked, "/sources/-").await,
        _ => Err(Problem::invalid("the form does not say what to do")),
    };
    Ok(match changed {
        Ok(done) => see_other(&with_done(back, done)),
        Err(problem) => refused(&visit, &FormError::from(problem)),
    })
}

/// Returns the ids of the marked sources: a pattern would change more than what was marked.
fn marked_ids(fields: &Fields) -> Result<Vec<String>, Problem> {
    let marked = fields.all("source");
    if marked.iter().any(|id| id.parse::<i64>().is_err()) {
        return Err(Problem::invalid("`source` is the id of a source"));
    }
    Ok(marked)
}

fn too_many(found: usize) -> Problem {
    let (found, most) = (grouped(found as u64), grouped(MAX_SOURCES as u64));
    let detail = format!("{found} sources match: {most} at most are changed at once");
    Problem::invalid(detail).hint("narrow the filter")
}

/// Returns what stands for these sources in a form: a list of 10,000 would be long.
fn digest_of(ids: &[String]) -> String {
    Digest::of(ids.join(",").as_bytes()).to_hex()
}

/// Asks before something is done with all sources that match a filter.
fn question(visit: &Visit, fields: &Fields, found: &[String]) -> Result<Response, Problem> {
    let wanted = ACTIONS.iter().find(|(word, ..)| *word == fields.text("do"));
    let unknown = || Problem::invalid("the form does not say what to do");
    let (word, button, verb) = wanted.ok_or_else(unknown)?;
    let title = format!("{verb} {}?", count(found.len() as u64, "source"));
    let (filter, back) = (fields.text("filter"), local_path(fields.text("back")));
    let back = back.unwrap_or("/sources");
    let content = html! {
        h1 { (title) }
        p {
            @if filter.is_empty() { "These are all sources." }
            @else { "These are all sources that match " code { (text(filter)) } "." }
        }
        form method="post" action="/sources/-" {
            @for (name, value) in [("all", "yes"), ("filter", filter), ("do", word), ("back", back), ("confirmed", "yes")] {
                input type="hidden" name=(name) value=(value);
            }
            input type="hidden" name="these" value=(digest_of(found));
            p.buttons {
                button.main type="submit" { (button) }
                a.button href=(back) { "Leave them" }
            }
        }
    };
    Ok(visit.page(Section::Sources, &title, &content))
}

async fn fetch(visit: &Visit, marked: &[String]) -> Result<&'static str, Problem> {
    let sources = visit.app().sources(marked).await?;
    if let Some(removed) = sources.iter().find(|source| source.removed_at.is_some()) {
        return Err(is_removed(removed));
    }
    let ids: Vec<SourceId> = sources.iter().map(|source| source.id).collect();
    fetch_now(visit, ids).await
}

async fn restore(visit: &Visit, marked: &[String]) -> Result<&'static str, Problem> {
    visit.acting().restore(marked).await?;
    visit.shared.fetching().wake();
    Ok("restored")
}

async fn switch(visit: &Visit, marked: &[String], enabled: bool) -> Result<&'static str, Problem> {
    let patch = SettingsPatch {
        enabled: Some(enabled),
        ..SettingsPatch::default()
    };
    visit.acting().edit(marked, patch).await?;
    visit.shared.fetching().wake();
    Ok(if enabled { "on" } else { "off" })
}

async fn remove(visit: &Visit, marked: &[String], purge: bool) -> Result<&'static str, Problem> {
    visit.acting().remove(marked, purge).await?;
    visit.shared.fetching().wake();
    Ok(if purge { "purged" } else { "removed" })
}
