//! The request to stop a worker: gently at first, then at once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The time that attempts in flight have to finish after a stop is requested.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// The request to stop, in two steps. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    gentle: CancellationToken,
    hard: CancellationToken,
}

impl Stop {
    /// Requests a stop: gently the first time, at once the second.
    pub fn request(&self) {
        if self.gentle.is_cancelled() {
            self.hard.cancel();
        }
        self.gentle.cancel();
    }

    /// Returns whether a stop was requested.
    pub fn is_requested(&self) -> bool {
        self.gentle.is_cancelled()
    }

    /// Waits until a stop is requested.
    pub async fn requested(&self) {
        self.gentle.cancelled().await;
    }

    /// Waits until a stop at once is requested.
    pub async fn forced(&self) {
        self.hard.cancelled().await;
    }

    /// Waits until a stop at once is requested, or until the time to finish after a gentle request is up.
    pub async fn deadline_passed(&self) {
        let patience = async {
            self.requested().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = self.forced() => {}
            () = patience => {}
        }
    }
}
