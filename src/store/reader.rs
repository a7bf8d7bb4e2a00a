//! Connections that only read, opened when first needed and kept for the next reader.
//!
//! Reads are short: one that is held keeps the write-ahead log from being reset.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::open_for_reading;
use super::error::{Failure, Result, StoreError, sql_error};
use super::read_only::QuietConnection;

/// Reads at once.
const MAX_READERS: usize = 4;

/// How often files are read that others keep writing to.
const MAX_TRIES: u32 = 10;

/// How connections are opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Beside a writer of this process.
    Usual,
    /// Without a trace.
    Quiet,
}

enum Reader {
    Usual(Connection),
    Quiet(QuietConnection),
}

pub(super) struct Readers {
    path: PathBuf,
    busy_timeout: Duration,
    manner: Manner,
    idle: Mutex<Vec<Reader>>,
    /// Never the writer's: a connection is not told of what it wrote itself.
    watching: Mutex<Option<Watching>>,
    pub(super) permits: Semaphore,
}

/// The connection that is asked for changes, and how often it had to be opened anew.
struct Watching {
    reader: Reader,
    opened: i64,
}

impl Readers {
    pub(super) fn new(path: PathBuf, busy_timeout: Duration) -> Self {
        Self::opened(path, busy_timeout, Manner::Usual)
    }

    /// Readers that leave no trace; see [`QuietConnection`].
    pub(super) fn quiet(path: PathBuf, busy_timeout: Duration) -> Self {
        Self::opened(path, busy_timeout, Manner::Quiet)
    }

    fn opened(path: PathBuf, busy_timeout: Duration, manner: Manner) -> Self {
        Self {
            path,
            busy_timeout,
            manner,
            idle: Mutex::default(),
            watching: Mutex::default(),
            permits: Semaphore::new(MAX_READERS),
        }
    }

    /// Runs `query` on one state of the catalogue, whatever is committed meanwhile. Blocks.
    pub(super) fn read<T>(
        &self,
        mut query: impl FnMut(&Connection) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        self.with(|connection| query(connection).map_err(|error| error.at(&self.path)))
    }

    /// Like [`Self::read`], with an error that knows its path. Asks again when files that no writer had open were written
    /// to meanwhile.
    pub(super) fn with<T>(&self, mut query: impl FnMut(&Connection) -> Result<T>) -> Result<T> {
        for _ in 0..MAX_TRIES {
            if let Some(value) = self.try_with(&mut query)? {
                return value;
            }
        }
        Err(StoreError::Failed {
            path: self.path.clone(),
            reason: "it was written to while it was read, again and again".to_owned(),
        })
    }

    /// Runs `query`; nothing comes back when what it read is not of one state.
    fn try_with<T>(
        &self,
        query: &mut impl FnMut(&Connection) -> Result<T>,
    ) -> Result<Option<Result<T>>> {
        let reader = match self.take() {
            Some(reader) => reader,
            None => self.open()?,
        };
        let snapshot = reader
            .connection()
            .unchecked_transaction()
            .map_err(|error| sql_error(&error, &self.path))?;
        let value = query(&snapshot);
        let is_usable = snapshot.finish().is_ok()
            // One without a trace may find the shared memory left half-way by a writer that died: the next is opened anew.
            && (value.is_ok() || matches!(reader, Reader::Usual(_)));
        if let Reader::Quiet(quiet) = &reader
            && !quiet.is_whole(&self.path)
        {
            return Ok(None);
        }
        if is_usable {
            self.lock().push(reader);
        }
        Ok(Some(value))
    }

    /// Returns a number that changes with every commit (`PRAGMA data_version`). Blocks.
    pub(super) fn data_version(&self) -> Result<i64> {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = watching.as_ref().map_or(0, |watching| watching.opened);
        let current = watching.take().filter(|one| self.is_current(&one.reader));
        let one = match current {
            Some(one) => one,
            None => Watching {
                reader: self.open()?,
                opened: opened + 1,
            },
        };
        let number: i64 = one
            .reader
            .connection()
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|error| sql_error(&error, &self.path))?;
        // A connection counts from its own beginning.
        let number = number.wrapping_add(one.opened << 32);
        *watching = Some(one);
        Ok(number)
    }

    /// Closes what is idle.
    pub(super) fn close(&self) {
        *self.watching.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.lock().clear();
    }

    fn open(&self) -> Result<Reader> {
        Ok(match self.manner {
            Manner::Usual => Reader::Usual(open_for_reading(&self.path, self.busy_timeout)?),
            Manner::Quiet => Reader::Quiet(QuietConnection::open(&self.path, self.busy_timeout)?),
        })
    }

    fn take(&self) -> Option<Reader> {
        let reader = self.lock().pop()?;
        self.is_current(&reader).then_some(reader)
    }

    fn is_current(&self, reader: &Reader) -> bool {
        match reader {
            Reader::Usual(_) => true,
            Reader::Quiet(quiet) => quiet.is_current(&self.path),
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
}
