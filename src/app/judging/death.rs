//! Versions whose judging kills the process: noted while a rule or a program is at work, so that whoever finds a dead worker's folder
//! knows. A program may take gannet along: by the memory that both may use together, say.
//!
//! Never counts what is judged at an address, which dies alone.

use std::path::PathBuf;
use std::sync::Arc;

use super::notes::{FILE, Note, noted_in};
use crate::app::{App, Result};
use crate::domain::{Judgement, Source, Version, VersionId, newest_by_verifier};
use crate::store::Fact;

/// After so many, passes do not judge a version by rules and programs any more.
const TOO_MANY: u32 = 2;

impl App {
    /// Forgets the deaths of a version once every rule and program that judges it has spoken as it is now. One that speaks before the
    /// deadly one has its turn says nothing about that one: neither earlier in the same judging nor in a judging of its own.
    pub(in crate::app) async fn clear_of_deaths(
        &self,
        source: &Source,
        version: &Version,
    ) -> Result<()> {
        let (verdicts, deaths) = self.ports.store.verdicts_and_deaths(version.id).await?;
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
        let judged = Fact::JudgedToTheEnd(version.id);
        Ok(self.ports.store.record(judged, self.stamp()).await?)
    }

    /// Notes that a version is being judged by this rule or program, until the note is dropped.
    pub(in crate::app) fn note_judging(&self, version: VersionId, rule: &str) -> Option<Note> {
        let path = self.ports.archive.machine().temp_dir().join(FILE);
        // Without a note it is judged all the same: a full disk is no reason not to.
        Note::begin(Arc::clone(&self.ports.judging_notes), &path, version, rule).ok()
    }

    /// Counts the versions that a dead worker was judging, by the notes in its folder.
    pub(crate) async fn count_deaths_in(&self, folder: PathBuf) -> Result<()> {
        let versions = self.with_archive(move |_| Ok(noted_in(&folder))).await?;
        let versions = versions.unwrap_or_default();
        if !versions.is_empty() {
            let deaths = Fact::JudgingDeaths(versions);
            self.ports.store.record(deaths, self.stamp()).await?;
        }
        Ok(())
    }
}

/// Returns what stands for the judgement of a version whose judging killed the process so often; nothing when that is not too often.
pub(in crate::app) fn killed_too_often(version: VersionId, deaths: u32) -> Option<Judgement> {
    (deaths >= TOO_MANY).then(|| refusal(version, deaths))
}

/// Returns what stands for the judgement of a version whose judging killed the process so often.
fn refusal(version: VersionId, deaths: u32) -> Judgement {
    Judgement::error(&format!(
        "the process was killed {deaths} times in the middle of judging this; `gannet verify v{version}` tries again"
    ))
}
