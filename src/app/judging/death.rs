//! Versions whose judging kills the process: each is noted while a rule or a program judges it, for whoever finds the
//! dead worker's folder. A program can kill gannet, too: by exhausting their shared memory, say.
//!
//! Judging at an address is not counted: it cannot kill this process.

use std::path::PathBuf;
use std::sync::Arc;

use super::notes::{FILE, Note, noted_in};
use crate::app::{App, Result};
use crate::domain::{Judgement, Source, Version, VersionId, newest_by_verifier};
use crate::store::{Fact, VerdictsAndDeaths};

/// After so many deaths, passes no longer judge the version by rules and programs.
const TOO_MANY: u32 = 2;

impl App {
    /// Clears a version's count of deaths once every rule and program that judges it has a verdict in its present form.
    /// A verdict of one verifier proves nothing about a deadly one whose turn comes later.
    pub(in crate::app) async fn clear_of_deaths(
        &self,
        source: &Source,
        version: &Version,
    ) -> Result<()> {
        let (verdicts, deaths) = self.read(VerdictsAndDeaths(version.id)).await?;
        let newest = newest_by_verifier(verdicts.iter().map(|one| &one.verdict));
        let refusal = refusal(version.id, deaths);
        for verifier in self.verifiers_for(&source.settings) {
            if !verifier.is_run() {
                continue;
            }
            let Some(last) = newest.get(verifier.name()) else {
                return Ok(());
            };
            if last.judgement == refusal || last.fingerprint != verifier.identify().await {
                return Ok(());
            }
        }
        self.record(Fact::JudgedToTheEnd(version.id)).await
    }

    /// Notes that a rule or program judges this version, until the returned note is dropped.
    pub(in crate::app) fn note_judging(&self, version: VersionId, rule: &str) -> Option<Note> {
        let path = self.ports.archive.machine().temp_dir().join(FILE);
        // Judges even without a note: a full disk must not prevent judging.
        Note::begin(Arc::clone(&self.ports.judging_notes), &path, version, rule).ok()
    }

    /// Counts a death for each version that a dead worker was judging, by the notes in its folder.
    pub(crate) async fn count_deaths_in(&self, folder: PathBuf) -> Result<()> {
        let versions = self.with_archive(move |_| Ok(noted_in(&folder))).await?;
        let versions = versions.unwrap_or_default();
        if !versions.is_empty() {
            self.record(Fact::JudgingDeaths(versions)).await?;
        }
        Ok(())
    }
}

/// Returns the judgement that replaces a verifier's after too many deaths; `None` for fewer.
pub(in crate::app) fn killed_too_often(version: VersionId, deaths: u32) -> Option<Judgement> {
    (deaths >= TOO_MANY).then(|| refusal(version, deaths))
}

/// Returns the judgement for a version whose judging killed the process so often.
fn refusal(version: VersionId, deaths: u32) -> Judgement {
    Judgement::error(&format!(
        "the process was killed {deaths} times in the middle of judging this; `gannet verify v{version}` tries again"
    ))
}
