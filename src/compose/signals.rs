//! The process's signals: the first SIGINT or SIGTERM stops gently, the second at once.
//!
//! Never listens for SIGHUP: a handler would undo `nohup`.

use std::convert::Infallible;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::worker::Stop;

/// Passes signals on to `stop`; never ends.
pub(super) async fn watch(stop: &Stop) -> Infallible {
    let [mut interrupt, mut terminate] =
        [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok());
    loop {
        tokio::select! {
            () = next(&mut interrupt) => {}
            () = next(&mut terminate) => {}
        }
        tracing::warn!("stopping: a signal came");
        stop.request();
    }
}

/// Waits for the signal; for ever when it could not be listened for, and then its default action stays.
async fn next(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}
