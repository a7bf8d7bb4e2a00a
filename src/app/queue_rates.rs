//! What went through a queue lately: a second, and by steps of time.
//!
//! Pure: counts what the store returned.

use chrono::{DateTime, TimeDelta, Utc};

use super::{QueueFacts, QueueRate, RATE_SECONDS};

/// The seconds of the last minute, by which what goes through a queue a second is counted.
const LATELY_SECONDS: i64 = 60;

/// Messages are taken within less than this time while somebody persists them, in milliseconds.
const LEFT_AFTER_MS: u64 = 10_000;

/// What went through a queue in the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QueueLately {
    /// Messages a second that were put on it.
    pub in_per_second: f64,
    /// Messages a second that were persisted.
    pub out_per_second: f64,
    /// The longest time from the queue to the store, in milliseconds: of messages that were persisted, or that the oldest
    /// waits by now. `None` when nothing was persisted and nothing waits.
    pub lag_ms: Option<u64>,
}

/// What went through a queue in a step of time, and what waited at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStep {
    /// The end of the step.
    pub end: DateTime<Utc>,
    /// The messages that were put on it.
    pub queued: u64,
    /// The messages that were persisted.
    pub persisted: u64,
    /// The longest time from the queue to the store, in milliseconds.
    pub lag_ms: u64,
    /// The messages on it at the end.
    pub waiting: u64,
}

impl QueueFacts {
    /// Returns what went through the queue in the minute before this time.
    pub fn lately(&self, now: DateTime<Utc>) -> QueueLately {
        let begin = now - TimeDelta::seconds(LATELY_SECONDS);
        let lately = self.rates.iter().filter(|rate| rate.at >= begin);
        let lately: Vec<_> = lately.collect();
        let per_second = |count: fn(&QueueRate) -> u64| {
            let sum = lately.iter().map(|rate| count(rate)).sum::<u64>();
            #[expect(
                clippy::cast_precision_loss,
                reason = "a rate needs no more than 52 bits"
            )]
            let rate = sum as f64 / LATELY_SECONDS as f64;
            rate
        };
        let persisted = lately.iter().filter(|rate| rate.persisted > 0);
        let longest = persisted.map(|rate| rate.lag_ms).max();
        QueueLately {
            in_per_second: per_second(|rate| rate.queued),
            out_per_second: per_second(|rate| rate.persisted),
            lag_ms: longest.max(self.oldest_waits_ms(now)),
        }
    }

    /// Returns for how long the oldest message waits, in milliseconds.
    fn oldest_waits_ms(&self, now: DateTime<Utc>) -> Option<u64> {
        let waits = (now - self.oldest_at?).num_milliseconds();
        Some(u64::try_from(waits).unwrap_or(0))
    }

    /// Returns whether nobody takes messages from the queue: one waits for more than ten seconds, was not tried in vain, and
    /// none was persisted meanwhile.
    pub fn is_left(&self, now: DateTime<Utc>) -> bool {
        let begin = now - TimeDelta::seconds(2 * RATE_SECONDS);
        let is_taken = |rate: &QueueRate| rate.persisted > 0 && rate.at > begin;
        self.oldest_waits_ms(now) > Some(LEFT_AFTER_MS)
            && self.tries == 0
            && !self.rates.iter().any(is_taken)
    }

    /// Returns so many steps up to this time, the oldest first. What waited is counted back from what waits now. A step is
    /// [`RATE_SECONDS`] long at least.
    pub fn steps(&self, now: DateTime<Utc>, step: TimeDelta, count: usize) -> Vec<QueueStep> {
        let mut steps = vec![QueueStep::default(); count];
        let step_ms = step.num_milliseconds().max(RATE_SECONDS * 1000);
        for rate in &self.rates {
            let back = (now - rate.at).num_milliseconds().div_euclid(step_ms);
            let place = usize::try_from(back).ok();
            if let Some(step) = place.and_then(|back| steps.get_mut(back)) {
                step.queued += rate.queued;
                step.persisted += rate.persisted;
                step.lag_ms = step.lag_ms.max(rate.lag_ms);
            }
        }
        let (mut end, mut waiting) = (now, self.waiting);
        for step in &mut steps {
            (step.end, step.waiting) = (end, waiting);
            end -= TimeDelta::milliseconds(step_ms);
            waiting = (waiting + step.persisted).saturating_sub(step.queued);
        }
        steps.reverse();
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(now: DateTime<Utc>) -> QueueFacts {
        let rate = |ago, queued, persisted| QueueRate {
            at: now - TimeDelta::seconds(ago),
            queued,
            persisted,
            lag_ms: 7,
        };
        QueueFacts {
            waiting: 3,
            waiting_bytes: 9,
            rates: vec![rate(130, 5, 0), rate(70, 2, 4), rate(10, 1, 1)],
            ..QueueFacts::new("a".parse().expect("a name"))
        }
    }

    #[test]
    fn what_waited_is_counted_back_from_what_waits_now() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let steps = queue(now).steps(now, TimeDelta::minutes(1), 60);
        assert_eq!(steps.len(), 60);
        let last = steps.iter().rev().take(4);
        let last: Vec<_> = last
            .map(|step| (step.end, step.waiting, step.queued, step.lag_ms))
            .collect();
        let end = |minutes| now - TimeDelta::minutes(minutes);
        let expected = [
            (end(0), 3, 1, 7),
            (end(1), 3, 2, 7),
            (end(2), 5, 5, 7),
            (end(3), 0, 0, 0),
        ];
        assert_eq!(last, expected);
    }

    #[test]
    fn lately_is_the_last_minute() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let lately = queue(now).lately(now);
        let expected = QueueLately {
            in_per_second: 1.0 / 60.0,
            out_per_second: 1.0 / 60.0,
            lag_ms: Some(7),
        };
        assert_eq!(lately, expected);
        let later = now + TimeDelta::minutes(2);
        assert_eq!(queue(now).lately(later), QueueLately::default());
    }

    #[test]
    fn a_queue_lags_as_long_as_its_oldest_message_waits_and_may_be_left() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let of = |waits, persisted_ago, tries| QueueFacts {
            oldest_at: Some(now - TimeDelta::seconds(waits)),
            tries,
            rates: vec![QueueRate {
                at: now - TimeDelta::seconds(persisted_ago),
                queued: 0,
                persisted: 1,
                lag_ms: 7_000,
            }],
            ..queue(now)
        };
        for (queue, lag_ms, is_left) in [
            (of(30, 300, 0), 30_000, true),
            (of(30, 40, 0), 30_000, true),
            (of(30, 15, 0), 30_000, false),
            (of(30, 300, 1), 30_000, false),
            (of(9, 300, 0), 9_000, false),
            (of(2, 15, 0), 7_000, false),
            (of(-5, 300, 0), 0, false),
        ] {
            assert_eq!(queue.lately(now).lag_ms, Some(lag_ms));
            assert_eq!(queue.is_left(now), is_left, "{queue:?}");
        }
    }
}
