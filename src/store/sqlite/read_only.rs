//! Opening a catalogue without leaving a trace: for accounts and file systems that must not write, and for every command
//! that only reads.
//!
//! SQLite in WAL mode keeps two files beside the catalogue, `-wal` (what is not folded in yet) and `-shm` (who reads and
//! writes now). Whoever finds a `-shm` that a process has open uses it, read-only, and so agrees with the writers that live.
//! Otherwise nobody has the catalogue open, and a `-shm` is what a killed process left, perhaps half-written: the files are
//! read as they lie, and looked at again after each read, since a writer may come.
//!
//! Never makes a file, never waits for one, and never returns what was read from files that changed meanwhile.

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

/// The pause before a second look at files that a starting or ending writer is busy with.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a log without shared memory must lie still before it is taken for one that a crash or a copy left: a writer that
/// ends removes the one just before the other.
const STILL: Duration = Duration::from_millis(50);

/// A connection that leaves no trace.
pub(super) struct QuietConnection {
    pub(super) connection: Connection,
    /// Which file the catalogue was before it was opened.
    file: Option<FileIdentity>,
    /// The files as they lay when they were opened; nothing when the shared memory of the writers is used.
    lay: Option<Stamp>,
}

/// What tells that a file was written to. Not the time of its last change of owner or mode: SQLite, run by root, gives the
/// log's file to the catalogue's owner whenever it opens one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// What tells that the catalogue was written to.
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
    /// Opens the catalogue, which exists. Waits up to the busy time-out for writers that begin or end.
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
                // What this account may not read will not change.
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

    /// Begins to read, which opens the log and the shared memory; within a transaction, the state that is read stays.
    pub(super) fn enter(&self) -> rusqlite::Result<()> {
        let sql = "SELECT count(*) FROM sqlite_schema";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row([], |_| Ok(()))
    }

    /// Tells whether the next read may use this connection: the catalogue is the same file, and files that lay still do so, and have
    /// no writer yet.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        self.file == FileIdentity::of(path).ok()
            && self
                .lay
                .is_none_or(|lay| lay == Stamp::of(path) && !has_writers(path, lay))
    }

    /// Tells whether what was read is of one state: the files were not written to meanwhile.
    pub(super) fn is_whole(&self, path: &Path) -> bool {
        self.lay.is_none_or(|lay| lay == Stamp::of(path))
    }
}

/// Tells whether there is shared memory to agree with writers by. SQLite makes the log before it and removes it before the
/// log, so that one without the other was left behind; and so was one that no process has open. SQLite does not see the
/// second: a writer that was killed as it began the log anew leaves an index that fits no log, on which a reader that may
/// not mend it tries in vain for 10 s.
fn has_writers(path: &Path, lay: Stamp) -> bool {
    lay.log.is_some() && is_shared(path)
}

/// Uses the shared memory that is there, as it is.
fn open_shared(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(uri(path, "mode=ro&readonly_shm=1"), flags())
}

/// Reads a catalogue whose log is empty: the file is all of it.
fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(uri(path, "mode=ro&immutable=1"), flags())
}

/// Reads a catalogue whose log is not folded in, left by a crash or copied so: its index is made in this process's memory.
fn open_with_log(path: &Path) -> rusqlite::Result<Connection> {
    // Locks would have to be written; nobody has the files open whom they could hold off.
    let connection =
        Connection::open_with_flags_and_vfs(uri(path, "mode=ro"), flags(), c"unix-none")?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI
}

/// Returns SQLite's address of a file (<https://sqlite.org/uri.html>).
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

/// Returns the system's reason when this account may not read one of the catalogue's files.
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

/// Tells whether a failure may be that of a writer that begins or ends: its shared memory is not in order yet, or gone since
/// it was seen.
pub(super) fn is_passing(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen)
    )
}

/// Tells what kept the catalogue from being read.
pub(super) fn explained(error: &rusqlite::Error, file: &CatalogueFile) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly) => file.failed("a process that was writing ended half-way; run any command that changes something, as the owner of the folder"),
        _ => sql_error(error, file),
    }
}
