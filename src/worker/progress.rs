//! The progress of a pass, for the faces that show it.

use tokio::sync::watch;

use crate::app::{PassProgress, PassSummary};

/// The progress that a pass reports. Clones share it.
#[derive(Clone, Debug)]
pub struct Progress(watch::Sender<PassProgress>);

impl Default for Progress {
    fn default() -> Self {
        Self(watch::Sender::new(PassProgress::default()))
    }
}

impl Progress {
    /// Returns a receiver of every change of the progress.
    pub fn watch(&self) -> watch::Receiver<PassProgress> {
        self.0.subscribe()
    }

    /// Returns the present progress.
    pub fn snapshot(&self) -> PassProgress {
        *self.0.borrow()
    }

    pub(super) fn begin(&self, total: u64) {
        self.0.send_replace(PassProgress {
            running: true,
            total,
            ..PassProgress::default()
        });
    }

    pub(super) fn end(&self) {
        self.0.send_modify(|progress| progress.running = false);
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut PassSummary)) {
        self.0.send_modify(|snapshot| change(&mut snapshot.summary));
    }
}
