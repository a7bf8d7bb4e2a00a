//! Runs the chosen command, and turns its result into an exit code.

use super::folders::SetFolders;
use super::{
    add, apply, cat, change, diff, dump, export, grep, history, import, list, log, messages,
    notify, rates, report, show, sql, token, user, verdict, verdicts, verify,
};
use crate::app::{App, row_named_in};
use crate::faces::cli::args::{Access, AppCommand};
use crate::faces::cli::exit::{CommandResult, conclude};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

/// Runs one command. When this returns, results were written to stdout, everything else to stderr.
pub async fn run(app: &App, command: &mut AppCommand, console: &mut Console<'_>) -> ExitStatus {
    let folders = folders_before(app, command).await;
    let result = carry_out(app, command, console).await;
    let status = conclude(result, console);
    if let Some(folders) = folders {
        folders.print(app, console).await;
    }
    warn_of_damage(app, command, status, console).await
}

async fn carry_out(
    app: &App,
    command: &mut AppCommand,
    console: &mut Console<'_>,
) -> CommandResult {
    match command {
        AppCommand::Add(args) => add::run(app, args, console).await,
        AppCommand::List(args) => list::run(app, args, console).await,
        AppCommand::Show(args) => show::run(app, args, console).await,
        AppCommand::History(args) => history::run(app, args, console).await,
        AppCommand::Log(args) => log::run(app, args, console).await,
        AppCommand::Interval(args) => change::interval(app, args, console).await,
        AppCommand::Enable(args) => change::enable(app, &args.sources, true, console).await,
        AppCommand::Disable(args) => change::enable(app, &args.sources, false, console).await,
        AppCommand::Edit(args) => change::edit(app, args, console).await,
        AppCommand::Remove(args) => change::remove(app, args, console).await,
        AppCommand::Restore(args) => change::restore(app, args, console).await,
        AppCommand::Cat(args) => cat::run(app, args, console).await,
        AppCommand::Diff(args) => diff::run(app, args, console).await,
        AppCommand::Export(args) => export::run(app, args, console).await,
        AppCommand::Grep(args) => grep::run(app, args, console).await,
        AppCommand::Sql(args) => sql::run(app, args, console).await,
        AppCommand::Report(args) => report::run(app, args, console).await,
        AppCommand::Import(args) => import::run(app, args, console).await,
        AppCommand::Verify(args) => verify::run(app, args, console).await,
        AppCommand::Verdict(args) => verdict::run(app, args, console).await,
        AppCommand::Verdicts(args) => verdicts::run(app, args, console).await,
        AppCommand::Notify(args) => notify::run(app, args, console).await,
        AppCommand::User(args) => user::run(app, args, console).await,
        AppCommand::Token(args) => token::run(app, args, console).await,
        AppCommand::Messages(args) => messages::run(app, args, console).await,
        AppCommand::Rates(args) => rates::run(app, args, console).await,
        AppCommand::Apply(args) => apply::run(app, args, console).await,
        AppCommand::Dump(args) => dump::run(app, args, console).await,
        AppCommand::LegacyBuild | AppCommand::LegacyIngest(_) => Ok(ExitStatus::Done), // done by now
        AppCommand::LegacyAdd(args) => add::legacy(app, args, console).await,
        AppCommand::LegacyInterval(args) => change::legacy_interval(app, args, console).await,
        AppCommand::LegacyEnabled(args) => change::legacy_enable(app, args, console).await,
    }
}

/// Checks a command that would create a catalogue as far as possible without one: a command that adds nothing creates
/// none. Returns its end if it ends there, as
/// for invalid input and `import --dry-run`. The text of stdin is stored in `command`.
pub fn rehearse(command: &mut AppCommand, console: &mut Console<'_>) -> Option<ExitStatus> {
    let checked = match command {
        AppCommand::Add(args) => add::check(args, console),
        AppCommand::LegacyAdd(args) => add::check_legacy(args).map(|()| None),
        AppCommand::Apply(args) => apply::rehearse(args, console),
        AppCommand::Import(args) => import::rehearse(args, console),
        AppCommand::Token(args) => token::check(args).map(|()| None),
        AppCommand::Messages(args) => messages::check(args).map(|()| None),
        _ => Ok(None),
    };
    match checked {
        Ok(None) => None,
        Ok(Some(status)) => Some(conclude(Ok(status), console)),
        Err(error) => Some(conclude(Err(error), console)),
    }
}

/// Returns the set folders before a command whose changes of them are printed after it. Commands that judge print them
/// themselves; people and tokens change none.
async fn folders_before(app: &App, command: &AppCommand) -> Option<SetFolders> {
    let says_so = matches!(
        command,
        AppCommand::Verify(_)
            | AppCommand::Verdict(_)
            | AppCommand::Notify(_)
            | AppCommand::User(_)
            | AppCommand::Token(_)
            | AppCommand::Messages(_)
    );
    if command.access() == Access::Read || says_so {
        return None;
    }
    Some(SetFolders::now(app).await)
}

/// Warns of damaged rows of the catalogue that were skipped, and has a command that changes something record them;
/// returns the exit code.
async fn warn_of_damage(
    app: &App,
    command: &AppCommand,
    status: ExitStatus,
    console: &mut Console<'_>,
) -> ExitStatus {
    let damage = app.damage();
    if damage.is_empty() {
        return status;
    }
    if command.access() != Access::Read {
        app.record_damaged_rows().await;
    }
    let mut lines: Vec<_> = damage.iter().map(|line| clean(line)).collect();
    let known = std::mem::take(&mut console.named_rows);
    lines.retain(|line| {
        let row = row_named_in(line);
        // The reported message may continue behind the row.
        row.is_none_or(|row| !known.iter().any(|known| known.starts_with(&row)))
    });
    if lines.is_empty() {
        return ExitStatus::CouldNotRun;
    }
    for line in lines {
        console.warn(&line);
    }
    console.warn_line("  hint: put a backup of the catalogue back; all else was read and done");
    ExitStatus::CouldNotRun
}
