//! `interval`, `enable`, `disable`, `edit`, `remove` and `restore`: change sources, and print one line for each.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::add::warn_of_path;
use super::published::{Served, print_publish_failures, warn_of_unpublished};
use super::sets::unpublished;
use crate::app::{App, Discarded, Edited, Error, LeftInSet, PurgedSet, Remains};
use crate::domain::{Edit, Interval, SettingsPatch, Source, SourceId};
use crate::faces::cli::args::{
    EditArgs, IntervalArgs, LegacyEnabledArgs, LegacyIntervalArgs, RemoveArgs, RestoreArgs,
};
use crate::faces::cli::consent::consent;
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::look::Look;
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::file_change::{FileChange, FileOutcome};
use crate::faces::publication::{kept_until, one_of_sets};
use crate::faces::text::{clean, count};

/// The number of sources that a question names.
const MOST_NAMED: usize = 10;

pub(super) async fn interval(
    app: &App,
    args: &IntervalArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let (sources, interval) = args
        .split()
        .map_err(|message| Error::invalid(message).hint("gannet interval prices 'rates-*' 6h"))?;
    set_interval(app, sources, interval, console).await
}

/// The predecessor's `set_interval ADDRESS INTERVAL`.
pub(super) async fn legacy_interval(
    app: &App,
    args: &LegacyIntervalArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let address = std::slice::from_ref(&args.address);
    set_interval(app, address, args.interval, console).await
}

async fn set_interval(
    app: &App,
    sources: &[String],
    interval: Interval,
    console: &mut Console<'_>,
) -> CommandResult {
    let patch = SettingsPatch {
        interval: Some(interval),
        ..SettingsPatch::default()
    };
    let edits = app.edit(sources, patch).await?;
    for Edited { source, edit, .. } in &edits {
        let interval = source.settings.interval;
        let before = edit.before.interval;
        let words = if before == interval {
            ", unchanged".to_owned()
        } else {
            format!(", before every {before}")
        };
        console.print_line(&format!("{}: every {interval}{words}", title(source)))?;
    }
    Ok(warn_of_unpublished(app, ids_of(&edits), console).await?)
}

/// The predecessor's `url_enabled ADDRESS True|False`.
pub(super) async fn legacy_enable(
    app: &App,
    args: &LegacyEnabledArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let address = std::slice::from_ref(&args.address);
    enable(app, address, args.enabled, console).await
}

pub(super) async fn enable(
    app: &App,
    sources: &[String],
    enabled: bool,
    console: &mut Console<'_>,
) -> CommandResult {
    let patch = SettingsPatch {
        enabled: Some(enabled),
        ..SettingsPatch::default()
    };
    let word = if enabled { "enabled" } else { "disabled" };
    let edits = app.edit(sources, patch).await?;
    for Edited { source, edit, .. } in &edits {
        let title = title(source);
        let line = if edit.before.enabled == enabled {
            format!("unchanged {title}: {word} already")
        } else {
            format!("{word} {title}")
        };
        console.print_line(&line)?;
    }
    Ok(warn_of_unpublished(app, ids_of(&edits), console).await?)
}

pub(super) async fn edit(app: &App, args: &EditArgs, console: &mut Console<'_>) -> CommandResult {
    let wanted = args.changes.patch();
    let wanted = wanted.map_err(|error| Error::invalid(error.to_string()))?;
    let Some(wanted) = wanted else {
        let message = "nothing to change: give at least one option, such as --interval 6h";
        let hint = "gannet edit --help lists them";
        return Err(Error::invalid(message).hint(hint).into());
    };
    let sets_publish = wanted.publish.is_some();
    let before = if sets_publish || wanted.tags.is_some() {
        app.sources(&args.sources).await?
    } else {
        Vec::new()
    };
    let edits = if args.changes.literal {
        app.edit_literally(&args.sources, wanted).await?
    } else {
        app.edit(&args.sources, wanted).await?
    };
    for Edited { source, edit, .. } in &edits {
        console.print_line(&edit_line(source, edit))?;
        if edit.before.address != edit.after.address {
            // A published path never changes: consumers rely on it.
            let path = clean(&source.published_path);
            console.print_line(&format!("  its file stays at its published path: {path}"))?;
        }
    }
    print_judges(app, &edits, console).await?;
    print_files(app, &before, sets_publish, console).await?;
    let made = edits.iter().map(|one| (one.source.id, &one.edit));
    warn_of_ended_refusals(app, made, console).await?;
    Ok(warn_of_unpublished(app, ids_of(&edits), console).await?)
}

/// Prints which verifiers judge the edited sources from now on, and which no longer do.
async fn print_judges(
    app: &App,
    edits: &[Edited],
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let policy = app.policy_to_show().await?;
    for Edited { source, edit, .. } in edits {
        let [before, after] = [&edit.before, &edit.after].map(|one| policy.names_judging(one));
        let beyond = |these: &[&str], those: &[&str]| {
            let names = these.iter().filter(|one| !those.contains(one)).copied();
            names.collect::<Vec<_>>().join(", ")
        };
        let name = clean(&source.settings.name);
        for (names, words) in [
            (beyond(&after, &before), "is judged from now on by"),
            (beyond(&before, &after), "is no longer judged by"),
        ] {
            if !names.is_empty() {
                console.print_line(&format!("  {name} {words} {}", clean(&names)))?;
            }
        }
    }
    Ok(())
}

/// Warns of manual verdicts *failed* whose verifiers no longer judge the edited sources.
pub(super) async fn warn_of_ended_refusals<'a>(
    app: &App,
    edits: impl IntoIterator<Item = (SourceId, &'a Edit)>,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    for ended in app.refusals_ended_by(edits).await? {
        console.warn_line(&format!("gannet: {}", clean(&ended.to_string())));
    }
    Ok(())
}

/// Returns the line for an edit: `edited prices (2): tags rates -> prices`, or `unchanged prices (2)`.
fn edit_line(source: &Source, edit: &Edit) -> String {
    let title = title(source);
    let differences = edit.differences();
    if differences.is_empty() {
        return format!("unchanged {title}");
    }
    format!("edited {title}: {}", clean(&differences.join("; ")))
}

/// Prints where consumers find the files of the edited sources, which are given as they were before: files that changed
/// or moved, files that stay at their paths although their sources entered a set, and with `all` the others.
pub(super) async fn print_files(
    app: &App,
    before: &[Source],
    all: bool,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let mut served = Served::begin(app).await?;
    served.record(before);
    let sets: HashMap<_, _> = before.iter().map(|one| (one.id, &one.state.set)).collect();
    for (source, file) in served.changes(app).await? {
        let entered = kept_until(&source).filter(|_| {
            sets.get(&source.id)
                .is_some_and(|set| **set != source.state.set)
        });
        if all || !matches!(file.change, FileOutcome::Unchanged | FileOutcome::Nothing) {
            console.print_line(&format!("  {}: {}", title(&source), file.clause()))?;
        } else if let Some(set) = entered {
            console.print_line(&format!(
                "  {}: its file stays as it is at its published path until {} is published with it: {}",
                title(&source),
                clean(&one_of_sets(set)),
                clean(&source.published_path)
            ))?;
        }
    }
    Ok(note_left_in_sets(app, before, false, console).await?)
}

pub(super) async fn remove(
    app: &App,
    args: &mut RemoveArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    if args.purge
        && let Some(at) = app.purged_before(&args.sources).await?
    {
        let at = Look::of(app, console).zoned_time(Some(at));
        let names = args.sources.join(", ");
        console.print_line(&format!("purged already, {at}: {}", clean(&names)))?;
        return Ok(ExitStatus::Done);
    }
    agree_to_removal(app, args, console).await?;
    let removed = app.remove(&args.sources, args.purge).await?;
    let left = left_of(app, &removed.sources).await?;
    print_removed(app, &removed.sources, &left, args.purge, console).await?;
    let is_discarded = print_discarded(&removed.discarded, console);
    warn_of_remains(&removed.remains, console);
    let has_strays = warn_of_stray_files(&removed.stray, console);
    note_left_in_sets(app, &removed.sources, args.purge, console).await?;
    note_purged_sets(&removed.sets, console);
    let folders = warn_of_unpublished(app, ids(&removed.sources), console).await?;
    // Purged sources are in no set any more.
    let sets: Vec<_> = removed.sets.iter().map(|set| set.name.clone()).collect();
    let emptied = print_publish_failures(&unpublished(app, &sets).await?, console);
    Ok(
        match warn_of_files(&left, console).max(folders).max(emptied) {
            ExitStatus::Done if !is_discarded || has_strays => ExitStatus::Problems,
            status => status,
        },
    )
}

/// Prints a line for each removed source, with its published file unless that is among those `left`.
async fn print_removed(
    app: &App,
    removed: &[Source],
    left: &BTreeMap<String, String>,
    is_purge: bool,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let still_there = app.left_at_paths(removed).await?;
    let needs = still_there.needs.as_deref().map(clean);
    let until = needs.map_or_else(String::new, |needs| format!(" with {needs}"));
    for source in removed {
        let (id, title) = (source.id, title(source));
        let path = clean(&source.published_path);
        let was_there = source.state.published_version_id.is_some();
        let file = if !was_there || left.contains_key(&*source.published_path) {
            String::new()
        } else if still_there.sources.contains(&id) {
            format!("; still published at {path} until the next pass{until}")
        } else {
            format!("; no longer published at {path}")
        };
        console.print_line(&if is_purge {
            format!("purged {title}{file}")
        } else {
            format!(
                "removed {title}{file}; its history stays: gannet history {id}, gannet restore {id}"
            )
        })?;
    }
    if !is_purge && removed.len() > 1 {
        console.note("`gannet list --removed` shows what was removed");
    }
    Ok(())
}

/// Prints where stored files of purged histories are. Returns whether all of them could be deleted.
fn print_discarded(discarded: &Discarded, console: &mut Console<'_>) -> bool {
    let Discarded { moved, kept, why } = discarded;
    if *moved > 0 {
        console.note(&format!(
            "trash/ holds {} of more than 1 MiB for 7 days more; what is deleted there frees its room at once",
            count(*moved, "stored file")
        ));
    }
    if *kept > 0 {
        console.warn_line(&format!(
            "gannet: {} of more than 1 MiB could not be moved to trash/, and every pass tries again: {}",
            count(*kept, "stored file"),
            clean(why)
        ));
    }
    *kept == 0
}

/// Prints where content of purged histories is still found, and until when.
fn warn_of_remains(remains: &[Remains], console: &mut Console<'_>) {
    for Remains { path, why } in remains {
        console.warn_line(&format!(
            "gannet: {} may still hold what was purged: {}",
            clean(&path.to_string_lossy()),
            clean(why)
        ));
    }
}

/// Warns of published files with purged content that the catalogue does not know. Returns whether there are any.
fn warn_of_stray_files(stray: &[PathBuf], console: &mut Console<'_>) -> bool {
    for path in stray {
        console.warn_line(&format!(
            "gannet: {} still holds what was purged: the catalogue's row that said whose file it is was damaged or lost, so it was left; delete it",
            clean(&path.to_string_lossy())
        ));
    }
    !stray.is_empty()
}

/// Prints which sets are not published any more without the purged sources, and why.
fn note_purged_sets(sets: &[PurgedSet], console: &mut Console<'_>) {
    for set in sets.iter().filter(|set| set.published.is_none()) {
        let name = clean(&set.name);
        if set.is_linked {
            console.note(&format!(
                "readers of the set {name} still find what was purged: its folder could not be taken away, and every pass tries again"
            ));
            continue;
        }
        let why = set.why.as_deref().map(|why| format!(": {}", clean(why)));
        console.note(&format!(
            "readers of the set {name} find nothing, until an edition without what was purged passes{}",
            why.unwrap_or_default()
        ));
    }
}

/// Prints which of the sources, given as they were, are still published in the folder of a set that they left.
pub(super) async fn note_left_in_sets(
    app: &App,
    before: &[Source],
    is_purge: bool,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    for LeftInSet {
        source_id,
        name,
        path,
        is_removed,
        needs,
    } in app.left_in_sets(before).await?
    {
        let until = match needs {
            Some(needs) => format!(
                "this process may not publish, so until the next pass with {}",
                clean(&needs)
            ),
            None if is_purge => "until the next pass".to_owned(),
            None if !is_removed => "until an edition without it passes".to_owned(),
            None => format!(
                "until the next edition passes; `gannet remove --purge {source_id}` takes it away at once, with its history"
            ),
        };
        console.note(&format!(
            "{} still lies in the folder of its set, {}: {until}",
            clean(&name),
            clean(&path.to_string_lossy())
        ));
    }
    Ok(())
}

/// Asks for consent to a removal that needs one. Replaces the selectors in `args` by the chosen sources, so that the
/// removal affects exactly the sources that were asked about, and nobody is asked again.
pub async fn agree_to_removal(
    app: &App,
    args: &mut RemoveArgs,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    let chosen = app.removable(&args.sources, args.purge).await?;
    if args.purge || chosen.len() > 1 {
        let what = removal(app, &chosen, args.purge).await?;
        consent(&what, args.yes, console)?;
    }
    args.sources = chosen.iter().map(|source| source.id.to_string()).collect();
    args.yes = true;
    Ok(())
}

/// Returns the published files of removed sources that still exist, with the reasons.
async fn left_of(app: &App, removed: &[Source]) -> Result<BTreeMap<String, String>, Error> {
    let left = app.left_of(removed).await?.into_iter();
    Ok(left.map(|left| (left.what, left.why)).collect())
}

/// Warns of published files of removed sources that still exist; returns the exit code.
pub(super) async fn warn_of_left_files(
    app: &App,
    removed: &[Source],
    console: &mut Console<'_>,
) -> Result<ExitStatus, Error> {
    Ok(warn_of_files(&left_of(app, removed).await?, console))
}

fn warn_of_files(left: &BTreeMap<String, String>, console: &mut Console<'_>) -> ExitStatus {
    for (path, why) in left {
        console.warn_line(&format!(
            "gannet: {} is still there, and every pass tries again to remove it: {}",
            clean(path),
            clean(why)
        ));
    }
    if left.is_empty() {
        ExitStatus::Done
    } else {
        ExitStatus::Problems
    }
}

/// Returns the question's words: `purge 7 sources with 14 versions`.
async fn removal(app: &App, chosen: &[Source], purge: bool) -> Result<String, Error> {
    let (which, names) = match chosen {
        [one] => (title(one), String::new()),
        several => (count(several.len(), "source"), names_of(several)),
    };
    if !purge {
        return Ok(format!("remove {which}{names}"));
    }
    let versions = app.count_versions(chosen).await?;
    let sets = app.sets_showing(chosen).await?;
    let sets: Vec<_> = sets.iter().map(|set| clean(set)).collect();
    let folders = match sets.as_slice() {
        [] => String::new(),
        [set] => format!(
            ", and take the folder of the set {set} away until an edition without it passes"
        ),
        sets => format!(
            ", and take the folders of the sets {} away until editions without it pass",
            sets.join(", ")
        ),
    };
    let versions = count(versions, "version");
    Ok(format!("purge {which} with {versions}{names}{folders}"))
}

pub(super) async fn restore(
    app: &App,
    args: &RestoreArgs,
    console: &mut Console<'_>,
) -> CommandResult {
    let restored = app.restore(&args.sources).await?;
    for restored in &restored {
        let file = match FileChange::between(None, &restored.source) {
            nothing if nothing.change == FileOutcome::Nothing => String::new(),
            file => format!("; {}", file.clause()),
        };
        console.print_line(&format!("restored {}{file}", title(&restored.source)))?;
        warn_of_path(restored, console);
    }
    let ids = restored.iter().map(|restored| restored.source.id);
    Ok(warn_of_unpublished(app, ids, console).await?)
}

fn ids(sources: &[Source]) -> impl Iterator<Item = SourceId> {
    sources.iter().map(|source| source.id)
}

fn ids_of(edits: &[Edited]) -> impl Iterator<Item = SourceId> {
    edits.iter().map(|edited| edited.source.id)
}

/// Returns the names of the first sources and the number of the others, in parentheses.
pub(super) fn names_of(sources: &[Source]) -> String {
    let named = sources.iter().take(MOST_NAMED);
    let named: Vec<_> = named.map(|one| clean(&one.settings.name)).collect();
    let more = match sources.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(" ({}{more})", named.join(", "))
}

fn title(source: &Source) -> String {
    format!("{} ({})", clean(&source.settings.name), source.id)
}
