//! Looking through the archive for what is not needed, and emptying the trash.
//!
//! Never deletes on the word of the catalogue alone: what no row names is moved to the trash first, and looked up again
//! before it goes from there. While the row of any version or blob does not fit what it names, nothing goes at all.

use crate::app::{App, Result};
use crate::store::{Condition, Fact};

/// Objects that are looked for in the catalogue at once.
const PAGE: usize = 1024;

/// How often the archive is looked through when nobody died.
const EVERY: chrono::Duration = chrono::Duration::days(1);

/// Looks through the archive when that is due.
pub(super) async fn tidy_when_due(app: &App) -> Result<()> {
    let now = app.now();
    let is_due = Condition::SweepDue { now, every: EVERY };
    if app.ports().store.holds(is_due).await? {
        tidy(app).await?;
    }
    Ok(())
}

/// Moves what nothing needs to the trash, and deletes what has lain there for long enough.
pub(super) async fn tidy(app: &App) -> Result<()> {
    let now = app.now();
    if app.archive_mismatch().await?.is_some() {
        return Ok(());
    }
    app.join_archive_once().await?;
    let needs_are_known = app.ports().store.inspect().await?;
    if needs_are_known {
        discard_unneeded(app).await?;
    }
    app.with_archive(move |archive| archive.machine().discard_half_copies(now))
        .await?;
    // Those of sets too that no pass settles any more, for want of a policy.
    app.sweep_sets().await?;
    empty_trash(app, needs_are_known).await?;
    app.record(Fact::Swept).await
}

/// Moves objects to the trash that are not needed: those of which the catalogue says so, and those of which it knows nothing. What a living
/// worker may yet record it knows of.
async fn discard_unneeded(app: &App) -> Result<()> {
    for object in app.ports().store.loose_objects(app.now()).await? {
        app.discard_object(&object).await?;
    }
    // Listed first: what is there by then and is needed has a row.
    let objects = app
        .with_archive(|archive| archive.blobs().objects())
        .await?;
    for page in objects.chunks(PAGE) {
        for object in app.ports().store.unnamed(page.to_vec()).await? {
            app.discard_object(&object).await?;
        }
    }
    Ok(())
}

/// Deletes what has lain in the trash for long enough, but for objects that are needed after all: they are moved back. Keeps the
/// rest, too, while it is not known what the catalogue needs.
async fn empty_trash(app: &App, needs_are_known: bool) -> Result<()> {
    let now = app.now();
    let expired = app
        .with_archive(move |archive| archive.trash().expired(now))
        .await?;
    for page in expired.objects.chunks(PAGE) {
        let unnamed = app.ports().store.unnamed(page.to_vec()).await?;
        for (_, object) in page {
            if !unnamed.contains(object) {
                let name = object.clone();
                app.with_archive(move |archive| archive.blobs().rescue_object(&name))
                    .await?;
                tracing::warn!("object {object} is needed: moved back from the trash");
            }
        }
    }
    if !needs_are_known {
        tracing::warn!("rows of the catalogue are damaged: nothing is deleted from the trash");
        return Ok(());
    }
    app.with_archive(move |archive| {
        archive.trash().delete(&expired);
        Ok(())
    })
    .await
}
