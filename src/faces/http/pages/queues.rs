//! `/queues`: what waits on each queue, what goes through it, and the messages that could not be persisted.

use std::time::Duration;

use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::elements::{dash, done, grouped, size, table_box, text};
use super::layout::Section;
use super::messages::views;
use super::visit::{Visit, see_other};
use crate::app::QueueFacts;
use crate::domain::{DeadMessage, shortened};
use crate::faces::http::api::message_id;
use crate::faces::http::caller::Right;
use crate::faces::http::extract::Part;
use crate::faces::http::plot::{Point, Series, Unit, line};
use crate::faces::http::problem::Problem;
use crate::faces::json::QueueJson;

/// The minutes that are drawn.
const MINUTES: i64 = 60;
/// The most queues with plots, and dead messages that are listed.
const MAX_DRAWN: usize = 12;
const MAX_DEAD: usize = 100;
/// The characters of a body that the list shows.
const MAX_CHARS: usize = 160;

/// Shows the queues.
pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let app = visit.app();
    let queues = app
        .queues(Duration::from_mins(MINUTES.unsigned_abs()))
        .await?;
    let dead = app.dead_messages(MAX_DEAD).await?;
    let content = html! {
        h1 { "Queues" }
        (views(true))
        (done(&visit))
        div #queues data-live="messages" {
            @if queues.is_empty() {
                p { "No queues. The first message makes one: " a href="/messages#add" { "send it" } ", or POST it to " code { "/api/v1/messages" } ": " code { "gannet help queues" } "." }
            } @else {
                (table_box("Queues", &table(&visit, &queues)))
                @for queue in queues.iter().take(MAX_DRAWN) { (plots(&visit, queue)) }
            }
            @if !dead.is_empty() { (dead_section(&visit, &dead)) }
        }
    };
    Ok(visit.page(Section::Messages, "Queues", &content))
}

fn table(visit: &Visit, queues: &[QueueFacts]) -> Markup {
    let now = visit.app().now();
    let rate = |rate: f64| format!("{rate:.1} /s");
    html! {
        table.cards {
            thead { tr { th scope="col" { "Queue" } th.number scope="col" { "Waiting" } th.number scope="col" { "Size" } th scope="col" { "Oldest" } th.number scope="col" { "In" } th.number scope="col" { "Out" } th.number scope="col" { "Lag" } th.number scope="col" { "Tries" } th.number scope="col" { "Dead" } } }
            tbody {
                @for queue in queues {
                    @let lately = QueueJson::new(queue, now);
                    tr {
                        th scope="row" { a href={ "/messages?queue=" (queue.name) } { (queue.name) } }
                        td.number data-label="waiting " { (grouped(queue.waiting)) }
                        td.number data-label="size " { (size(Some(queue.waiting_bytes))) }
                        td data-label="oldest " { (visit.age(queue.oldest_at)) }
                        td.number data-label="in " { (rate(lately.in_per_second)) }
                        td.number data-label="out " { (rate(lately.out_per_second)) }
                        td.number data-label="lag " { (Unit::Milliseconds.words(lately.lag_ms)) }
                        td.number data-label="tries " { @if queue.tries > 0 { span.state.warn { (queue.tries) } } @else { (dash()) } }
                        td.number data-label="dead " { @if queue.dead > 0 { span.state.bad { (grouped(queue.dead)) } } @else { (dash()) } }
                    }
                }
            }
        }
    }
}

/// Draws a queue over the last hour, minute by minute.
fn plots(visit: &Visit, queue: &QueueFacts) -> Markup {
    let zone = &visit.app().config().zone;
    let minutes = minutes(queue, visit.app().now());
    let series = |title, unit| Series {
        title,
        noun: "minute",
        unit,
        longest_gap: None,
    };
    let drawn = |title: &'static str, unit, value: fn(&Minute) -> u64| {
        let point = |minute: &Minute| Point {
            at: minute.at,
            value: Some(value(minute)),
            is_failed: false,
        };
        let points: Vec<_> = minutes.iter().map(point).collect();
        html! { figure { figcaption { (title) } (line(series(title, unit), &points, zone)) } }
    };
    html! {
        section aria-label={ "Queue " (queue.name) } {
            h2 { (queue.name) }
            div.plots {
                (drawn("Waiting", Unit::Count, |minute| minute.waiting))
                (drawn("In, a minute", Unit::Count, |minute| minute.queued))
                (drawn("Lag", Unit::Milliseconds, |minute| minute.lag_ms))
            }
        }
    }
}

/// What went through a queue in a minute, and what waited at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Minute {
    at: DateTime<Utc>,
    queued: u64,
    persisted: u64,
    lag_ms: u64,
    waiting: u64,
}

/// Returns the last minutes, the oldest first. What waited is counted back from what waits now.
fn minutes(queue: &QueueFacts, now: DateTime<Utc>) -> Vec<Minute> {
    let mut waiting = queue.waiting;
    let minute = |back: i64| {
        let end = now - TimeDelta::minutes(back);
        let begin = end - TimeDelta::minutes(1);
        let rates = queue.rates.iter();
        let within = rates.filter(|rate| rate.at > begin && rate.at <= end);
        let mut minute = Minute {
            at: end,
            queued: 0,
            persisted: 0,
            lag_ms: 0,
            waiting,
        };
        for rate in within {
            minute.queued += rate.queued;
            minute.persisted += rate.persisted;
            minute.lag_ms = minute.lag_ms.max(rate.lag_ms);
        }
        waiting = (waiting + minute.persisted).saturating_sub(minute.queued);
        minute
    };
    let mut minutes: Vec<_> = (0..MINUTES).map(minute).collect();
    minutes.reverse();
    minutes
}

fn dead_section(visit: &Visit, dead: &[DeadMessage]) -> Markup {
    let table = html! {
        table.cards {
            thead { tr { th scope="col" { "Given up" } th scope="col" { "Queue" } th scope="col" { "Why" } th scope="col" { "Message" } th scope="col" { "Do" } } }
            tbody {
                @for one in dead {
                    tr {
                        td { (visit.second(one.died_at)) }
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
            h2 #dead { "Not persisted" }
            (table_box("Messages that could not be persisted", &table))
        }
    }
}

fn buttons(dead: &DeadMessage) -> Markup {
    let id = dead.message.id;
    html! {
        div.buttons {
            @for (deed, word) in [("retry", "Try again"), ("drop", "Delete")] {
                form method="post" action={ "/queues/dead/" (id) "/" (deed) } { button type="submit" aria-label={ (word) ": message " (id) } { (word) } }
            }
        }
    }
}

/// Puts a message that could not be persisted on its queue again.
pub(super) async fn retry(visit: Visit, Part(id): Part<String>) -> Result<Response, Problem> {
    visit.acting().retry_dead(message_id(&id)?).await?;
    Ok(see_other("/queues?done=retried"))
}

/// Deletes a message that could not be persisted.
pub(super) async fn delete(visit: Visit, Part(id): Part<String>) -> Result<Response, Problem> {
    visit.acting().delete_dead(message_id(&id)?).await?;
    Ok(see_other("/queues?done=deleted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::QueueRate;

    #[test]
    fn what_waited_is_counted_back_from_what_waits_now() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let rate = |ago, queued, persisted| QueueRate {
            at: now - TimeDelta::seconds(ago),
            queued,
            persisted,
            lag_ms: 7,
        };
        let queue = QueueFacts {
            name: "a".parse().expect("a name"),
            waiting: 3,
            waiting_bytes: 9,
            oldest_at: None,
            dead: 0,
            tries: 0,
            rates: vec![rate(130, 5, 0), rate(70, 2, 4), rate(10, 1, 1)],
        };
        let minutes = minutes(&queue, now);
        let last = minutes.iter().rev().take(4);
        let last: Vec<_> = last
            .map(|minute| (minute.waiting, minute.queued, minute.lag_ms))
            .collect();
        assert_eq!(last, [(3, 1, 7), (3, 2, 7), (5, 5, 7), (0, 0, 0)]);
    }
}
