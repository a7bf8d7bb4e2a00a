//! The use-cases, their ports and the log over one data folder, opened with the access that a command needs.

use std::sync::Arc;

use tokio::sync::Notify;
use tracing_appender::non_blocking::WorkerGuard;

use super::loading::{load, open_to_others, reader};
use super::notes::{LogTroubles, Notes};
use crate::app::{App, Error, ErrorKind, ReadConfig, Result, refuse_lost_catalogue};
use crate::archive::Archive;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, Flags, Identity};
use crate::domain::{Actor, Stamp};
use crate::faces::cli::Console;
use crate::faces::cli::args::Access;
use crate::files::Owner;
use crate::logging::log_events;
use crate::store::{CatalogueState, Fact, Store, StoreError, StoreOptions};
use crate::worker::Worker;

/// The use-cases over their ports, and the log.
pub(super) struct Services {
    pub(super) app: Arc<App>,
    /// Set if the catalogue does not belong to the archive beside it; both are open for reading only then.
    pub(super) mismatch: Option<Error>,
    /// Receives notes to the operator while a command works.
    pub(super) notes: Notes,
    /// Failures to write the log.
    pub(super) log_troubles: LogTroubles,
    /// Notified after each commit of this process that recorded events.
    pub(super) committed: Arc<Notify>,
    /// Writes the last lines of the log when dropped; none for commands that only read.
    log: Option<WorkerGuard>,
}

impl Services {
    /// Opens the services for `access`. All but [`Access::Create`] require a catalogue.
    pub(super) async fn open(
        access: Access,
        flags: &Flags,
        environment: &Environment,
        actor: impl Fn(&Identity) -> Actor,
    ) -> Result<Self> {
        let config = load(flags, environment, access)?;
        let read_config = Some(reader(&config, flags, environment));
        if access == Access::Create {
            refuse_lost(&config)?;
        } else {
            insist_on_catalogue(&config)?;
        }
        let clock = Arc::new(SystemClock);
        if access == Access::Read {
            let actor = actor(&Identity::of(environment));
            let stamp = Stamp {
                at: clock.now(),
                actor: actor.clone(),
            };
            let store = open_for_reading(&config, stamp).await?;
            let archive = Archive::open_for_reading(&config.data_dir, &config.objects_place());
            let app = App::new(Arc::new(config), clock, store, Arc::new(archive), actor);
            let mismatch = app.archive_mismatch().await?;
            return Ok(Self {
                app: Arc::new(app),
                mismatch,
                notes: Notes::default(),
                log_troubles: LogTroubles::new(),
                committed: Arc::default(),
                log: None,
            });
        }
        Self::with(config, read_config, environment, clock, actor).await
    }

    /// Opens the services for `access` in the name of the operator at the command line.
    pub(super) async fn open_for_operator(
        access: Access,
        flags: &Flags,
        environment: &Environment,
    ) -> Result<Self> {
        Self::open(access, flags, environment, |who| who.operator("cli")).await
    }

    /// Opens everything for writing, and begins a catalogue where there is none. Does not check that catalogue and
    /// archive belong together.
    pub(super) fn open_unjoined(flags: &Flags, environment: &Environment) -> Result<Self> {
        let config = load(flags, environment, Access::Change)?;
        let read_config = Some(reader(&config, flags, environment));
        let (clock, actor) = (Arc::new(SystemClock), |who: &Identity| who.operator("cli"));
        Self::unjoined(config, read_config, environment, clock, actor)
    }

    /// Opens everything for writing; begins a catalogue where there is none.
    pub(super) async fn with(
        config: Config,
        read_config: Option<ReadConfig>,
        environment: &Environment,
        clock: Arc<dyn Clock>,
        actor: impl Fn(&Identity) -> Actor,
    ) -> Result<Self> {
        let services = Self::unjoined(config, read_config, environment, clock, actor)?;
        if let Some(error) = services.app.archive_mismatch().await? {
            return Err(error);
        }
        // A new archive has no mark yet, nor has one that was made before marks existed.
        if services.app.ports().archive.machine().mark()?.is_none() {
            services.app.join_archive().await?;
            // Made now, so that a purge has room even if the disk fills up before the first pass.
            services.app.make_reserve().await;
        }
        Ok(services)
    }

    fn unjoined(
        config: Config,
        read_config: Option<ReadConfig>,
        environment: &Environment,
        clock: Arc<dyn Clock>,
        actor: impl Fn(&Identity) -> Actor,
    ) -> Result<Self> {
        let (notes, log_troubles) = (Notes::default(), LogTroubles::new());
        for line in open_to_others(config.config_file.as_deref()) {
            notes.say(&format!("warning: {line}"));
        }
        let objects = config.objects_place();
        let archive = Archive::open_at(&config.data_dir, &objects, notes.teller())?;
        let committed = Arc::default();
        let store = open_for_writing(&config, &committed)?;
        let owner = Owner::of(&config.data_dir);
        let teller = log_troubles.teller(&notes);
        let log = crate::logging::start(&config.log_dir, owner, &config.log, teller)
            .map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
        let actor = actor(&Identity::of(environment));
        let (config, archive) = (Arc::new(config), Arc::new(archive));
        let app = App::reading_config(config, read_config, clock, store, archive, actor);
        Ok(Self {
            app: Arc::new(app),
            mismatch: None,
            notes,
            log_troubles,
            committed,
            log: Some(log),
        })
    }

    pub(super) fn worker(&self) -> Worker {
        Worker::new(Arc::clone(&self.app))
    }

    /// Writes the last lines of the log, and records failures to do so as events.
    pub(super) async fn close(mut self) {
        self.app.pass_events_on().await;
        drop(self.log.take());
        self.log_troubles.record_rest(&self.app).await;
    }
}

/// Returns whether there is a catalogue at its place.
pub(super) fn has_catalogue(config: &Config) -> Result<bool> {
    let place = config.catalogue_place();
    let found = Store::state_at(&place).map_err(|error| {
        let message = format!("cannot look for a catalogue in {place}: {error}");
        Error::new(ErrorKind::Unavailable, message)
    })?;
    Ok(found != CatalogueState::Missing)
}

/// Asks the operator whether to begin a catalogue where there is none; `None` if there is one or nobody can answer.
pub(super) fn ask_to_begin(
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<Option<bool>> {
    let config = super::loading::load(flags, environment, Access::Create)?;
    if has_catalogue(&config)? {
        return Ok(None);
    }
    let place = config.catalogue_place();
    let question = format!("There is no catalogue in {place}. Begin one there?");
    Ok(console.ask(&question))
}

/// Returns whether a catalogue may be begun: false if there is one, an error if the archive has lost its own.
pub(super) fn may_begin(config: &Config) -> Result<bool> {
    refuse_lost(config)?;
    Ok(!has_catalogue(config)?)
}

/// Returns an error if the data folder holds an archive whose catalogue is lost.
fn refuse_lost(config: &Config) -> Result<()> {
    match Store::state_at(&config.catalogue_place()) {
        Ok(CatalogueState::Present) | Err(_) => Ok(()),
        Ok(CatalogueState::Missing | CatalogueState::Empty) => refuse_lost_catalogue(config),
    }
}

fn insist_on_catalogue(config: &Config) -> Result<()> {
    refuse_lost(config)?;
    if has_catalogue(config)? {
        return Ok(());
    }
    if config.assumes_data_dir()
        && let Some(why) = &config.unusable
    {
        return Err(Error::invalid(why.clone()));
    }
    let message = format!("no catalogue in {}", config.catalogue_place());
    Err(Error::new(ErrorKind::Unavailable, message).hint(
        "`gannet add`, `gannet import`, `gannet apply`, `gannet token create`, `gannet messages send`, the dashboard and, on a terminal, `gannet serve` begin one; or is the path wrong (--data-dir, GANNET_DATA_DIR, data_dir in the configuration), or its disk not mounted?",
    ))
}

/// Opens the catalogue for writing; committed events are written to the log, and then announced.
fn open_for_writing(config: &Config, committed: &Arc<Notify>) -> Result<Store> {
    let committed = Arc::clone(committed);
    let options = StoreOptions {
        on_commit: vec![
            Arc::new(log_events),
            Arc::new(move |_| committed.notify_one()),
        ],
        ..StoreOptions::default()
    };
    Ok(Store::open_at(&config.catalogue_place(), options)?)
}

/// Opens the catalogue without a trace. One of an older gannet is first migrated, if this account may write to it; rows
/// that this sets aside are recorded and noted.
async fn open_for_reading(config: &Config, stamp: Stamp) -> Result<Store> {
    let place = config.catalogue_place();
    let older = match Store::open_at_for_reading(&place) {
        Err(older @ StoreError::Older { .. }) => older,
        opened => return Ok(opened?),
    };
    let migrated = Store::open_at(&place, StoreOptions::default()).map_err(|_| older)?;
    let aside = migrated.damage();
    if !aside.is_empty() {
        migrated.record(Fact::Damage(aside.clone()), stamp).await?;
    }
    drop(migrated);
    let store = Store::open_at_for_reading(&place)?;
    for row in aside {
        store.note_damage(&StoreError::DamagedRow(Box::new(row)));
    }
    Ok(store)
}
