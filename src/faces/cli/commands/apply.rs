//! `apply`: makes the sources match a TOML file.

use std::fs;
use std::io;
use std::path::Path;

use super::add::warn_of_path;
use super::change::{
    names_of, note_left_in_sets, print_files, warn_of_ended_refusals, warn_of_left_files,
};
use super::published::warn_of_unpublished;
use crate::app::{App, CheckedSources, Error, Plan, PlanStep, check_sources};
use crate::domain::{Edit, SourceId, SourceKey, SourceSettings, io_words, with_line_feeds};
use crate::faces::cli::args::ApplyArgs;
use crate::faces::cli::consent::consent;
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::sources_file;
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::{clean, count};

const HINT: &str = "gannet dump --toml writes a valid file";

pub(super) async fn run(
    app: &App,
    args: &mut ApplyArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let sources = match args.checked.take() {
        Some(checked) => checked,
        None => sources(&args.file)?,
    };
    let plan = app.plan(sources, args.prune).await?;
    let lines = lines(&plan);
    if !args.dry_run && !plan.steps.is_empty() {
        let removed: Vec<_> = plan.removed().cloned().collect();
        if plan.removes_most() {
            let (gone, all) = (plan.removals(), count(plan.present, "source"));
            let what = format!("remove {gone} of {all}{}", names_of(&removed));
            consent(&what, args.yes, console)?;
        }
        let changed = plan.changed();
        let before = app.sources_by_id(moved_by(&plan)).await?;
        let edits = edits_of(&plan);
        for restored in app.apply(plan).await? {
            warn_of_path(&restored, console);
        }
        note_left_in_sets(app, &removed, false, console).await?;
        // Printed afterwards: without --dry-run, the lines report what was done.
        print(&lines, args, console)?;
        print_files(app, &before, false, console).await?;
        let made = edits.iter().map(|(id, edit)| (*id, edit));
        warn_of_ended_refusals(app, made, console).await?;
        let published = warn_of_unpublished(app, changed, console).await?;
        return Ok(warn_of_left_files(app, &removed, console)
            .await?
            .max(published));
    }
    print(&lines, args, console)
}

/// Returns the edits that may change which verifiers judge a source.
fn edits_of(plan: &Plan) -> Vec<(SourceId, Edit)> {
    let edits = plan.steps.iter().filter_map(|step| match step {
        PlanStep::Edit(id, edit) => Some((*id, edit)),
        _ => None,
    });
    let edits = edits.filter(|(_, edit)| SourceKey::of(&edit.before) != SourceKey::of(&edit.after));
    edits.map(|(id, edit)| (id, Edit::clone(edit))).collect()
}

/// Returns the sources whose files an edit may move: those whose tags or publish policy change.
fn moved_by(plan: &Plan) -> Vec<SourceId> {
    let edits = plan.steps.iter().filter_map(|step| match step {
        PlanStep::Edit(id, edit) => Some((*id, &edit.before, &edit.after)),
        _ => None,
    });
    let moved = edits
        .filter(|(_, before, after)| before.tags != after.tags || before.publish != after.publish);
    moved.map(|(id, ..)| id).collect()
}

/// Does as much as possible without a catalogue: reports the file's problems, what would be added, or that nothing
/// would. Returns `None` if sources are to be added; the parsed file is stored in `args`: stdin is read once.
pub(super) fn rehearse(
    args: &mut ApplyArgs,
    console: &mut Console<'_>,
) -> Result<Option<ExitStatus>, Failure> {
    let sources = sources(&args.file)?;
    if !args.dry_run && !sources.is_empty() {
        args.checked = Some(sources);
        return Ok(None);
    }
    let plan = Plan::of_new(sources)?;
    print(&lines(&plan), args, console).map(Some)
}

fn print(lines: &str, args: &ApplyArgs, console: &mut Console<'_>) -> CommandResult {
    if args.dry_run || !console.is_quiet() {
        console.out.write_all(lines.as_bytes())?;
    }
    Ok(ExitStatus::Done)
}

fn sources(path: &Path) -> Result<CheckedSources, Error> {
    let (name, text) = read(path)?;
    let sources = sources_file::parse(&name, &text);
    let checked = sources.ok().and_then(|sources| check_sources(sources).ok());
    checked.ok_or_else(|| {
        let wrong = sources_file::problems(&name, &text);
        Error::invalid(wrong.to_string()).hint(HINT)
    })
}

fn read(path: &Path) -> Result<(String, String), Error> {
    let (name, text) = if path.as_os_str() == "-" {
        ("stdin".to_owned(), io::read_to_string(io::stdin()))
    } else {
        (path.display().to_string(), fs::read_to_string(path))
    };
    match text {
        Ok(text) => Ok((name, with_line_feeds(&text).into_owned())),
        Err(cause) => Err(Error::invalid(format!(
            "cannot read {name}: {}",
            io_words(&cause)
        ))),
    }
}

/// Returns a line for each step of the plan.
fn lines(plan: &Plan) -> String {
    if plan.steps.is_empty() {
        return "nothing to do\n".to_owned();
    }
    let mut lines = String::new();
    for step in &plan.steps {
        let line = match step {
            PlanStep::Add(settings) => format!("+ add {} {}", settings.name, settings.address),
            PlanStep::Edit(_, edit) => {
                format!(
                    "~ edit {}: {}",
                    edit.after.name,
                    edit.differences().join(", ")
                )
            }
            PlanStep::Restore(source, edit) => restoring(source.id, edit),
            PlanStep::Remove(source) => format!("- remove {}", source.settings.name),
        };
        lines.push_str(&clean(&line));
        lines.push('\n');
    }
    lines
}

fn restoring(id: SourceId, edit: &Edit) -> String {
    let SourceSettings { name, address, .. } = &edit.after;
    let step = format!("+ restore {name} {address} with the history of source {id}");
    match edit.differences().as_slice() {
        [] => step,
        changed => format!("{step}: {}", changed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ErrorKind;
    use crate::faces::fixtures::source;

    fn restoring_to(id: i64, name: &str, change: fn(&mut SourceSettings)) -> PlanStep {
        let source = source(id, name);
        let before = source.settings.clone();
        let mut after = before.clone();
        change(&mut after);
        PlanStep::Restore(source, Box::new(Edit { before, after }))
    }

    #[test]
    fn prints_the_plan() {
        let print = |steps| lines(&Plan { steps, present: 3 });
        let before = source(2, "rates").settings;
        let mut after = before.clone();
        after.tags = vec!["eu".to_owned()];
        after.enabled = false;
        let steps = vec![
            PlanStep::Add(source(1, "prices").settings),
            PlanStep::Edit(SourceId(2), Box::new(Edit { before, after })),
            PlanStep::Remove(source(3, "old")),
            restoring_to(4, "gone", |_| ()),
            restoring_to(5, "lost", |settings| settings.name = "found".to_owned()),
        ];
        insta::assert_snapshot!(print(steps), @r#"
        + add prices https://example.org/1.csv
        ~ edit rates: enabled true -> false, tags none -> eu
        - remove old
        + restore gone https://example.org/4.csv with the history of source 4
        + restore found https://example.org/5.csv with the history of source 5: name lost -> found
        "#);
        assert_eq!(print(Vec::new()), "nothing to do\n");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("/nowhere/sources.toml")).expect_err("no such file");
        assert!(error.message.contains("/nowhere/sources.toml"), "{error}");
        assert_eq!(error.kind, ErrorKind::Invalid);
    }
}
