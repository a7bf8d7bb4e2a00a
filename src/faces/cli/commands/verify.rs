//! `verify`: runs the verifiers again on single versions or whole histories.

mod stale;

use std::collections::HashSet;
use std::io::{self, Write};

use super::folders::SetFolders;
use super::published::{Served, print_publish_failures};
use super::sets;
use super::verdict_lines::{by_source, write_files, write_version};
use crate::app::{App, Error, ErrorKind, Verified, VerifiedSet};
use crate::domain::{Source, Version, VersionRef, VersionState};
use crate::faces::cli::args::VerifyArgs;
use crate::faces::cli::exit::{CommandResult, Failure, purged_meanwhile};
use crate::faces::cli::{Console, ExitStatus};
use crate::faces::file_change::FileChange;
use crate::faces::folder_change::{ChangedFolder, FolderChange};
use crate::faces::json::{self, JudgedJson, VerifiedJson, VerifiedSetJson};

pub(super) async fn run(app: &App, args: &VerifyArgs, console: &mut Console<'_>) -> CommandResult {
    if args.stale {
        return stale::run(app, args, console).await;
    }
    let (sets, targets) = split(app, &args.targets).await?;
    let selected = select(app, &targets).await?;
    if selected.is_empty() && sets.is_empty() {
        console.note("no version to judge: none was fetched yet");
    }
    let mut served = Served::begin(app).await?;
    served.record(selected.iter().map(|(source, _)| source));
    let folders = SetFolders::now(app).await;
    let judged = judge_versions(app, selected, args.json, console).await?;
    let files = served.changes(app).await?;
    // The folders of the named sets are printed with their verdicts.
    let mut folders = folders.changes(app).await?;
    folders.retain(|folder| !sets.contains(&folder.set));
    if !args.json {
        write_files(&files, &mut console.out)?;
        for folder in &folders {
            writeln!(console.out, "{}", folder.line())?;
        }
    }
    let editions = judge_sets(app, &sets, args.json, console).await?;
    if args.json {
        write_objects(app, &judged.versions, &files, &editions, &folders, console)?;
    }
    served.print_set_aside(app, console).await?;
    let published = warn_of_targets(app, &judged.versions, &sets, console).await?;
    if let Some(error) = judged.damaged {
        return Err(error.into());
    }
    Ok(published.max(status(app, &judged.versions, &editions)))
}

/// The judged versions.
struct Judged {
    versions: Vec<Verified>,
    /// The error of the first version whose content is damaged.
    damaged: Option<Error>,
}

/// Judges versions one by one, and prints each at once, except for JSON. Versions of sources purged meanwhile are left
/// out; a damaged version does not stop the others.
async fn judge_versions(
    app: &App,
    selected: Vec<(Source, Version)>,
    is_json: bool,
    console: &mut Console<'_>,
) -> Result<Judged, Failure> {
    let (mut versions, mut damaged) = (Vec::new(), None);
    let mut purged = HashSet::new();
    let asked = app.asked_now().await?;
    for (source, version) in selected {
        let verified = match app.verify(&source, &version, asked).await {
            Err(_) if app.source_by_id(source.id).await?.is_none() => {
                if purged.insert(source.id) {
                    console.warn(&purged_meanwhile(&source));
                }
                continue;
            }
            Err(error) if error.kind == ErrorKind::Damaged => {
                console.warn(&error.message);
                damaged.get_or_insert(error);
                continue;
            }
            verified => verified?,
        };
        if !is_json {
            write_version(&verified, &mut console.out)?;
            console.out.flush()?;
        }
        versions.push(verified);
    }
    Ok(Judged { versions, damaged })
}

/// Judges sets, and prints each at once, except for JSON.
async fn judge_sets(
    app: &App,
    sets: &[String],
    is_json: bool,
    console: &mut Console<'_>,
) -> Result<Vec<(VerifiedSet, FolderChange)>, Failure> {
    let mut done = Vec::new();
    for set in sets {
        let verified = sets::verify(app, set).await?;
        if let Some(waits) = &verified.0.waits {
            console.warn(&format!("set {set}: {waits}: judged is its newest edition"));
        }
        if !is_json {
            sets::write_verified(&verified, &mut console.out)?;
        }
        done.push(verified);
    }
    Ok(done)
}

/// Writes the JSON of everything that was judged, and of the folders that changed.
fn write_objects(
    app: &App,
    versions: &[Verified],
    files: &[(Source, FileChange)],
    editions: &[(VerifiedSet, FolderChange)],
    folders: &[ChangedFolder],
    console: &mut Console<'_>,
) -> io::Result<()> {
    let actor = &app.actor().0;
    let files = by_source(files);
    let versions = versions
        .iter()
        .map(|one| JudgedJson::Version(VerifiedJson::new(one, &files, actor)));
    let editions = editions
        .iter()
        .map(|(verified, folder)| JudgedJson::Set(VerifiedSetJson::new(verified, folder, actor)));
    let folders = folders.iter().map(JudgedJson::Folder);
    let objects: Vec<_> = versions.chain(editions).chain(folders).collect();
    json::write(&mut console.out, &objects)
}

/// Warns of files and folders of the judged versions and sets that are out of date; returns the exit code.
async fn warn_of_targets(
    app: &App,
    versions: &[Verified],
    sets: &[String],
    console: &mut Console<'_>,
) -> Result<ExitStatus, Error> {
    let judged: Vec<_> = versions.iter().map(|one| one.source.id).collect();
    let mut failures = app.unpublished_of(&judged).await?;
    for folder in sets::unpublished(app, sets).await? {
        if !failures.contains(&folder) {
            failures.push(folder);
        }
    }
    Ok(print_publish_failures(&failures, console))
}

/// Separates `set:NAME` from the other targets.
async fn split(app: &App, targets: &[String]) -> Result<(Vec<String>, Vec<String>), Error> {
    let (mut sets, mut others) = (Vec::new(), Vec::new());
    for target in targets {
        match sets::name_of(app, target).await? {
            Some(set) => sets.push(set.to_owned()),
            None => others.push(target.clone()),
        }
    }
    Ok((sets, others))
}

/// Finds every version, each once, before any verifier runs, so that an unknown name stops the command early.
async fn select(app: &App, targets: &[String]) -> Result<Vec<(Source, Version)>, Error> {
    let mut selected = Vec::new();
    for target in targets {
        if names_one_version(target) && !app.is_source(target).await? {
            selected.push(app.version(target).await?);
            continue;
        }
        let sources = app.sources(std::slice::from_ref(target)).await?;
        for source in app.days_in_place(sources).await? {
            let oldest_first = app.versions(source.id).await?.into_iter().rev();
            selected.extend(oldest_first.map(|version| (source.clone(), version)));
        }
    }
    let mut seen = HashSet::new();
    selected.retain(|(_, version)| seen.insert(version.id));
    Ok(selected)
}

/// Returns whether a target names one version: `v217`, `SOURCE~N` and `SOURCE@TIME` do, unless a source has that name.
/// A bare number or name is a source here, and means all its versions.
pub(super) fn names_one_version(target: &str) -> bool {
    match target.parse() {
        Ok(VersionRef::Id(_)) => target.starts_with('v'),
        Ok(version) => version.source() != Some(target),
        Err(_) => false,
    }
}

/// Returns the exit code for the judged versions; a pending verdict is no failure.
fn status(
    app: &App,
    versions: &[Verified],
    editions: &[(VerifiedSet, FolderChange)],
) -> ExitStatus {
    let is_bad = |state| matches!(state, VersionState::Failed | VersionState::Error);
    let mut editions = editions.iter().map(|(one, _)| one.edition.state);
    if versions.iter().any(|one| app.is_problem(one)) || editions.any(is_bad) {
        ExitStatus::Problems
    } else {
        ExitStatus::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::VerdictOutcome;
    use crate::faces::fixtures::{source, verdict, version};

    #[test]
    fn tells_versions_from_sources() {
        for version in ["v217", "prices~0", "3~1", "prices@2026-01-31"] {
            assert!(names_one_version(version), "{version}");
        }
        for source in [
            "217",
            "prices",
            "https://example.org/~joe/a",
            "tag:eu",
            "rates-*",
            "vat",
            "",
        ] {
            assert!(!names_one_version(source), "{source}");
        }
    }

    #[test]
    fn prints_what_each_verifier_said() {
        let verified = Verified {
            source: source(1, "prices"),
            version: version(11, 0, b"x"),
            verdicts: vec![verdict(11, VerdictOutcome::Failed, "line 3").verdict],
            state: VersionState::Failed,
            set_aside: Vec::new(),
        };
        let mut out = Vec::new();
        write_version(&verified, &mut out).expect("a buffer");
        let files = [(
            verified.source.clone(),
            FileChange::between(None, &verified.source),
        )];
        write_files(&files, &mut out).expect("a buffer");
        let files = by_source(&files);
        let object = VerifiedJson::new(&verified, &files, "joe@host by cli");
        json::write(&mut out, &object).expect("a buffer");
        insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r#"
        v11 of prices: failed
          schema failed: line 3
        prices: published v11 at example.org/1.csv
        {
          "source_id": 1,
          "source": "prices",
          "version_id": 11,
          "verified": "failed",
          "verdicts": [
            {
              "verifier": "schema",
              "fingerprint": "ab12",
              "argv": [
                "/bin/check",
                "{path}"
              ],
              "outcome": "failed",
              "detail": "line 3",
              "exit_code": 1,
              "output": "line 3: bad\n",
              "started_at": "2026-01-31T12:00:04.000Z",
              "duration_ms": 35,
              "actor": "joe@host by cli",
              "given_on": null,
              "by_hand": false
            }
          ],
          "set_aside": [],
          "published": {
            "change": "published",
            "version_id": 11,
            "path": "example.org/1.csv",
            "set": null,
            "why": null
          }
        }
        "#);
    }
}
