//! The service's interface to the worker; `compose` implements it.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::app::{Result, SourceResult};
use crate::domain::{Actor, SourceId};

/// Fetches at the request of somebody.
pub trait Fetching: Send + Sync {
    /// Fetches sources now, due or not, in the name of an actor, and returns the result of each. A source that is being
    /// fetched at somebody's request is not fetched a second time: its result is returned. The fetch goes on when nobody
    /// waits for the result any more.
    fn fetch(
        &self,
        sources: Vec<SourceId>,
        actor: Actor,
    ) -> BoxFuture<'static, Result<Vec<SourceResult>>>;
    /// Returns since when a source is being fetched at somebody's request, or waits for its turn.
    fn since(&self, source: SourceId) -> Option<DateTime<Utc>>;
    /// Returns when the last pass of the worker in this process ended, with the reason if it could not work; `None`
    /// before its first pass, and without a worker.
    fn last_pass(&self) -> Option<(DateTime<Utc>, Option<String>)>;
    /// Has the worker claim due sources at once, after a change that may have made some due.
    fn wake(&self);
}
