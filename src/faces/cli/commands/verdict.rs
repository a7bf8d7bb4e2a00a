//! `verdict`: what a verifier outside gannet says of a version.

use super::folders::SetFolders;
use super::published::{Served, tell_unpublished};
use super::sets;
use crate::app::{App, Error, GivenVerdict};
use crate::domain::{Source, VerdictOutcome};
use crate::faces::cli::Console;
use crate::faces::cli::args::VerdictArgs;
use crate::faces::cli::exit::CommandResult;
use crate::faces::text::clean;

pub(super) async fn run(app: &App, args: &VerdictArgs, console: &mut Console<'_>) -> CommandResult {
    if let Some(set) = sets::name_of(app, &args.version).await? {
        return sets::verdict(app, set, args, console).await;
    }
    let folders = SetFolders::now(app).await;
    let GivenVerdict {
        source,
        version,
        also,
    } = app
        .verdict(
            &args.version,
            &args.verifier,
            args.outcome,
            args.detail.clone(),
        )
        .await?;
    // As it was before: the verdict was recorded since.
    let file = served_after(app, &source).await?;
    let name = clean(&source.settings.name);
    let verifier = clean(&args.verifier);
    let outcome = args.outcome;
    console.say(&format!(
        "recorded: {verifier} {outcome} v{} of {name}, which is {} now; {file}",
        version.id, version.state
    ))?;
    if let Some(also) = counts_for(outcome, &verifier, "v", also.iter().map(|id| id.0)) {
        console.say(&also)?;
    }
    folders.tell(app, console).await;
    // Recording that a version is bad is not itself a failure.
    Ok(tell_unpublished(app, [source.id], console).await?)
}

/// Versions or editions that are named one by one.
const MOST_NAMED: usize = 10;

/// Says for which others of the same contents a verdict from outside counts too; nothing when it counts for none. `lead` stands before
/// their ids, newest last.
pub(super) fn counts_for(
    outcome: VerdictOutcome,
    verifier: &str,
    lead: &str,
    ids: impl DoubleEndedIterator<Item = i64> + ExactSizeIterator,
) -> Option<String> {
    let all = ids.len();
    let named = named(lead, ids)?;
    let (has, was, it) = if all == 1 {
        ("has", "was", "it")
    } else {
        ("have", "were", "them")
    };
    let failed = match outcome {
        VerdictOutcome::Passed => format!(" and {was} failed by {verifier}"),
        _ => String::new(),
    };
    Some(format!(
        "  {named} {has} the same contents{failed}: the verdict counts for {it} too"
    ))
}

/// Returns these ids in words, oldest first, each behind `lead`; nothing without any.
pub(super) fn named(
    lead: &str,
    ids: impl DoubleEndedIterator<Item = i64> + ExactSizeIterator,
) -> Option<String> {
    let older = ids.len().saturating_sub(MOST_NAMED);
    let mut named: Vec<_> = ids.skip(older).map(|id| format!("{lead}{id}")).collect();
    if older > 0 {
        named.insert(0, format!("{older} older ones"));
    }
    let (last, others) = named.split_last()?;
    Some(match others {
        [] => last.clone(),
        others => format!("{} and {last}", others.join(", ")),
    })
}

/// Says what became of the published file of a source that is given as it was before.
async fn served_after(app: &App, before: &Source) -> Result<String, Error> {
    let mut served = Served::default();
    served.note([before]);
    let changes = served.changes(app).await?;
    let words = changes.first().map(|(_, change)| change.words());
    Ok(words.unwrap_or_else(|| "nothing of it is published".to_owned()))
}
