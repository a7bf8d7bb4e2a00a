//! `/messages`: the messages that are persisted, the latest first and live, and the form that sends one.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::elements::{alert, done, grouped, table_box, text, version_state};
use super::fields::{Fields, FormError};
use super::layout::Section;
use super::notices::trouble_notice;
use super::visit::{Visit, see_other};
use crate::app::{MessagesQuery, NewMessages, Queueing, QueuesRead};
use crate::domain::{
    JsonLines, Message, MessageId, MessagePlace, QueueName, VersionState, shortened,
};
use crate::faces::http::api::{place_after, put_on_queue};
use crate::faces::http::caller::Right;
use crate::faces::http::problem::Problem;

/// The messages of a page.
const MESSAGES: usize = 50;
/// The messages that are read at once, and the bytes of their bodies after which a reading ends.
const READ: usize = 500;
const READ_BYTES: usize = 4 << 20;
/// The most readings for a page: a word that no message has is not looked for in all of them at once.
const READINGS: usize = 20;
/// The characters of a body that the list shows.
const MAX_CHARS: usize = 160;
/// The least time between two looks of the script at these pages, in milliseconds: each is made in a few.
pub(super) const GAP_MS: u32 = 250;

/// A page of the list.
struct Listed {
    messages: Vec<Message>,
    /// Where the next page begins: behind a message or a place.
    next: Option<String>,
}

/// Lists messages.
pub(super) async fn list(visit: Visit) -> Result<Response, Problem> {
    listed(&visit, None).await
}

/// Puts a message on a queue; shows the form again when it is refused.
pub(super) async fn send(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    match sent(&visit, &fields).await {
        Ok(id) => Ok(see_other(&format!("/messages/{id}?done=sent"))),
        Err(error) => listed(&visit, Some((&fields, &error))).await,
    }
}

async fn sent(visit: &Visit, fields: &Fields) -> Result<MessageId, FormError> {
    let queue = fields.typed("queue").map(str::parse::<QueueName>);
    let queue = queue
        .transpose()
        .map_err(|why| FormError::of("queue", why))?;
    let bodies = JsonLines::one(fields.text("body")).map_err(|why| FormError::of("body", why))?;
    let new = NewMessages {
        queue: queue.unwrap_or_default(),
        bodies,
        key: None,
    };
    let (queued, ()) = put_on_queue(&visit.shared, &visit.caller, new, ()).await;
    let queued = queued.map_err(|error| FormError::from(Problem::from(error)))?;
    match queued {
        Queueing::Queued(queued) => Ok(queued.first),
        Queueing::Refused(why) => Err(FormError::of("body", why)),
        // A form has no key.
        Queueing::KeyTaken => Err(FormError::of("body", "it was sent before")),
    }
}

async fn listed(
    visit: &Visit,
    refused: Option<(&Fields, &FormError)>,
) -> Result<Response, Problem> {
    let given = |name: &str| visit.param(name).filter(|text| !text.trim().is_empty());
    let queue = given("queue").map(|queue| queue.trim().parse::<QueueName>());
    let queue = queue.transpose().map_err(Problem::invalid)?;
    let after = match given("after") {
        Some(after) => Some(place_after(visit.app(), after.trim()).await?),
        None => None,
    };
    let state = given("state").map(|word| word.parse::<VersionState>());
    let state = state.transpose().map_err(Problem::invalid)?;
    let words = given("filter").unwrap_or_default();
    let page = page(visit, (queue, state), after, &words).await?;
    let QueuesRead { queues, trouble } = visit.app().queues(Duration::ZERO).await?;
    let waiting: u64 = queues.iter().map(|queue| queue.waiting).sum();
    let names: Vec<_> = queues.iter().map(|queue| queue.name.as_str()).collect();
    let content = html! {
        h1 { "Messages" }
        (views(false))
        (done(visit))
        (filter_form(visit, &names, &words))
        div #messages data-live=[after.is_none().then_some("messages")] data-gap=(GAP_MS) {
            (trouble_notice(trouble.as_deref()))
            @if waiting > 0 { p.dim data-busy="" { a href="/queues" { (grouped(waiting)) " on their way to the store" } } }
            @if page.messages.is_empty() { p.dim { "No messages." } } @else { (table_box("Messages", &table(visit, &page.messages))) }
            nav.pages aria-label="Pages" {
                @if after.is_some() { a href=(visit.link(&[("after", None)])) { "Newest" } }
                @if page.next.is_some() { a rel="next" href=(visit.link(&[("after", page.next.as_deref())])) { "Older" } }
            }
        }
        (sending(visit, &names, refused))
    };
    let status = refused.map_or(StatusCode::OK, |(_, error)| error.status);
    Ok(visit.page_with(status, Section::Messages, "Messages", &content))
}

/// Shows the form that sends a message, or who may do so.
fn sending(visit: &Visit, queues: &[&str], refused: Option<(&Fields, &FormError)>) -> Markup {
    html! {
        @if visit.may(Right::Push) {
            (send_form(queues, refused))
        } @else if visit.caller.name.is_none() {
            p.dim { a href=(visit.sign_in_place()) { "Sign in" } " as an operator to send a message from here." }
        }
    }
}

/// Shows the way between the pages of messages and queues.
pub(super) fn views(are_queues: bool) -> Markup {
    html! {
        nav.views aria-label="Messages and queues" {
            a href="/messages" aria-current=[(!are_queues).then_some("true")] { "Messages" }
            a href="/queues" aria-current=[are_queues.then_some("true")] { "Queues" }
        }
    }
}

/// Returns a page of the messages that have these words, the latest first.
async fn page(
    visit: &Visit,
    (queue, state): (Option<QueueName>, Option<VersionState>),
    after: Option<MessagePlace>,
    words: &str,
) -> Result<Listed, Problem> {
    let words: Vec<_> = words.split_whitespace().map(str::to_lowercase).collect();
    let mut query = MessagesQuery {
        queue,
        state,
        after,
        newest_first: true,
        limit: if words.is_empty() { MESSAGES } else { READ },
        enough_bytes: READ_BYTES,
    };
    let mut messages = Vec::new();
    for _ in 0..READINGS {
        let read = visit.app().messages(query.clone()).await?;
        query.after = read.next();
        for message in read.messages {
            if message.has_words(&words) {
                messages.push(message);
            }
            if let Some(last) = messages.get(MESSAGES - 1) {
                let next = Some(last.id.to_string());
                return Ok(Listed { messages, next });
            }
        }
        if query.after.is_none() {
            break;
        }
    }
    Ok(Listed {
        messages,
        next: query.after.map(|place| place.to_string()),
    })
}

fn filter_form(visit: &Visit, queues: &[&str], words: &str) -> Markup {
    let chosen = visit.param("queue").unwrap_or_default().trim().to_owned();
    let in_state = visit.param("state").unwrap_or_default();
    html! {
        form.filter method="get" action="/messages" role="search" aria-label="Filter the messages" {
            label for="messages-queue" { "Queue" }
            select #messages-queue name="queue" {
                option value="" { "all" }
                @for name in queues { option value=(name) selected[*name == chosen] { (name) } }
                // A queue without a message is chosen all the same.
                @if !chosen.is_empty() && !queues.contains(&chosen.as_str()) { option value=(chosen) selected { (text(&chosen)) } }
            }
            label for="messages-state" { "State" }
            select #messages-state name="state" {
                option value="" { "all" }
                @for state in VersionState::ALL { option value=(state) selected[state.as_str() == in_state] { (state) } }
            }
            label for="messages-words" { "Words" }
            input #messages-words name="filter" type="search" value=(text(words)) data-filter="";
            button type="submit" { "Show" }
            @if visit.uri.query().is_some() { a href="/messages" { "All" } }
        }
    }
}

fn table(visit: &Visit, messages: &[Message]) -> Markup {
    html! {
        table.cards {
            thead { tr { th scope="col" { "Received" } th scope="col" { "State" } th scope="col" { "Queue" } th scope="col" { "Message" } th scope="col" { "Sender" } } }
            tbody {
                @for message in messages {
                    tr {
                        td { a href={ "/messages/" (message.id) } { (visit.second(message.received_at)) } }
                        td { (state_of(message)) }
                        td data-label="queue " { (message.queue) }
                        td.why { code { (text(&shortened(&message.body, MAX_CHARS))) } }
                        td data-label="from " { (text(&message.sender)) }
                    }
                }
            }
        }
    }
}

/// Shows what the verifiers say of a message; nothing where none does, or not yet.
fn state_of(message: &Message) -> Markup {
    html! {
        @if let Some(state) = message.state.filter(|state| *state != VersionState::Unverified) { (version_state(state)) }
    }
}

fn send_form(queues: &[&str], refused: Option<(&Fields, &FormError)>) -> Markup {
    let none = Fields::default();
    let typed = refused.map_or(&none, |(typed, _)| typed);
    let wrong = |name| refused.is_some_and(|(_, error)| error.field == Some(name));
    let invalid = |name| wrong(name).then_some("true");
    html! {
        details.form #add open[refused.is_some()] {
            summary { "Send a message" }
            (alert(refused.map(|(_, error)| error)))
            form method="post" action="/messages" {
                div.fields {
                    div {
                        label for="send-queue" { "Queue" }
                        input #send-queue name="queue" type="text" autocomplete="off" placeholder="default" list="queue-names" value=(text(typed.text("queue"))) aria-invalid=[invalid("queue")];
                    }
                    datalist #queue-names { @for name in queues { option value=(name) {} } }
                    div.wide {
                        label for="send-body" { "JSON" }
                        textarea #send-body name="body" rows="4" spellcheck="false" required aria-invalid=[invalid("body")] { (typed.text("body")) }
                    }
                }
                button.main type="submit" { "Send" }
            }
        }
    }
}
