//! `/sets`: sources that are judged and published together.

use std::collections::HashMap;

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::elements::{badge, dash, done, facts, table_box, text, version_state};
use super::fields::{Fields, FormError};
use super::layout::Section;
use super::reason::owe_words;
use super::source_facts::Facts;
use super::verdicts::{Judged, Shown};
use super::visit::Visit;
use crate::app::SetOverview;
use crate::domain::{Edition, EditionMember, EditionVerdict, SetMember, SourceId};
use crate::faces::http::content::segment;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;
use crate::faces::set_words::{self, path, reasons, state};
use crate::faces::state_word::next_due;

/// Lists the sets.
pub(super) async fn list(visit: Visit) -> Result<Response, Problem> {
    let sets = visit.app().sets().await?;
    let waiting = visit.app().waiting_sets().await?;
    let why = |one: &SetOverview| {
        let waiting = waiting
            .iter()
            .find(|waiting| waiting.name == one.set.name)?;
        let owing: Vec<_> = waiting.owing.iter().map(String::as_str).collect();
        Some(owe_words(&owing))
    };
    let why = |one: &SetOverview| set_words::why(one).or_else(|| why(one));
    let table = html! {
        table.cards {
            thead { tr { th scope="col" { "State" } th scope="col" { "Set" } th.number scope="col" { "Members" } th scope="col" { "Edition" } th scope="col" { "Published" } th scope="col" { "Why" } } }
            tbody {
                @for one in &sets {
                    tr {
                        td { (set_state(one)) }
                        th scope="row" { a href={ "/sets/" (segment(&one.set.name)) } { (text(&one.set.name)) } }
                        td.number data-label="members " { (one.members.len()) }
                        td data-label="edition " { (visit.age(one.newest.as_ref().map(|edition| edition.at))) }
                        td data-label="published " { (visit.age(one.set.published_at)) }
                        @match why(one) { Some(why) => td.why { (text(&why)) }, None => td.why.blank { (dash()) } }
                    }
                }
            }
        }
    };
    let content = html! {
        h1 { "Sets" }
        @if sets.is_empty() {
            p { "No sets. Sources that share a tag become one when a verifier of the configuration judges them together: " code { "gannet help sets" } "." }
        } @else {
            div #sets data-live="" { (table_box("Sets", &table)) }
        }
    };
    Ok(visit.page(Section::Sets, "Sets", &content))
}

fn set_state(one: &SetOverview) -> Markup {
    let word = state(one);
    let (glyph, class) = match word.as_str() {
        "passed" => ("✓", "good"),
        "pending" => ("…", "warn"),
        "error" => ("?", "warn"),
        "never" => ("◌", "dim"),
        "removed" | "empty" => ("○", "dim"),
        _ => ("✗", "bad"),
    };
    badge(glyph, class, &word, "")
}

/// Shows one set.
pub(super) async fn show(visit: Visit, Part(name): Part<String>) -> Result<Response, Problem> {
    shown_set(&visit, &name, None).await
}

/// Shows a set, with a form of a verdict that was not recorded and the reason.
pub(super) async fn shown_set(
    visit: &Visit,
    name: &str,
    refused: Option<(&Fields, &FormError)>,
) -> Result<Response, Problem> {
    let (set, verdicts) = visit.app().set(name).await?;
    let due = due_times(visit, &set.members).await?;
    let verifiers = visit.app().verifier_names_of_set(name).await?;
    let is_run = visit.app().runs_any_of(&verifiers).await?;
    let judged = set
        .newest
        .as_ref()
        .map(|newest| judged(newest, (&verifiers, is_run), &verdicts));
    let title = format!("Set {}", text(&set.set.name));
    let content = html! {
        p.crumbs { a href="/sets" { "Sets" } }
        h1 { (title) }
        (done(visit))
        div #set data-live="" {
            p.headline { (set_state(&set)) }
            (facts(&set_facts(visit, &set, &verifiers)))
            p { a href={ "/log?set=" (segment(&set.set.name)) } { "The log of this set" } }
            @if let Some(judged) = &judged { div.buttons { (judged.verify_again(visit)) } }
            section aria-labelledby="members" {
                h2 #members { "Members" }
                (table_box("Members", &members(visit, &set.members, &due)))
            }
            @for (id, title, edition) in [("newest", "Newest edition", &set.newest), ("published", "Published edition", &set.published)] {
                @if let Some(edition) = edition { (edition_section(visit, (id, title), edition, &set)) }
            }
            section aria-labelledby="verdicts" {
                h2 #verdicts { "Verdicts on the newest edition" }
                @match &judged { Some(judged) => (judged.list(visit)), None => p.dim { "None yet." } }
            }
        }
        div #judging data-live="form" { @if let Some(judged) = &judged { (judged.form(visit, refused)) } }
    };
    let status = refused.map_or(StatusCode::OK, |(_, error)| error.status);
    Ok(visit.page_with(status, Section::Sets, &title, &content))
}

/// Returns the newest edition of a set with the verdicts on it.
fn judged<'a>(
    newest: &Edition,
    (verifiers, is_run): (&[String], bool),
    verdicts: &'a [EditionVerdict],
) -> Judged<'a> {
    let verdicts = verdicts.iter().map(|one| Shown {
        verdict: &one.verdict,
        actor: &one.actor,
        given_on: one.given_on.map(|other| html! { "edition " (other) }),
    });
    Judged {
        forms: format!("/sets/{}/-", segment(&newest.set)),
        edition: Some(newest.id),
        state: newest.state,
        verifiers: verifiers.to_vec(),
        is_run,
        verdicts: verdicts.collect(),
    }
}

fn set_facts(visit: &Visit, set: &SetOverview, verifiers: &[String]) -> Facts {
    let mut facts = Facts::new();
    facts.extend(
        reasons(set)
            .into_iter()
            .map(|(what, why)| (what, html! { (text(&why)) })),
    );
    facts.push((
        "published at",
        html! {
            @if let Some(path) = path(set) { code { (text(&path)) } ", since " (visit.time(set.set.published_at)) } @else if set.set.withdrawn.is_some() { "nothing now" } @else { "nothing yet" }
        },
    ));
    if let Some(withdrawn) = &set.set.withdrawn {
        facts.push((
            "withdrawn",
            html! { (visit.time(Some(withdrawn.at))) ": " (text(&withdrawn.because)) },
        ));
    }
    facts.push(("verifiers", html! { (text(&verifiers.join(", "))) }));
    facts
}

/// Returns when members are due.
async fn due_times(
    visit: &Visit,
    members: &[SetMember],
) -> Result<HashMap<SourceId, DateTime<Utc>>, Problem> {
    let ids: Vec<_> = members
        .iter()
        .map(|member| member.source_id.to_string())
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sources = visit.app().kept_sources(&ids).await?.into_iter();
    Ok(sources
        .filter_map(|source| Some((source.id, next_due(&source)?)))
        .collect())
}

fn members(visit: &Visit, members: &[SetMember], due: &HashMap<SourceId, DateTime<Utc>>) -> Markup {
    html! {
        table.cards {
            thead { tr { th scope="col" { "Source" } th scope="col" { "Version" } th scope="col" { "State" } th.number scope="col" { "Failures" } th scope="col" { "Due" } } }
            tbody {
                @for member in members {
                    tr {
                        th scope="row" { a href={ "/sources/" (member.source_id) } { (text(&member.name)) } }
                        td { @match member.newest { Some((id, _)) => a href={ "/versions/" (id) } { "v" (id) }, None => (dash()) } }
                        td { @match member.newest { Some((_, state)) => (version_state(state)), None => (dash()) } }
                        td.number data-label="failures " { (member.failures) }
                        td data-label="due " { @if member.claimed { "being fetched" } @else { (visit.due(due.get(&member.source_id).copied())) } }
                    }
                }
            }
        }
    }
}

fn edition_section(
    visit: &Visit,
    (id, title): (&str, &str),
    edition: &Edition,
    set: &SetOverview,
) -> Markup {
    // A file has the name of its source, but for separators.
    let place = |name: &str| format!("/sets/{}/{}", segment(&set.set.name), segment(name));
    // Of a member that readers see in another version.
    let other = |member: &EditionMember| {
        let published = set.published.as_ref()?.members.iter();
        let seen = published.filter(|seen| seen.source_id == member.source_id);
        let mut seen = seen.map(|seen| seen.version_id);
        seen.find(|seen| *seen != member.version_id)
    };
    let has_file = |name: &str| id == "published" && !name.contains('/');
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            p { (version_state(edition.state)) " " span.dim { "edition " (edition.id) ", " (visit.time(Some(edition.at))) } }
            ul.members {
                @for member in &edition.members {
                    li { a href={ "/versions/" (member.version_id) } { "v" (member.version_id) } " " @if has_file(&member.name) { a href=(place(&member.name)) { (text(&member.name)) } } @else { (text(&member.name)) }
                        @if let Some(seen) = other(member) { " " a href={ "/versions/" (seen) "/diff/" (member.version_id) } { "compare with the published v" (seen) } }
                    }
                }
            }
        }
    }
}
