//! The remains of killed workers: their claims, the processes of their programs, and their folders with the notes of
//! versions whose judging killed them.
//!
//! Never releases a claim of a living worker. A worker is dead when it was not seen for a lease, or when its process
//! has ended on this machine.

use std::path::PathBuf;

use super::housekeeping;
use crate::app::{App, Result};
use crate::store::{ClaimsToRelease, Workers};
use crate::verify::end_left_behind;

/// Releases the claims of dead workers: of other machines' when their lease is over, of this machine's at once.
pub(super) async fn release_claims(app: &App) -> Result<()> {
    let lapsed = ClaimsToRelease::Lapsed(app.now());
    app.ports().store.release_claims(lapsed).await?;
    let dead = app
        .with_archive(|archive| archive.machine().dead_owners())
        .await?;
    let (store, machine) = (&app.ports().store, app.ports().archive.machine());
    for worker in store.read(Workers).await? {
        if machine.has_ended(&worker, &dead) {
            let claims = ClaimsToRelease::Of(worker.id);
            store.release_claims(claims).await?;
        }
    }
    // Housekeeping that fails keeps no source from being fetched: it is tried again once a day, and that pass reports
    // it.
    if !dead.is_empty()
        && let Err(error) = housekeeping::tidy(app).await
    {
        tracing::warn!("{error}: left to a later pass");
    }
    for owner in dead {
        tracing::warn!("the process of {owner} ended without releasing its claims: released");
        let folder = machine.temp_dir().with_file_name(&owner);
        end_programs_of(app, &owner, folder.clone()).await;
        app.count_deaths_in(folder).await?;
        // The folder shows that its worker is dead, so it goes last: a worker that is killed before leaves it to the
        // next.
        let removed = app.with_archive(move |archive| archive.machine().remove_dead(&owner));
        if let Err(error) = removed.await {
            tracing::warn!("{error}: left to a later pass");
        }
    }
    Ok(())
}

/// Ends the processes that the programs of a dead worker left behind.
async fn end_programs_of(app: &App, owner: &str, folder: PathBuf) {
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
