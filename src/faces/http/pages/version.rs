//! `/versions/{version}`: one version: facts, content, and verdicts.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::compare::compare_form;
use super::content_page::content_section;
use super::elements::{dash, done, facts, size, text, version_state};
use super::fields::{Fields, FormError};
use super::layout::Section;
use super::source_facts::{Facts, provenance_facts};
use super::verdicts::{Judged, Shown};
use super::visit::Visit;
use crate::domain::{Attempt, LastModified, Source, Verdict, Version, VersionId};
use crate::faces::http::content::segment;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// The newest attempts among which the one is looked for that brought a version.
const ATTEMPTS_SEARCHED: usize = 500;

/// Shows a version.
pub(super) async fn show(visit: Visit, Part(version): Part<String>) -> Result<Response, Problem> {
    let (source, version) = visit.app().version(&version).await?;
    shown(&visit, &source, &version, None).await
}

/// Shows a version, with a form of a verdict that was not recorded and the reason.
pub(super) async fn shown(
    visit: &Visit,
    source: &Source,
    version: &Version,
    refused: Option<(&Fields, &FormError)>,
) -> Result<Response, Problem> {
    let app = visit.app();
    let version_facts = version_facts(visit, source, version).await?;
    let older = app.version_before(version.id).await?;
    let verdicts = app.verdicts(version.id).await?;
    let verifiers = app.verifiers_of(&source.settings).await?;
    let is_run = app.runs_any_of(&verifiers).await?;
    let judged = judged(version, (verifiers, is_run), &verdicts);
    let content = content_section(visit, version).await;
    let title = format!("v{} of {}", version.id, text(&source.settings.name));
    let content = html! {
        p.crumbs { a href="/sources" { "Sources" } " / " a href={ "/sources/" (source.id) } { (text(&source.settings.name)) } }
        h1 { (title) }
        (done(visit))
        p.headline { (version_state(version.state)) }
        (facts(&version_facts))
        div.buttons {
            @if let Some(older) = &older { a.button href={ "/versions/" (older.id) "/diff/" (version.id) } { "Compare with v" (older.id) } }
            a.button href={ "/api/v1/versions/" (version.id) "/content" } download=(text(&version.name)) { "Download" }
            (judged.verify_again(visit))
        }
        (compare_form(version.id, None))
        (verdicts_section(visit, source, &judged, refused))
        (content)
    };
    let status = refused.map_or(StatusCode::OK, |(_, error)| error.status);
    Ok(visit.page_with(status, Section::Sources, &title, &content))
}

/// Returns a version with the verdicts on it.
fn judged<'a>(
    version: &Version,
    (verifiers, is_run): (Vec<String>, bool),
    verdicts: &'a [Verdict],
) -> Judged<'a> {
    let link = |other: VersionId| html! { a href={ "/versions/" (other) } { "v" (other) } };
    let verdicts = verdicts.iter().map(|one| Shown {
        verdict: &one.verdict,
        actor: &one.actor,
        given_on: one.given_on.map(link),
    });
    Judged {
        forms: format!("/versions/{}/", version.id),
        edition: None,
        state: version.state,
        verifiers,
        is_run,
        verdicts: verdicts.collect(),
    }
}

fn verdicts_section(
    visit: &Visit,
    source: &Source,
    judged: &Judged<'_>,
    refused: Option<(&Fields, &FormError)>,
) -> Markup {
    html! {
        section aria-labelledby="verdicts" {
            h2 #verdicts { "Verdicts" }
            (judged.list(visit))
            @for set in source.state.sets() {
                p.dim { "Judged together with the other members of the set " a href={ "/sets/" (segment(set)) "#verdicts" } { (text(set)) } "." }
            }
            (judged.form(visit, refused))
        }
    }
}

async fn version_facts(
    visit: &Visit,
    source: &Source,
    version: &Version,
) -> Result<Facts, Problem> {
    let app = visit.app();
    let is_served = app.served(source.id).await? == Some(version.id);
    let mut facts: Facts = vec![
        ("file", html! { (text(&version.name)) }),
        ("fetched", visit.age(Some(version.fetched_at))),
        ("last modified", modified(visit, version)),
        (
            "size",
            html! { (size(Some(version.size_bytes))) ", stored in " (size(Some(version.stored_bytes))) },
        ),
        (
            "media type",
            html! { @match &version.media_type { Some(one) => (text(one)), None => (dash()) } },
        ),
        ("SHA-256", html! { code { (version.digest.to_hex()) } }),
        (
            "published",
            html! { @if is_served { "now" } @else { "not now" } },
        ),
    ];
    facts.extend(
        version
            .policy_revision
            .map(|revision| ("judged by", html! { "policy revision " (revision) })),
    );
    facts.extend(provenance(visit, version).await?);
    Ok(facts)
}

fn modified(visit: &Visit, version: &Version) -> Markup {
    match &version.last_modified {
        Some(LastModified::At(at)) => visit.time(Some(*at)),
        Some(LastModified::Unreadable(words)) => html! { (text(words)) " (not a time)" },
        None => dash(),
    }
}

/// Returns which addresses were requested for a version, and who answered.
async fn provenance(visit: &Visit, version: &Version) -> Result<Facts, Problem> {
    let app = visit.app();
    let attempts = app.attempts_before(version.source_id, None, ATTEMPTS_SEARCHED);
    let attempts = attempts.await?;
    // The first attempt that names a version is the one that brought it.
    let brought_it = |attempt: &&Attempt| attempt.version_id == Some(version.id);
    let first = attempts.iter().rev().find(brought_it);
    let provenance = first.and_then(|one| one.provenance.as_ref());
    Ok(provenance.map(provenance_facts).unwrap_or_default())
}
