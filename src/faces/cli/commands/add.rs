//! `add`: watch an address.

use std::io;

use crate::app::{Added, App, Error, ErrorKind, NewSource};
use crate::faces::cli::args::{AddArgs, LegacyIntervalArgs};
use crate::faces::cli::exit::{CommandResult, error};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &AddArgs, console: &mut Console<'_>) -> CommandResult {
    let new = new_source(args);
    if !args.new {
        refuse_former(app, &new).await?;
    }
    add(app, new, console).await
}

/// Refuses to begin a second history of a file whose first one can go on.
async fn refuse_former(app: &App, new: &NewSource) -> Result<(), Error> {
    let former = app.formerly(&[&new.address]).await?;
    let Some(first) = former.first() else {
        return Ok(());
    };
    let name = clean(&first.settings.name).into_owned();
    let message = format!(
        "{} was source {} ({name}), which was removed",
        clean(first.settings.address.as_str()),
        first.id
    );
    let hint = format!(
        "`gannet restore {}` continues its history; --new begins another",
        first.id
    );
    Err(error(ErrorKind::Conflict, message, Some(&hint)))
}

/// The earlier program's `add_url ADDRESS INTERVAL`.
pub(super) async fn legacy(
    app: &App,
    args: &LegacyIntervalArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let new = NewSource {
        address: args.address.clone(),
        interval: Some(args.interval),
        ..NewSource::default()
    };
    add(app, new, console).await
}

async fn add(app: &App, new: NewSource, console: &mut Console<'_>) -> CommandResult {
    for added in app.add(vec![new]).await? {
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
    writeln!(
        console.out,
        "added {} ({}): {}, every {}{}, to be published {}",
        clean(&settings.name),
        source.id,
        clean(settings.address.as_str()),
        settings.interval,
        if settings.enabled { "" } else { ", disabled" },
        clean(&place),
    )?;
    if let Some(wanted) = &added.wanted_path {
        console.warn(&format!(
            "{} is another source's published path: this source gets {}",
            clean(wanted),
            clean(&source.published_path)
        ));
    }
    Ok(())
}

fn new_source(args: &AddArgs) -> NewSource {
    NewSource {
        address: args.address.clone(),
        interval: args.interval,
        name: args.name.clone(),
        tags: args.tags.clone(),
        headers: args.headers.clone(),
        allow_private: args.allow_private,
        allow_http: args.allow_http,
        allow_empty: args.allow_empty,
        publish: args.publish,
        max_size_bytes: args.max_size,
        disabled: args.disabled,
    }
}
