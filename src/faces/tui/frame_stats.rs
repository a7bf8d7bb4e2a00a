//! How long frames took to draw, for the log: whoever finds the dashboard slow can say how slow.
//!
//! Reads no clock.

use std::collections::VecDeque;
use std::time::Duration;

/// Frames that are remembered, the newest.
const KEPT: usize = 10_000;

/// The times of the newest frames.
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

    /// Writes a line to the log.
    pub(super) fn log(&self) {
        tracing::info!(
            frames = self.drawn,
            median_us = self.percentile(50),
            p99_us = self.percentile(99),
            worst_us = self.percentile(100),
            "the dashboard was left"
        );
    }

    /// Returns the time in microseconds that so many of a hundred frames did not take longer than; 0 without any.
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
