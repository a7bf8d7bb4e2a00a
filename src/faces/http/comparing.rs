//! Comparisons of versions, each of which may hold two contents and their difference in memory.
//!
//! Never begins one more than the places allow, whether its client stays or leaves.

use axum::http::StatusCode;

use super::problem::Problem;
use super::shared::Shared;
use crate::app::{Comparison, Error};
use crate::domain::Version;

/// Compares two versions, and returns what is made of the result. The work cannot be stopped, so that it keeps its place
/// to its end when the client leaves; a client that leaves while it waits for a place has nothing done.
pub(super) async fn compared<T: Send + 'static>(
    shared: &Shared,
    old: Version,
    new: Version,
    make: impl FnOnce(&Version, &Version, &Comparison) -> T + Send + 'static,
) -> Result<T, Problem> {
    let place = shared.comparing().await;
    let owned = shared.clone();
    let task = shared.to_end().spawn(async move {
        let _place = place;
        let comparison = owned.app().compare(&old, &new).await?;
        let making = tokio::task::spawn_blocking(move || make(&old, &new, &comparison));
        Ok::<_, Error>(making.await)
    });
    let ended_early = |error: tokio::task::JoinError| {
        let detail = format!("the comparison ended early: {error}");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    };
    task.await.map_err(ended_early)??.map_err(ended_early)
}
