//! Checks commands that would create a catalogue, before there is one: a command that adds nothing creates none.

use super::{add, apply, import};
use crate::faces::cli::args::AppCommand;
use crate::faces::cli::exit::{CommandResult, conclude};
use crate::faces::cli::{Console, ExitStatus};

/// Checks a command that would create a catalogue as far as possible without one. Returns its end if it ends there, as
/// for invalid input and `import --dry-run`. The text of stdin is stored in `command`.
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
