//! The facts of a source: its state and the reasons, what is published, and its settings.

use maud::{Markup, html};

use super::elements::{dash, text};
use super::visit::{Visit, segment};
use crate::app::{App, History};
use crate::domain::{Provenance, Source};
use crate::faces::http::problem::Problem;
use crate::faces::json::published_file;
use crate::faces::publication::published_words;
use crate::faces::source_facts;
use crate::faces::state_word::{next_due, not_whole, why};

/// The place of `enabled` among the settings, behind address and interval.
const ENABLED_AT: usize = 2;

/// Facts under their names.
pub(super) type Facts = Vec<(&'static str, Markup)>;

/// Returns the facts of a source's state.
pub(super) async fn state_facts(visit: &Visit, source: &Source) -> Result<Facts, Problem> {
    let app = visit.app();
    let mut facts = Facts::new();
    let history = app.sound_history_of(source.id, Some(1)).await?;
    if let Some((history, damage)) = &history {
        facts.extend(why(history).map(|why| ("why", html! { (text(&why)) })));
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
    facts.extend(
        history
            .iter()
            .flat_map(|(history, _)| last_attempt_facts(history)),
    );
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
    let parts = source.published_path.split('/').map(segment);
    let place = parts.collect::<Vec<_>>().join("/");
    html! {
        (text(&words))
        @if is_own { " " a href={ "/files/" (place) } { "the file" } }
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
