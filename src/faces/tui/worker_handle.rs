//! The dashboard's interface to the worker; `compose` implements it.

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::app::{PassProgress, Result};
use crate::domain::SourceId;

/// The operations of the worker and the process that the dashboard calls.
pub trait WorkerHandle: Send + Sync {
    /// Returns the progress of the worker's passes; none if no worker runs in this process.
    fn progress(&self) -> Option<watch::Receiver<PassProgress>>;
    /// Fetches sources now, due or not. Returns a text on the outcome.
    fn fetch(&self, sources: Vec<SourceId>) -> BoxFuture<'static, Result<String>>;
    /// Has the worker claim due sources at once, after a change that may have made some due.
    fn wake(&self);
    /// Asks all work to stop: gently the first time, at once the second.
    fn stop(&self);
    /// Waits until all work has stopped.
    fn stopped(&self) -> BoxFuture<'static, ()>;
    /// Waits for the next error that the operator has to see, and returns its text.
    fn next_error(&self) -> BoxFuture<'static, String>;
    /// Waits for the next signal that asks to stop.
    fn next_signal(&self) -> BoxFuture<'static, ()>;
}
