//! `export`: every version of sources as files, with a manifest.

use std::collections::HashMap;
use std::path::Path;

use crate::app::{App, Error, ErrorKind};
use crate::domain::{Source, Version, VersionState, safe_part};
use crate::faces::cli::args::ExportArgs;
use crate::faces::cli::exit::{CommandResult, damaged_history, purged_meanwhile};
use crate::faces::cli::export_folder::{Entry, ExportFolder, MANIFEST, Placed};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::json::precise;
use crate::faces::text::{clean, count};

/// How many versions came to what.
#[derive(Default)]
struct Done {
    written: usize,
    kept: usize,
    damaged: usize,
    /// Sources of which the catalogue does not know every version any more.
    damaged_histories: usize,
    /// Of those in the folder: failed, could not be judged, or wait for a verdict.
    not_passed: usize,
}

pub(super) async fn run(app: &App, args: &ExportArgs, console: &mut Console<'_>) -> CommandResult {
    let mut sources = app.sources(&args.sources).await?;
    if args.sources.is_empty() {
        // Every version is every version.
        sources.extend(app.removed_sources(&[]).await?);
    }
    let folders = folder_names(&sources);
    let mut folder = ExportFolder::open(&args.folder)?;
    let mut done = Done::default();
    for source in &sources {
        let place = &folders[&source.id.0];
        let exported = export(app, source, place, &mut folder, &mut done, console).await;
        // What was purged in between cannot be saved any more.
        if app.source_by_id(source.id).await?.is_none() {
            console.warn(&purged_meanwhile(source));
        } else {
            exported?;
        }
    }
    folder.finish()?;
    report(&done, &args.folder, console)
}

/// Saves every version of a source.
async fn export(
    app: &App,
    source: &Source,
    place: &str,
    folder: &mut ExportFolder,
    done: &mut Done,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    let (versions, damage) = app.sound_versions(source.id, None).await?;
    if let Some(damage) = damage {
        done.damaged_histories += 1;
        console.warn(&damaged_history(source, &damage));
    }
    for version in versions.iter().rev() {
        let content = match app.content(version).await {
            Ok(content) => content,
            // The others can still be saved.
            Err(error) if error.kind == ErrorKind::Damaged => {
                done.damaged += 1;
                console.warn(&clean(&error.message));
                continue;
            }
            Err(error) => return Err(error),
        };
        if !matches!(
            version.state,
            VersionState::Passed | VersionState::Unverified
        ) {
            done.not_passed += 1;
        }
        match folder.place(entry(source, version, place), version.digest, &content)? {
            Placed::Written => done.written += 1,
            Placed::Kept => done.kept += 1,
        }
    }
    Ok(())
}

fn report(done: &Done, folder: &Path, console: &mut Console<'_>) -> CommandResult {
    let Done {
        written,
        kept,
        damaged,
        damaged_histories,
        not_passed,
    } = *done;
    let folder = folder.display().to_string();
    let total = count(written + kept, "version");
    let there = if kept > 0 {
        format!(", {kept} of them there already")
    } else {
        String::new()
    };
    console.say(&format!("{total} in {}{there}", clean(&folder)))?;
    if not_passed > 0 {
        console.warn(&format!(
            "{} did not pass: `verified` in {MANIFEST} says which",
            count(not_passed, "version")
        ));
    }
    if damaged > 0 {
        console.warn(&format!("{} left out: damaged", count(damaged, "version")));
    }
    Ok(if damaged + damaged_histories > 0 {
        ExitStatus::CouldNotRun
    } else {
        ExitStatus::Done
    })
}

/// Returns a folder's name for each source, by its id: its name made safe, with the id where two would be the same
/// (for a file system that folds case).
fn folder_names(sources: &[Source]) -> HashMap<i64, String> {
    let safe = |source: &Source| {
        safe_part(&source.settings.name).unwrap_or_else(|| format!("source-{}", source.id))
    };
    // The manifest lies beside the folders.
    let mut users = HashMap::from([(MANIFEST.to_owned(), 1_usize)]);
    for source in sources {
        *users.entry(safe(source).to_lowercase()).or_default() += 1;
    }
    let name = |source: &Source| {
        let name = safe(source);
        if users[&name.to_lowercase()] > 1 {
            format!("{name}~{}", source.id)
        } else {
            name
        }
    };
    sources
        .iter()
        .map(|source| (source.id.0, name(source)))
        .collect()
}

fn entry(source: &Source, version: &Version, folder: &str) -> Entry {
    // No colons: some file systems refuse them.
    let time = version.fetched_at.format("%Y-%m-%dT%H%M%SZ");
    // Stored names are safe; a store that was tampered with must not lead out of the folder.
    let name = safe_part(&version.name).unwrap_or_else(|| "file".to_owned());
    Entry {
        path: format!("{folder}/{time}-v{}-{name}", version.id),
        source: source.settings.name.clone(),
        address: source.settings.address.to_string(),
        version_id: version.id.0,
        digest: version.digest.to_string(),
        size_bytes: version.size_bytes,
        fetched_at: precise(version.fetched_at),
        verified: version.state.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::samples::{source, version};

    #[test]
    fn folders_never_meet() {
        let names = ["prices", "a/b", "A_b", "..", "rates", "Manifest.json"];
        let sources: Vec<_> = (1..)
            .zip(names)
            .map(|(id, name)| source(id, name))
            .collect();
        let folders = folder_names(&sources);
        let found: Vec<_> = (1..=6).map(|id| folders[&id].as_str()).collect();
        assert_eq!(
            found,
            [
                "prices",
                "a_b~2",
                "A_b~3",
                "source-4",
                "rates",
                "Manifest.json~6"
            ]
        );
    }

    #[test]
    fn files_say_when_and_which() {
        let mut version = version(11, 0, b"x");
        assert_eq!(
            entry(&source(1, "prices"), &version, "prices").path,
            "prices/2026-01-31T120003Z-v11-prices.csv"
        );
        version.name = "../../etc/passwd".to_owned();
        let path = entry(&source(1, "prices"), &version, "prices").path;
        assert_eq!(path.matches('/').count(), 1, "{path}");
    }
}
