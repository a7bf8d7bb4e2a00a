//! What workers that were killed left: their claims, their programs, the deaths that verifiers caused, and their folders.
//!
//! Never ends what a living worker holds: a worker is dead when it was not seen for a lease, or when this machine shows that its process
//! ended.

use super::housekeeping;
use crate::app::{App, Result};
use crate::store::ClaimsToRelease;
use crate::verify::end_left_behind;

/// Ends the claims of dead workers. Those of this machine need not wait until the lease is over.
pub(super) async fn release_claims(app: &App) -> Result<()> {
    app.ports().store.release_lapsed(app.now()).await?;
    let dead = app
        .with_archive(|archive| archive.machine().dead_owners())
        .await?;
    for worker in app.ports().store.workers().await? {
        if app.ports().archive.machine().has_ended(&worker, &dead) {
            let claims = ClaimsToRelease::Of(worker.id);
            app.ports().store.release_claims(claims).await?;
        }
    }
    // What cannot be tidied keeps nothing from being fetched: it is tried again once a day, and the end of that pass says so.
    if !dead.is_empty()
        && let Err(error) = housekeeping::tidy(app).await
    {
        tracing::warn!("{error}: left to a later pass");
    }
    for owner in dead {
        tracing::warn!("the process of {owner} ended without releasing its claims: released");
        end_programs_of(app, &owner).await;
        let folder = app
            .ports()
            .archive
            .machine()
            .temp_dir()
            .with_file_name(&owner);
        app.count_deaths_in(folder).await?;
        // The folder that shows its death goes last, so that a worker killed in between leaves it to the next.
        let buried = app.with_archive(move |archive| archive.machine().remove_dead(&owner));
        if let Err(error) = buried.await {
            tracing::warn!("{error}: left to a later pass");
        }
    }
    Ok(())
}

/// Ends what the programs of a dead worker left behind.
async fn end_programs_of(app: &App, owner: &str) {
    let folder = app
        .ports()
        .archive
        .machine()
        .temp_dir()
        .with_file_name(owner);
    let ended = app
        .with_archive(move |_| Ok(end_left_behind(&folder)))
        .await;
    match ended {
        Ok(Ok(0)) => {}
        Ok(Ok(count)) => tracing::warn!("worker {owner} left {count} processes: ended"),
        Ok(Err(error)) => tracing::warn!("cannot look for what worker {owner} left: {error}"),
        Err(error) => tracing::warn!("{error}"),
    }
}
