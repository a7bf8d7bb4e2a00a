//! When the heartbeat's address was called last, and when it is to be called again.
//!
//! Never calls it: `app` does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// How often at least a worker that stays calls the address, passes with nothing to do included.
const EVERY: TimeDelta = TimeDelta::hours(1);

/// The heartbeat of one worker.
#[derive(Default)]
pub(super) struct Heartbeat {
    sent_at: Mutex<Option<DateTime<Utc>>>,
}

impl Heartbeat {
    /// Tells whether the address is to be called although nothing was fetched: the last call is an hour old, or there was none.
    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        // A time that is still to come says that the clock was set back.
        let is_late = |at: DateTime<Utc>| now - at >= EVERY || now < at;
        self.sent_at().is_none_or(is_late)
    }

    /// Notes that the address was called, and answered.
    pub(super) fn note_sent(&self, at: DateTime<Utc>) {
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
        heartbeat.note_sent(sent);
        for (seconds, is_due) in [(0, false), (3_599, false), (3_600, true), (-1, true)] {
            let now = sent + TimeDelta::seconds(seconds);
            assert_eq!(heartbeat.is_due(now), is_due, "{seconds} s later");
        }
    }
}
