//! `/queues`: what waits on each queue, what goes through it, and the dead messages.

use std::time::Duration;

use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};

use super::dead_messages::dead_section;
use super::elements::{dash, done, grouped, size, table_box};
use super::layout::Section;
use super::messages::views;
use super::notices::trouble_notice;
use super::visit::Visit;
use crate::app::{QueueFacts, QueueStep, QueuesRead};
use crate::faces::http::plot::{Point, Series, Unit, line};
use crate::faces::http::problem::Problem;
use crate::faces::queue_words;

/// The minutes that are drawn.
const MINUTES: usize = 60;
/// The most queues with plots, and dead messages that are listed.
const MAX_DRAWN: usize = 12;
const MAX_DEAD: usize = 100;
/// The bytes of bodies behind which no further dead message is listed.
const MAX_DEAD_BYTES: usize = 4 << 20;
/// The letters for which each plot of a queue has room beside it.
const PLOT_LETTERS: usize = 7;

/// Shows the queues.
pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let app = visit.app();
    let minutes = Duration::from_mins(MINUTES as u64);
    let QueuesRead { queues, trouble } = app.queues(minutes).await?;
    let dead = app.dead_messages(MAX_DEAD, MAX_DEAD_BYTES).await?;
    let content = html! {
        h1 { "Queues" }
        (views(true))
        (done(&visit))
        div #queues data-live="messages" {
            (trouble_notice(trouble.as_deref()))
            @if queues.is_empty() {
                p { "No queues. The first message makes one: " a href="/messages#add" { "send it" } ", or POST it to " code { "/api/v1/messages" } ": " code { "gannet help queues" } "." }
            } @else {
                (table_box("Queues", &table(&visit, &queues)))
                @if !dead.is_empty() { (dead_section(&visit, &dead)) }
                @for queue in queues.iter().take(MAX_DRAWN) { (plots(&visit, queue)) (consumers(&visit, queue)) }
            }
        }
    };
    Ok(visit.page(Section::Messages, "Queues", &content))
}

fn table(visit: &Visit, queues: &[QueueFacts]) -> Markup {
    let now = visit.app().now();
    let rate = queue_words::rate;
    html! {
        table.cards {
            thead { tr { th scope="col" { "Queue" } th.number scope="col" { "Waiting" } th.number scope="col" { "Size" } th scope="col" { "Oldest" } th.number scope="col" { "In" } th.number scope="col" { "Out" } th.number scope="col" { "Lag" } th.number scope="col" { "Tries" } th.number scope="col" { "Dead" } } }
            tbody {
                @for queue in queues {
                    @let lately = queue.lately(now);
                    tr {
                        th scope="row" { a href={ "/messages?queue=" (queue.name) } { (queue.name) } }
                        td.number data-label="waiting " { (grouped(queue.waiting)) }
                        td.number data-label="size " { (size(Some(queue.waiting_bytes))) }
                        td data-label="oldest " {
                            (visit.age(queue.oldest_at))
                            @if queue.is_left(now) { " " span.state.warn { "no consumer takes from it" } }
                        }
                        td.number data-label="in " { (rate(lately.in_per_second)) }
                        td.number data-label="out " { (rate(lately.out_per_second)) }
                        td.number data-label="lag " { (queue_words::lag(lately.lag_ms)) }
                        td.number data-label="tries " { @if queue.tries > 0 { span.state.warn { (queue.tries) } } @else { (dash()) } }
                        td.number data-label="dead " { @if queue.dead > 0 { a.state.bad href="#dead" { (grouped(queue.dead)) } } @else { (dash()) } }
                    }
                }
            }
        }
    }
}

/// Lists those who took messages from a queue lately.
fn consumers(visit: &Visit, queue: &QueueFacts) -> Markup {
    html! {
        @if !queue.consumers.is_empty() {
            table.cards {
                caption { "Consumers of " (queue.name) }
                thead { tr { th scope="col" { "Consumer" } th.number scope="col" { "Holds" } th scope="col" { "Took last" } } }
                tbody {
                    @for consumer in &queue.consumers {
                        tr {
                            th scope="row" { (consumer.name) }
                            td.number data-label="holds " { (grouped(consumer.holds)) }
                            td data-label="took last " { (visit.age(Some(visit.app().now() - consumer.idle))) }
                        }
                    }
                }
            }
        }
    }
}

/// Draws a queue over the last hour, minute by minute.
fn plots(visit: &Visit, queue: &QueueFacts) -> Markup {
    let zone = &visit.app().config().zone;
    let minute = TimeDelta::minutes(1);
    let minutes = queue.steps(visit.app().now(), minute, MINUTES);
    let series = |title, unit| Series {
        title,
        noun: "minute",
        unit,
        longest_gap: None,
        least_letters: PLOT_LETTERS,
    };
    let drawn = |title: &'static str, unit, value: fn(&QueueStep) -> u64| {
        let point = |minute: &QueueStep| Point {
            at: minute.end,
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
