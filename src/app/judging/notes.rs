//! Notes which versions this process's rules are judging: lines of a file in the worker's folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::VersionId;

/// The file of notes in a worker's folder: one line per judging, empty when unused. One open file saves creating and
/// removing a file per judgement.
pub(in crate::app) const FILE: &str = "judging";

/// The bytes of a line: an id, the rule (cut to fit), spaces, and the line feed.
const LINE_BYTES: usize = 64;

/// The notes of this process.
#[derive(Default)]
pub(in crate::app) struct Notes {
    /// Created with the first note.
    file: Option<File>,
    lines: u64,
    /// Unused lines.
    free: Vec<u64>,
}

impl Notes {
    /// Writes an unused or new line, and returns its number.
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
        // A note that stays counts as a death; one too many is harmless.
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
pub(in crate::app) struct Note {
    notes: Arc<Mutex<Notes>>,
    line: u64,
}

impl Note {
    /// Notes in the file at this path that a rule is judging a version.
    pub(in crate::app) fn begin(
        notes: Arc<Mutex<Notes>>,
        path: &Path,
        version: VersionId,
        rule: &str,
    ) -> io::Result<Self> {
        let begun = lock(&notes).begin(path, version, rule);
        begun.map(|line| Self { notes, line })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        lock(&self.notes).end(self.line);
    }
}

fn lock(notes: &Mutex<Notes>) -> MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the versions that the notes in a folder name.
pub(in crate::app) fn noted_in(folder: &Path) -> io::Result<Vec<VersionId>> {
    let bytes = fs::read(folder.join(FILE))?;
    // A rule's name may be cut inside a character.
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
            let rule = "é".repeat(id.ilog2() as usize);
            let begun = Note::begin(Arc::clone(&notes), &path, VersionId(id), &rule);
            begun.expect("a line")
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
