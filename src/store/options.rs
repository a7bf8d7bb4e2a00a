//! How a catalogue is opened: how long it waits for others, and who hears of what is committed.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::CommittedEvent;

/// Hears of committed events: of each once, in the order in which they were committed, never of one that was undone.
///
/// It is called on the thread that writes, after the commit and after whoever asked for it was answered: the next commit waits
/// until it returns. It must not panic, nor use the store.
pub type OnCommit = Arc<dyn Fn(&[CommittedEvent]) + Send + Sync>;

/// How a catalogue is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// How long an operation waits for another process that holds the catalogue.
    pub busy_timeout: Duration,
    /// Who hears of the events that this store commits, one after the other.
    pub on_commit: Vec<OnCommit>,
}

impl Default for StoreOptions {
    /// Returns 5 s, and nobody who hears of events.
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            on_commit: Vec::new(),
        }
    }
}
