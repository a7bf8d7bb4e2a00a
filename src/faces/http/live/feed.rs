//! Reads the events that any process commits, and keeps the last ones for the clients.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::messages::MessageFeed;
use super::recent::{Chunk, Recent};
use crate::app::{App, EventFilter, Result};
use crate::domain::EventId;

/// The time after which the events of other processes are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The time between two looks, so that each client gets the events of many commits at once.
const GATHER: Duration = Duration::from_millis(40);
/// The events that are read at once.
const BATCH: usize = 500;

/// The last events, and the news that there are more.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    recent: Mutex<Recent>,
    newest: watch::Sender<EventId>,
    /// Notified after each commit of this process.
    committed: Arc<Notify>,
    messages: MessageFeed,
}

impl Feed {
    /// Returns the feed of the events after the newest one. `committed` is notified after each commit of this process.
    pub async fn start(app: &App, committed: Arc<Notify>) -> Result<Self> {
        let newest = app.newest_event().await?;
        Ok(Self(Arc::new(Inner {
            recent: Mutex::new(Recent::after(newest)),
            newest: watch::Sender::new(newest),
            committed,
            messages: MessageFeed::start(app).await?,
        })))
    }

    /// Reads new events for ever. A store that cannot be read is tried again: its other users report it.
    pub async fn run(&self, app: &App) -> Infallible {
        let mut seen = None;
        loop {
            let looked = Instant::now();
            let token = app.changes().await.ok();
            if token.is_none() || token != seen {
                let read = self.read_on(app).await;
                match read.and(self.0.messages.read_on(app).await) {
                    Ok(()) => seen = token,
                    Err(error) => tracing::debug!("the live feed waits: {error}"),
                }
            }
            tokio::select! {
                () = self.0.committed.notified() => {}
                () = sleep(LOOK_EVERY) => {}
            }
            sleep_until(looked + GATHER).await;
        }
    }

    async fn read_on(&self, app: &App) -> Result<()> {
        loop {
            let events = events_after(app, self.newest()).await?;
            let is_all = events.len() < BATCH;
            let mut recent = self.recent();
            recent.push(events);
            let newest = recent.newest();
            drop(recent);
            self.0
                .newest
                .send_if_modified(|known| std::mem::replace(known, newest) != newest);
            if is_all {
                return Ok(());
            }
        }
    }

    /// Returns the messages that were pushed lately.
    pub(in crate::faces::http) fn messages(&self) -> &MessageFeed {
        &self.0.messages
    }

    /// Returns the id of the newest event that was read.
    pub(in crate::faces::http) fn newest(&self) -> EventId {
        *self.0.newest.borrow()
    }

    /// Returns a receiver that changes with the newest event.
    pub(super) fn watch(&self) -> watch::Receiver<EventId> {
        self.0.newest.subscribe()
    }

    /// Returns the first chunk with an event after this one, if any, and how many bytes of frames lie behind it. Events that
    /// are no longer kept come from the store, with `None` for more bytes than are kept.
    pub(super) async fn after(
        &self,
        app: &App,
        after: EventId,
    ) -> Result<Option<(Arc<Chunk>, Option<u64>)>> {
        let kept = {
            let recent = self.recent();
            let is_kept = recent.reaches_back_to(after);
            is_kept.then(|| recent.first_after(after))
        };
        if let Some(kept) = kept {
            return Ok(kept.map(|(chunk, behind)| (chunk, Some(behind))));
        }
        let chunk = Chunk::new(events_after(app, after).await?, 0);
        Ok(chunk.map(|chunk| (chunk.into(), None)))
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn events_after(app: &App, after: EventId) -> Result<Vec<crate::domain::Event>> {
    let filter = EventFilter {
        after: Some(after),
        limit: BATCH,
        ..EventFilter::default()
    };
    app.events(filter).await
}
