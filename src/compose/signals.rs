//! The process's signals: the first SIGINT or SIGTERM stops gently, the second at once.
//!
//! A single pass never listens for SIGHUP; a worker that stays reads its configuration again when it comes, and so outlives
//! its terminal with `nohup` and without.

use std::convert::Infallible;
use std::future::poll_fn;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::worker::Stop;

/// The signals that ask to stop. One that could not be listened for keeps its default action.
pub(super) struct Signals(Vec<Signal>);

impl Signals {
    /// Listens for SIGINT and SIGTERM.
    pub(super) fn new() -> Self {
        Self::of(&[SignalKind::interrupt(), SignalKind::terminate()])
    }

    /// Listens for SIGHUP too: a dashboard ends with its terminal, in order.
    pub(super) fn with_hang_up() -> Self {
        Self::of(&[
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ])
    }

    fn of(kinds: &[SignalKind]) -> Self {
        Self(kinds.iter().filter_map(|kind| signal(*kind).ok()).collect())
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) {
        poll_fn(|context| {
            let came = self
                .0
                .iter_mut()
                .any(|signal| signal.poll_recv(context).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Listens for SIGHUP; nothing when that cannot be.
pub(super) fn hang_ups() -> Option<Signal> {
    signal(SignalKind::hangup()).ok()
}

/// Passes signals on to `stop`; never ends.
pub(super) async fn watch(stop: &Stop) -> Infallible {
    let mut signals = Signals::new();
    loop {
        signals.next().await;
        tracing::warn!("stopping: a signal came");
        stop.request();
    }
}
