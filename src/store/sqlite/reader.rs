//! Connections that only read, opened on demand and reused.
//!
//! Reads are short: an open read keeps the write-ahead log from being reset.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::catalogue_file::CatalogueFile;
use super::connection::open_for_reading;
use super::failure::{Failure, sql_error};
use super::file_identity::FileIdentity;
use super::read_only::{QuietConnection, explained, is_passing};
use crate::store::error::Result;
use crate::store::types::ChangeToken;

/// How many reads may run at once.
const MAX_READERS: usize = 4;

/// How many queries of people may run at once; they never use the places of other reads.
const MAX_QUERIES: usize = 2;

/// The pause before a read is retried.
const PAUSE: Duration = Duration::from_millis(10);

const CHANGING: &str = "it is written to again and again while it is read";

/// How connections are opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Beside a writer of this process, which opened the file with this identity.
    Usual(FileIdentity),
    /// Without a trace; each connection has its own file identity.
    Quiet,
}

enum Reader {
    Usual(Connection),
    Quiet(QuietConnection),
}

pub(super) struct Readers {
    file: CatalogueFile,
    manner: Manner,
    idle: Mutex<Vec<Reader>>,
    /// Never the writer's connection: `data_version` ignores a connection's own writes.
    watching: Mutex<Option<Watching>>,
    /// How often the watching connection was opened.
    opened: AtomicI64,
    pub(super) permits: Semaphore,
    /// Bounds the queries that people write.
    pub(super) queries: Arc<Semaphore>,
}

/// The connection that watches for changes, and its number.
struct Watching {
    reader: Reader,
    opened: i64,
}

impl Readers {
    /// Returns readers of the file that a writer of this process has open.
    pub(super) fn new(file: CatalogueFile, identity: FileIdentity) -> Self {
        Self::opened(file, Manner::Usual(identity))
    }

    /// Returns readers that leave no trace; see [`QuietConnection`].
    pub(super) fn quiet(file: CatalogueFile) -> Self {
        Self::opened(file, Manner::Quiet)
    }

    fn opened(file: CatalogueFile, manner: Manner) -> Self {
        Self {
            file,
            manner,
            idle: Mutex::default(),
            watching: Mutex::default(),
            opened: AtomicI64::default(),
            permits: Semaphore::new(MAX_READERS),
            queries: Arc::new(Semaphore::new(MAX_QUERIES)),
        }
    }

    /// Runs `query` on one state of the catalogue, whatever is committed meanwhile. Blocks.
    pub(super) fn read<T>(
        &self,
        mut query: impl FnMut(&Connection) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        self.with(|connection| query(connection).map_err(|error| error.of(&self.file)))
    }

    /// Like [`Self::read`], with the store's error. Retries when files without a writer changed meanwhile, or when a
    /// starting or ending writer blocks a connection that leaves no trace.
    pub(super) fn with<T>(&self, mut query: impl FnMut(&Connection) -> Result<T>) -> Result<T> {
        let deadline = Instant::now() + self.file.busy_timeout;
        loop {
            if let Some(value) = self.try_with(&mut query, Instant::now() >= deadline)? {
                return value;
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Runs `query`; returns `None` when it must be retried, which is an error at the `last` try.
    fn try_with<T>(
        &self,
        query: &mut impl FnMut(&Connection) -> Result<T>,
        last: bool,
    ) -> Result<Option<Result<T>>> {
        self.check_file()?;
        let reader = match self.take() {
            Some(reader) => reader,
            None => self.open()?,
        };
        let snapshot = reader
            .connection()
            .unchecked_transaction()
            .map_err(|error| sql_error(&error, &self.file))?;
        if let Reader::Quiet(quiet) = &reader
            && let Err(error) = quiet.enter()
        {
            if is_passing(&error) && !last {
                return Ok(None);
            }
            return Err(explained(&error, &self.file));
        }
        let value = query(&snapshot);
        let is_usable = snapshot.finish().is_ok();
        if !reader.is_whole(&self.file.path) {
            return if last {
                Err(self.file.failed(CHANGING))
            } else {
                Ok(None)
            };
        }
        if is_usable {
            self.lock().push(reader);
        }
        Ok(Some(value))
    }

    /// Runs `query` on a connection of its own, which it may change the settings of. Retries as [`Self::with`]. Blocks.
    pub(super) fn read_alone<T>(
        &self,
        mut query: impl FnMut(&mut Connection) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        let deadline = Instant::now() + self.file.busy_timeout;
        loop {
            self.check_file()?;
            let is_last = Instant::now() >= deadline;
            let mut reader = self.open()?;
            let value = query(reader.connection_mut());
            let is_whole = reader.is_whole(&self.file.path);
            match value {
                Err(Failure::Sql(error)) if is_whole && is_passing(&error) && is_last => {
                    return Err(explained(&error, &self.file));
                }
                Err(Failure::Sql(error)) if is_whole && is_passing(&error) => {}
                value if is_whole => return value.map_err(|error| error.of(&self.file)),
                _ if is_last => return Err(self.file.failed(CHANGING)),
                _ => {}
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Returns a token that changes with every commit, from SQLite's counter (`PRAGMA data_version`). Blocks.
    pub(super) fn changes(&self) -> Result<ChangeToken> {
        self.check_file()?;
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        let current = watching.take().filter(|one| self.is_current(&one.reader));
        let one = match current {
            Some(one) => one,
            None => Watching {
                reader: self.open()?,
                opened: self.opened.fetch_add(1, Ordering::Relaxed),
            },
        };
        let number: i64 = one
            .reader
            .connection()
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|error| sql_error(&error, &self.file))?;
        // Each connection has a counter of its own.
        let number = number.wrapping_add(one.opened << 32);
        *watching = Some(one);
        Ok(ChangeToken(number))
    }

    /// Closes idle connections.
    pub(super) fn close(&self) {
        *self.watching.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.lock().clear();
    }

    fn open(&self) -> Result<Reader> {
        Ok(match self.manner {
            Manner::Usual(_) => {
                let connection = open_for_reading(&self.file)?;
                // The file was the same before this was opened, too.
                self.check_file()?;
                Reader::Usual(connection)
            }
            Manner::Quiet => Reader::Quiet(QuietConnection::open(&self.file)?),
        })
    }

    fn check_file(&self) -> Result<()> {
        match self.manner {
            Manner::Usual(identity) => identity.check(&self.file),
            Manner::Quiet => Ok(()),
        }
    }

    fn take(&self) -> Option<Reader> {
        let reader = self.lock().pop()?;
        self.is_current(&reader).then_some(reader)
    }

    fn is_current(&self, reader: &Reader) -> bool {
        match reader {
            Reader::Usual(_) => true,
            Reader::Quiet(quiet) => quiet.is_current(&self.file.path),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn connection(&self) -> &Connection {
        match self {
            Self::Usual(connection) => connection,
            Self::Quiet(quiet) => &quiet.connection,
        }
    }

    fn connection_mut(&mut self) -> &mut Connection {
        match self {
            Self::Usual(connection) => connection,
            Self::Quiet(quiet) => &mut quiet.connection,
        }
    }

    /// Reports whether what was read is one state of the catalogue.
    fn is_whole(&self, path: &Path) -> bool {
        match self {
            Self::Usual(_) => true,
            Self::Quiet(quiet) => quiet.is_whole(path),
        }
    }
}
