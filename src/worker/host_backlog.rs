//! The pending claims of each host, so that the sources of one host do not keep those of other hosts from being
//! claimed.
//!
//! Never limits requests: [`Limiter`](crate::net::Limiter) does.

use std::collections::{HashMap, HashSet};

/// The hosts that have claims pending.
pub(super) struct HostBacklog {
    /// The number of pending claims that saturates a host: no more of its sources are claimed until half of these are
    /// done.
    saturation: usize,
    pending: HashMap<String, usize>,
    saturated: HashSet<String>,
    /// Pending claims on hosts that are not saturated.
    unsaturated: usize,
    /// The hosts on which more sources may be due; `None` when any host may have some.
    more: Option<Vec<String>>,
}

impl HostBacklog {
    pub(super) fn new(per_host: usize) -> Self {
        Self {
            // Half of these occupy a quick host for as long as the next claim takes.
            saturation: (16 * per_host).max(64),
            pending: HashMap::new(),
            saturated: HashSet::new(),
            unsaturated: 0,
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
        self.unsaturated += 1;
        if *pending == self.saturation {
            self.unsaturated -= *pending;
            self.saturated.insert(name.to_owned());
        }
    }

    /// Counts one claim of the host less. Its sources are claimed again when half of a saturated host's claims are
    /// done.
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
            self.unsaturated -= 1;
        } else if left <= self.saturation / 2 {
            self.saturated.remove(name);
            self.unsaturated += left;
        }
    }

    /// Returns how many claims are pending on hosts that are not saturated.
    pub(super) fn pending_unsaturated(&self) -> usize {
        self.unsaturated
    }

    /// Returns the hosts with so many pending claims that more would only keep other hosts waiting.
    pub(super) fn saturated(&self) -> Vec<String> {
        self.saturated.iter().cloned().collect()
    }

    /// Records that the last claim took every source that is due, except on these hosts, which it left out. Until one
    /// of them has room, claiming again is pointless.
    pub(super) fn no_more_due_except(&mut self, left_out: Vec<String>) {
        self.more = Some(left_out);
    }

    /// Forgets the result of the last claim: sources of any host may have become due since.
    pub(super) fn forget_exhausted(&mut self) {
        self.more = None;
    }

    /// Returns whether nothing more is due on any host.
    pub(super) fn are_exhausted(&self) -> bool {
        self.more.as_ref().is_some_and(Vec::is_empty)
    }

    /// Returns whether claiming again may find a source that is due on a host with room.
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
        let mut hosts = HostBacklog::new(1);
        for _ in 0..100 {
            hosts.enter("a");
        }
        hosts.enter("b");
        let saturated = hosts.saturated();
        assert_eq!(saturated, ["a"]);
        assert_eq!(hosts.pending_unsaturated(), 1);
        hosts.no_more_due_except(saturated);
        hosts.leave("b");
        for left in (33..100).rev() {
            hosts.leave("a");
            assert!(!hosts.may_have_more(), "{left} left");
        }
        hosts.leave("a");
        assert!(hosts.saturated().is_empty());
        assert_eq!(hosts.pending_unsaturated(), 32);
        assert!(hosts.may_have_more() && !hosts.are_exhausted());
        hosts.no_more_due_except(hosts.saturated());
        assert!(hosts.are_exhausted() && !hosts.may_have_more());
        for _ in 0..40 {
            hosts.leave("a");
        }
        hosts.forget_exhausted();
        assert!(hosts.may_have_more());
    }
}
