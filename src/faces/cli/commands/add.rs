//! `add`: watch addresses.

use std::io::{self, Read as _};

use crate::app::{Added, App, Error, ErrorKind, NewSource};
use crate::domain::{Interval, IntervalError, Source};
use crate::faces::cli::args::{AddArgs, LegacyIntervalArgs};
use crate::faces::cli::exit::{CommandResult, Failure, error};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &AddArgs, console: &mut Console<'_>) -> CommandResult {
    let new = match &args.stdin {
        Some(text) => sources(args, text)?,
        None => sources(args, &read_stdin(args)?)?,
    };
    if !args.new {
        refuse_former(app, &new).await?;
    }
    add(app, new, console).await
}

/// Says what is wrong with the sources that are to be added, as far as they alone tell. Stdin is kept for the run.
pub(super) fn check(args: &mut AddArgs) -> Result<(), Failure> {
    let text = args.stdin.insert(read_stdin(args)?).clone();
    for new in sources(args, &text)? {
        new.check()?;
    }
    Ok(())
}

/// Returns what is on stdin, if it was asked for.
fn read_stdin(args: &AddArgs) -> Result<String, Error> {
    let invalid = |message| error(ErrorKind::Invalid, message, None);
    let mut text = String::new();
    if args
        .split()
        .map_err(invalid)?
        .0
        .iter()
        .any(|value| value == "-")
    {
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|cause| invalid(format!("cannot read stdin: {cause}")))?;
    }
    Ok(text)
}

fn sources(args: &AddArgs, stdin: &str) -> Result<Vec<NewSource>, Error> {
    let invalid = |message| error(ErrorKind::Invalid, message, None);
    let (values, interval) = args.split().map_err(invalid)?;
    let mut addresses = Vec::new();
    let mut stdin = Some(stdin);
    for value in values {
        if value == "-" {
            addresses.extend(lines(stdin.take().unwrap_or_default()).map_err(invalid)?);
        } else {
            addresses.push((value.clone(), None));
        }
    }
    if args.name.is_some() && addresses.len() > 1 {
        let count = addresses.len();
        return Err(invalid(format!("{count} sources cannot share one name")));
    }
    let new = addresses
        .into_iter()
        .map(|(address, own)| new_source(args, address, own.or(interval)));
    Ok(new.collect())
}

/// Reads an address a line, with an interval behind it or not. Empty lines and those that begin with `#` say nothing.
fn lines(text: &str) -> Result<Vec<(String, Option<Interval>)>, String> {
    let mut addresses = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split_whitespace();
        let Some(address) = words.next().filter(|word| !word.starts_with('#')) else {
            continue;
        };
        let wrong = |why: String| format!("line {number} of stdin: {why}");
        let interval = words.next().map(|word| {
            word.parse()
                .map_err(|e: IntervalError| wrong(e.to_string()))
        });
        if words.next().is_some() {
            return Err(wrong("more than an address and an interval".to_owned()));
        }
        addresses.push((address.to_owned(), interval.transpose()?));
    }
    Ok(addresses)
}

/// Refuses to begin a second history of a file whose first one can go on.
async fn refuse_former(app: &App, new: &[NewSource]) -> Result<(), Error> {
    let addresses: Vec<_> = new.iter().map(|new| new.address.as_str()).collect();
    let former = app.formerly(&addresses).await?;
    let Some(first) = former.first() else {
        return Ok(());
    };
    let which = |source: &Source| format!("{} ({})", source.id, clean(&source.settings.name));
    let message = match former.as_slice() {
        [one] => format!(
            "{} was source {}, which was removed",
            clean(one.settings.address.as_str()),
            which(one)
        ),
        several => format!(
            "{} of these addresses were sources that were removed; the first: {}",
            several.len(),
            which(first)
        ),
    };
    let ids: Vec<_> = former.iter().map(|source| source.id.to_string()).collect();
    let hint = format!(
        "`gannet restore {}` goes on with what is kept of it; --new begins another history",
        ids.join(" ")
    );
    Err(error(ErrorKind::Conflict, message, Some(&hint)))
}

/// The earlier program's `add_url ADDRESS INTERVAL`.
pub(super) async fn legacy(
    app: &App,
    args: &LegacyIntervalArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    add(app, vec![legacy_source(args)], console).await
}

/// Does for that what [`check`] does.
pub(super) fn check_legacy(args: &LegacyIntervalArgs) -> Result<(), Failure> {
    Ok(legacy_source(args).check()?)
}

fn legacy_source(args: &LegacyIntervalArgs) -> NewSource {
    NewSource {
        address: args.address.clone(),
        interval: Some(args.interval),
        ..NewSource::default()
    }
}

async fn add(app: &App, new: Vec<NewSource>, console: &mut Console<'_>) -> CommandResult {
    for added in app.add(new).await? {
        print(&added, console)?;
    }
    Ok(ExitStatus::Done)
}

fn print(added: &Added, console: &mut Console<'_>) -> io::Result<()> {
    let source = &added.source;
    let settings = &source.settings;
    let place = match &source.state.set {
        Some(set) => format!("with the set {set}"),
        None => format!("as {}", source.published_path),
    };
    console.say(&format!(
        "added {} ({}): {}, every {}{}, to be published {}",
        clean(&settings.name),
        source.id,
        clean(settings.address.as_str()),
        settings.interval,
        if settings.enabled { "" } else { ", disabled" },
        clean(&place),
    ))?;
    warn_of_path(added, console);
    Ok(())
}

/// Says that consumers find a source's file elsewhere than they may think.
pub(super) fn warn_of_path(added: &Added, console: &mut Console<'_>) {
    if let Some(wanted) = &added.wanted_path {
        console.warn(&format!(
            "{} is another source's published path: this source gets {}",
            clean(wanted),
            clean(&added.source.published_path)
        ));
    }
}

fn new_source(args: &AddArgs, address: String, interval: Option<Interval>) -> NewSource {
    NewSource {
        address,
        interval,
        name: args.name.clone(),
        tags: args.tags.clone(),
        headers: args.headers.clone(),
        allow_private: args.allow_private,
        allow_http: args.allow_http,
        allow_empty: args.allow_empty,
        publish: args.publish,
        max_size_bytes: args.max_size,
        disabled: args.disabled,
        literal: args.literal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stdin_has_an_address_a_line() {
        let read = lines("# prices\nhttps://h/a\n\n  https://h/b\t12h \r\n").expect("good lines");
        let read: Vec<_> = read
            .iter()
            .map(|(address, interval)| (address.as_str(), interval.map(Interval::hours)))
            .collect();
        assert_eq!(read, [("https://h/a", None), ("https://h/b", Some(12))]);
        for (text, part) in [
            ("https://h/a\nhttps://h/b 1x", "line 2 of stdin: `1x`"),
            ("https://h/a 1h more", "line 1 of stdin: more than"),
        ] {
            let error = lines(text).expect_err(text);
            assert!(error.starts_with(part), "{error}");
        }
    }
}
