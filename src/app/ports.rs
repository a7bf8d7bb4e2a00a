//! The ports that use-cases work through, built once at the top.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, Semaphore};

use super::{Error, ErrorKind, Result};
use crate::app::access::hashing::Hashing;
use crate::app::access::shared_reads::SharedReads;
use crate::app::judging::notes::Notes;
use crate::app::policy::configured::{Configured, ReadConfig, Trouble};
use crate::app::redis_in_use::{RedisInUse, RememberedServer};
use crate::archive::{Archive, ArchiveError, CodecLimit, CodecLoad};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Actor, MessageIds, Stamp};
use crate::store::{Fact, Query, Store};
use crate::thumbnails::Thumbnails;

/// Concurrent requests to verifiers.
const MAX_ASKING: usize = 8;

/// Thumbnails that are made at once.
const MAX_SHRINKING: usize = 2;

/// The ports of the use-cases, shared by all actors of a process and by the worker.
pub(crate) struct Ports {
    /// The configuration in use.
    configured: RwLock<Arc<Configured>>,
    /// Reads the configuration again; `None` in a process that only reads the catalogue, and in the demo.
    pub(super) read_config: Option<ReadConfig>,
    /// Whether a reading of the configuration was requested, whatever its file looks like.
    pub(super) wants_reload: AtomicBool,
    /// What is wrong with the configuration.
    pub(super) trouble: Mutex<Trouble>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// The catalogue.
    pub(crate) store: Store,
    /// Blobs and published files.
    pub(crate) archive: Arc<Archive>,
    /// Whether the marks of catalogue and archive were incremented for the present work.
    pub(super) joined: AtomicBool,
    /// The versions that rules are judging, for whoever finds this process dead.
    pub(super) judging_notes: Arc<Mutex<Notes>>,
    /// Concurrent verifiers on this machine: as many as cores.
    judging: Semaphore,
    cores: u32,
    /// Concurrent requests to verifiers' addresses.
    asking: Semaphore,
    /// Concurrent hashes of passwords.
    pub(super) hashing: Hashing,
    /// Reads of tokens, which requests that come together share.
    pub(super) token_reads: SharedReads,
    /// Bounds the memory of contents being encoded and decoded.
    coding: CodecLimit,
    /// The thumbnails of pictures.
    pub(super) thumbnails: Arc<Thumbnails>,
    /// Concurrent makings of thumbnails, each of which may hold a decoded picture in memory.
    pub(super) shrinking: Arc<Semaphore>,
    /// Notified when this process puts messages on a queue.
    pub(super) messages_came: Notify,
    /// Notified when this process persisted messages.
    pub(super) messages_persisted: Notify,
    /// Until when messages are this process's to judge, while it judges some.
    pub(super) judging_until: Mutex<Option<DateTime<Utc>>>,
    /// The server on which messages wait, where one is configured.
    pub(super) redis: RedisInUse,
    /// The server that the catalogue remembers.
    pub(super) remembered_server: RememberedServer,
    /// The ids of messages that this process puts on queues.
    pub(super) message_ids: MessageIds,
}

/// The use-cases, for one actor.
#[derive(Clone)]
pub struct App {
    pub(super) ports: Arc<Ports>,
    /// The actor, such as `joe@host by cli`.
    actor: Actor,
}

impl App {
    /// Builds the ports, for an actor.
    pub fn new(
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        store: Store,
        archive: Arc<Archive>,
        actor: Actor,
    ) -> Self {
        Self::reading_config(config, None, clock, store, archive, actor)
    }

    /// Builds the same; `read_config` reads the configuration again when its file changes.
    pub fn reading_config(
        config: Arc<Config>,
        read_config: Option<ReadConfig>,
        clock: Arc<dyn Clock>,
        store: Store,
        archive: Arc<Archive>,
        actor: Actor,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let thumbnails = Arc::new(Thumbnails::of(&config.data_dir));
        let ports = Ports {
            configured: RwLock::new(Arc::new(Configured::new(config))),
            read_config,
            wants_reload: AtomicBool::new(false),
            trouble: Mutex::default(),
            clock,
            store,
            archive,
            joined: AtomicBool::new(false),
            judging_notes: Arc::default(),
            judging: Semaphore::new(cores),
            cores: u32::try_from(cores).unwrap_or(1),
            asking: Semaphore::new(MAX_ASKING),
            hashing: Hashing::default(),
            token_reads: SharedReads::default(),
            coding: CodecLimit::new(cores),
            thumbnails,
            shrinking: Arc::new(Semaphore::new(MAX_SHRINKING)),
            messages_came: Notify::new(),
            messages_persisted: Notify::new(),
            judging_until: Mutex::default(),
            redis: RedisInUse::default(),
            remembered_server: RememberedServer::default(),
            message_ids: MessageIds::default(),
        };
        Self {
            ports: Arc::new(ports),
            actor,
        }
    }

    /// Returns the same use-cases for another actor, who is recorded with what is done through them.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self {
            ports: Arc::clone(&self.ports),
            actor,
        }
    }

    /// Returns the ports, for the worker; faces do not use them.
    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Returns the configuration in use.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.configured().config)
    }

    /// Returns the configuration in use and the objects made from it.
    pub(super) fn configured(&self) -> Arc<Configured> {
        let configured = self.ports.configured.read();
        // The value behind the lock is complete whenever the lock is released.
        Arc::clone(&configured.unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the configuration in use.
    pub(super) fn exchange(&self, configured: Configured) {
        let place = self.ports.configured.write();
        *place.unwrap_or_else(PoisonError::into_inner) = Arc::new(configured);
    }

    /// Returns the time of day.
    pub fn now(&self) -> DateTime<Utc> {
        self.ports.clock.now()
    }

    /// Waits until this time of day.
    pub async fn sleep_until(&self, until: DateTime<Utc>) {
        self.ports.clock.sleep_until(until).await;
    }

    /// Returns the actor, such as `joe@host by cli`.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns the actor and the time.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            at: self.now(),
            actor: self.actor.clone(),
        }
    }

    /// Waits until the log and the other subscribers have the events of every commit so far.
    pub async fn pass_events_on(&self) {
        self.ports.store.pass_events_on().await;
    }

    /// Answers a question to the catalogue.
    pub(crate) fn read<Q: Query>(
        &self,
        query: Q,
    ) -> impl Future<Output = Result<Q::Output>> + Send {
        let answer = self.ports.store.read(query);
        async move { Ok(answer.await?) }
    }

    /// Records a fact in the catalogue, by this actor and at this time.
    pub(crate) async fn record(&self, fact: Fact) -> Result<()> {
        Ok(Box::pin(self.ports.store.record(fact, self.stamp())).await?)
    }

    /// Returns the folder of published files.
    pub fn published_folder(&self) -> &Path {
        self.ports.archive.published().folder()
    }

    /// Returns the folder of a set's published edition; `None` when none is published. A link that somebody else put below
    /// `sets/` counts for nothing.
    pub fn published_set(&self, name: &str) -> Option<PathBuf> {
        self.ports.archive.sets().current(name)
    }

    /// Returns the length of the catalogue's files; 0 when they cannot be read.
    pub async fn catalogue_bytes(&self) -> u64 {
        let place = self.config().catalogue_place();
        let lengths = tokio::task::spawn_blocking(move || Store::bytes_at(&place));
        lengths.await.unwrap_or_default()
    }

    /// Waits until one more verifier may run, `here` or at its address.
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

    /// Waits until no verifier runs on this machine, and blocks others.
    pub(super) async fn judging_alone(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.ports
            .judging
            .acquire_many(self.ports.cores)
            .await
            .expect("the semaphore is never closed")
    }

    /// Encodes or decodes on a blocking thread, once there is memory for it.
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

    /// Runs an operation on the archive's files on a blocking thread.
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
