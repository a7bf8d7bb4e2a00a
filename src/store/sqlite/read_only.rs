//! Opens a catalogue without leaving a trace: for accounts and file systems that cannot write, and for commands that
//! only read.
//!
//! SQLite in WAL mode has two files beside the catalogue: `-wal` (commits not checkpointed yet) and `-shm` (shared
//! memory of readers and writers). If some process has `-shm` open, it is used read-only, which agrees with live
//! writers. Otherwise `-shm` is left from a killed process and may be half-written: the files are read as they lie, and
//! their stamps are compared after each read, since a writer may come.
//!
//! Never creates or waits for a file, and never returns what was read from files that changed meanwhile.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::catalogue_file::CatalogueFile;
use super::connection::settle_for_reading;
use super::failure::sql_error;
use super::file_identity::FileIdentity;
use super::holder::is_shared;
use crate::store::error::{Result, StoreError};

/// The pause before another look at files that a starting or ending writer changes.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a log without shared memory must stay unchanged before it counts as left by a crash or a copy: an ending
/// writer removes the log shortly before the shared memory.
const STILL: Duration = Duration::from_millis(50);

/// A connection that leaves no trace.
pub(super) struct QuietConnection {
    pub(super) connection: Connection,
    /// The identity of the catalogue's file before it was opened.
    file: Option<FileIdentity>,
    /// The stamps of the files when they were opened; `None` when the writers' shared memory is used.
    lay: Option<Stamp>,
}

/// Shows whether a file was written to. Excludes the time of change (ctime): SQLite, run by root, changes the owner of
/// the log's file whenever it opens a log.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// Shows whether the catalogue was written to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    database: Option<FileStamp>,
    log: Option<FileStamp>,
}

impl FileStamp {
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }
}

impl Stamp {
    fn of(path: &Path) -> Self {
        Self {
            database: FileStamp::of(path),
            log: FileStamp::of(&beside(path, "-wal")),
        }
    }

    fn has_log(self) -> bool {
        self.log.is_some_and(|log| log.size > 0)
    }
}

impl QuietConnection {
    /// Opens the existing catalogue. Waits up to the busy time-out for writers that start or end.
    pub(super) fn open(file: &CatalogueFile) -> Result<Self> {
        let deadline = Instant::now() + file.busy_timeout;
        loop {
            let error = match Self::open_once(&file.path, file.busy_timeout) {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            if !is_passing(&error) || Instant::now() >= deadline {
                return Err(explained(&error, file));
            }
            if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) {
                // A missing permission will not appear by waiting.
                if let Some(refused) = refused(&file.path) {
                    return Err(refused);
                }
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn open_once(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Self> {
        let file = FileIdentity::of(path).ok();
        let lay = Stamp::of(path);
        if has_writers(path, lay) {
            let connection = open_shared(path)?;
            return Self::settled(connection, file, None, busy_timeout);
        }
        let connection = if lay.has_log() {
            std::thread::sleep(STILL);
            if Stamp::of(path) != lay {
                return Self::open_once(path, busy_timeout);
            }
            open_with_log(path)?
        } else {
            open_alone(path)?
        };
        Self::settled(connection, file, Some(lay), busy_timeout)
    }

    fn settled(
        connection: Connection,
        file: Option<FileIdentity>,
        lay: Option<Stamp>,
        busy_timeout: Duration,
    ) -> rusqlite::Result<Self> {
        settle_for_reading(&connection, busy_timeout)?;
        let opened = Self {
            connection,
            file,
            lay,
        };
        opened.enter()?;
        Ok(opened)
    }

    /// Starts reading, which opens log and shared memory; within a transaction, the state read stays the same.
    pub(super) fn enter(&self) -> rusqlite::Result<()> {
        let sql = "SELECT count(*) FROM sqlite_schema";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row([], |_| Ok(()))
    }

    /// Reports whether the next read may use this connection: the catalogue is the same file, and files without a
    /// writer are unchanged and still have none.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        self.file == FileIdentity::of(path).ok()
            && self
                .lay
                .is_none_or(|lay| lay == Stamp::of(path) && !has_writers(path, lay))
    }

    /// Reports whether a read saw one state: the files were not written to meanwhile.
    pub(super) fn is_whole(&self, path: &Path) -> bool {
        self.lay.is_none_or(|lay| lay == Stamp::of(path))
    }
}

/// Reports whether live writers share memory. SQLite creates the log before the shared memory and removes it before, so
/// shared memory without a log was left behind; so was one that no process has open. SQLite misses the second case: a
/// writer killed while restarting the log leaves an index that fits no log, on which a read-only connection retries for
/// 10 s.
fn has_writers(path: &Path, lay: Stamp) -> bool {
    lay.log.is_some() && is_shared(path)
}

/// Uses the existing shared memory as it is.
fn open_shared(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(uri(path, "mode=ro&readonly_shm=1"), flags())
}

/// Reads a catalogue with an empty log: the file is complete.
fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(uri(path, "mode=ro&immutable=1"), flags())
}

/// Reads a catalogue with a log left by a crash or a copy: the log's index is built in this process's memory.
fn open_with_log(path: &Path) -> rusqlite::Result<Connection> {
    // Locks would have to be written, and no process has the files open.
    let connection =
        Connection::open_with_flags_and_vfs(uri(path, "mode=ro"), flags(), c"unix-none")?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI
}

/// Returns the URI of a file in SQLite's form (<https://sqlite.org/uri.html>).
fn uri(path: &Path, query: &str) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri.push('?');
    uri.push_str(query);
    uri
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns the system's error when this account may not read one of the catalogue's files.
fn refused(path: &Path) -> Option<StoreError> {
    let files = [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")];
    files.into_iter().find_map(|file| {
        let error = std::fs::File::open(&file).err()?;
        (error.kind() != std::io::ErrorKind::NotFound || file == path).then(|| StoreError::Failed {
            place: file.display().to_string(),
            reason: format!("cannot read it: {error}"),
        })
    })
}

/// Reports whether an error may come from a starting or ending writer: its shared memory is incomplete, or gone since
/// it was seen.
pub(super) fn is_passing(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen)
    )
}

/// Returns the error that explains why the catalogue could not be read.
pub(super) fn explained(error: &rusqlite::Error, file: &CatalogueFile) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly) => file.failed("a process that was writing ended half-way; run any command that changes something, as the owner of the folder"),
        _ => sql_error(error, file),
    }
}
