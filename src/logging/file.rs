//! The log's files: one a day, a configured number of days, whole lines only.
//!
//! A failed write loses its lines and is reported once, until a write succeeds; later lines are tried again. Never
//! leaves part of a line, and never fails the program's work.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use crate::clock::{Clock, SystemClock};
use crate::files::{Owner, open_plain};

/// Bytes of waiting lines that trigger a write.
const BUFFER: usize = 64 << 10;

/// Lines come fast when so many writes follow each other with less than `GAP` between them; then the next lines are waited for
/// during `GATHERING`: to wake the log's thread for each line costs a busy service more than to write it.
const FAST_WRITES: u32 = 16;
const GAP: Duration = Duration::from_millis(1);
const GATHERING: Duration = Duration::from_millis(5);

/// Bytes for which room is kept ahead of the lines that are written.
const ROOM: u64 = 64 << 10;

/// Readable as far as the umask allows: log lines hold no secrets.
const MODE: u32 = 0o644;

/// The file of the present day. One call of `write` is one line.
pub(super) struct LogFile {
    folder: PathBuf,
    keep_days: usize,
    owner: Owner,
    open: Option<OpenFile>,
    waiting: Vec<u8>,
    written_at: Instant,
    /// How many writes followed each other fast.
    fast_writes: u32,
    report: FailureReporter,
    /// Whether the last write failed, which was then reported.
    failing: bool,
}

/// The file of one day.
struct OpenFile {
    day: NaiveDate,
    file: File,
    /// The disk has room for the file up to this length.
    room_until: u64,
}

impl LogFile {
    pub(super) fn new(folder: &Path, keep_days: usize, report: FailureReporter) -> Self {
        Self {
            folder: folder.to_owned(),
            keep_days,
            owner: Owner::of(folder),
            open: None,
            waiting: Vec::new(),
            written_at: Instant::now(),
            fast_writes: 0,
            report,
            failing: false,
        }
    }

    /// Opens today's file; when it is new, removes those that are too old.
    pub(super) fn open_today(&mut self) -> io::Result<()> {
        let today = SystemClock.now().date_naive();
        if self.open.as_ref().is_some_and(|open| open.day == today) {
            return Ok(());
        }
        let path = self.folder.join(format!("gannet.{today}.log"));
        let is_new = !path.exists();
        let mut options = File::options();
        options.create(true).append(true).mode(MODE);
        let file = open_plain(&mut options, &path)?;
        if is_new {
            self.owner.give(&path)?;
            self.remove_old();
        }
        self.open = Some(OpenFile {
            day: today,
            file,
            room_until: 0,
        });
        Ok(())
    }

    fn remove_old(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter(|entry| day_of(&entry.file_name().to_string_lossy()).is_some())
            .map(|entry| entry.path())
            .collect();
        // Names sort by day.
        files.sort();
        let too_many = files.len().saturating_sub(self.keep_days);
        for path in &files[..too_many] {
            // A file that cannot be removed now is tried again tomorrow.
            let _ = fs::remove_file(path);
        }
    }

    fn write_out(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.open_today().and_then(|()| {
            let file = self.open.as_mut().expect("opened");
            file.append(&self.waiting)
        });
        self.waiting.clear();
        match &written {
            Ok(()) => self.failing = false,
            Err(error) if !self.failing => {
                self.failing = true;
                let folder = self.folder.display();
                (self.report)(&format!(
                    "cannot write the log in {folder}: {error}; the work goes on without it"
                ));
            }
            Err(_) => {}
        }
        written
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.waiting.len() + line.len() > BUFFER {
            // A failure is reported by `write_out`, and this line may still be written later.
            let _ = self.write_out();
        }
        self.waiting.extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        let is_fast = self.written_at.elapsed() < GAP;
        self.fast_writes = if is_fast { self.fast_writes + 1 } else { 0 };
        if self.fast_writes >= FAST_WRITES {
            thread::sleep(GATHERING);
        }
        self.written_at = Instant::now();
        Ok(())
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        let _ = self.write_out();
    }
}

/// Returns the day in a log file's name; `None` for other files.
fn day_of(name: &str) -> Option<NaiveDate> {
    let day = name.strip_prefix("gannet.")?.strip_suffix(".log")?;
    day.parse().ok()
}

impl OpenFile {
    /// Appends all of the bytes or nothing.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        self.keep_room(length, bytes.len() as u64)?;
        let mut file = &self.file;
        let mut written = 0;
        while written < bytes.len() {
            match file.write(&bytes[written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // Unless another process wrote behind the partial line.
                    if file.metadata()?.len() == length + written as u64 {
                        file.set_len(length)?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Keeps room on the disk for bytes behind the file's end, so that a full disk is detected before the first of them
    /// is written. File systems that cannot keep room report a full disk by the write itself.
    fn keep_room(&mut self, length: u64, bytes: u64) -> io::Result<()> {
        if length + bytes <= self.room_until {
            return Ok(());
        }
        // On a disk that is nearly full, there may be room for the bytes alone.
        for ahead in [bytes.max(ROOM), bytes] {
            let kept = fallocate(&self.file, FallocateFlags::KEEP_SIZE, length, ahead);
            if !matches!(kept, Err(Errno::NOSPC | Errno::DQUOT)) {
                self.room_until = length + ahead;
                return Ok(());
            }
        }
        Err(Errno::NOSPC.into())
    }
}

/// Receives a line when the log cannot be written.
pub type FailureReporter = Arc<dyn Fn(&str) + Send + Sync>;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn only_our_own_files_are_counted_and_the_oldest_go() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [
            "gannet.2020-01-01.log",
            "gannet.2020-01-02.log",
            "gannet.2020-13-01.log",
            "gannet.log",
            "other.2020-01-01.log",
        ] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let mut log = LogFile::new(folder.path(), 2, Arc::new(|_: &str| ()));
        log.open_today().expect("opened");
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("a folder")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        assert_eq!(left.len(), 5, "{left:?}");
        assert!(
            !left.contains(&"gannet.2020-01-01.log".to_owned()),
            "{left:?}"
        );
        assert!(
            left.contains(&"gannet.2020-01-02.log".to_owned()),
            "{left:?}"
        );
    }

    #[test]
    fn a_failure_is_told_once_and_the_next_line_is_tried() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("log");
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let report = move |line: &str| heard.lock().expect("no panic").push(line.to_owned());
        let mut log = LogFile::new(&folder, 2, Arc::new(report));
        for _ in 0..2 {
            log.write_all(b"lost\n").expect("it waits");
            log.flush().expect_err("no folder");
        }
        assert_eq!(told.lock().expect("no panic").len(), 1);
        fs::create_dir(&folder).expect("a folder");
        log.write_all(b"kept\n").expect("it waits");
        log.flush().expect("written");
        let file = fs::read_dir(&folder).expect("a folder").flatten().next();
        let text = fs::read_to_string(file.expect("a file").path()).expect("text");
        assert_eq!(text, "kept\n");
    }
}
