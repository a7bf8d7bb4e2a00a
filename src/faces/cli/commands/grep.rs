//! `grep`: the versions of sources that contain a text, with the times when they were current.

use regex::bytes::{Regex, RegexBuilder};

use crate::app::{App, Error, Occurrences};
use crate::domain::Version;
use crate::faces::cli::args::GrepArgs;
use crate::faces::cli::exit::{CommandResult, damaged_history};
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, flexible, left, right};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::json::{self, OccurrencesJson};

pub(super) async fn run(app: &App, args: &GrepArgs, console: &mut Console<'_>) -> CommandResult {
    let pattern = compiled(args)?;
    let mut found = Vec::new();
    let sources = app.sources(&args.sources).await?;
    for source in app.days_in_place(sources).await? {
        found.push(app.grep(source, &pattern).await?);
    }
    for one in &found {
        for (version, error) in &one.unreadable {
            console.warn(&format!("version {}: {error}", version.id));
        }
        if let Some(damage) = &one.damage {
            console.warn(&damaged_history(&one.source, damage));
        }
    }
    if args.json {
        let objects = found.iter().map(OccurrencesJson::new);
        json::write(&mut console.out, &objects.collect::<Vec<_>>())?;
    } else {
        let look = Look::of(app, console);
        let table = table(&found, &look);
        if !table.is_empty() {
            table.write(&mut console.out, 0, &look)?;
        }
    }
    let is_incomplete = |one: &Occurrences| !one.unreadable.is_empty() || one.damage.is_some();
    Ok(if found.iter().any(is_incomplete) {
        ExitStatus::CouldNotRun
    } else if found.iter().all(|one| one.versions.is_empty()) {
        // The exit code of grep.
        ExitStatus::Problems
    } else {
        ExitStatus::Done
    })
}

fn compiled(args: &GrepArgs) -> Result<Regex, Error> {
    let pattern = if args.fixed {
        regex::escape(&args.pattern)
    } else {
        args.pattern.clone()
    };
    RegexBuilder::new(&pattern)
        .case_insensitive(args.ignore_case)
        .build()
        .map_err(|cause| {
            let message = format!("the pattern is not a regular expression: {cause}");
            let hint = "-F searches for the text as it stands";
            Error::invalid(message).hint(hint)
        })
}

fn table(found: &[Occurrences], look: &Look) -> Table {
    let mut table = Table::new([
        flexible("SOURCE"),
        right("VERSIONS"),
        left("FIRST"),
        left(look.heading("FETCHED")),
        left("LAST"),
        left(look.heading("FETCHED")),
        left("NEWEST"),
    ]);
    for one in found {
        let (Some((first, _)), Some((last, _))) = (one.versions.first(), one.versions.last())
        else {
            continue;
        };
        let is_newest = one.source.state.version_id == Some(last.id);
        table.row([
            one.source.settings.name.clone(),
            format!("{} of {}", one.versions.len(), one.searched),
            id(first),
            look.time(first.fetched_at),
            id(last),
            look.time(last.fetched_at),
            if is_newest { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}

fn id(version: &Version) -> String {
    format!("v{}", version.id)
}
