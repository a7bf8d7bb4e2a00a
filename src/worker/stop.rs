//! How a worker is told to stop: gently at first, then at once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// What is in flight has this long to finish after a stop is asked for.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// Two steps of stopping. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    gentle: CancellationToken,
    hard: CancellationToken,
}

impl Stop {
    /// Asks to stop: gently the first time, at once the second.
    pub fn request(&self) {
        if self.gentle.is_cancelled() {
            self.hard.cancel();
        }
        self.gentle.cancel();
    }

    /// Tells whether stopping was asked for.
    pub fn is_requested(&self) -> bool {
        self.gentle.is_cancelled()
    }

    /// Ends when stopping is asked for.
    pub async fn requested(&self) {
        self.gentle.cancelled().await;
    }

    /// Ends when stopping at once is asked for.
    pub async fn forced(&self) {
        self.hard.cancelled().await;
    }

    /// Ends when stopping at once is asked for, or when stopping was and the time to finish is up.
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
