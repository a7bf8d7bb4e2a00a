//! `/sources/{source}`: one source with its settings, versions and attempts.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::days::days_section;
use super::elements::{done, facts, state, text};
use super::fetching::fetch_news;
use super::fields::{Fields, FormError};
use super::history_tables::{attempts_section, versions_section};
use super::layout::Section;
use super::settings_form::{present, settings_form};
use super::source_facts::{settings_facts, state_facts};
use super::source_plots::plots;
use super::visit::Visit;
use crate::domain::Source;
use crate::faces::http::caller::Right;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// Shows a source.
pub(super) async fn show(visit: Visit, Part(source): Part<String>) -> Result<Response, Problem> {
    let source = visit.app().source(&source).await?;
    shown(&visit, source, None).await
}

/// Shows a source, with a form of its settings that was not saved and the reason.
pub(super) async fn shown(
    visit: &Visit,
    source: Source,
    refused: Option<(&Fields, &FormError)>,
) -> Result<Response, Problem> {
    let newest = visit.app().sound_history_of(source.id, Some(1)).await?;
    let last = newest
        .as_ref()
        .and_then(|(history, _)| history.attempts.first());
    let state_facts = state_facts(visit, &source, &newest).await?;
    let plots = plots(visit, &source).await?;
    let versions = versions_section(visit, &source).await?;
    let attempts = attempts_section(visit, &source).await?;
    let days = days_section(visit, &source).await?;
    let name = text(&source.settings.name);
    let content = html! {
        p.crumbs { a href="/sources" { "Sources" } }
        h1 { (name) }
        (done(visit))
        (fetch_news(visit, &source, last))
        div #source data-live="" { p.headline { (state(&source)) } (facts(&state_facts)) }
        @if visit.may(Right::Operate) { (buttons(&source)) }
        @if let Some(of) = source.day { p { "A day of " a href={ "/sources/" (of.series) } { "its dated source" } ", and changed with it." } }
        section aria-labelledby="settings" {
            h2 #settings { "Settings" }
            (facts(&settings_facts(&source)))
            @if visit.may(Right::Operate) && source.removed_at.is_none() && source.day.is_none() {
                @match refused {
                    Some((typed, error)) => (settings_form(&source, typed, Some(error))),
                    None => (settings_form(&source, &present(&source.settings), None)),
                }
            }
        }
        div #history data-live="" { @if let Some(days) = days { (days) } @else { (plots) (versions) (attempts) } }
        p { a href={ "/log?source=" (source.id) } { "The log of this source" } }
    };
    let status = refused.map_or(StatusCode::OK, |(_, error)| error.status);
    Ok(visit.page_with(status, Section::Sources, &name, &content))
}

fn buttons(source: &Source) -> Markup {
    let place = format!("/sources/{}", source.id);
    html! {
        div.buttons {
            @if source.removed_at.is_some() {
                form method="post" action={ (place) "/restore" } { button.main type="submit" { "Bring back" } }
            } @else if source.day.is_some() {
                form method="post" action={ (place) "/fetch" } { button.main type="submit" { "Fetch now" } }
            } @else {
                form method="post" action={ (place) "/fetch" } { button.main type="submit" { "Fetch now" } }
                form method="post" action={ (place) "/enabled" } {
                    @if source.settings.enabled {
                        button type="submit" { "Switch off" }
                    } @else {
                        input type="hidden" name="enabled" value="on";
                        button type="submit" { "Switch on" }
                    }
                }
            }
            @if source.day.is_none() { a.button href={ (place) "/remove" } { @if source.removed_at.is_some() { "Delete the history …" } @else { "Remove …" } } }
        }
    }
}
