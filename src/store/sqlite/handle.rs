//! The handle on an open catalogue: hands operations to the writer thread and to readers. Knows no table.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::library;
use super::schema;

use super::catalogue_file::CatalogueFile;
use super::connection::{make_private, open_for_writing};
use super::failure::{Failure, sql_error};
use super::file_identity::FileIdentity;
use super::noted::Noted;
use super::reader::Readers;
use super::transaction::Transaction;
use super::writer::{Job, MAX_BATCH, Writer, job};
use crate::store::error::{Result, StoreError};
use crate::store::options::StoreOptions;
use crate::store::types::ChangeToken;

/// An open catalogue. Cheap to clone; dropping the last clone waits until all that is queued is written.
///
/// An operation whose future is dropped is still done when it was queued.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    file: CatalogueFile,
    readers: Readers,
    noted: Noted,
    /// `None` for one that only reads, and while it is dropped.
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens or creates the catalogue and migrates it; a copy of an existing one (`gannet.db.before-NNN`) is
    /// taken first. Blocks, a few milliseconds as a rule.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] for one that a newer gannet made, [`StoreError::Locked`] when another process holds it
    /// for longer than the busy time-out (5 s), and [`StoreError::Failed`] for a file that is no catalogue, which is left as it is.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, StoreOptions::default())
    }

    /// Like [`Store::open`], with another time to wait for other processes, and with subscribers.
    pub fn open_with(path: &Path, options: StoreOptions) -> Result<Self> {
        let file = CatalogueFile::new(path, options.busy_timeout);
        library::prepare(&file)?;
        // SQLite would make it readable for all. A file that cannot be made is SQLite's to name.
        let _ = make_private(path);
        let open = || open_for_writing(&file);
        let (mut connection, identity) = FileIdentity::while_opening(&file, open)?;
        schema::prepare(&mut connection, &file)?;
        let (jobs, queue) = mpsc::channel(MAX_BATCH);
        let writer = Writer::new(
            file.clone(),
            (connection, identity),
            queue,
            options.on_commit,
        );
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| file.failed(format!("cannot start the writer: {error}")))?;
        Ok(Self(Arc::new(Inner {
            readers: Readers::new(file.clone(), identity),
            file,
            noted: Noted::default(),
            jobs: Some(jobs),
            writer: Some(thread),
        })))
    }

    /// Opens a catalogue that exists for reading only: makes no file, takes no lock, and works where this account or the
    /// file system allows nothing but reading. Every operation that writes fails.
    ///
    /// # Errors
    ///
    /// As [`Store::open`]; [`StoreError::Older`] for one that would have to be migrated first.
    pub fn open_for_reading(path: &Path) -> Result<Self> {
        let file = CatalogueFile::new(path, StoreOptions::default().busy_timeout);
        library::prepare(&file)?;
        let readers = Readers::quiet(file.clone());
        readers.with(|connection| schema::check_newest(connection, &file))?;
        Ok(Self(Arc::new(Inner {
            file,
            readers,
            noted: Noted::default(),
            jobs: None,
            writer: None,
        })))
    }

    pub(super) fn noted(&self) -> &Noted {
        &self.0.noted
    }

    /// Tells whether operations that write can succeed.
    pub fn can_write(&self) -> bool {
        self.0.jobs.is_some()
    }

    /// Returns a token that is another one when anything was committed since, by this store or by another process. Costs
    /// microseconds, and does not wait for the writer.
    pub async fn changes(&self) -> Result<ChangeToken> {
        let inner = Arc::clone(&self.0);
        let value = tokio::task::spawn_blocking(move || inner.readers.changes()).await;
        value.map_err(|_| self.stopped())?
    }

    /// Folds the write-ahead log into the catalogue's file, and empties it. Returns whether it is empty now: others that read keep it
    /// from that.
    pub async fn empty_log(&self) -> Result<bool> {
        let file = self.0.file.clone();
        let emptied = tokio::task::spawn_blocking(move || {
            let connection = open_for_writing(&file)?;
            connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                    row.get(0).map(|is_busy: bool| !is_busy)
                })
                .map_err(|error| sql_error(&error, &file))
        });
        emptied.await.map_err(|_| self.stopped())?
    }

    /// Runs `operation` in the writer's next transaction and returns after its commit. It may be run more than
    /// once: anew when the transaction was undone.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: impl FnMut(&Transaction<'_>) -> std::result::Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let (job, answer) = job(operation);
        let Some(jobs) = self.0.jobs.as_ref() else {
            return Err(self.0.file.failed("it was opened for reading only"));
        };
        jobs.send(job).await.map_err(|_| self.stopped())?;
        answer.await.map_err(|_| self.stopped())?
    }

    /// Runs `query` on one state of the catalogue, on a thread that may block; again when the state it read was not one.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnMut(&Connection) -> std::result::Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let permit = self.0.readers.permits.acquire().await;
        let inner = Arc::clone(&self.0);
        let value = tokio::task::spawn_blocking(move || inner.readers.read(query)).await;
        drop(permit);
        value.map_err(|_| self.stopped())?
    }

    fn stopped(&self) -> StoreError {
        let reason = "the catalogue is closed after an internal error";
        self.0.file.failed(reason)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The last connection to close folds the write-ahead log into the file, which only a writing one can.
        self.readers.close();
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told its callers so.
            let _ = writer.join();
        }
    }
}
