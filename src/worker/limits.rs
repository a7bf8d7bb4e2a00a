//! Which hosts have claims waiting, so that one host's sources do not keep those of others out.
//!
//! Holds no permit: [`Limiter`](crate::net::Limiter) does.

use std::collections::HashMap;

/// The hosts that have claims pending.
pub(super) struct Hosts {
    /// Claims of one host that are enough to keep it busy.
    enough: usize,
    pending: HashMap<String, usize>,
}

impl Hosts {
    pub(super) fn new(per_host: usize) -> Self {
        Self {
            enough: (4 * per_host).max(64),
            pending: HashMap::new(),
        }
    }

    /// Counts one more claim for the host.
    pub(super) fn enter(&mut self, name: &str) {
        *self.pending.entry(name.to_owned()).or_default() += 1;
    }

    /// Counts one claim less.
    pub(super) fn leave(&mut self, name: &str) {
        if let Some(pending) = self.pending.get_mut(name) {
            *pending -= 1;
            if *pending == 0 {
                self.pending.remove(name);
            }
        }
    }

    /// Returns the hosts that have so many claims pending that claiming more would only keep others waiting.
    pub(super) fn saturated(&self) -> Vec<String> {
        self.pending
            .iter()
            .filter(|(_, pending)| **pending >= self.enough)
            .map(|(name, _)| name.clone())
            .collect()
    }
}
