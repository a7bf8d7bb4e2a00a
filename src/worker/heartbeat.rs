//! When the heartbeat was sent last, and when it is due again.
//!
//! Never sends one: `app` does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// The longest time between two heartbeats of a worker that stays, even when its passes have nothing to do.
const EVERY: TimeDelta = TimeDelta::hours(1);

/// The heartbeat of one worker.
#[derive(Default)]
pub(super) struct Heartbeat {
    sent_at: Mutex<Option<DateTime<Utc>>>,
}

impl Heartbeat {
    /// Returns whether a heartbeat is due after a pass that fetched nothing: the last one is an hour old, or there was
    /// none.
    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        // A last heartbeat in the future means that the clock was set back.
        let is_late = |at: DateTime<Utc>| now - at >= EVERY || now < at;
        self.sent_at().is_none_or(is_late)
    }

    /// Records that a heartbeat was sent, and answered.
    pub(super) fn record_sent(&self, at: DateTime<Utc>) {
        *self.sent_at() = Some(at);
    }

    fn sent_at(&self) -> MutexGuard<'_, Option<DateTime<Utc>>> {
        self.sent_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_an_hour_later_or_when_the_clock_was_set_back() {
        let sent = DateTime::UNIX_EPOCH;
        let heartbeat = Heartbeat::default();
        assert!(heartbeat.is_due(sent));
        heartbeat.record_sent(sent);
        for (seconds, is_due) in [(0, false), (3_599, false), (3_600, true), (-1, true)] {
            let now = sent + TimeDelta::seconds(seconds);
            assert_eq!(heartbeat.is_due(now), is_due, "{seconds} s later");
        }
    }
}
