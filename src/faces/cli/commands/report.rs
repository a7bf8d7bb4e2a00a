//! `report`: the contents of `list` and `history` as one self-contained page of HTML.

use std::collections::HashMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::damaged::Damaged;
use crate::app::{App, History, Newest, SetOverview};
use crate::domain::{
    Attempt, Source, SourceId, Verdict, Version, VersionState, format_size, last_of_each,
    with_origin,
};
use crate::faces::cli::Console;
use crate::faces::cli::args::ReportArgs;
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::publication::published_place;
use crate::faces::set_words;
use crate::faces::state_word::{StateWord, next_due, state_word, verified_word, why};
use crate::faces::text::{clean, count, or_dash};

const STYLE: &str = include_str!("../../../../assets/report.css");

pub(super) async fn run(app: &App, args: &ReportArgs, console: &mut Console<'_>) -> CommandResult {
    let sources = app.sources(&args.sources).await?;
    let newest = app.newest(&sources).await?;
    // A page is read later than it is made: it shows times, not ages.
    let look = Look {
        ages: false,
        ..Look::of(app, console)
    };
    let (mut histories, mut damaged) = (Vec::new(), Damaged::default());
    for source in &sources {
        histories.extend(damaged.history(app, source, Some(args.history)).await?);
    }
    // The present state of the sources.
    let sources: Vec<_> = histories.iter().map(|one| one.source.clone()).collect();
    let sets = if args.sources.is_empty() {
        app.sets().await?
    } else {
        Vec::new()
    };
    let page = page(&sources, &newest, &sets, &histories, &look);
    console.out.write_all(page.into_string().as_bytes())?;
    Ok(damaged.report(console))
}

fn page(
    sources: &[Source],
    newest: &HashMap<SourceId, Newest>,
    sets: &[SetOverview],
    histories: &[History],
    look: &Look,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "gannet: " (count(sources.len(), "source")) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (count(sources.len(), "source")) ", " (look.zoned_time(Some(look.now))) }
                (overview(sources, newest, histories, look))
                @if !sets.is_empty() { (set_table(sets, look)) }
                @for history in histories { (section(history, look)) }
            }
        }
    }
}

fn overview(
    sources: &[Source],
    newest: &HashMap<SourceId, Newest>,
    histories: &[History],
    look: &Look,
) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { "State" } th { "Source" } th.n { "Every" } th { (look.heading("Last")) }
                th { (look.heading("Next")) } th { "Verified" } th { "Published" } th { "Why" }
            } }
            tbody { @for (source, history) in sources.iter().zip(histories) {
                @let error = newest.get(&source.id).and_then(|one| one.error.clone());
                tr {
                    td class={ "w " (tone(source)) } { (state_word(source)) }
                    td.name { a href={ "#s" (source.id) } { (text(&source.settings.name)) } }
                    td.n { (source.settings.interval) }
                    td.t { (look.time_or_dash(source.state.last_attempt_at)) }
                    td.t { (look.time_or_dash(next_due(source))) }
                    td class={ "w " (source.state.version_state.map_or("", tone_of)) } { (or_dash(verified_word(source))) }
                    td { (text(&published_place(source, &source.published_path, |time| look.zoned_time(Some(time))))) }
                    td { (text(&why(history).or(error).unwrap_or_default())) }
                }
            } }
        } }
    }
}

fn set_table(sets: &[SetOverview], look: &Look) -> Markup {
    html! {
        h2 { "Sets" }
        div.scroll { table {
            thead { tr { th { "Set" } th { "State" } th.n { "Members" } th { (look.heading("Published")) } th { "Path" } th { "Why" } } }
            tbody { @for set in sets { tr {
                td { (text(&set.set.name)) }
                td class={ "w " (sets_tone(set)) } { (set_words::state(set)) }
                td.n { (set.members.len()) }
                td.t { (look.time_or_dash(set.set.published_at)) }
                td { (text(&or_dash(set_words::path(set)))) }
                td { (text(&set_words::why(set).unwrap_or_default())) }
            } } }
        } }
    }
}

fn section(history: &History, look: &Look) -> Markup {
    let source = &history.source;
    html! {
        h2 id={ "s" (source.id) } { (text(&source.settings.name)) }
        p { (text(source.settings.address.as_str())) }
        @if history.versions.is_empty() { p { "No version yet." } } @else {
            div.scroll { table {
                thead { tr { th { "Version" } th { (look.heading("Fetched")) } th.n { "Size" } th { "Digest" } th { "Verified" } th { "Verdicts" } } }
                tbody { @for (version, verdicts) in &history.versions { (version_row(version, verdicts, look)) } }
            } }
        }
        @if !history.attempts.is_empty() {
            div.scroll { table {
                thead { tr { th { (look.heading("Started")) } th { "Outcome" } th.n { "Status" } th.n { "Took" } th { "Error" } } }
                tbody { @for attempt in &history.attempts { (attempt_row(attempt, look)) } }
            } }
        }
    }
}

fn version_row(version: &Version, verdicts: &[Verdict], look: &Look) -> Markup {
    html! { tr {
        td { "v" (version.id) }
        td.t { (look.time(version.fetched_at)) }
        td.n { (format_size(version.size_bytes)) }
        td title=(version.digest) { (short(&version.digest.to_string())) }
        td class={ "w " (tone_of(version.state)) } { (version.state) }
        td { @for verdict in last_of_each(verdicts, |one| &one.verdict) {
            @let said = &verdict.verdict;
            @let reason = with_origin(said.judgement.reason(), verdict.given_on.map(|id| format!("v{id}")));
            div { (text(&said.verifier)) ": " (said.outcome_words()) " " (text(&reason)) }
        } }
    } }
}

fn attempt_row(attempt: &Attempt, look: &Look) -> Markup {
    html! { tr {
        td.t { (look.time(attempt.started_at)) }
        td class=[attempt.error.as_ref().map(|_| "bad")] { (attempt.outcome) }
        td.n { (attempt.http_status.map(|status| status.to_string()).unwrap_or_default()) }
        td.n { (attempt.duration.as_millis()) " ms" }
        td { (text(attempt.error.as_deref().unwrap_or_default())) }
    } }
}

/// Returns enough digits to tell digests apart; the title holds the whole digest.
fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 16).unwrap_or(digest)
}

/// Cleans a text from outside of characters that would deceive a reader.
fn text(text: &str) -> String {
    clean(text).into_owned()
}

fn tone(source: &Source) -> &'static str {
    match StateWord::of(source) {
        StateWord::Down
        | StateWord::Fail
        | StateWord::Unpublished
        | StateWord::SetFail
        | StateWord::Damaged => "bad",
        StateWord::Error | StateWord::Pending => "warn",
        StateWord::Ok | StateWord::New => "good",
        StateWord::Never | StateWord::Absent | StateWord::Off | StateWord::Removed => "",
    }
}

fn sets_tone(set: &SetOverview) -> &'static str {
    if set.failure.is_some() || set.set.publish_error.is_some() {
        return "bad";
    }
    set.newest
        .as_ref()
        .map_or("", |edition| tone_of(edition.state))
}

fn tone_of(state: VersionState) -> &'static str {
    match state {
        VersionState::Failed => "bad",
        VersionState::Error | VersionState::Pending => "warn",
        VersionState::Passed => "good",
        VersionState::Unverified => "",
    }
}
