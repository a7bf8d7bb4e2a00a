//! The thread that passes committed events to the subscribers: no commit waits for the words of a log.
//!
//! Never drops an event: when the thread lags, the writer waits for it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::domain::CommittedEvent;
use crate::store::options::OnCommit;

/// How many transactions' events wait at most.
const WAITING: usize = 64;

/// The subscribers to committed events. Dropping them waits until they have received all events.
pub(super) struct Subscribers {
    /// `None` without subscribers, and during drop.
    events: Option<SyncSender<Vec<CommittedEvent>>>,
    thread: Option<JoinHandle<()>>,
}

impl Subscribers {
    /// Starts the thread, unless there are no subscribers.
    pub(super) fn start(subscribers: Vec<OnCommit>) -> std::io::Result<Self> {
        if subscribers.is_empty() {
            return Ok(Self {
                events: None,
                thread: None,
            });
        }
        let (events, committed) = sync_channel(WAITING);
        let work = move || tell(&subscribers, &committed);
        let thread = thread::Builder::new()
            .name("events".to_owned())
            .spawn(work)?;
        Ok(Self {
            events: Some(events),
            thread: Some(thread),
        })
    }

    /// Passes the events of one transaction on.
    pub(super) fn tell(&self, committed: Vec<CommittedEvent>) {
        if let Some(events) = &self.events
            && !committed.is_empty()
        {
            // The thread ends only with the sender.
            let _ = events.send(committed);
        }
    }
}

fn tell(subscribers: &[OnCommit], committed: &Receiver<Vec<CommittedEvent>>) {
    for events in committed {
        for hear in subscribers {
            hear(&events);
        }
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
