//! The ports that use-cases work through, built once at the top.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;

use super::configured::{Configured, ReadConfig};
use super::judging_notes::Notes;
use super::{Error, ErrorKind, Result};
use crate::archive::{Archive, ArchiveError, CodecLimit, CodecLoad};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Actor, Stamp};
use crate::store::Store;

/// Requests to verifiers at once.
const MAX_ASKING: usize = 8;

/// Everything that a use-case needs.
pub struct App {
    /// The configuration that this process works by.
    configured: RwLock<Arc<Configured>>,
    /// Reads the configuration again; nothing in a process that only reads the catalogue, and in the demo.
    pub(super) read_config: Option<ReadConfig>,
    /// Whether somebody asked for the configuration to be read again, whatever its file looks like.
    pub(super) wants_reload: AtomicBool,
    /// Why a changed configuration was not used, until a pass has said so.
    rejected: Mutex<Option<String>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The catalogue.
    pub store: Store,
    /// Blobs and published files.
    pub archive: Arc<Archive>,
    /// Who acts through this face: `joe@host by cli`.
    pub actor: Actor,
    /// Whether the marks of catalogue and archive were counted up for the work at hand.
    pub(super) joined: AtomicBool,
    /// Which versions rules are judging, for whoever finds this process dead.
    pub(super) judging_notes: Arc<Mutex<Notes>>,
    /// Verifiers at work at once on this machine: as many as cores.
    judging: Semaphore,
    cores: u32,
    /// Verifiers asked at once at their addresses.
    asking: Semaphore,
    /// Bounds the memory of contents that are encoded and decoded at once.
    coding: CodecLimit,
}

impl App {
    /// Puts the ports together.
    pub fn new(
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        store: Store,
        archive: Arc<Archive>,
        actor: Actor,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            configured: RwLock::new(Arc::new(Configured::new(config))),
            read_config: None,
            wants_reload: AtomicBool::new(false),
            rejected: Mutex::default(),
            clock,
            store,
            archive,
            actor,
            joined: AtomicBool::new(false),
            judging_notes: Arc::default(),
            judging: Semaphore::new(cores),
            cores: u32::try_from(cores).unwrap_or(1),
            asking: Semaphore::new(MAX_ASKING),
            coding: CodecLimit::new(cores),
        }
    }

    /// Has the configuration read again by `read` when its file changes.
    #[must_use]
    pub fn reading_config(self, read: Option<ReadConfig>) -> Self {
        Self {
            read_config: read,
            ..self
        }
    }

    /// Returns the configuration that this process works by now.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.configured().config)
    }

    /// Returns the configuration of now, with what is made from it.
    pub(super) fn configured(&self) -> Arc<Configured> {
        let configured = self.configured.read();
        // What is behind the lock is whole whenever it is left.
        Arc::clone(&configured.unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another configuration in the place of the one of now.
    pub(super) fn exchange(&self, configured: Configured) {
        let mut place = self
            .configured
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Arc::new(configured);
    }

    pub(super) fn rejected(&self) -> MutexGuard<'_, Option<String>> {
        self.rejected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time of day.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Returns who acts, and the time.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            at: self.now(),
            actor: self.actor.clone(),
        }
    }

    /// Waits until one more verifier may be at work, `here` or at its address.
    pub(super) async fn judging_permit(&self, here: bool) -> tokio::sync::SemaphorePermit<'_> {
        let places = if here { &self.judging } else { &self.asking };
        places
            .acquire()
            .await
            .expect("the semaphore is never closed")
    }

    /// Waits until no verifier is at work on this machine, and keeps others from beginning.
    pub(super) async fn judging_alone(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.judging
            .acquire_many(self.cores)
            .await
            .expect("the semaphore is never closed")
    }

    /// Encodes or decodes on a thread that may block, once there is room for it.
    pub(super) async fn with_codec<T: Send + 'static>(
        &self,
        load: CodecLoad,
        task: impl FnOnce(&Archive) -> std::result::Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T> {
        let permit = self.coding.permit(load).await;
        self.with_archive(move |archive| {
            let _permit = permit;
            task(archive)
        })
        .await
    }

    /// Works on the archive's files on a thread that may block.
    pub(crate) async fn with_archive<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Archive) -> std::result::Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T> {
        let archive = Arc::clone(&self.archive);
        match tokio::task::spawn_blocking(move || task(&archive)).await {
            Ok(result) => Ok(result?),
            Err(error) => Err(Error::new(
                ErrorKind::Unavailable,
                format!("the archive's task ended early: {error}"),
            )),
        }
    }
}
