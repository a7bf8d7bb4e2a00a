//! The thread that passes committed events to the subscribers: no commit waits for the words of a log.
//!
//! Never drops an event: when the thread lags, the writer waits for it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::domain::CommittedEvent;
use crate::store::options::OnCommit;

/// How many transactions' events wait at most.
const WAITING: usize = 64;

/// The longest wait for the subscribers to catch up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Counts the transactions whose events the subscribers have not received in full.
#[derive(Clone, Default)]
pub(super) struct Backlog(Arc<(Mutex<usize>, Condvar)>);

impl Backlog {
    fn change(&self, change: impl FnOnce(usize) -> usize) {
        let (count, changed) = &*self.0;
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = change(*count);
        changed.notify_all();
    }

    /// Waits until there are none, for 5 s at most. Blocks.
    pub(super) fn wait(&self) {
        let (count, changed) = &*self.0;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        // After the time-out a subscriber hangs or has panicked.
        let _ = changed.wait_timeout_while(count, PATIENCE, |count| *count > 0);
    }
}

/// The subscribers to committed events. Dropping them waits until they have received all events.
pub(super) struct Subscribers {
    /// `None` without subscribers, and during drop.
    events: Option<SyncSender<Vec<CommittedEvent>>>,
    thread: Option<JoinHandle<()>>,
    backlog: Backlog,
}

impl Subscribers {
    /// Starts the thread, unless there are no subscribers.
    pub(super) fn start(subscribers: Vec<OnCommit>) -> std::io::Result<Self> {
        let backlog = Backlog::default();
        if subscribers.is_empty() {
            return Ok(Self {
                events: None,
                thread: None,
                backlog,
            });
        }
        let (events, committed) = sync_channel(WAITING);
        let behind = backlog.clone();
        let work = move || tell(&subscribers, &committed, &behind);
        let thread = thread::Builder::new()
            .name("events".to_owned())
            .spawn(work)?;
        Ok(Self {
            events: Some(events),
            thread: Some(thread),
            backlog,
        })
    }

    /// Returns what the subscribers have not received yet.
    pub(super) fn backlog(&self) -> Backlog {
        self.backlog.clone()
    }

    /// Counts the events of one transaction, before anybody learns that it was committed.
    pub(super) fn expect(&self, committed: &[CommittedEvent]) {
        if self.events.is_some() && !committed.is_empty() {
            self.backlog.change(|count| count + 1);
        }
    }

    /// Passes the events of one transaction on, which were expected.
    pub(super) fn tell(&self, committed: Vec<CommittedEvent>) {
        if let Some(events) = &self.events
            && !committed.is_empty()
        {
            // The thread ends only with the sender.
            let _ = events.send(committed);
        }
    }
}

fn tell(subscribers: &[OnCommit], committed: &Receiver<Vec<CommittedEvent>>, backlog: &Backlog) {
    for events in committed {
        for hear in subscribers {
            hear(&events);
        }
        backlog.change(|count| count.saturating_sub(1));
    }
}

impl Drop for Subscribers {
    fn drop(&mut self) {
        self.events = None;
        if let Some(thread) = self.thread.take() {
            // A subscriber that panicked has heard what it could.
            let _ = thread.join();
        }
    }
}
