//! `log`: the events, when and by whom.

use std::io::{self, Write};

use chrono::Duration;
use unicode_width::UnicodeWidthStr as _;

use super::sets;
use crate::app::{App, EventFilter};
use crate::domain::Event;
use crate::faces::cli::args::{LogArgs, TableFormat};
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::look::Look;
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::csv;
use crate::faces::json::{self, EventJson};
use crate::faces::text::{clean, wrap};

const DEFAULT_LIMIT: usize = 100;
/// More than any screen or script reads, and within the range of the store's integers.
const NO_LIMIT: usize = u32::MAX as usize;
/// The indentation of text that does not fit beside its time.
const STEP: usize = 4;
/// The interval at which `--follow` looks for new events.
const LOOK_EVERY: Duration = Duration::seconds(1);

pub(super) async fn run(app: &App, args: &LogArgs, console: &mut Console<'_>) -> CommandResult {
    let mut filter = filter(app, args).await?;
    if args.format() == TableFormat::Csv {
        csv::write_header(&mut console.out, EventJson::FIELDS)?;
    }
    loop {
        let look = Look::of(app, console);
        let events = app.events(filter.clone()).await?;
        for event in &events {
            write(event, args.format(), &look, &mut console.out)?;
        }
        if !args.follow {
            return Ok(ExitStatus::Done);
        }
        console.out.flush()?;
        if let Some(last) = events.last() {
            filter.after = Some(last.id);
        }
        // New events are printed completely, however many they are.
        filter.limit = NO_LIMIT;
        app.sleep_until(app.now() + LOOK_EVERY).await;
    }
}

async fn filter(app: &App, args: &LogArgs) -> Result<EventFilter, crate::app::Error> {
    let (mut source_id, mut set) = (None, None);
    if let Some(selector) = &args.source {
        match sets::name_of(app, selector).await? {
            Some(name) => set = Some(app.set_in_log(name).await?),
            None => source_id = Some(app.source(selector).await?.id),
        }
    }
    if args.since.is_some_and(|since| app.is_future(since)) {
        let message = "--since: that time lies in the future";
        return Err(crate::app::Error::invalid(message));
    }
    let limit = match (args.limit, args.since) {
        (Some(0), _) | (None, Some(_)) => NO_LIMIT,
        (Some(limit), _) => limit as usize,
        (None, None) => DEFAULT_LIMIT,
    };
    Ok(EventFilter {
        source_id,
        set,
        since: args
            .since
            .map(|since| app.config().zone.beginning(since, app.now())),
        action: None,
        after: None,
        before: None,
        limit,
    })
}

fn write(event: &Event, format: TableFormat, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        TableFormat::Json => return json::write_line(out, &EventJson::new(event)),
        TableFormat::Csv => {
            return csv::write_row(out, EventJson::FIELDS, EventJson::new(event));
        }
        TableFormat::People => {}
    }
    let head = format!(
        "{}  {:<16} ",
        look.second(event.stamp.at),
        event.event.action
    );
    let parts = [
        event.source_name.clone(),
        event.event.version_id.map(|id| format!("v{id}")),
        event.event.detail_line(),
        Some(format!("({})", event.stamp.actor)),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let text = parts.join(" ");
    write_wrapped(&head, &clean(&text), look, out)
}

/// Writes a line; on a terminal, text that does not fit behind the head is indented below it.
fn write_wrapped(head: &str, text: &str, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let width = look.width.unwrap_or(usize::MAX);
    if head.width() + 1 + text.width() <= width {
        return writeln!(out, "{head} {text}");
    }
    let mut words = text.split(' ').filter(|word| !word.is_empty()).peekable();
    let mut line = head.to_owned();
    while let Some(word) = words.next_if(|word| line.width() + 1 + word.width() <= width) {
        line.push(' ');
        line.push_str(word);
    }
    writeln!(out, "{}", line.trim_end())?;
    let rest: Vec<_> = words.collect();
    for line in wrap(&rest.join(" "), width.saturating_sub(STEP)) {
        writeln!(out, "{}{line}", " ".repeat(STEP))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Action, Actor, EventId, NewEvent, SourceId, Stamp, VersionId};
    use crate::faces::fixtures::at;

    #[test]
    fn what_does_not_fit_stands_below_its_head() {
        let text = "prices v11 schema: line 3 has no price (worker@host)";
        for (width, expected) in [
            (
                None,
                "12:00  verdict.failed prices v11 schema: line 3 has no price (worker@host)\n",
            ),
            (
                Some(40),
                "12:00  verdict.failed prices v11 schema:\n    line 3 has no price (worker@host)\n",
            ),
            (
                Some(20),
                "12:00  verdict.failed\n    prices v11\n    schema: line 3\n    has no price\n    (worker@host)\n",
            ),
        ] {
            let look = Look {
                width,
                ..Look::plain(at("12:00:00"))
            };
            let mut out = Vec::new();
            write_wrapped("12:00  verdict.failed", text, &look, &mut out).expect("a buffer");
            assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
        }
    }

    #[test]
    fn a_line_each() {
        let event = Event {
            id: EventId(7),
            stamp: Stamp {
                at: at("12:00:03.250"),
                actor: Actor("worker@host".to_owned()),
            },
            event: NewEvent::of(Action::VerdictFailed)
                .source(SourceId(1))
                .version(VersionId(11))
                .detail("schema: line 3\n\u{1b}]0;x".to_owned()),
            source_name: Some("prices".to_owned()),
        };
        let mut out = Vec::new();
        let look = Look::plain(at("12:00:00"));
        write(&event, TableFormat::People, &look, &mut out).expect("a buffer");
        write(&event, TableFormat::Json, &look, &mut out).expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r#"
        2026-01-31 12:00:03Z  verdict.failed    prices v11 schema: line 3; ]0;x (worker@host)
        {"id":7,"at":"2026-01-31T12:00:03.250Z","actor":"worker@host","action":"verdict.failed","source_id":1,"source":"prices","set":null,"version_id":11,"detail":"schema: line 3\n\u001b]0;x"}
        "#);
    }
}
