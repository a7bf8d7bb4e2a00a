//! The service's interface to the worker; `compose` implements it.

use futures_util::future::BoxFuture;

use crate::app::{Result, SourceResult};
use crate::domain::{Actor, SourceId};

/// Fetches at the request of somebody.
pub trait Fetching: Send + Sync {
    /// Fetches sources now, due or not, in the name of an actor, and returns the result of each. The fetch goes on when
    /// nobody waits for the result any more.
    fn fetch(
        &self,
        sources: Vec<SourceId>,
        actor: Actor,
    ) -> BoxFuture<'static, Result<Vec<SourceResult>>>;
    /// Has the worker claim due sources at once, after a change that may have made some due.
    fn wake(&self);
}
