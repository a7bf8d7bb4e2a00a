//! Notices between two passes that a source has become due that no worker has claimed: any process may have added it, or
//! have asked for it.
//!
//! Never claims a source.

use super::report::PassReport;
use crate::app::{App, Error};
use crate::store::UnclaimedDue;

/// The time between two looks at whether the catalogue has changed.
const LOOK_EVERY: chrono::Duration = chrono::Duration::seconds(1);

/// The due sources that nobody has claimed, as the last pass left them.
pub(super) struct Arrivals<'a> {
    app: &'a App,
    /// How many the last pass could not claim, such as those with a damaged row; `None` if it ended badly: the next one
    /// would at once, too.
    left: Option<u64>,
}

impl<'a> Arrivals<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        Self { app, left: None }
    }

    /// Begins anew after a pass. One that tried a source may have overlooked others that came meanwhile.
    pub(super) async fn begin_after(&mut self, report: &PassReport) {
        let is_sound = report.error.as_ref().is_none_or(Error::concerns_one);
        self.left = match &report.summary {
            summary if summary.not_kept > 0 || !is_sound => None,
            summary if summary.attempts > 0 => Some(0),
            _ => self.unclaimed().await,
        };
    }

    /// Waits until there are more of them.
    pub(super) async fn come(&self) {
        let Some(left) = self.left else {
            return std::future::pending().await;
        };
        let mut seen = None;
        loop {
            let clock = &self.app.ports().clock;
            clock.sleep_until(clock.now() + LOOK_EVERY).await;
            // A catalogue that cannot be read is reported by the next pass.
            let Ok(changes) = self.app.changes().await else {
                return std::future::pending().await;
            };
            if seen.replace(changes) != Some(changes)
                && self.unclaimed().await.is_some_and(|now| now > left)
            {
                return;
            }
        }
    }

    async fn unclaimed(&self) -> Option<u64> {
        let now = self.app.now();
        self.app.read(UnclaimedDue(now)).await.ok()
    }
}
