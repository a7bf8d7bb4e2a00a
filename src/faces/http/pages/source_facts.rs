//! The facts of a source: its state and the reasons, what is published, and its settings.

use maud::{Markup, html};

use super::elements::{dash, text};
use super::visit::{Visit, segment};
use crate::app::{App, History};
use crate::domain::{Provenance, Request, Source, SourceSettings, format_size};
use crate::faces::http::problem::Problem;
use crate::faces::json::published_file;
use crate::faces::publication::published_words;
use crate::faces::state_word::{next_due, not_whole, why};

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
    let mut facts = vec![("asked", html! { (text(provenance.asked())) })];
    facts.extend(provenance.led_to().map(|(status, to)| {
        let to = format!("{status} to {to}");
        ("redirected", html! { (text(&to)) })
    }));
    facts.push((
        "answered by",
        html! { (text(&answered_by(&provenance.last))) },
    ));
    facts
}

/// Returns the peer of a request in words: `192.0.2.7:443 over TLS 1.3, certificate 770e607624d6`.
fn answered_by(request: &Request) -> String {
    let Some(peer) = &request.peer else {
        return "nobody".to_owned();
    };
    let at = match &peer.proxy {
        Some(proxy) => format!("the proxy {proxy} at {}", peer.address),
        None => peer.address.clone(),
    };
    let tls = peer.tls.as_ref().map(|tls| format!(" over TLS {tls}"));
    let certificate = peer.certificate.as_ref();
    let certificate = certificate.map(|one| format!(", certificate {}", &one.to_hex()[..12]));
    at + &tls.unwrap_or_default() + &certificate.unwrap_or_default()
}

/// Returns the settings of a source.
pub(super) fn settings_facts(source: &Source) -> Facts {
    // Each by its name: the compiler asks for a new one here.
    let SourceSettings {
        name: _,
        address,
        interval,
        enabled,
        tags,
        allow_private,
        allow_http,
        allow_empty,
        publish,
        max_size_bytes,
        user,
        headers,
    } = &source.settings;
    let address = text(address.as_str());
    let mut facts = vec![
        (
            "address",
            html! { a rel="noreferrer noopener nofollow" href=(address) { (address) } },
        ),
        ("interval", html! { (interval) }),
        ("enabled", html! { @if *enabled { "yes" } @else { "no" } }),
        ("tags", list(tags)),
        ("publish", html! { (publish) }),
    ];
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    facts.extend(headers.map(|header| ("header", html! { code { (text(&header)) } })));
    let allowed = [
        (allow_private, "private addresses"),
        (allow_http, "plain http"),
        (allow_empty, "empty files"),
    ];
    let allowed = allowed.into_iter().filter(|(allowed, _)| **allowed);
    let allowed: Vec<_> = allowed.map(|(_, what)| what).collect();
    if !allowed.is_empty() {
        facts.push(("allowed", html! { (allowed.join(", ")) }));
    }
    facts.extend(max_size_bytes.map(|bytes| ("max size", html! { (format_size(bytes)) })));
    facts.extend(
        user.iter()
            .map(|user| ("user", html! { code { (text(user)) } })),
    );
    facts
}

fn list(words: &[String]) -> Markup {
    if words.is_empty() {
        dash()
    } else {
        html! { (text(&words.join(", "))) }
    }
}
