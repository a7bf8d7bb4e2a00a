//! Rate limits: how many requests run at once to one host, and in all, wherever redirects lead.
//!
//! Permits are taken in one order (host, backlog, total), and a later one is never held while waiting for an earlier
//! one: attempts that redirect to each other's hosts cannot deadlock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum attempts whose body is in memory but not yet archived and judged, at most 256 KiB each.
const BACKLOG: usize = 128;

/// The limits, shared by all attempts.
#[derive(Debug)]
pub struct Limiter {
    per_host: usize,
    total: Arc<Semaphore>,
    backlog: Arc<Semaphore>,
    /// Hosts with attempts that run or wait.
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Limiter {
    /// Returns limits of `per_host` requests at once to one host, and `total` in all.
    pub fn new(per_host: usize, total: usize) -> Arc<Self> {
        Arc::new(Self {
            per_host,
            total: Arc::new(Semaphore::new(total)),
            backlog: Arc::new(Semaphore::new(BACKLOG)),
            hosts: Mutex::default(),
        })
    }

    /// Waits for permits. The host comes first: attempts waiting for a slow host take no place from other hosts.
    pub async fn admit(self: &Arc<Self>, host: &str) -> Admission {
        const OPEN: &str = "the semaphore is never closed";
        let place = self.place(host);
        let at_host = Arc::clone(&place.limit).acquire_owned().await.expect(OPEN);
        let backlog = Arc::clone(&self.backlog).acquire_owned().await;
        let total = Arc::clone(&self.total).acquire_owned().await;
        Admission {
            limiter: Arc::clone(self),
            held: Some(Permits {
                _request: [at_host, total.expect(OPEN)],
                backlog: backlog.expect(OPEN),
                place,
            }),
        }
    }

    fn place(self: &Arc<Self>, host: &str) -> HostPlace {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = if let Some(limit) = hosts.get(host) {
            Arc::clone(limit)
        } else {
            let limit = Arc::new(Semaphore::new(self.per_host));
            hosts.insert(host.to_owned(), Arc::clone(&limit));
            limit
        };
        HostPlace {
            limiter: Arc::clone(self),
            host: host.to_owned(),
            limit,
        }
    }
}

/// Permission to make requests to one host, and afterwards to hold the content.
#[derive(Debug)]
pub struct Admission {
    limiter: Arc<Limiter>,
    /// `None` while moving to another host, and during a pause between tries.
    held: Option<Permits>,
}

#[derive(Debug)]
struct Permits {
    // Fields drop in order: permits go before the place, which counts them.
    _request: [OwnedSemaphorePermit; 2],
    backlog: OwnedSemaphorePermit,
    place: HostPlace,
}

impl Admission {
    /// Waits for the permits of `host` and releases all others first. Does nothing while holding those of `host`.
    pub(super) async fn move_to(&mut self, host: &str) {
        let is_there = |held: &Permits| held.place.host == host;
        if self.held.as_ref().is_some_and(is_there) {
            return;
        }
        self.release();
        *self = self.limiter.admit(host).await;
    }

    /// Releases all permits for the pause before the next try.
    pub(super) fn release(&mut self) {
        self.held = None;
    }

    /// Ends the requests; the content counts until the returned permit is dropped.
    pub fn finish(self) -> Option<OwnedSemaphorePermit> {
        self.held.map(|held| held.backlog)
    }
}

/// An attempt that runs at a host or waits for it.
#[derive(Debug)]
struct HostPlace {
    limiter: Arc<Limiter>,
    host: String,
    limit: Arc<Semaphore>,
}

impl Drop for HostPlace {
    fn drop(&mut self) {
        let mut hosts = self
            .limiter
            .hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Held by this place and the map only: no other attempt is at the host, and none can come while the map is
        // locked.
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
        // `first` has its host's permit and waits for the total, which the moving attempt releases.
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
        waiting.release();
        assert_eq!(hosts(&limiter), 0);
        for host in ["a", "b"] {
            let other = limiter.admit(host);
            tokio::pin!(other);
            assert!(futures_util::poll!(&mut other).is_ready(), "{host}");
        }
        waiting.move_to("a").await;
        assert_eq!(hosts(&limiter), 1);
        waiting.release();
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
