//! `verdict`: what a verifier outside gannet says of a version.

use super::sets;
use crate::app::App;
use crate::faces::cli::args::VerdictArgs;
use crate::faces::cli::exit::CommandResult;
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &VerdictArgs, console: &mut Console<'_>) -> CommandResult {
    if let Some(set) = sets::name_of(app, &args.version).await? {
        return sets::verdict(app, set, args, console).await;
    }
    let (source, version, state) = app
        .verdict(
            &args.version,
            &args.verifier,
            args.outcome,
            args.detail.clone(),
        )
        .await?;
    let name = clean(&source.settings.name);
    let verifier = clean(&args.verifier);
    let outcome = args.outcome;
    console.say(&format!(
        "recorded: {verifier} {outcome} v{} of {name}, which is {state} now",
        version.id
    ))?;
    // Recording that a version is bad is not itself a failure.
    Ok(ExitStatus::Done)
}
