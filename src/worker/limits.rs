//! Which hosts have claims waiting, so that one host's sources do not keep those of others out, and which may have more
//! that is due.
//!
//! Holds no permit: [`Limiter`](crate::net::Limiter) does.

use std::collections::{HashMap, HashSet};

/// The hosts that have claims pending.
pub(super) struct Hosts {
    /// Claims of one host that are enough to keep it busy.
    enough: usize,
    pending: HashMap<String, usize>,
    saturated: HashSet<String>,
    /// Claims pending on hosts that are not saturated.
    elsewhere: usize,
    /// Those on which more may be due; nothing says that any host's may be.
    more: Option<Vec<String>>,
}

impl Hosts {
    pub(super) fn new(per_host: usize) -> Self {
        Self {
            // Half of it lasts a quick host for as long as claiming more takes.
            enough: (16 * per_host).max(64),
            pending: HashMap::new(),
            saturated: HashSet::new(),
            elsewhere: 0,
            more: None,
        }
    }

    /// Counts one more claim for the host.
    pub(super) fn enter(&mut self, name: &str) {
        let pending = self.pending.entry(name.to_owned()).or_default();
        *pending += 1;
        if self.saturated.contains(name) {
            return;
        }
        self.elsewhere += 1;
        if *pending == self.enough {
            self.elsewhere -= *pending;
            self.saturated.insert(name.to_owned());
        }
    }

    /// Counts one claim less. A saturated host is claimed for again when half of what was enough is done.
    pub(super) fn leave(&mut self, name: &str) {
        let Some(pending) = self.pending.get_mut(name) else {
            return;
        };
        *pending -= 1;
        let left = *pending;
        if left == 0 {
            self.pending.remove(name);
        }
        if !self.saturated.contains(name) {
            self.elsewhere -= 1;
        } else if left <= self.enough / 2 {
            self.saturated.remove(name);
            self.elsewhere += left;
        }
    }

    /// Returns how many claims are pending on hosts that are not saturated.
    pub(super) fn pending_elsewhere(&self) -> usize {
        self.elsewhere
    }

    /// Returns the hosts that have so many claims pending that claiming more would only keep others waiting.
    pub(super) fn saturated(&self) -> Vec<String> {
        self.saturated.iter().cloned().collect()
    }

    /// Notes that a look for what is due found all of it but what is on the hosts that it left out. Without this, every
    /// further look would pass over all that is due on those.
    pub(super) fn exhausted_but(&mut self, left_out: Vec<String>) {
        self.more = Some(left_out);
    }

    /// Forgets what was noted: more may have become due on any host.
    pub(super) fn look_again(&mut self) {
        self.more = None;
    }

    /// Tells whether nothing more is due.
    pub(super) fn are_exhausted(&self) -> bool {
        self.more.as_ref().is_some_and(Vec::is_empty)
    }

    /// Tells whether a look for what is due may find something that can be claimed now.
    pub(super) fn may_have_more(&self) -> bool {
        self.more
            .as_ref()
            .is_none_or(|hosts| hosts.iter().any(|host| !self.saturated.contains(host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_left_out_until_half_of_what_was_enough_is_done() {
        let mut hosts = Hosts::new(1);
        for _ in 0..100 {
            hosts.enter("a");
        }
        hosts.enter("b");
        let saturated = hosts.saturated();
        assert_eq!(saturated, ["a"]);
        assert_eq!(hosts.pending_elsewhere(), 1);
        hosts.exhausted_but(saturated);
        hosts.leave("b");
        for left in (33..100).rev() {
            hosts.leave("a");
            assert!(!hosts.may_have_more(), "{left} left");
        }
        hosts.leave("a");
        assert!(hosts.saturated().is_empty());
        assert_eq!(hosts.pending_elsewhere(), 32);
        assert!(hosts.may_have_more() && !hosts.are_exhausted());
        hosts.exhausted_but(hosts.saturated());
        assert!(hosts.are_exhausted() && !hosts.may_have_more());
        for _ in 0..40 {
            hosts.leave("a");
        }
        hosts.look_again();
        assert!(hosts.may_have_more());
    }
}
