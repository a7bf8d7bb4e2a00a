//! Versions whose judging kills the process: noted while a rule is at work, so that whoever finds a dead worker's folder knows.
//!
//! Only of rules that run in this process: a program, or a service at an address, dies alone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{App, Result};
use crate::domain::{Judgement, VersionId};

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
        Ok((deaths >= TOO_MANY && !insists).then(|| {
            Judgement::error(&format!(
                "the process was killed {deaths} times in the middle of judging this; `gannet verify v{version}` tries again"
            ))
        }))
    }

    /// Notes that a version is being judged, until the note is dropped.
    pub(super) fn note_judging(&self, version: VersionId) -> Option<Note> {
        let path = self.archive.temp_dir().join(format!("{NOTE}{version}"));
        // Without a note it is judged all the same: a full disk is no reason not to.
        File::create(&path).ok().map(|_| Note(path))
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

fn noted_in(folder: &Path) -> io::Result<Vec<VersionId>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(NOTE));
        versions.extend(id.and_then(|id| id.parse().ok()).map(VersionId));
    }
    Ok(versions)
}
