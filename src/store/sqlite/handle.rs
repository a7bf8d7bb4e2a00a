//! The handle on an open catalogue: passes operations to the writer thread and to readers. Names no table.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

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
use super::subscribers::{Backlog, Subscribers};
use super::transaction::Transaction;
use super::writer::{Job, MAX_BATCH, Writer, job};
use crate::store::error::{Result, StoreError};
use crate::store::options::StoreOptions;
use crate::store::types::ChangeToken;

/// How long after its time-out a query may still end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// The stack of the thread of a query, which SQLite's parser uses by the depth of the text.
const QUERY_STACK_BYTES: usize = 16 << 20;

/// An open catalogue. Cheap to clone; dropping the last clone waits until queued operations are written.
///
/// A queued operation runs even when its future is dropped.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    file: CatalogueFile,
    readers: Readers,
    noted: Arc<Noted>,
    backlog: Backlog,
    /// `None` for a read-only catalogue, and during drop.
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens or creates the catalogue and migrates it, after copying an existing one to `gannet.db.before-NNN`. Blocks,
    /// usually for a few milliseconds.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] for a catalogue of a newer gannet, [`StoreError::Locked`] when another process holds it
    /// for longer than the busy time-out (5 s), [`StoreError::Failed`] for a file that is no catalogue, which stays
    /// untouched.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, StoreOptions::default())
    }

    /// Like [`Store::open`], with a given busy time-out and subscribers.
    pub fn open_with(path: &Path, options: StoreOptions) -> Result<Self> {
        let file = CatalogueFile::new(path, options.busy_timeout);
        library::prepare(&file)?;
        // SQLite would create it readable for all. If this fails, SQLite reports the reason.
        let _ = make_private(path);
        let open = || open_for_writing(&file);
        let (mut connection, identity) = FileIdentity::while_opening(&file, open)?;
        let noted = Arc::<Noted>::default();
        noted.add(schema::prepare(&mut connection, &file)?);
        let (jobs, queue) = mpsc::channel(MAX_BATCH);
        let no_thread = |error| file.failed(format!("cannot start the writer: {error}"));
        let subscribers = Subscribers::start(options.on_commit).map_err(no_thread)?;
        let backlog = subscribers.backlog();
        let writer = Writer::new(
            file.clone(),
            (connection, identity),
            queue,
            subscribers,
            Arc::clone(&noted),
        );
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run())
            .map_err(no_thread)?;
        Ok(Self(Arc::new(Inner {
            readers: Readers::new(file.clone(), identity),
            file,
            noted,
            backlog,
            jobs: Some(jobs),
            writer: Some(thread),
        })))
    }

    /// Opens an existing catalogue for reading only: creates no file, takes no lock, and works on read-only file
    /// systems. Every operation that writes fails.
    ///
    /// # Errors
    ///
    /// As [`Store::open`]; [`StoreError::Older`] for a catalogue that needs migrating.
    pub fn open_for_reading(path: &Path) -> Result<Self> {
        let file = CatalogueFile::new(path, StoreOptions::default().busy_timeout);
        library::prepare(&file)?;
        let readers = Readers::quiet(file.clone());
        readers.with(|connection| schema::check_newest(connection, &file))?;
        Ok(Self(Arc::new(Inner {
            file,
            readers,
            noted: Arc::default(),
            backlog: Backlog::default(),
            jobs: None,
            writer: None,
        })))
    }

    /// Returns the catalogue's name for messages.
    pub fn place(&self) -> String {
        self.0.file.place()
    }

    /// Returns the files that hold deleted content until [`Self::empty_log`] succeeds.
    pub fn files(&self) -> Vec<PathBuf> {
        let path = &self.0.file.path;
        vec![path.clone(), path.with_extension("db-wal")]
    }

    pub(super) fn noted(&self) -> &Noted {
        &self.0.noted
    }

    /// Reports whether operations that write can succeed.
    pub fn can_write(&self) -> bool {
        self.0.jobs.is_some()
    }

    /// Waits until the subscribers have received the events of every commit so far.
    pub async fn pass_events_on(&self) {
        let backlog = self.0.backlog.clone();
        // A wait that panicked is over as well.
        let _ = tokio::task::spawn_blocking(move || backlog.wait()).await;
    }

    /// Returns a token that differs after any commit, of this store or of another process. Takes microseconds and does
    /// not wait for the writer.
    pub async fn changes(&self) -> Result<ChangeToken> {
        let inner = Arc::clone(&self.0);
        let value = tokio::task::spawn_blocking(move || inner.readers.changes()).await;
        value.map_err(|_| self.stopped())?
    }

    /// Checkpoints the write-ahead log and empties it. Returns whether the log is empty: other readers can prevent
    /// that.
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

    /// Runs `operation` in the writer's next transaction and returns after the commit. Runs it again when the
    /// transaction was rolled back.
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

    /// Runs `query` on one state of the catalogue on a blocking thread; repeats it when the files changed meanwhile, or
    /// when a damaged index was built anew.
    pub(super) async fn read_with<T: Send + 'static>(
        &self,
        query: impl FnMut(&Connection) -> std::result::Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let (value, query) = self.read_once(query).await?;
        let is_malformed = matches!(value, Err(StoreError::Malformed { .. }));
        if is_malformed && self.mend_after_damage().await? {
            return self.read_once(query).await?.0;
        }
        value
    }

    /// Runs `query`, and returns it with its result.
    async fn read_once<T, Q>(&self, mut query: Q) -> Result<(Result<T>, Q)>
    where
        T: Send + 'static,
        Q: FnMut(&Connection) -> std::result::Result<T, Failure> + Send + 'static,
    {
        let permit = self.0.readers.permits.acquire().await;
        let inner = Arc::clone(&self.0);
        let read = move || (inner.readers.read(&mut query), query);
        let value = tokio::task::spawn_blocking(read).await;
        drop(permit);
        value.map_err(|_| self.stopped())
    }

    /// Runs `query` on a connection and a thread of its own, and answers within about `timeout`: `query` must end by
    /// then, and is left to itself when one call of SQLite keeps it from that.
    pub(super) async fn read_alone<T: Send + 'static>(
        &self,
        timeout: Duration,
        query: impl FnMut(&mut Connection) -> std::result::Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let queries = Arc::clone(&self.0.readers.queries);
        let permit = queries.acquire_owned().await;
        let inner = Arc::clone(&self.0);
        let (answer, answered) = sync_channel(1);
        let work = move || {
            // Nobody listens any more to an answer that comes too late.
            let _ = answer.send(inner.readers.read_alone(query));
            drop(permit);
        };
        std::thread::Builder::new()
            .name("query".to_owned())
            .stack_size(QUERY_STACK_BYTES)
            .spawn(work)
            .map_err(|error| {
                self.0
                    .file
                    .failed(format!("cannot start the query: {error}"))
            })?;
        let wait = move || answered.recv_timeout(timeout + GRACE);
        let waited = tokio::task::spawn_blocking(wait).await;
        match waited.map_err(|_| self.stopped())? {
            Ok(value) => value,
            Err(RecvTimeoutError::Timeout) => Err(StoreError::out_of_time(timeout)),
            Err(RecvTimeoutError::Disconnected) => Err(self.stopped()),
        }
    }

    fn stopped(&self) -> StoreError {
        let reason = "the catalogue is closed after an internal error";
        self.0.file.failed(reason)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The last connection to close checkpoints the log, which only a writing connection can.
        self.readers.close();
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has already reported that to its callers.
            let _ = writer.join();
        }
    }
}
