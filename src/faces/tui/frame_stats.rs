//! Draw times of frames: one line in the log when the operator leaves the dashboard.
//!
//! Reads no clock.

use std::collections::VecDeque;
use std::time::Duration;

/// Most frames whose times are stored; the oldest are dropped.
const KEPT: usize = 10_000;

/// The draw times of the newest frames.
#[derive(Debug, Default)]
pub(super) struct FrameStats {
    times: VecDeque<Duration>,
    drawn: u64,
}

impl FrameStats {
    pub(super) fn add(&mut self, time: Duration) {
        if self.times.len() == KEPT {
            self.times.pop_front();
        }
        self.times.push_back(time);
        self.drawn += 1;
    }

    /// Logs the number of frames, and median, 99th percentile and worst of their times.
    pub(super) fn log(&self) {
        tracing::info!(
            frames = self.drawn,
            median_us = self.percentile(50),
            p99_us = self.percentile(99),
            worst_us = self.percentile(100),
            "the dashboard was left"
        );
    }

    /// Returns a percentile of the times in microseconds (nearest rank); 0 without frames.
    fn percentile(&self, share: usize) -> u64 {
        let mut times: Vec<_> = self.times.iter().collect();
        times.sort_unstable();
        let at = (times.len() * share).div_ceil(100).saturating_sub(1);
        let time = times.get(at).map_or(0, |time| time.as_micros());
        u64::try_from(time).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_slowest_of_the_newest() {
        let mut frames = FrameStats::default();
        assert_eq!(frames.percentile(99), 0);
        frames.add(Duration::from_secs(1));
        for micros in 0..10_000 {
            frames.add(Duration::from_micros(micros));
        }
        assert_eq!(frames.drawn, 10_001);
        let shares = [50, 99, 100].map(|share| frames.percentile(share));
        assert_eq!(shares, [4_999, 9_899, 9_999]);
    }
}
