//! `verdict`: records an outside verdict on a version.

use super::folders::SetFolders;
use super::published::{Served, warn_of_unpublished};
use super::sets;
use super::verdict_lines::counts_for;
use crate::app::{App, Error, GivenVerdict};
use crate::domain::Source;
use crate::faces::cli::Console;
use crate::faces::cli::args::VerdictArgs;
use crate::faces::cli::exit::CommandResult;
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &VerdictArgs, console: &mut Console<'_>) -> CommandResult {
    if let Some(set) = sets::name_of(app, &args.version).await? {
        return sets::verdict(app, set, args, console).await;
    }
    let folders = SetFolders::now(app).await;
    let served = Served::begin(app).await?;
    let detail = args.detail.clone();
    let GivenVerdict {
        source,
        version,
        also,
    } = app
        .verdict(&args.version, &args.verifier, args.outcome, detail)
        .await?;
    // The source as it was before the verdict was recorded.
    let file = served_after(app, served, &source).await?;
    let name = clean(&source.settings.name);
    let verifier = clean(&args.verifier);
    let outcome = args.outcome;
    console.print_line(&format!(
        "recorded: {verifier} {outcome} v{} of {name}, which is {} now; {file}",
        version.id, version.state
    ))?;
    if let Some(also) = counts_for(outcome, &verifier, "v", also.iter().map(|id| id.0)) {
        console.print_line(&also)?;
    }
    folders.print(app, console).await;
    // Recording a failed verdict is not a failure of the command.
    Ok(warn_of_unpublished(app, [source.id], console).await?)
}

/// Returns the change of a source's published file in words; the source is given as it was before.
async fn served_after(app: &App, mut served: Served, before: &Source) -> Result<String, Error> {
    served.record([before]);
    let changes = served.changes(app).await?;
    let words = changes.first().map(|(_, change)| change.clause());
    Ok(words.unwrap_or_else(|| "nothing of it is published".to_owned()))
}
