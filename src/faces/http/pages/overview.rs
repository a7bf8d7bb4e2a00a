//! `/`: what needs attention, the sources by state, and the last passes.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::elements::{dash, done, glyph, grouped, state, table_box, text};
use super::layout::Section;
use super::notices::trouble_notice;
use super::reason::{owe_words, reason};
use super::visit::Visit;
use crate::app::{BadMessages, EventFilter, QueuesRead, Unpublished, WaitingSet};
use crate::domain::{Action, Event, Slot, Source};
use crate::faces::http::caller::Right;
use crate::faces::http::content::segment;
use crate::faces::http::plot::{Hour, bars};
use crate::faces::http::problem::Problem;
use crate::faces::http::source_page::gravity;
use crate::faces::http::state_counts::state_counts;
use crate::faces::state_word::{StateWord, next_due};
use crate::faces::text::count;

/// The most sources whose reasons are shown.
const MAX_SHOWN: usize = 25;
/// The hours that are drawn.
const HOURS: i64 = 24;
/// The number of passes that are shown.
const PASSES: usize = 8;

/// A source that needs attention, and why.
struct Case {
    source: Source,
    why: Option<Markup>,
}

/// What the overview shows.
struct Overview {
    counts: BTreeMap<&'static str, u64>,
    /// The number of sources.
    total: u64,
    /// The gravest of those that need attention, and how many there are.
    cases: Vec<Case>,
    bad: usize,
    /// The number of sources whose published version a required verifier never judged.
    unjudged: usize,
    failing_sets: Vec<(String, String)>,
    waiting_sets: Vec<WaitingSet>,
    /// Files and folders that could not be published, and belong to no source.
    unpublished: Vec<Unpublished>,
    /// Messages that could not be persisted, those of the last day that are not as their verifiers want them, and why their
    /// queues cannot be used.
    dead_messages: u64,
    bad_messages: BadMessages,
    queue_trouble: Option<String>,
    passes: Vec<Event>,
    /// The fetches of the last day.
    hours: Vec<Hour>,
    /// The number of watched sources, that of due ones, and when the next one is due.
    outlook: (u64, u64, Option<DateTime<Utc>>),
}

impl Overview {
    /// Returns the number of sets that failed or wait for a verdict.
    fn bad_sets(&self) -> usize {
        self.failing_sets.len() + self.only_waiting().count()
    }

    /// Returns the sets that wait for a verdict and do not fail: a withdrawn one may do both.
    fn only_waiting(&self) -> impl Iterator<Item = &WaitingSet> {
        let fails = |name: &str| self.failing_sets.iter().any(|(set, _)| set == name);
        self.waiting_sets
            .iter()
            .filter(move |one| !fails(&one.name))
    }

    /// Returns the number of messages that somebody has to look at.
    fn messages(&self) -> u64 {
        self.dead_messages + self.bad_messages.failed + self.bad_messages.error
    }

    /// Returns what needs attention, with its number.
    fn needs_attention(&self) -> [(usize, &'static str); 5] {
        [
            (self.bad, "source"),
            (self.unjudged, "unjudged version"),
            (self.bad_sets(), "set"),
            (self.unpublished.len(), "file"),
            (
                usize::try_from(self.messages()).unwrap_or(usize::MAX),
                "message",
            ),
        ]
    }

    /// Returns the number of sources that were never fetched.
    fn never(&self) -> u64 {
        let count = self.counts.get(StateWord::Never.as_str());
        count.copied().unwrap_or_default()
    }
}

/// Shows the overview.
pub(super) async fn show(visit: Visit) -> Result<Response, Problem> {
    let overview = read(&visit).await?;
    let Overview {
        total,
        bad,
        outlook,
        ..
    } = &overview;
    let content = html! {
        h1 { "Overview" }
        (done(&visit))
        div #overview data-live="" {
            (trouble_notice(overview.queue_trouble.as_deref()))
            @if *total == 0 { (nothing_yet(&visit)) } @else {
                (headline(&overview.needs_attention(), *total, overview.never()))
                (counts_list(&overview.counts))
                (unjudged(overview.unjudged))
                p.dim {
                    (grouped(outlook.0)) " watched, " (grouped(outlook.1)) " due"
                    @if let Some(next) = outlook.2 { ", next due " (visit.age(Some(next))) }
                }
                @if !overview.cases.is_empty() { (attention(&visit, &overview.cases, *bad)) }
            }
            (others(&overview))
            @if *total > 0 && overview.hours.iter().any(|hour| hour.fetches > 0) { (day(&visit, &overview.hours)) }
            (passes_table(&visit, &overview.passes))
        }
    };
    Ok(visit.page(Section::Overview, "Overview", &content))
}

async fn read(visit: &Visit) -> Result<Overview, Problem> {
    let app = visit.app();
    let sources = app.sources(&[]).await?;
    let counts = state_counts(&sources);
    let total = sources.len() as u64;
    let unjudged = app.unjudged_among(&sources).await?.len();
    let needs_attention = |one: &Source| is_bad(StateWord::of(one));
    let mut bad: Vec<_> = sources.into_iter().filter(needs_attention).collect();
    bad.sort_by_cached_key(|one| (gravity(StateWord::of(one)), one.settings.name.clone()));
    let bad_total = bad.len();
    bad.truncate(MAX_SHOWN);
    let passes = EventFilter {
        action: Some(Action::PassFinished),
        limit: PASSES,
        ..EventFilter::default()
    };
    let mut unpublished = app.unpublished().await?;
    unpublished.retain(|one| one.source_id.is_none());
    let QueuesRead { queues, trouble } = app.queues(Duration::ZERO).await?;
    Ok(Overview {
        counts,
        total,
        cases: cases(visit, bad).await?,
        bad: bad_total,
        unjudged,
        failing_sets: app.failing_sets().await?,
        waiting_sets: app.waiting_sets().await?,
        unpublished,
        dead_messages: queues.iter().map(|queue| queue.dead).sum(),
        bad_messages: app.bad_messages().await?,
        queue_trouble: trouble,
        passes: app.events(passes).await?,
        hours: hours(visit).await?,
        outlook: app.outlook().await?,
    })
}

/// Returns the fetches of the last 24 hours, each hour with its number.
async fn hours(visit: &Visit) -> Result<Vec<Hour>, Problem> {
    let app = visit.app();
    let last = Slot::containing(app.now());
    let slots = (0..HOURS).rev().map(|back| Slot(last.0 - back).start());
    let counted = app
        .attempts_by_hour(Slot(last.0 - HOURS + 1).start())
        .await?;
    let hour = |start: DateTime<Utc>| {
        let counted = counted.iter().find(|hour| hour.start == start);
        Hour {
            start,
            fetches: counted.map_or(0, |hour| hour.attempts),
            failures: counted.map_or(0, |hour| hour.failures),
        }
    };
    Ok(slots.map(hour).collect())
}

fn day(visit: &Visit, hours: &[Hour]) -> Markup {
    html! {
        section aria-labelledby="day" {
            h2 #day { "Fetches in the last 24 hours" }
            (bars("Fetches in the last 24 hours", hours, &visit.app().config().zone))
        }
    }
}

/// Returns whether somebody has to look at a source in this state.
fn is_bad(state: StateWord) -> bool {
    matches!(
        state,
        StateWord::Down
            | StateWord::Fail
            | StateWord::Unpublished
            | StateWord::SetFail
            | StateWord::Damaged
            | StateWord::Error
            | StateWord::Pending
    )
}

async fn cases(visit: &Visit, sources: Vec<Source>) -> Result<Vec<Case>, Problem> {
    let mut cases = Vec::new();
    for source in sources {
        let history = visit.app().sound_history_of(source.id, Some(1)).await?;
        if let Some((history, damage)) = history {
            let damage = damage.map(|damage| html! { (text(&damage.message)) });
            let why = reason(&history).or(damage);
            cases.push(Case { source, why });
        }
    }
    Ok(cases)
}

fn nothing_yet(visit: &Visit) -> Markup {
    html! {
        p { "No sources yet. " @if visit.may(Right::Operate) { a href="/sources#add" { "Add one" } ", or run " } @else { "Run " } code { "gannet add https://…" } "." }
    }
}

fn headline(bad: &[(usize, &str)], total: u64, never: u64) -> Markup {
    let counts = bad.iter().filter(|(number, _)| *number > 0);
    let bad: Vec<_> = counts
        .map(|(number, noun)| count(*number as u64, noun))
        .collect();
    let is_one = matches!(bad.as_slice(), [only] if only.starts_with("1 "));
    let verb = if is_one { "needs" } else { "need" };
    html! {
        @if !bad.is_empty() {
            p.headline.bad { span.glyph aria-hidden="true" { "✗" } " " (bad.join(", ")) " " (verb) " attention" }
        } @else if never > 0 {
            p.headline { (grouped(never)) " of " (grouped(total)) " not fetched yet, the others are good" }
        } @else {
            p.headline.good { span.glyph aria-hidden="true" { "✓" } " all " (grouped(total)) " good" }
        }
    }
}

/// Shows the number of sources by state; zeros are left out.
fn counts_list(counts: &BTreeMap<&str, u64>) -> Markup {
    html! {
        ul.counts aria-label="Sources by state" {
            @for (state, word, shown) in StateWord::ALL {
                @if let Some(count) = counts.get(word).filter(|count| **count > 0) {
                    @let (glyph, class) = glyph(state);
                    li {
                        a.(class) href={ "/sources?filter=state:" (word) } title=(state.meaning()) {
                            span.glyph aria-hidden="true" { (glyph) } " " b { (grouped(*count)) } " " (shown)
                        }
                    }
                }
            }
        }
    }
}

/// Shows how many published versions were never judged by all that is required by now, with the way to them.
fn unjudged(count: usize) -> Markup {
    html! {
        @if count > 0 {
            p.state.warn {
                a href="/sources?filter=is:unjudged" { (self::count(count as u64, "version")) " published, and never judged" }
                " by all verifiers that are required by now: "
                code { "gannet verify --stale" } " judges, or Verify again on the page of each"
            }
        }
    }
}

fn attention(visit: &Visit, cases: &[Case], total: usize) -> Markup {
    let table = html! {
        table.cards {
            thead { tr { th scope="col" { "State" } th scope="col" { "Source" } th scope="col" { "Why" } th scope="col" { "Last" } th scope="col" { "Next" } } }
            tbody {
                @for Case { source, why } in cases {
                    tr {
                        td { (state(source)) }
                        th scope="row" { a href={ "/sources/" (source.id) } { (text(&source.settings.name)) } }
                        td.why { @match why { Some(why) => (why), None => (dash()) } }
                        td data-label="last " { (visit.age(source.state.last_attempt_at)) }
                        td data-label="next " { (visit.due(next_due(source))) }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="attention" {
            h2 #attention { "Needs attention" }
            (table_box("Sources that need attention", &table))
            @if total > cases.len() {
                p { a href="/sources?sort=state" { "All " (grouped(total as u64)) ", the gravest first" } }
            }
        }
    }
}

/// Shows the number of messages that need attention, with the way to them.
fn messages(overview: &Overview) -> Markup {
    let BadMessages { failed, error } = overview.bad_messages;
    let of_day = |number: u64| {
        let words = count(number, "message");
        if number < BadMessages::MOST {
            words
        } else {
            format!("{words} or more")
        }
    };
    html! {
        @if overview.dead_messages > 0 {
            li { span.state.bad { span.glyph aria-hidden="true" { "✗" } " dead " } a href="/queues#dead" { (count(overview.dead_messages, "message")) } " could not be persisted" }
        }
        @if failed > 0 {
            li { span.state.bad { span.glyph aria-hidden="true" { "✗" } " failed " } a href="/messages?state=failed" { (of_day(failed)) } " in the last 24 hours" }
        }
        @if error > 0 {
            li { span.state.warn { span.glyph aria-hidden="true" { "?" } " error " } a href="/messages?state=error" { (of_day(error)) } " could not be judged in the last 24 hours" }
        }
    }
}

/// Shows sets, files and messages that need attention and are no sources.
fn others(overview: &Overview) -> Markup {
    let is_empty =
        overview.bad_sets() == 0 && overview.unpublished.is_empty() && overview.messages() == 0;
    let waiting = |set: &str| overview.waiting_sets.iter().find(|one| one.name == set);
    let owed = |one: &WaitingSet| {
        let owing: Vec<_> = one.owing.iter().map(String::as_str).collect();
        format!("{} on edition {}", text(&owe_words(&owing)), one.edition)
    };
    let link =
        |set: &str, part| html! { a href={ "/sets/" (segment(set)) (part) } { (text(set)) } };
    html! {
        @if !is_empty {
            section aria-labelledby="others" {
                h2 #others { "Sets, published files and messages that need attention" }
                ul.cases {
                    @for (set, why) in &overview.failing_sets {
                        li { span.state.bad { span.glyph aria-hidden="true" { "✗" } " set " } (link(set, "")) ": " (text(why)) @if let Some(one) = waiting(set) { "; " (owed(one)) } }
                    }
                    @for one in overview.only_waiting() {
                        li { span.state.warn { span.glyph aria-hidden="true" { "…" } " set " } (link(&one.name, "#verdicts")) ": " (owed(one)) }
                    }
                    @for one in &overview.unpublished {
                        li { span.state.bad { span.glyph aria-hidden="true" { "✗" } " not published " } (text(&one.what)) ": " (text(&one.why)) }
                    }
                    (messages(overview))
                }
            }
        }
    }
}

fn passes_table(visit: &Visit, passes: &[Event]) -> Markup {
    let table = html! {
        table.cards {
            thead { tr { th scope="col" { "Ended" } th scope="col" { "By" } th scope="col" { "Result" } } }
            tbody {
                @for pass in passes.iter().rev() {
                    tr {
                        td { (visit.age(Some(pass.stamp.at))) }
                        td.dim data-label="by " { (text(&pass.stamp.actor.0)) }
                        td.why { (text(pass.event.detail.as_deref().unwrap_or_default())) }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="passes" {
            h2 #passes { "Last passes" }
            @if passes.is_empty() { p.dim { "None yet." } } @else { (table_box("Last passes", &table)) }
        }
    }
}
