//! `/messages/ID`: a message on its queue, persisted or dead, with its JSON as a tree and the verdicts on it.

use axum::response::Response;
use maud::{Markup, html};
use serde_json::value::RawValue;

use super::dead_messages::buttons;
use super::elements::{badge, done, facts, size, text, version_state};
use super::json_tree::tree;
use super::layout::Section;
use super::messages::GAP_MS;
use super::verdicts::{Shown, verdict_lists};
use super::visit::Visit;
use crate::app::ErrorKind;
use crate::domain::{DeadMessage, Message, MessageId, VersionState};
use crate::faces::http::api::message_id;
use crate::faces::http::caller::Right;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// A message, and how it died if it did.
struct Found {
    message: Message,
    dead: Option<DeadMessage>,
}

/// Shows a message.
pub(super) async fn show(visit: Visit, Part(id): Part<String>) -> Result<Response, Problem> {
    let found = find(&visit, message_id(&id)?).await?;
    let message = &found.message;
    let title = format!("Message {}", message.id);
    let value: Option<&RawValue> = serde_json::from_str(&message.body).ok();
    let verdicts = verdicts(&visit, message).await?;
    let content = html! {
        p.crumbs { a href="/messages" { "Messages" } }
        h1 { (title) }
        (done(&visit))
        div #message data-live="" data-gap=(GAP_MS) {
            @if let Some(dead) = &found.dead { (death(&visit, dead)) } @else { (facts_of(&visit, message)) }
        }
        @match value {
            Some(value) => (tree(value)),
            // Damaged.
            None => pre.output tabindex="0" { (text(&message.body)) },
        }
        div #message-verdicts data-live="" { (verdicts) }
    };
    Ok(visit.page(Section::Messages, &title, &content))
}

async fn find(visit: &Visit, id: MessageId) -> Result<Found, Problem> {
    let unknown = match visit.app().message_with(id).await {
        Ok(message) => {
            return Ok(Found {
                message,
                dead: None,
            });
        }
        Err(error) if error.kind == ErrorKind::NotFound => error,
        Err(error) => return Err(error.into()),
    };
    match visit.app().dead_message(id).await {
        Ok(dead) => Ok(Found {
            message: dead.message.clone(),
            dead: Some(dead),
        }),
        Err(error) if error.kind == ErrorKind::NotFound => Err(unknown.into()),
        Err(error) => Err(error.into()),
    }
}

/// Shows what is known of a message beside its JSON.
fn facts_of(visit: &Visit, message: &Message) -> Markup {
    let persisted = message.persisted_at.map_or_else(
        || html! { "not yet: it is on its queue" },
        |at| visit.milli(at),
    );
    // No event tells of the step from the queue to the store, nor of a verdict that passes the message.
    let is_on_its_way = matches!(
        message.state,
        None | Some(VersionState::Pending | VersionState::Error)
    );
    let known = [
        (
            "state",
            html! { span data-busy=[is_on_its_way.then_some("")] { @match message.state { Some(state) => (version_state(state)), None => "not judged yet" } } },
        ),
        ("queue", queue(message)),
        ("received", visit.milli(message.received_at)),
        ("persisted", persisted),
        ("sender", html! { (text(&message.sender)) }),
        ("size", size_of(message)),
    ];
    html! {
        (facts(&known))
        p { a href={ "/api/v1/messages/" (message.id) } { "As the API shows it" } }
    }
}

/// Shows what is known of a message that could not be persisted, and what may be done with it.
fn death(visit: &Visit, dead: &DeadMessage) -> Markup {
    let message = &dead.message;
    let known = [
        (
            "state",
            badge("✗", "bad", "dead", "It could not be persisted."),
        ),
        ("queue", queue(message)),
        ("received", visit.milli(message.received_at)),
        ("died", visit.milli(dead.died_at)),
        ("sender", html! { (text(&message.sender)) }),
        ("size", size_of(message)),
    ];
    html! {
        (facts(&known))
        p { "It could not be persisted in " (dead.tries) " tries: " (text(&dead.reason)) }
        @if visit.may(Right::Operate) { (buttons(dead)) }
    }
}

fn queue(message: &Message) -> Markup {
    html! { a href={ "/messages?queue=" (message.queue) } { (message.queue) } }
}

fn size_of(message: &Message) -> Markup {
    size(u64::try_from(message.body.len()).ok())
}

/// Shows the verdicts on a message; nothing where nobody judges its queue.
async fn verdicts(visit: &Visit, message: &Message) -> Result<Markup, Problem> {
    let app = visit.app();
    let said = app.message_verdicts(message.id).await?;
    let policy = app.policy_to_show().await?;
    let judging = policy.judging_queue(&message.queue);
    let verifiers: Vec<_> = judging.map(|one| one.name.clone()).collect();
    let shown = said.iter().map(|one| Shown {
        verdict: &one.verdict,
        actor: &one.actor,
        given_on: None,
    });
    let shown: Vec<_> = shown.collect();
    Ok(html! {
        @if !(shown.is_empty() && verifiers.is_empty()) {
            h2 { "Verdicts" }
            (verdict_lists(visit, &shown, &verifiers))
        }
    })
}
