//! Time as an argument: the system's clock, and a manual one for tests. The only reader of the time of day.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// A future that a clock returns.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of the time of day.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time of day.
    fn now(&self) -> DateTime<Utc>;

    /// Returns a future that completes at `time` by this clock, at once for a past time.
    ///
    /// The wait never exceeds the one expected at the call: setting the clock back does not lengthen it.
    fn sleep_until(&self, time: DateTime<Utc>) -> Sleep;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> DateTime<Utc> {
        printable(Utc::now())
    }

    /// Sleeps in steps of a minute at most, since the monotonic timer stops while a laptop sleeps and the time of day
    /// does not. Ends when either of them reaches the end.
    fn sleep_until(&self, time: DateTime<Utc>) -> Sleep {
        const STEP: Duration = Duration::from_mins(1);
        let clock = *self;
        let left_by_day = move || (time - clock.now()).to_std().unwrap_or_default();
        let (most, begun) = (left_by_day(), Instant::now());
        Box::pin(async move {
            loop {
                let left = left_by_day().min(most.saturating_sub(begun.elapsed()));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(STEP)).await;
            }
        })
    }
}

/// Returns the time, or the last one that RFC 3339 can print with room for an interval: its years have four digits.
fn printable(time: DateTime<Utc>) -> DateTime<Utc> {
    /// 1 January 9999, in seconds since 1970.
    const LAST: DateTime<Utc> = DateTime::from_timestamp(253_370_764_800, 0).expect("a time");
    time.min(LAST)
}

/// A clock that stands still until a test advances it.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<watch::Sender<DateTime<Utc>>>);

impl ManualClock {
    /// Returns a clock that shows `time`.
    pub fn new(time: DateTime<Utc>) -> Self {
        Self(Arc::new(watch::Sender::new(time)))
    }

    /// Moves the clock, forward or back, and wakes the sleepers whose time has come. After a move to before the start
    /// of their sleep, sleepers wake as well, since there is no monotonic clock to go by.
    pub fn advance(&self, by: chrono::Duration) {
        self.0.send_modify(|time| *time += by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.borrow()
    }

    fn sleep_until(&self, time: DateTime<Utc>) -> Sleep {
        let mut watch = self.0.subscribe();
        let begun = self.now();
        Box::pin(async move {
            // An error means that the clock was dropped, so nobody can advance it any more.
            let _ = watch.wait_for(|now| *now >= time || *now < begun).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn every_time_of_the_clock_can_be_printed() {
        for (seconds, printed) in [
            (0, "1970-01-01T00:00:00Z"),
            (253_370_764_799, "9998-12-31T23:59:59Z"),
            (253_370_764_801, "9999-01-01T00:00:00Z"),
            (285_000_000_000, "9999-01-01T00:00:00Z"),
        ] {
            let time = DateTime::from_timestamp(seconds, 0).expect("a time");
            let shown = printable(time).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            assert_eq!(shown, printed, "{seconds}");
        }
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_shows_the_time_or_was_set_back() {
        let noon = DateTime::UNIX_EPOCH + TimeDelta::hours(12);
        for (turn, wakes) in [
            (TimeDelta::minutes(59), false),
            (TimeDelta::minutes(60), true),
            (TimeDelta::days(365), true),
            (TimeDelta::seconds(-1), true),
            (TimeDelta::days(-365), true),
        ] {
            let clock = ManualClock::new(noon);
            let mut sleep = clock.sleep_until(noon + TimeDelta::hours(1));
            clock.advance(turn);
            let has_woken = futures_util::poll!(&mut sleep).is_ready();
            assert_eq!(has_woken, wakes, "{turn}");
        }
    }

    #[tokio::test]
    async fn the_system_clock_does_not_wait_for_what_is_past() {
        let clock = SystemClock;
        clock.sleep_until(clock.now() - TimeDelta::days(1)).await;
        clock
            .sleep_until(clock.now() + TimeDelta::milliseconds(1))
            .await;
    }
}
