//! Dead messages, those that could not be persisted: listed, put on their queue again, and deleted, which is asked first.

use axum::response::Response;
use maud::{Markup, html};

use super::elements::{dash, table_box, text};
use super::fields::Fields;
use super::layout::Section;
use super::visit::{Visit, see_other};
use crate::domain::{DeadMessage, shortened};
use crate::faces::http::api::message_id;
use crate::faces::http::caller::Right;
use crate::faces::http::extract::Part;
use crate::faces::http::problem::Problem;

/// The characters of a body that the list shows.
const MAX_CHARS: usize = 160;

/// Lists dead messages.
pub(super) fn dead_section(visit: &Visit, dead: &[DeadMessage]) -> Markup {
    let table = html! {
        table.cards {
            thead { tr { th scope="col" { "Died" } th scope="col" { "Queue" } th scope="col" { "Why" } th scope="col" { "Message" } th scope="col" { "Do" } } }
            tbody {
                @for one in dead {
                    tr {
                        td { a href={ "/messages/" (one.message.id) } { (visit.second(one.died_at)) } }
                        td data-label="queue " { (one.message.queue) }
                        td.why { (text(&one.reason)) ", after " (one.tries) " tries" }
                        td.why { code { (text(&shortened(&one.message.body, MAX_CHARS))) } }
                        td { @if visit.may(Right::Operate) { (buttons(one)) } @else { (dash()) } }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="dead" {
            h2 #dead { "Dead messages" }
            p.dim { "They could not be persisted, and hold their queues up no longer." }
            (table_box("Dead messages", &table))
        }
    }
}

/// Shows what may be done with a dead message.
pub(super) fn buttons(dead: &DeadMessage) -> Markup {
    let id = dead.message.id;
    html! {
        div.buttons {
            form method="post" action={ "/queues/dead/" (id) "/retry" } { button type="submit" aria-label={ "Try again: message " (id) } { "Try again" } }
            a.button href=(drop_place(dead)) aria-label={ "Delete: message " (id) } { "Delete" }
        }
    }
}

fn drop_place(dead: &DeadMessage) -> String {
    format!("/queues/dead/{}/drop", dead.message.id)
}

/// Puts a dead message on its queue again.
pub(super) async fn retry(visit: Visit, Part(id): Part<String>) -> Result<Response, Problem> {
    visit.acting().retry_dead(message_id(&id)?).await?;
    Ok(see_other("/queues?done=retried"))
}

/// Asks before a dead message is deleted.
pub(super) async fn ask(visit: Visit, Part(id): Part<String>) -> Result<Response, Problem> {
    let dead = visit.app().dead_message(message_id(&id)?).await?;
    let title = "Delete a dead message?";
    let content = html! {
        h1 { (title) }
        p { "It came to " (dead.message.queue) " on " (visit.second(dead.message.received_at)) " from " (text(&dead.message.sender)) ", and is nowhere else. This cannot be undone." }
        pre.output tabindex="0" { (text(&shortened(&dead.message.body, MAX_CHARS))) }
        form method="post" action=(drop_place(&dead)) {
            input type="hidden" name="confirmed" value="yes";
            p.buttons {
                button.danger type="submit" { "Delete" }
                a.button href={ "/messages/" (dead.message.id) } { "Keep" }
            }
        }
    };
    Ok(visit.page(Section::Messages, title, &content))
}

/// Deletes a dead message.
pub(super) async fn delete(
    visit: Visit,
    Part(id): Part<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let id = message_id(&id)?;
    if !fields.is_on("confirmed") {
        return Ok(see_other(&format!("/queues/dead/{id}/drop")));
    }
    visit.acting().delete_dead(id).await?;
    Ok(see_other("/queues?done=deleted"))
}
