//! Versions whose judging kills the process: noted while a rule is at work, so that whoever finds a dead worker's folder knows.
//!
//! Only of rules that run in this process: a program, or a service at an address, dies alone.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::judge::newest_of_each;
use super::{App, Result};
use crate::domain::{Judgement, Source, Version, VersionId};

/// The file in a worker's folder that says which versions are being judged: a line each, which is empty while none is. One file that
/// stays open spares making and removing one for each judgement.
const FILE: &str = "judging";
/// The bytes of a line: an id, the rule as far as there is room, spaces, and the line feed.
const LINE_BYTES: usize = 64;
/// After so many, passes do not judge a version by rules of this process any more.
const TOO_MANY: u32 = 2;

/// The notes of this process.
#[derive(Default)]
pub(super) struct Notes {
    /// Made with the first note.
    file: Option<File>,
    lines: u64,
    /// Lines that say nothing.
    free: Vec<u64>,
}

impl Notes {
    /// Writes a line that says nothing now, or a new one. Returns which.
    fn begin(&mut self, path: &Path, version: VersionId, rule: &str) -> io::Result<u64> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::create(path)?,
        };
        let line = self.free.last().copied().unwrap_or(self.lines);
        let written = write_line(&file, line, &format!("{version} {rule}"));
        self.file = Some(file);
        written?;
        if self.free.pop().is_none() {
            self.lines += 1;
        }
        Ok(line)
    }

    fn end(&mut self, line: u64) {
        // A note that stays counts as a death: one too many does no harm.
        let ended = self.file.as_ref().map(|file| write_line(file, line, ""));
        if let Some(Ok(())) = ended {
            self.free.push(line);
        }
    }
}

fn write_line(file: &File, line: u64, text: &str) -> io::Result<()> {
    let mut bytes = [b' '; LINE_BYTES];
    let text = &text.as_bytes()[..text.len().min(LINE_BYTES - 1)];
    bytes[..text.len()].copy_from_slice(text);
    bytes[LINE_BYTES - 1] = b'\n';
    file.write_all_at(&bytes, line * LINE_BYTES as u64)
}

/// A note that a version is being judged.
pub(super) struct Note {
    notes: Arc<Mutex<Notes>>,
    line: u64,
}

impl Drop for Note {
    fn drop(&mut self) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.end(self.line);
    }
}

impl App {
    /// Forgets the deaths of a version once every rule that judges it has spoken as it is now. A rule that speaks before the
    /// deadly one has its turn says nothing about that one: neither earlier in the same judging nor in a judging of its own.
    pub(super) async fn clear_of_deaths(&self, source: &Source, version: &Version) -> Result<()> {
        let (verdicts, deaths) = self.store.verdicts_and_deaths(version.id).await?;
        let newest = newest_of_each(verdicts.iter().map(|one| &one.verdict));
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
        let notes = Arc::clone(&self.judging_notes);
        let path = self.archive.temp_dir().join(FILE);
        let begun = notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .begin(&path, version, rule);
        // Without a note it is judged all the same: a full disk is no reason not to.
        let line = begun.ok()?;
        Some(Note { notes, line })
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

/// Returns what stands for the judgement of a version whose judging killed the process so often; nothing when that is not too often.
pub(super) fn killed_too_often(version: VersionId, deaths: u32) -> Option<Judgement> {
    (deaths >= TOO_MANY).then(|| refusal(version, deaths))
}

/// Returns what stands for the judgement of a version whose judging killed the process so often.
fn refusal(version: VersionId, deaths: u32) -> Judgement {
    Judgement::error(&format!(
        "the process was killed {deaths} times in the middle of judging this; `gannet verify v{version}` tries again"
    ))
}

/// Returns the versions of which notes in a folder say that they are being judged.
fn noted_in(folder: &Path) -> io::Result<Vec<VersionId>> {
    let bytes = fs::read(folder.join(FILE))?;
    // The name of a rule may be cut in the middle of a character.
    let text = String::from_utf8_lossy(&bytes);
    let ids = text
        .lines()
        .filter_map(|line| line.split(' ').next()?.parse().ok());
    Ok(ids.map(VersionId).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_of_what_is_being_judged_now() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = Arc::new(Mutex::new(Notes::default()));
        let begin = |id: i64| {
            let path = folder.path().join(FILE);
            let mut locked = notes.lock().expect("a lock");
            let begun = locked.begin(&path, VersionId(id), &"é".repeat(id.ilog2() as usize));
            Note {
                notes: Arc::clone(&notes),
                line: begun.expect("a line"),
            }
        };
        let versions = || {
            let found = noted_in(folder.path()).unwrap_or_default();
            found.into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(versions(), [0_i64; 0]);
        let (first, second) = (begin(7), begin(i64::MAX));
        assert_eq!(versions(), [7, i64::MAX]);
        drop(first);
        assert_eq!(versions(), [i64::MAX]);
        let third = begin(12);
        assert_eq!(versions(), [12, i64::MAX]);
        drop((second, third));
        assert_eq!(versions(), [0_i64; 0]);
        let lines = fs::read_to_string(folder.path().join(FILE)).expect("notes");
        assert_eq!(lines.len(), 2 * LINE_BYTES);
    }
}
