//! `add`: adds sources.

mod input;
mod refused;

use std::io;

use self::input::{Given, given, read_stdin};
use self::refused::refuse;
use super::published::warn_of_unpublished;
use crate::app::{Added, App, NewSource, Refusal, refusals_of};
use crate::faces::cli::args::{AddArgs, LegacyIntervalArgs};
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &AddArgs, console: &mut Console<'_>) -> CommandResult {
    let stdin = match &args.stdin {
        Some(text) => text.clone(),
        None => read_stdin(args)?,
    };
    let (given, interval) = given(args, &stdin)?;
    if given.is_empty() {
        return Ok(note_empty(console));
    }
    let new: Vec<_> = given.iter().map(|one| one.source(args, interval)).collect();
    let mut refusals = app.refusals(&new).await?;
    if args.new {
        for refusal in &mut refusals {
            refusal.take_if(|refusal| matches!(refusal, Refusal::Former { .. }));
        }
    }
    refuse(&given, refusals)?;
    add(app, new, console).await
}

/// Reports problems of the sources to add, as far as they show without a catalogue; returns the end of a command that
/// adds none. Stores the text of stdin in `args`.
pub(super) fn check(
    args: &mut AddArgs,
    console: &mut Console<'_>,
) -> Result<Option<ExitStatus>, Failure> {
    let stdin = args.stdin.insert(read_stdin(args)?).clone();
    let (given, interval) = given(args, &stdin)?;
    if given.is_empty() {
        return Ok(Some(note_empty(console)));
    }
    let new: Vec<_> = given.iter().map(|one| one.source(args, interval)).collect();
    refuse(&given, refusals_of(&new))?;
    Ok(None)
}

fn note_empty(console: &mut Console<'_>) -> ExitStatus {
    console.note("nothing to add: there is no address on stdin");
    ExitStatus::Done
}

/// The predecessor's `add_url ADDRESS INTERVAL`.
pub(super) async fn legacy(
    app: &App,
    args: &LegacyIntervalArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let given = [Given::argument(&args.address)];
    let new = vec![legacy_source(args)];
    refuse(&given, app.refusals(&new).await?)?;
    add(app, new, console).await
}

/// Checks `add_url` like [`check`].
pub(super) fn check_legacy(args: &LegacyIntervalArgs) -> Result<(), Failure> {
    Ok(legacy_source(args).check()?)
}

fn legacy_source(args: &LegacyIntervalArgs) -> NewSource {
    let mut new = NewSource::at(&args.address);
    new.settings.interval = Some(args.interval);
    new
}

async fn add(app: &App, new: Vec<NewSource>, console: &mut Console<'_>) -> CommandResult {
    let added = app.add(new).await?;
    for added in &added {
        print(added, console)?;
    }
    let ids = added.iter().map(|added| added.source.id);
    Ok(warn_of_unpublished(app, ids, console).await?)
}

/// Prints what was added.
pub(super) fn print(added: &Added, console: &mut Console<'_>) -> io::Result<()> {
    let source = &added.source;
    let settings = &source.settings;
    let place = match &source.state.set {
        Some(set) => format!("with the set {set}"),
        None => format!("as {}", source.published_path),
    };
    console.print_line(&format!(
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

/// Warns that a source's file is published at an unexpected path.
pub(super) fn warn_of_path(added: &Added, console: &mut Console<'_>) {
    if let Some(wanted) = &added.wanted_path {
        console.warn(&format!(
            "{} is another source's published path: this source gets {}",
            clean(wanted),
            clean(&added.source.published_path)
        ));
    }
}
