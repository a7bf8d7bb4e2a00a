//! The locks of a data folder: files in `tmp/`, which is private to the account, each held by one process at a time.
//!
//! A lock is an advisory lock of the system on the file, and ends with its holder. The file holds the holder's process
//! id. Every wait has a limit, and a long one is reported with the holder.

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

/// A wait longer than this is reported.
const REPORT_AFTER: Duration = Duration::from_secs(2);

/// Longest pause between two attempts to take a lock; the first pause is a sixteenth.
const STEP: Duration = Duration::from_millis(16);

/// Receives a line for each long wait.
pub type WaitReporter = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone, Copy, Debug)]
pub(super) struct LockKind {
    pub(super) file: &'static str,
    /// The holder's activity, as the end of a sentence after "which".
    does: &'static str,
    /// Longest wait.
    limit: Duration,
}

/// Held while published files, and the catalogue's records of them, change.
pub(super) const PUBLISHED: LockKind = LockKind {
    file: "published.lock",
    does: "changes published files",
    // Many times the duration of a batch.
    limit: Duration::from_secs(30),
};

pub(super) const SETS: LockKind = LockKind {
    file: "sets.lock",
    does: "judges sets",
    // Verifiers may take any time: after this wait, the sets are left to the other process.
    limit: Duration::from_secs(10),
};

/// Held while notifications are sent; nobody waits for it.
pub(super) const NOTIFICATIONS: LockKind = LockKind {
    file: "notify.lock",
    does: "tells notifiers",
    limit: Duration::ZERO,
};

pub(super) const MARK: LockKind = LockKind {
    file: "mark.lock",
    does: "writes the mark of the archive",
    limit: Duration::from_secs(10),
};

/// Held while run folders in `tmp/` are made and removed.
pub(super) const FOLDERS: LockKind = LockKind {
    file: "lock",
    does: "makes or removes temporary folders",
    limit: Duration::from_secs(10),
};

/// A lock, held until dropped.
#[derive(Debug)]
pub struct FileLock(File);

impl Drop for FileLock {
    /// Unlocks the file before it is closed: a child process that has not started its program yet shares the open file,
    /// and would keep the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// The file in a run folder that its process locks for its lifetime.
pub(super) const RUN_LOCK: &str = "lock";

impl FileLock {
    /// Locks a new run folder for this process.
    pub(super) fn of_folder(folder: &Path) -> io::Result<Self> {
        let unlocked = folder.join("unlocked");
        let file = File::create_new(&unlocked)?;
        file.lock()?;
        // Renamed once locked: an unlocked file of this name belongs to a dead process.
        fs::rename(unlocked, folder.join(RUN_LOCK))?;
        Ok(Self(file))
    }

    /// Returns whether the owner of a run folder lives. Fails with *not found* for a folder without the lock's file.
    pub(super) fn is_owner_alive(folder: &Path) -> io::Result<bool> {
        let lock = open_plain(File::options().write(true), &folder.join(RUN_LOCK))?;
        match lock.try_lock() {
            Ok(()) => {
                drop(Self(lock));
                Ok(false)
            }
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The folder of the locks, and the receiver of reports.
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
    /// Returns the locks in `folder`, which must exist once a lock is taken.
    pub(super) fn new(folder: PathBuf, owner: Owner, report: WaitReporter) -> Self {
        Self {
            folder,
            owner,
            report,
        }
    }

    /// Returns the owner of files made beside the locks.
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// Takes a lock. `None` when another process holds it.
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
            // A lock on a file that was removed meanwhile excludes nobody.
            if is_at(&file, &path) {
                sign(&mut file);
                return Ok(Some(FileLock(file)));
            }
        }
    }

    /// Takes a lock, waiting as long as its kind allows.
    pub(super) fn take(&self, kind: LockKind) -> Result<FileLock, ArchiveError> {
        self.take_within(kind, kind.limit)
    }

    /// Takes a lock, waiting up to `limit`. Polls, since the system's own wait can be neither limited nor cancelled.
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

/// The known facts about the holder of a lock.
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

/// Writes this process into the lock's file. On a full disk the lock holds without that.
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
        for kind in [PUBLISHED, SETS, NOTIFICATIONS, FOLDERS] {
            let held = locks.take(kind).expect("a free lock");
            let limit = Duration::from_millis(20);
            let error = locks.take_within(kind, limit).expect_err("taken");
            let text = error.to_string();
            assert!(text.contains("this process itself (since 2"), "{text}");
            assert!(
                text.contains(kind.does) && text.contains(kind.file),
                "{text}"
            );
            // As if another process had taken the lock.
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
    fn a_lock_is_free_although_a_child_process_has_its_file_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let (locks, _) = locks(folder.path());
        let held = locks.take(NOTIFICATIONS).expect("a free lock");
        // As a child has it between its birth and its program.
        let inherited = held.0.try_clone().expect("a copy");
        drop(held);
        let again = locks.try_take(NOTIFICATIONS).expect("a lock");
        assert!(again.is_some(), "{inherited:?}");
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
