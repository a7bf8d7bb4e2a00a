//! The process's signals: the first SIGINT, SIGTERM or SIGHUP stops gently, the second at once.

use std::convert::Infallible;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::worker::Stop;

/// Passes signals on to `stop`; never ends.
pub(super) async fn watch(stop: &Stop) -> Infallible {
    let [mut interrupt, mut terminate, mut hang_up] = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ]
    .map(|kind| signal(kind).ok());
    loop {
        tokio::select! {
            () = next(&mut interrupt) => {}
            () = next(&mut terminate) => {}
            () = next(&mut hang_up) => {}
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
