//! The ports that use-cases work through, built once at the top.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;

use super::{Error, ErrorKind, Result};
use crate::app::judging::notes::Notes;
use crate::app::policy::configured::{Configured, ReadConfig};
use crate::archive::{Archive, ArchiveError, CodecLimit, CodecLoad};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Actor, Stamp};
use crate::store::Store;

/// Requests to verifiers at once.
const MAX_ASKING: usize = 8;

/// What use-cases work through: one for all actors of a process. The worker works through the same.
pub(crate) struct Ports {
    /// The configuration that this process works by.
    configured: RwLock<Arc<Configured>>,
    /// Reads the configuration again; nothing in a process that only reads the catalogue, and in the demo.
    pub(super) read_config: Option<ReadConfig>,
    /// Whether somebody asked for the configuration to be read again, whatever its file looks like.
    pub(super) wants_reload: AtomicBool,
    /// Why a changed configuration was not used, until a pass has said so.
    rejected: Mutex<Option<String>>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// The catalogue.
    pub(crate) store: Store,
    /// Blobs and published files.
    pub(crate) archive: Arc<Archive>,
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

/// The use-cases, for one actor.
#[derive(Clone)]
pub struct App {
    pub(super) ports: Arc<Ports>,
    /// Who acts: `joe@host by cli`.
    actor: Actor,
}

impl App {
    /// Puts the ports together, for an actor.
    pub fn new(
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        store: Store,
        archive: Arc<Archive>,
        actor: Actor,
    ) -> Self {
        Self::reading_config(config, None, clock, store, archive, actor)
    }

    /// Puts the same together; the configuration is read again by `read_config` when its file changes.
    pub fn reading_config(
        config: Arc<Config>,
        read_config: Option<ReadConfig>,
        clock: Arc<dyn Clock>,
        store: Store,
        archive: Arc<Archive>,
        actor: Actor,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let ports = Ports {
            configured: RwLock::new(Arc::new(Configured::new(config))),
            read_config,
            wants_reload: AtomicBool::new(false),
            rejected: Mutex::default(),
            clock,
            store,
            archive,
            joined: AtomicBool::new(false),
            judging_notes: Arc::default(),
            judging: Semaphore::new(cores),
            cores: u32::try_from(cores).unwrap_or(1),
            asking: Semaphore::new(MAX_ASKING),
            coding: CodecLimit::new(cores),
        };
        Self {
            ports: Arc::new(ports),
            actor,
        }
    }

    /// Returns the same use-cases for another actor: what is done through them is recorded as done by that one.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self {
            ports: Arc::clone(&self.ports),
            actor,
        }
    }

    /// Returns what the use-cases work through, for the worker, which records what it does in the same places. Faces have no use for it.
    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Returns the configuration that this process works by now.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.configured().config)
    }

    /// Returns the configuration of now, with what is made from it.
    pub(super) fn configured(&self) -> Arc<Configured> {
        let configured = self.ports.configured.read();
        // What is behind the lock is whole whenever it is left.
        Arc::clone(&configured.unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another configuration in the place of the one of now.
    pub(super) fn exchange(&self, configured: Configured) {
        let place = self.ports.configured.write();
        *place.unwrap_or_else(PoisonError::into_inner) = Arc::new(configured);
    }

    pub(super) fn rejected(&self) -> MutexGuard<'_, Option<String>> {
        let rejected = self.ports.rejected.lock();
        rejected.unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time of day.
    pub fn now(&self) -> DateTime<Utc> {
        self.ports.clock.now()
    }

    /// Waits until this time of day.
    pub async fn sleep_until(&self, until: DateTime<Utc>) {
        self.ports.clock.sleep_until(until).await;
    }

    /// Returns who acts: `joe@host by cli`.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns who acts, and the time.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            at: self.now(),
            actor: self.actor.clone(),
        }
    }

    /// Returns the folder below which published files lie.
    pub fn published_folder(&self) -> &Path {
        self.ports.archive.published().folder()
    }

    /// Waits until one more verifier may be at work, `here` or at its address.
    pub(super) async fn judging_permit(&self, here: bool) -> tokio::sync::SemaphorePermit<'_> {
        let places = if here {
            &self.ports.judging
        } else {
            &self.ports.asking
        };
        places
            .acquire()
            .await
            .expect("the semaphore is never closed")
    }

    /// Waits until no verifier is at work on this machine, and keeps others from beginning.
    pub(super) async fn judging_alone(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.ports
            .judging
            .acquire_many(self.ports.cores)
            .await
            .expect("the semaphore is never closed")
    }

    /// Encodes or decodes on a thread that may block, once there is room for it.
    pub(super) async fn with_codec<T: Send + 'static>(
        &self,
        load: CodecLoad,
        task: impl FnOnce(&Archive) -> std::result::Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T> {
        let permit = self.ports.coding.permit(load).await;
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
        let archive = Arc::clone(&self.ports.archive);
        match tokio::task::spawn_blocking(move || task(&archive)).await {
            Ok(result) => Ok(result?),
            Err(error) => Err(Error::new(
                ErrorKind::Unavailable,
                format!("the archive's task ended early: {error}"),
            )),
        }
    }
}
