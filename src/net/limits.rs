//! Politeness: how many requests run at once to one host, and in all, wherever redirects lead.
//!
//! Never holds one permit while it waits for one that is asked for earlier in the order (host, backlog, total): so
//! attempts that redirect to each other's hosts cannot wait for each other for ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Attempts that may be under way between the start of a fetch and its record, or its verdicts: bounds the memory of contents that wait
/// for the archive, at 256 KiB each at most.
const BACKLOG: usize = 128;

/// The limits that all attempts share.
#[derive(Debug)]
pub struct Limiter {
    per_host: usize,
    total: Arc<Semaphore>,
    backlog: Arc<Semaphore>,
    /// The hosts that someone is at, or waits for.
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Limiter {
    /// Returns limits of so many requests at once to one host, and in all.
    pub fn new(per_host: usize, total: usize) -> Arc<Self> {
        Arc::new(Self {
            per_host,
            total: Arc::new(Semaphore::new(total)),
            backlog: Arc::new(Semaphore::new(BACKLOG)),
            hosts: Mutex::default(),
        })
    }

    /// Waits for the turn. The host's limit comes first: waiting for a slow host must not keep a place from others.
    pub async fn admit(self: &Arc<Self>, host: &str) -> Admission {
        const OPEN: &str = "the semaphore is never closed";
        let place = self.place(host);
        let at_host = Arc::clone(&place.limit).acquire_owned().await.expect(OPEN);
        let backlog = Arc::clone(&self.backlog).acquire_owned().await;
        let total = Arc::clone(&self.total).acquire_owned().await;
        Admission {
            limiter: Arc::clone(self),
            held: Some(Held {
                _request: [at_host, total.expect(OPEN)],
                backlog: backlog.expect(OPEN),
                place,
            }),
        }
    }

    fn place(self: &Arc<Self>, host: &str) -> Place {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = if let Some(limit) = hosts.get(host) {
            Arc::clone(limit)
        } else {
            let limit = Arc::new(Semaphore::new(self.per_host));
            hosts.insert(host.to_owned(), Arc::clone(&limit));
            limit
        };
        Place {
            limiter: Arc::clone(self),
            host: host.to_owned(),
            limit,
        }
    }
}

/// The right to make requests to one host; and behind it, to have content under way.
#[derive(Debug)]
pub struct Admission {
    limiter: Arc<Limiter>,
    /// `None` while it moves, and while the attempt waits for a better moment.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    // In the order of the fields: the permits go before the place, which counts them.
    _request: [OwnedSemaphorePermit; 2],
    backlog: OwnedSemaphorePermit,
    place: Place,
}

impl Admission {
    /// Moves on to another host, or comes back from a wait: gives up all, then waits for the turn there.
    pub(super) async fn move_to(&mut self, host: &str) {
        let is_there = |held: &Held| held.place.host == host;
        if self.held.as_ref().is_some_and(is_there) {
            return;
        }
        self.step_aside();
        *self = self.limiter.admit(host).await;
    }

    /// Gives up every place: others have their turn while this attempt waits before it tries again.
    pub(super) fn step_aside(&mut self) {
        self.held = None;
    }

    /// Ends the right to make requests; the content stays counted until the result is dropped.
    pub fn finish(self) -> Option<OwnedSemaphorePermit> {
        self.held.map(|held| held.backlog)
    }
}

/// Someone who is at a host or waits for it.
#[derive(Debug)]
struct Place {
    limiter: Arc<Limiter>,
    host: String,
    limit: Arc<Semaphore>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut hosts = self
            .limiter
            .hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // This one's and the map's: nobody else is at the host, and nobody can come while the map is locked.
        if Arc::strong_count(&self.limit) == 2 {
            hosts.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(limiter: &Limiter) -> usize {
        limiter.hosts.lock().expect("unpoisoned").len()
    }

    #[tokio::test]
    async fn attempts_that_swap_hosts_do_not_wait_for_each_other() {
        let limiter = Limiter::new(1, 2);
        let mut one = limiter.admit("a").await;
        let mut other = limiter.admit("b").await;
        let ((), ()) = tokio::join!(one.move_to("b"), async {
            other.move_to("a").await;
        });
        assert_eq!(hosts(&limiter), 2);
        let backlog = one.finish();
        assert_eq!(hosts(&limiter), 1);
        drop(other);
        assert_eq!((hosts(&limiter), backlog.is_some()), (0, true));
    }

    #[tokio::test]
    async fn whoever_waits_holds_nothing_that_others_need() {
        let limiter = Limiter::new(1, 1);
        let mut moving = limiter.admit("a").await;
        let first = limiter.admit("b");
        tokio::pin!(first);
        // It has the host's permit and waits for the total, which the one that moves there gives up.
        assert!(futures_util::poll!(&mut first).is_pending());
        let moved = moving.move_to("b");
        tokio::pin!(moved);
        assert!(futures_util::poll!(&mut moved).is_pending());
        drop(first.await);
        moved.await;
    }

    #[tokio::test]
    async fn whoever_waits_for_a_better_moment_holds_no_place() {
        let limiter = Limiter::new(1, 1);
        let mut waiting = limiter.admit("a").await;
        waiting.step_aside();
        assert_eq!(hosts(&limiter), 0);
        for host in ["a", "b"] {
            let other = limiter.admit(host);
            tokio::pin!(other);
            assert!(futures_util::poll!(&mut other).is_ready(), "{host}");
        }
        waiting.move_to("a").await;
        assert_eq!(hosts(&limiter), 1);
        waiting.step_aside();
        assert!(waiting.finish().is_none());
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_leaves_nothing() {
        let limiter = Limiter::new(1, 8);
        let held = limiter.admit("a").await;
        {
            let waiting = limiter.admit("a");
            tokio::pin!(waiting);
            assert!(futures_util::poll!(&mut waiting).is_pending());
        }
        drop(held);
        assert_eq!(hosts(&limiter), 0);
    }
}
