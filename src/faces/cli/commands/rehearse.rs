//! What can be said of a command before there is a catalogue: one that brings nothing in begins none.

use super::{add, apply, import};
use crate::faces::cli::args::AppCommand;
use crate::faces::cli::exit::{CommandResult, conclude};
use crate::faces::cli::{Console, ExitStatus};

/// Checks a command that would begin a catalogue as far as that goes without one. Returns its end when it ends there, as
/// `import --dry-run` does, and any command whose input is wrong. What was read from stdin is kept for the run.
pub fn rehearse(command: &mut AppCommand, console: &mut Console<'_>) -> Option<ExitStatus> {
    let checked = match command {
        AppCommand::Add(args) => add::check(args, console),
        AppCommand::LegacyAdd(args) => add::check_legacy(args).map(|()| None),
        AppCommand::Apply(args) => apply::rehearse(args, console),
        AppCommand::Import(args) => import::rehearse(args, console),
        _ => Ok(None),
    };
    match checked {
        Ok(None) => None,
        Ok(Some(status)) => Some(conclude(Ok(status), console)),
        Err(error) => {
            let failed: CommandResult = Err(error);
            Some(conclude(failed, console))
        }
    }
}
