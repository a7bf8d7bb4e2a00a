//! Connections that only read, opened when first needed and kept for the next reader.
//!
//! Reads are short: one that is held keeps the write-ahead log from being reset.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::open_for_reading;
use super::error::{Failure, Result, sql_error};

/// Reads at once.
const MAX_READERS: usize = 4;

pub(super) struct Readers {
    path: PathBuf,
    busy_timeout: Duration,
    idle: Mutex<Vec<Connection>>,
    /// Never the writer's: a connection is not told of what it wrote itself.
    watching: Mutex<Option<Connection>>,
    pub(super) permits: Semaphore,
}

impl Readers {
    pub(super) fn new(path: PathBuf, busy_timeout: Duration) -> Self {
        Self {
            path,
            busy_timeout,
            idle: Mutex::default(),
            watching: Mutex::default(),
            permits: Semaphore::new(MAX_READERS),
        }
    }

    /// Runs `query` on one state of the catalogue, whatever is committed meanwhile. Blocks.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        let connection = match self.take() {
            Some(connection) => connection,
            None => open_for_reading(&self.path, self.busy_timeout)?,
        };
        let snapshot = connection
            .unchecked_transaction()
            .map_err(|error| sql_error(&error, &self.path))?;
        let value = query(&snapshot).map_err(|error| error.at(&self.path));
        if snapshot.finish().is_ok() {
            self.lock().push(connection);
        }
        value
    }

    /// Returns a number that changes with every commit (`PRAGMA data_version`). Blocks.
    pub(super) fn data_version(&self) -> Result<i64> {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match watching.take() {
            Some(connection) => connection,
            None => open_for_reading(&self.path, self.busy_timeout)?,
        };
        let number = connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|error| sql_error(&error, &self.path))?;
        *watching = Some(connection);
        Ok(number)
    }

    /// Closes what is idle.
    pub(super) fn close(&self) {
        *self.watching.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.lock().clear();
    }

    fn take(&self) -> Option<Connection> {
        self.lock().pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
