//! The locks of a data folder: files in `tmp/`, which no other account may enter, each held by one process at a time.
//!
//! A lock is the system's own on the file: it ends with its holder, however that ends. The holder's process id stands in
//! the file. Every wait has a limit, and a long one is reported with the lock's holder.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};

use super::ArchiveError;
use super::file::give;
use crate::files::{Owner, open_plain};

/// A longer wait is reported.
const REPORT_AFTER: Duration = Duration::from_secs(2);

/// The longest pause between two looks at a lock that is taken; the first is a sixteenth of it.
const STEP: Duration = Duration::from_millis(16);

/// Receives a line for each long wait.
pub type WaitReporter = Arc<dyn Fn(&str) + Send + Sync>;

/// One of the locks.
#[derive(Clone, Copy, Debug)]
pub(super) struct LockKind {
    pub(super) file: &'static str,
    /// What its holder does, after "which".
    does: &'static str,
    /// How long it is waited for.
    limit: Duration,
}

/// Held while published files and what the catalogue says of them change.
pub(super) const PUBLISHED: LockKind = LockKind {
    file: "published.lock",
    does: "changes published files",
    // Many times what a batch takes.
    limit: Duration::from_secs(30),
};

/// Held while sets are judged.
pub(super) const SETS: LockKind = LockKind {
    file: "sets.lock",
    does: "judges sets",
    // Verifiers may take any time: sets are left to whoever judges them rather than waited for.
    limit: Duration::from_secs(10),
};

/// Held while changes are sent to notifiers. Never waited for.
pub(super) const NOTICES: LockKind = LockKind {
    file: "notify.lock",
    does: "tells notifiers",
    limit: Duration::ZERO,
};

/// Held while the archive's mark is written.
pub(super) const MARK: LockKind = LockKind {
    file: "mark.lock",
    does: "writes the mark of the archive",
    limit: Duration::from_secs(10),
};

/// Held while folders in `tmp/` come and go.
pub(super) const FOLDERS: LockKind = LockKind {
    file: "lock",
    does: "makes or removes temporary folders",
    limit: Duration::from_secs(10),
};

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct FileLock(#[cfg_attr(not(test), expect(dead_code, reason = "held for its lock"))] File);

/// The file in a process's own folder that it keeps locked while it lives.
pub(super) const IN_FOLDER: &str = "lock";

impl FileLock {
    /// Locks a folder that was just made as this process's own.
    pub(super) fn of_folder(folder: &Path) -> io::Result<Self> {
        let unlocked = folder.join("unlocked");
        let file = File::create_new(&unlocked)?;
        file.lock()?;
        // Under this name only once it is locked: one that is not is a dead process's.
        fs::rename(unlocked, folder.join(IN_FOLDER))?;
        Ok(Self(file))
    }

    /// Tells whether the process lives whose own folder this is; fails with *not found* where the folder has no lock.
    pub(super) fn is_held_in(folder: &Path) -> io::Result<bool> {
        let lock = open_plain(File::options().write(true), &folder.join(IN_FOLDER))?;
        match lock.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The folder of the locks, and the receiver of long waits.
#[derive(Clone)]
pub(super) struct Locks {
    folder: PathBuf,
    owner: Owner,
    report: WaitReporter,
}

impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Locks {
    /// Keeps locks in `folder`, which exists when one is taken.
    pub(super) fn new(folder: PathBuf, owner: Owner, report: WaitReporter) -> Self {
        Self {
            folder,
            owner,
            report,
        }
    }

    /// Returns to whom belongs what is made beside the locks.
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// Takes a lock unless another holder has it.
    pub(super) fn try_take(&self, kind: LockKind) -> Result<Option<FileLock>, ArchiveError> {
        let path = self.folder.join(kind.file);
        loop {
            let mut file = open(&path)?;
            give(self.owner, &path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => {
                    return Err(ArchiveError::io("lock", &path)(error));
                }
            }
            // A file that somebody removed meanwhile keeps nobody off.
            if is_at(&file, &path) {
                sign(&mut file);
                return Ok(Some(FileLock(file)));
            }
        }
    }

    /// Takes a lock, waiting for it as long as its kind allows.
    pub(super) fn take(&self, kind: LockKind) -> Result<FileLock, ArchiveError> {
        self.take_within(kind, kind.limit)
    }

    /// The system's own wait has no time-out, and cannot be called off.
    pub(super) fn take_within(
        &self,
        kind: LockKind,
        limit: Duration,
    ) -> Result<FileLock, ArchiveError> {
        let begun = Instant::now();
        let mut is_reported = false;
        let mut step = STEP / 16;
        loop {
            if let Some(file) = self.try_take(kind)? {
                return Ok(file);
            }
            if begun.elapsed() >= limit {
                return Err(self.busy(kind, limit));
            }
            if !is_reported && begun.elapsed() >= REPORT_AFTER {
                is_reported = true;
                let holder = Holder::of(&self.folder.join(kind.file));
                let line = format!("waiting for {holder}, which {}", kind.does);
                tracing::warn!("{line}");
                (self.report)(&line);
            }
            std::thread::sleep(step);
            step = (step * 2).min(STEP);
        }
    }

    fn busy(&self, kind: LockKind, limit: Duration) -> ArchiveError {
        let path = self.folder.join(kind.file);
        let holder = Holder::of(&path);
        ArchiveError::Busy {
            process: holder.process,
            what: format!("{holder}, which {}", kind.does),
            waited: limit,
            path,
        }
    }
}

/// What is known of whoever holds a lock.
struct Holder {
    process: Option<u32>,
    since: Option<SystemTime>,
}

impl Holder {
    fn of(path: &Path) -> Self {
        let mut text = String::new();
        let read = open_plain(File::options().read(true), path)
            .and_then(|file| file.take(32).read_to_string(&mut text));
        Self {
            process: read.ok().and_then(|_| text.trim().parse().ok()),
            since: fs::metadata(path).and_then(|file| file.modified()).ok(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process {
            Some(process) if process == std::process::id() => f.write_str("this process itself"),
            Some(process) => write!(f, "process {process}"),
            None => f.write_str("another process"),
        }?;
        if let Some(since) = self.since {
            let since: DateTime<Utc> = since.into();
            write!(f, " (since {})", since.format("%Y-%m-%d %H:%M:%S UTC"))?;
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, ArchiveError> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    open_plain(options.mode(0o600), path).map_err(ArchiveError::io("open", path))
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (held.dev(), held.ino()) == (there.dev(), there.ino())
}

/// Writes down who holds the lock. On a full disk nobody can, and the lock holds all the same.
fn sign(file: &mut File) {
    let _ = file
        .set_len(0)
        .and_then(|()| file.seek(io::SeekFrom::Start(0)))
        .and_then(|_| writeln!(file, "{}", std::process::id()));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Mutex;

    use super::*;

    fn locks(folder: &Path) -> (Locks, Arc<Mutex<Vec<String>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let tell = move |line: &str| heard.lock().expect("no panic").push(line.to_owned());
        (
            Locks::new(folder.to_owned(), Owner::default(), Arc::new(tell)),
            told,
        )
    }

    #[test]
    fn a_lock_that_stays_taken_is_an_error_that_names_its_holder() {
        let folder = tempfile::tempdir().expect("a folder");
        let (locks, told) = locks(folder.path());
        for kind in [PUBLISHED, SETS, NOTICES, FOLDERS] {
            let held = locks.take(kind).expect("a free lock");
            let limit = Duration::from_millis(20);
            let error = locks.take_within(kind, limit).expect_err("taken");
            let text = error.to_string();
            assert!(text.contains("this process itself (since 2"), "{text}");
            assert!(
                text.contains(kind.does) && text.contains(kind.file),
                "{text}"
            );
            // As if another had taken it.
            fs::write(folder.path().join(kind.file), "4242\n").expect("a file");
            let error = locks.take_within(kind, limit).expect_err("taken");
            assert!(
                error.to_string().contains("process 4242 (since 2"),
                "{error}"
            );
            let mode = fs::metadata(folder.path().join(kind.file)).expect("a file");
            assert_eq!(mode.permissions().mode() & 0o777, 0o600);
            drop(held);
            locks.take_within(kind, Duration::ZERO).expect("free again");
        }
        assert!(told.lock().expect("no panic").is_empty(), "all were short");
    }

    #[test]
    fn a_long_wait_is_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (locks, told) = locks(folder.path());
        let held = locks.take(PUBLISHED).expect("a free lock");
        let limit = REPORT_AFTER + Duration::from_millis(100);
        locks.take_within(PUBLISHED, limit).expect_err("taken");
        let told = told.lock().expect("no panic");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("waiting for "), "{told:?}");
        drop(held);
    }

    #[test]
    fn a_lock_whose_file_was_removed_keeps_nobody_off_and_is_not_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let (locks, _) = locks(folder.path());
        let stale = locks.take(SETS).expect("a free lock");
        fs::remove_file(folder.path().join(SETS.file)).expect("removed");
        let fresh = locks.take_within(SETS, Duration::ZERO).expect("a new file");
        assert!(is_at(&fresh.0, &folder.path().join(SETS.file)));
        assert!(!is_at(&stale.0, &folder.path().join(SETS.file)));
    }
}
