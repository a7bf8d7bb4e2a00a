//! Time as an argument: the system's clock, and one that tests turn by hand. The only reader of the time of day.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// A future that a clock returns.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time of day and waits for it.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time of day.
    fn now(&self) -> DateTime<Utc>;

    /// Returns a future that ends at `time` by this clock, at once when that is past.
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
        Utc::now()
    }

    /// Sleeps in steps of a minute at most: the monotonic timer stands still while a laptop sleeps, the time of day
    /// does not.
    fn sleep_until(&self, time: DateTime<Utc>) -> Sleep {
        const STEP: std::time::Duration = std::time::Duration::from_mins(1);
        let clock = *self;
        Box::pin(async move {
            while let Ok(left) = (time - clock.now()).to_std() {
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(STEP)).await;
            }
        })
    }
}

/// A clock that stands still until it is turned.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<watch::Sender<DateTime<Utc>>>);

impl ManualClock {
    /// Returns a clock that shows `time`.
    pub fn new(time: DateTime<Utc>) -> Self {
        Self(Arc::new(watch::Sender::new(time)))
    }

    /// Moves the clock forward and wakes who sleeps until then.
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
        Box::pin(async move {
            // An error means that the clock is gone, and with it everyone who could turn it.
            let _ = watch.wait_for(|now| *now >= time).await;
        })
    }
}
