//! The facts of a source: its state and the reasons, what is published, and its settings.

use maud::{Markup, html};

use super::elements::{dash, text};
use super::reason::reason;
use super::visit::Visit;
use crate::app::{App, Error, History};
use crate::domain::{Provenance, Source};
use crate::faces::http::content::segment;
use crate::faces::http::problem::Problem;
use crate::faces::json::published_file;
use crate::faces::publication::published_words;
use crate::faces::source_facts;
use crate::faces::state_word::{next_due, not_whole};

/// The place of `enabled` among the settings, behind address and interval.
const ENABLED_AT: usize = 2;

/// Facts under their names.
pub(super) type Facts = Vec<(&'static str, Markup)>;

/// A source's newest attempt and version, and the damage on its history.
pub(super) type Newest = Option<(History, Option<Error>)>;

/// Returns the facts of a source's state.
pub(super) async fn state_facts(
    visit: &Visit,
    source: &Source,
    newest: &Newest,
) -> Result<Facts, Problem> {
    let app = visit.app();
    let mut facts = Facts::new();
    if let Some((history, damage)) = newest {
        facts.extend(reason(history).map(|why| ("why", why)));
        facts.extend(
            damage
                .as_ref()
                .map(|damage| ("damage", html! { (text(&not_whole(damage))) })),
        );
    }
    facts.push(("last fetched", visit.age(source.state.last_attempt_at)));
    facts.push(("next due", visit.due(next_due(source))));
    facts.push(("published", published(app, source)));
    let verifiers = app.verifiers_of(&source.settings).await?;
    facts.push(("verifiers", list(&verifiers)));
    let asked = newest
        .iter()
        .flat_map(|(history, _)| last_attempt_facts(history));
    // The address stands among the settings.
    let is_address = |words: &str| words == source.settings.address.as_str();
    facts.extend(asked.filter(|(name, shown)| *name != "asked" || !is_address(&shown.0)));
    facts.push(("added", visit.time(Some(source.created_at))));
    facts.extend(
        source
            .removed_at
            .map(|at| ("removed", visit.time(Some(at)))),
    );
    Ok(facts)
}

/// Returns what is published of a source, with a link to its own file.
fn published(app: &App, source: &Source) -> Markup {
    let path = published_file(source, app.published_folder()).unwrap_or_default();
    let zone = app.config().zone.clone();
    let words = published_words(source, &path, |at| {
        format!("{} {}", zone.minute(at), zone.name())
    });
    let is_own = source.state.published_version_id.is_some() && source.removed_at.is_none();
    let state = &source.state;
    let own = state.sets().filter(|_| state.showing_set.is_none());
    let sets = state.showing_sets().chain(own);
    let parts = source.published_path.split('/').map(segment);
    let place = parts.collect::<Vec<_>>().join("/");
    html! {
        (text(&words))
        @if is_own { " " a href={ "/files/" (place) } { "the file" } }
        @for set in sets { " " a href={ "/sets/" (segment(set)) } { "set " (text(set)) } }
    }
}

fn last_attempt_facts(history: &History) -> Facts {
    let last = history.attempts.first();
    last.and_then(|last| last.provenance.as_ref())
        .map(provenance_facts)
        .unwrap_or_default()
}

/// Returns which addresses an attempt requested, and who answered.
pub(super) fn provenance_facts(provenance: &Provenance) -> Facts {
    let facts = source_facts::provenance_facts(provenance).into_iter();
    let shown = |(name, words): (_, String)| (name, html! { (text(&words)) });
    facts.map(shown).collect()
}

/// Returns the settings of a source.
pub(super) fn settings_facts(source: &Source) -> Facts {
    let facts = source_facts::settings_facts(&source.settings).into_iter();
    let shown = |(name, words): (&'static str, String)| {
        let words = text(&words);
        let shown = match name {
            "address" => {
                html! { a rel="noreferrer noopener nofollow" href=(words) { (words) } }
            }
            "header" | "user" => html! { code { (words) } },
            _ if words == "-" => dash(),
            _ => html! { (words) },
        };
        (name, shown)
    };
    let mut facts: Facts = facts.map(shown).collect();
    let enabled = html! { @if source.settings.enabled { "yes" } @else { "no" } };
    facts.insert(ENABLED_AT, ("enabled", enabled));
    facts
}

fn list(words: &[String]) -> Markup {
    if words.is_empty() {
        dash()
    } else {
        html! { (text(&words.join(", "))) }
    }
}
