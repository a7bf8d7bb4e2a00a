//! The ports that use-cases work through, built once at the top.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::{OnceCell, Semaphore};

use super::{Error, ErrorKind, Result};
use crate::archive::{Archive, ArchiveError};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Actor, Stamp};
use crate::net::Webhooks;
use crate::store::Store;
use crate::verify::Verifier;

/// Requests to verifiers at once.
const MAX_ASKING: usize = 8;

/// Everything that a use-case needs.
pub struct App {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The catalogue.
    pub store: Store,
    /// Blobs and published files.
    pub archive: Arc<Archive>,
    /// The configured verifiers, in their order.
    pub verifiers: Arc<Vec<Arc<Verifier>>>,
    /// Who acts through this face: `joe@host by cli`.
    pub actor: Actor,
    /// Verifiers at work at once on this machine: as many as cores.
    judging: Semaphore,
    /// Verifiers asked at once at their addresses.
    asking: Semaphore,
    /// The client of webhooks, once it was needed.
    pub(super) webhooks: OnceCell<Webhooks>,
    /// Contents being coded at once: as many as cores, since each may hold tens of megabytes.
    coding: Semaphore,
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
        let verifiers = config
            .verifiers
            .iter()
            .cloned()
            .map(Verifier::new)
            .map(Arc::new)
            .collect();
        Self {
            config,
            clock,
            store,
            archive,
            verifiers: Arc::new(verifiers),
            actor,
            judging: Semaphore::new(cores),
            asking: Semaphore::new(MAX_ASKING),
            webhooks: OnceCell::new(),
            coding: Semaphore::new(cores),
        }
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

    /// Codes or decodes on a thread that may block, no more at once than there are cores.
    pub(crate) async fn with_codec<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Archive) -> std::result::Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T> {
        let _permit = self
            .coding
            .acquire()
            .await
            .expect("the semaphore is never closed");
        self.with_archive(task).await
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
