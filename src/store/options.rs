//! Options for opening a catalogue: the busy time-out, and the subscribers to committed events.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::CommittedEvent;

/// A subscriber to committed events: receives each once, in the order of the commits, and none that was rolled back.
///
/// It is called on a thread of its own, after the commit and perhaps after the callers were answered; commits wait for
/// one that lags far behind. It must neither panic nor use the store.
pub type OnCommit = Arc<dyn Fn(&[CommittedEvent]) + Send + Sync>;

/// Options for opening a catalogue.
#[derive(Clone)]
pub struct StoreOptions {
    /// How long an operation waits for another process that holds the catalogue.
    pub busy_timeout: Duration,
    /// The subscribers to the events that this store commits, called in this order.
    pub on_commit: Vec<OnCommit>,
}

impl Default for StoreOptions {
    /// Returns a busy time-out of 5 s and no subscriber.
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            on_commit: Vec::new(),
        }
    }
}
