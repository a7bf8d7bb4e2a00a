//! Commands over a catalogue: opens the services that a command needs, prints warnings, ends the command on a signal.

use std::sync::Arc;

use super::loading::load;
use super::services::{self, Services};
use super::signals;
use super::warnings::{warn_of_mismatch, warn_of_unusable};
use crate::app::{Error, PolicyStanding, Result, make_room_first};
use crate::archive::release_reserve;
use crate::config::{Environment, Flags};
use crate::faces::cli::args::{Access, AppCommand};
use crate::faces::cli::{self, Console, ExitStatus};
use crate::worker::Stop;

/// Runs a command, and returns its exit code.
pub(super) async fn run(
    command: &mut AppCommand,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> ExitStatus {
    match begins_catalogue(command, flags, environment) {
        Ok(true) => {
            if let Some(status) = cli::rehearse(command, console) {
                return status;
            }
        }
        Ok(false) => {}
        Err(error) => return cli::report(&error, console),
    }
    match open_for(command, flags, environment, console).await {
        Ok(services) => {
            warn_of_mismatch(&services, console);
            warn_of_unusable(&services.app.config(), command.access(), console);
            note_policy(&services, command, console).await;
            let status = carry_out(&services, command, console).await;
            services.close().await;
            status
        }
        Err(error) => cli::report(&error, console),
    }
}

/// Returns whether a command would begin a catalogue, or rehearse doing so.
fn begins_catalogue(
    command: &AppCommand,
    flags: &Flags,
    environment: &Environment,
) -> Result<bool> {
    let brings_in = matches!(command, AppCommand::Apply(_) | AppCommand::Import(_));
    let may_begin = command.access() == Access::Create || brings_in;
    if !may_begin {
        return Ok(false);
    }
    let config = load(flags, environment, Access::Create)?;
    services::may_begin(&config)
}

/// Opens the services that a command needs. On a full disk a purge cannot open them for writing: it then opens the
/// catalogue for reading, asks the operator for consent, and releases the reserve to make room.
async fn open_for(
    command: &mut AppCommand,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<Services> {
    let open = |access| Services::open_for_operator(access, flags, environment);
    let opened = open(command.access()).await;
    let is_full = opened.as_ref().is_err_and(Error::is_out_of_space);
    match command {
        AppCommand::Remove(args) if args.purge && is_full => {
            let Ok(reading) = open(Access::Read).await else {
                return opened;
            };
            if let Some(mismatch) = reading.mismatch {
                return Err(mismatch);
            }
            cli::agree_to_removal(&reading.app, args, console).await?;
            release_reserve(&reading.app.config().data_dir);
            open(Access::Change).await.map_err(make_room_first)
        }
        _ => opened,
    }
}

/// Prints, with `list` and `show`, the effect of the next pass or changing command on the policy; nothing if the policy
/// stays.
async fn note_policy(services: &Services, command: &AppCommand, console: &mut Console<'_>) {
    let looks = matches!(command, AppCommand::List(_) | AppCommand::Show(_));
    if !looks || services.app.config().unusable.is_some() {
        return;
    }
    // The command itself reports a store that cannot be read.
    if let Ok(policy) = services.app.policy_outlook().await {
        cli::note_policy(&policy, console);
    }
}

/// Runs a command. On a signal, a command that starts programs ends them first; any other ends at once.
async fn carry_out(
    services: &Services,
    command: &mut AppCommand,
    console: &mut Console<'_>,
) -> ExitStatus {
    if command.access() == Access::Read {
        let app = Arc::clone(&services.app);
        let end_reading = move || app.ports().archive.machine().end_reading();
        let end = signals::clean_up_before_the_end(end_reading);
        let status = cli::run(&services.app, command, console).await;
        end.give_way();
        return status;
    }
    let waits = match apply_policy(services, command, console).await {
        Ok(waits) => waits,
        Err(error) => return cli::report(&error, console),
    };
    if !matches!(command, AppCommand::Verify(_) | AppCommand::Notify(_)) {
        let status = cli::run(&services.app, command, console).await;
        if let (ExitStatus::Done, Some(with)) = (status, waits) {
            console.note(&format!(
                "this process may not publish: what follows for published files is done by the next pass with {with}"
            ));
        }
        return status;
    }
    let stop = Stop::default();
    let status = tokio::select! {
        status = cli::run(&services.app, command, console) => Some(status),
        never = signals::watch(&stop) => match never {},
        () = stop.requested() => None,
    };
    status.unwrap_or_else(|| {
        console.warn(match command {
            AppCommand::Verify(_) => "stopped by a signal: verdicts that were reached are recorded",
            _ => "stopped by a signal",
        });
        ExitStatus::Problems
    })
}

/// Adopts a changed policy, and finishes removals, before a command that changes something. If this process may not
/// publish, returns the configuration with which the next pass does what follows from the command.
async fn apply_policy(
    services: &Services,
    command: &AppCommand,
    console: &mut Console<'_>,
) -> Result<Option<String>> {
    let folders = cli::SetFolders::now(&services.app).await;
    match services.app.policy_standing().await {
        Ok(PolicyStanding::InForce(Some(adoption))) => {
            let judges = matches!(command, AppCommand::Verify(args) if args.stale);
            let adoption = if judges {
                adoption.judged_again()
            } else {
                adoption
            };
            console.warn_line(&adoption.to_string());
            folders.print_to_stderr(&services.app, console).await;
            finish_removals(services, console).await;
        }
        Ok(PolicyStanding::InForce(None)) => finish_removals(services, console).await,
        // The purge makes room, and then reads the policy again.
        Err(error) if is_purge(command) && error.is_out_of_space() => {}
        // A use-case that needs the policy reports the error itself.
        Ok(_) if !changes_sources(command) => {}
        Ok(standing) => return Ok(needs(services, standing).await),
        Err(error) => return Err(error),
    }
    Ok(None)
}

/// Finishes the purges that a killed process began, and prints the sets whose folders changed. A failure does not stop
/// the command: the next pass tries again and reports it.
async fn finish_removals(services: &Services, console: &mut Console<'_>) {
    match services.app.finish_removals().await {
        Ok(sets) if !sets.is_empty() => console.warn_line(&format!(
            "gannet: a purge had been cut off; what it left in the folders of these sets is gone now: {}",
            sets.join(", ")
        )),
        Ok(_) => {}
        Err(error) => tracing::warn!("{error}: left to the next pass"),
    }
}

/// Returns the configuration with which a pass can update the published files, and a hint on how to use it.
async fn needs(services: &Services, standing: PolicyStanding) -> Option<String> {
    let needs = services.app.publishing_needs(&standing).await?;
    Some(match standing {
        PolicyStanding::Foreign(Error {
            hint: Some(hint), ..
        }) => format!("{needs}; {hint}"),
        _ => needs,
    })
}

fn is_purge(command: &AppCommand) -> bool {
    matches!(command, AppCommand::Remove(args) if args.purge)
}

/// Returns whether a command may change published files through the next pass. A purge is not among these commands: it
/// deletes the published file at once, and `remove` itself prints the files that stay in the folder of a set.
fn changes_sources(command: &AppCommand) -> bool {
    let removes = matches!(command, AppCommand::Remove(args) if !args.purge);
    removes
        || matches!(
            command,
            AppCommand::Restore(_)
                | AppCommand::Edit(_)
                | AppCommand::Apply(_)
                | AppCommand::Enable(_)
                | AppCommand::Disable(_)
        )
}
