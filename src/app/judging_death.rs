//! Versions whose judging kills the process: noted while a rule is at work, so that whoever finds a dead worker's folder knows.
//!
//! Only of rules that run in this process: a program, or a service at an address, dies alone.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::judge::newest_of_each;
use super::{App, Result};
use crate::domain::{Judgement, Source, Version, VersionId};

/// Begins the name of a note.
const NOTE: &str = "judging-";
/// After so many, passes do not judge a version by rules of this process any more.
const TOO_MANY: u32 = 2;

/// A note that a version is being judged.
pub(super) struct Note(PathBuf);

impl Drop for Note {
    fn drop(&mut self) {
        // A note that stays counts as a death: one too many does no harm.
        let _ = fs::remove_file(&self.0);
    }
}

impl App {
    /// Returns what stands for the judgement of a version whose judging killed the process too often; nothing when somebody
    /// `insists`.
    pub(super) async fn killed_too_often(
        &self,
        version: VersionId,
        insists: bool,
    ) -> Result<Option<Judgement>> {
        let deaths = self.store.judging_deaths(version).await?;
        Ok((deaths >= TOO_MANY && !insists).then(|| refusal(version, deaths)))
    }

    /// Forgets the deaths of a version once every rule that judges it has spoken as it is now. A rule that speaks before the
    /// deadly one has its turn says nothing about that one: neither earlier in the same judging nor in a judging of its own.
    pub(super) async fn clear_of_deaths(&self, source: &Source, version: &Version) -> Result<()> {
        let verdicts = self.store.verdicts(version.id).await?;
        let newest = newest_of_each(verdicts.iter().map(|one| &one.verdict));
        let deaths = self.store.judging_deaths(version.id).await?;
        let refusal = refusal(version.id, deaths);
        for verifier in self.verifiers_for(&source.settings) {
            if !verifier.is_rule() {
                continue;
            }
            let Some(last) = newest.get(verifier.name()) else {
                return Ok(());
            };
            if last.judgement == refusal || last.fingerprint != verifier.identify().await {
                return Ok(());
            }
        }
        Ok(self.store.forget_judging_deaths(version.id).await?)
    }

    /// Notes that a version is being judged by this rule, until the note is dropped.
    pub(super) fn note_judging(&self, version: VersionId, rule: &str) -> Option<Note> {
        let path = self.archive.temp_dir().join(format!("{NOTE}{version}"));
        // Without a note it is judged all the same: a full disk is no reason not to.
        let mut file = File::create(&path).ok()?;
        // For people: what counts is the name of the file.
        let _ = file.write_all(rule.as_bytes());
        Some(Note(path))
    }

    /// Counts the versions that a dead worker was judging, by the notes in its folder.
    pub(crate) async fn count_deaths_in(&self, folder: PathBuf) -> Result<()> {
        let versions = self.with_archive(move |_| Ok(noted_in(&folder))).await?;
        let versions = versions.unwrap_or_default();
        if !versions.is_empty() {
            self.store.count_judging_deaths(versions).await?;
        }
        Ok(())
    }
}

/// Returns what stands for the judgement of a version whose judging killed the process so often.
fn refusal(version: VersionId, deaths: u32) -> Judgement {
    Judgement::error(&format!(
        "the process was killed {deaths} times in the middle of judging this; `gannet verify v{version}` tries again"
    ))
}

fn noted_in(folder: &Path) -> io::Result<Vec<VersionId>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(NOTE));
        versions.extend(id.and_then(|id| id.parse().ok()).map(VersionId));
    }
    Ok(versions)
}
