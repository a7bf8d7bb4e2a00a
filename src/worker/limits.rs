//! Politeness: how many requests run at once to one host, and in all.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Attempts that may be under way between the start of a fetch and its record: bounds the memory of contents that wait
/// for the archive, at 256 KiB each at most.
const BACKLOG: usize = 128;

/// The hosts that have claims pending, with their limits.
pub(super) struct Hosts {
    per_host: usize,
    total: Arc<Semaphore>,
    backlog: Arc<Semaphore>,
    by_name: HashMap<String, Host>,
}

struct Host {
    limit: Arc<Semaphore>,
    pending: usize,
}

impl Hosts {
    pub(super) fn new(per_host: usize, total: usize) -> Self {
        Self {
            per_host,
            total: Arc::new(Semaphore::new(total)),
            backlog: Arc::new(Semaphore::new(BACKLOG)),
            by_name: HashMap::new(),
        }
    }

    /// Counts one more claim for the host and returns where its turn is waited for.
    pub(super) fn enter(&mut self, name: &str) -> Turn {
        let per_host = self.per_host;
        let host = self.by_name.entry(name.to_owned()).or_insert_with(|| Host {
            limit: Arc::new(Semaphore::new(per_host)),
            pending: 0,
        });
        host.pending += 1;
        Turn {
            host: Arc::clone(&host.limit),
            total: Arc::clone(&self.total),
            backlog: Arc::clone(&self.backlog),
        }
    }

    /// Counts one claim less.
    pub(super) fn leave(&mut self, name: &str) {
        if let Some(host) = self.by_name.get_mut(name) {
            host.pending -= 1;
            if host.pending == 0 {
                self.by_name.remove(name);
            }
        }
    }

    /// Returns the hosts that have so many claims pending that claiming more would only keep others waiting.
    pub(super) fn saturated(&self) -> Vec<String> {
        let enough = (4 * self.per_host).max(64);
        self.by_name
            .iter()
            .filter(|(_, host)| host.pending >= enough)
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// A place in the queue of one host.
pub(super) struct Turn {
    host: Arc<Semaphore>,
    total: Arc<Semaphore>,
    backlog: Arc<Semaphore>,
}

/// The right to make requests; and behind it, to have content under way.
pub(super) struct Admission {
    pub(super) requests: [OwnedSemaphorePermit; 2],
    pub(super) backlog: OwnedSemaphorePermit,
}

impl Turn {
    /// Waits for the turn. The host's limit comes first: waiting for a slow host must not keep a place from others.
    pub(super) async fn wait(self) -> Admission {
        const OPEN: &str = "the semaphore is never closed";
        let host = self.host.acquire_owned().await.expect(OPEN);
        let backlog = self.backlog.acquire_owned().await.expect(OPEN);
        let total = self.total.acquire_owned().await.expect(OPEN);
        Admission {
            requests: [host, total],
            backlog,
        }
    }
}
