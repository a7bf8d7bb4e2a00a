//! `export`: writes every version of sources to files, with a manifest.

use std::collections::HashMap;
use std::path::Path;

use crate::app::{App, Error, ErrorKind};
use crate::domain::{Source, Version, VersionState, safe_part};
use crate::faces::cli::args::ExportArgs;
use crate::faces::cli::exit::{CommandResult, damaged_history, purged_meanwhile};
use crate::faces::cli::export_folder::{ExportFolder, MANIFEST, ManifestEntry, Placed};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::json::precise;
use crate::faces::text::{clean, count};

/// The numbers of versions by outcome.
#[derive(Default)]
struct ExportCounts {
    written: usize,
    kept: usize,
    damaged: usize,
    /// Sources whose history in the catalogue is incomplete.
    damaged_histories: usize,
    /// Versions in the folder that failed, could not be judged, or wait for a verdict.
    not_passed: usize,
}

pub(super) async fn run(app: &App, args: &ExportArgs, console: &mut Console<'_>) -> CommandResult {
    let sources = app.sources(&args.sources).await?;
    let mut sources = app.days_in_place(sources).await?;
    if args.sources.is_empty() {
        // Without selectors, removed sources are exported too.
        sources.extend(app.removed_sources(&[]).await?);
    }
    let folders = folder_names(&sources);
    let mut folder = ExportFolder::open(&args.folder)?;
    let mut done = ExportCounts::default();
    for source in &sources {
        let place = &folders[&source.id.0];
        let exported = export(app, source, place, &mut folder, &mut done, console).await;
        // A source that was purged meanwhile cannot be exported.
        if app.source_by_id(source.id).await?.is_none() {
            console.warn(&purged_meanwhile(source));
        } else {
            exported?;
        }
    }
    folder.finish()?;
    report(&done, &args.folder, console)
}

/// Exports every version of a source.
async fn export(
    app: &App,
    source: &Source,
    place: &str,
    folder: &mut ExportFolder,
    done: &mut ExportCounts,
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
            // The other versions can still be exported.
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

fn report(done: &ExportCounts, folder: &Path, console: &mut Console<'_>) -> CommandResult {
    let ExportCounts {
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
    console.print_line(&format!("{total} in {}{there}", clean(&folder)))?;
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

/// Returns a folder name for each source, by its id: the name made safe, with the id where two would be equal (on file
/// systems that ignore case).
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

fn entry(source: &Source, version: &Version, folder: &str) -> ManifestEntry {
    // Some file systems refuse colons.
    let time = version.fetched_at.format("%Y-%m-%dT%H%M%SZ");
    // Stored names are safe; a manipulated store must not lead out of the folder.
    let name = safe_part(&version.name).unwrap_or_else(|| "file".to_owned());
    ManifestEntry {
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
    use crate::faces::fixtures::{source, version};

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
