//! Housekeeping in the archive: moves unneeded objects to the trash, and empties the trash.
//!
//! Never deletes an object at once: one that no row names is moved to the trash, and looked up again before it is
//! deleted there. While a row of a version or a blob is damaged, nothing is deleted.

use crate::app::{App, Result};
use crate::store::{AllRowsFit, Condition, Fact, LooseObjects, UnnamedObjects};

/// Objects that are looked up in the catalogue at once.
const PAGE: usize = 1024;

/// How often the archive is tidied when no worker died.
const EVERY: chrono::Duration = chrono::Duration::days(1);

/// Tidies the archive when that is due.
pub(super) async fn tidy_when_due(app: &App) -> Result<()> {
    let now = app.now();
    let is_due = Condition::SweepDue { now, every: EVERY };
    if app.read(is_due).await? {
        tidy(app).await?;
    }
    Ok(())
}

/// Moves unneeded objects to the trash, and deletes files whose time in the trash is over.
pub(super) async fn tidy(app: &App) -> Result<()> {
    let now = app.now();
    if app.archive_mismatch().await?.is_some() {
        return Ok(());
    }
    app.join_archive_once().await?;
    let needs_are_known = app.read(AllRowsFit).await?;
    if needs_are_known {
        discard_unneeded(app).await?;
    }
    app.with_archive(move |archive| archive.machine().discard_half_copies(now))
        .await?;
    // Also the folders of sets that no pass settles any more, since no policy is in force.
    app.sweep_sets().await?;
    empty_trash(app, needs_are_known).await?;
    app.record(Fact::Swept).await
}

/// Moves unneeded objects to the trash: those that the catalogue has marked as such, and those of which it has no row.
/// An object that a living worker is about to record has a row.
async fn discard_unneeded(app: &App) -> Result<()> {
    for object in app.read(LooseObjects(app.now())).await? {
        app.discard_object(&object).await?;
    }
    // Listed before they are looked up: every needed object in the list has a row by then.
    let objects = app.with_archive(|archive| archive.objects().list()).await?;
    for page in objects.chunks(PAGE) {
        for object in app.read(UnnamedObjects(page.to_vec())).await? {
            app.discard_object(&object).await?;
        }
    }
    Ok(())
}

/// Deletes files whose time in the trash is over. Objects that are needed after all are moved back. While it is not
/// known which objects the catalogue needs, nothing is deleted.
async fn empty_trash(app: &App, needs_are_known: bool) -> Result<()> {
    let now = app.now();
    let expired = app
        .with_archive(move |archive| archive.objects().expired(now))
        .await?;
    for page in expired.objects.chunks(PAGE) {
        let unnamed = app.read(UnnamedObjects(page.to_vec())).await?;
        for (_, object) in page {
            if !unnamed.contains(object) {
                let name = object.clone();
                app.with_archive(move |archive| archive.objects().rescue(&name))
                    .await?;
                tracing::warn!("object {object} is needed: moved back from the trash");
            }
        }
    }
    if !needs_are_known {
        tracing::warn!("rows of the catalogue are damaged: nothing is deleted from the trash");
        return Ok(());
    }
    app.with_archive(move |_| {
        expired.delete();
        Ok(())
    })
    .await
}
