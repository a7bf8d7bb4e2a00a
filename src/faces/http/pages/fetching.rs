//! Fetches at the press of a button: begun at once, and shown as under way until they have ended.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};

use super::elements::{badge, state, text};
use super::visit::{Visit, see_other};
use crate::app::{SourceOutcome, SourceResult};
use crate::domain::{Attempt, AttemptOutcome, Source, SourceId};
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// The time that a form waits for the outcome: that of a quick fetch is on the next page.
const WAIT: Duration = Duration::from_millis(300);
/// How long the page of a source says how an attempt ended.
const NEWS_LAST: TimeDelta = TimeDelta::minutes(1);

/// Fetches a source, and shows its page.
pub(super) async fn fetch(visit: Visit, Part(source): Part<String>) -> Result<Response, Problem> {
    let source = visit.app().source(&source).await?;
    if source.removed_at.is_some() {
        return Err(is_removed(&source));
    }
    let place = format!("/sources/{}", source.id);
    match fetch_now(&visit, vec![source.id]).await? {
        "busy" => Ok(see_other(&format!("{place}?done=busy"))),
        _ => Ok(see_other(&place)),
    }
}

/// Returns the problem of a fetch for a source that was removed.
pub(super) fn is_removed(source: &Source) -> Problem {
    let name = &source.settings.name;
    let detail = format!("{name} was removed: nothing is fetched for it");
    Problem::new(StatusCode::CONFLICT, detail)
}

/// Fetches sources, and returns whether they are fetched, still being fetched, or held by another worker.
pub(super) async fn fetch_now(visit: &Visit, ids: Vec<SourceId>) -> Result<&'static str, Problem> {
    let under_way = visit.shared.fetching().fetch(ids, visit.caller.actor());
    match tokio::time::timeout(WAIT, under_way).await {
        Ok(results) => {
            let is_busy = |one: &SourceResult| one.outcome == SourceOutcome::Busy;
            let is_any_busy = results?.iter().any(is_busy);
            Ok(if is_any_busy { "busy" } else { "fetched" })
        }
        Err(_) => Ok("fetching"),
    }
}

/// Returns since when a source is being fetched at somebody's request. Its pass may go on for other sources.
fn since(visit: &Visit, source: &Source) -> Option<DateTime<Utc>> {
    let since = visit.shared.fetching().since(source.id)?;
    let last = source.state.last_attempt_at;
    last.is_none_or(|last| last < since).then_some(since)
}

/// Shows the state of a source, or that it is being fetched.
pub(super) fn state_or_fetching(visit: &Visit, source: &Source) -> Markup {
    if since(visit, source).is_none() {
        return state(source);
    }
    html! { span data-busy="" { (badge("↻", "new", "fetching", "being fetched at somebody's request")) } }
}

/// Shows since when a source is being fetched, or how the fetch of the last minute ended.
pub(super) fn fetch_news(visit: &Visit, source: &Source, last: Option<&Attempt>) -> Markup {
    let now = visit.app().now();
    let is_news = |last: &&Attempt| {
        let ended = TimeDelta::from_std(last.duration).map(|took| last.started_at + took);
        ended.is_ok_and(|ended| now - ended < NEWS_LAST)
    };
    html! {
        div #fetching data-live="" role="status" {
            @if let Some(since) = since(visit, source) {
                p.alert data-busy="" {
                    "Being fetched since " (clock(visit, since)) "."
                    noscript { " " a href={ "/sources/" (source.id) } { "Look again" } }
                }
            } @else if let Some(last) = last.filter(is_news) { (outcome(last)) }
        }
    }
}

/// Shows a time to the second: a fetch takes seconds.
fn clock(visit: &Visit, at: DateTime<Utc>) -> Markup {
    let wall = visit.app().config().zone.wall(at);
    html! { time datetime=(at.to_rfc3339_opts(SecondsFormat::Millis, true)) { (wall.format("%H:%M:%S")) } }
}

fn outcome(last: &Attempt) -> Markup {
    html! {
        @match (last.outcome, last.version_id) {
            (AttemptOutcome::New, Some(id)) => p.alert.good { "Fetched: new version " a href={ "/versions/" (id) } { "v" (id) } "." },
            (AttemptOutcome::Failed, _) => p.alert.bad { "The fetch failed: " (text(last.error.as_deref().unwrap_or("no reason was recorded"))) },
            _ => p.alert.good { "Fetched: unchanged." },
        }
    }
}
