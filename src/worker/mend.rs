//! Mends what keeps sources from being due, and indexes that disagree with their tables.
//!
//! Never claims a source.

use crate::app::{App, Result};
use crate::store::{Condition, Fact, IndexesOf};

/// The chore of mending what keeps sources from being due, and how often it is done.
const MEND: &str = "times";
const MEND_EVERY: chrono::Duration = chrono::Duration::hours(1);

/// The chore of comparing all other indexes with their tables, and how often it is done.
const MEND_INDEXES: &str = "indexes";
const MEND_INDEXES_EVERY: chrono::Duration = chrono::Duration::days(1);

/// Makes sources due whose next slot a clock that ran ahead has put too far into the future, and that a damaged
/// index hides. This reads all sources, so it is done once an hour, which is the shortest interval. Regular passes
/// compare the other indexes with their tables once a day.
pub(super) async fn mend(app: &App, is_regular: bool) -> Result<()> {
    let (store, now) = (&app.ports().store, app.now());
    let is_due = async |name, every| store.read(Condition::ChoreDue { name, now, every }).await;
    // The first pass of a catalogue need not wait for a check of what was written a moment ago.
    let has_past = async || store.read(Condition::AnyVersion).await;
    if is_due(MEND, MEND_EVERY).await? {
        app.join_archive_once().await?;
        if has_past().await? {
            store.mend_indexes(IndexesOf::States).await?;
        }
        if let Some(mended) = store.mend_times(app.stamp()).await? {
            tracing::warn!("{mended}");
        }
        app.record(Fact::Chore(MEND)).await?;
    }
    if is_regular && is_due(MEND_INDEXES, MEND_INDEXES_EVERY).await? && has_past().await? {
        app.join_archive_once().await?;
        store.mend_indexes(IndexesOf::Work).await?;
        app.record(Fact::Chore(MEND_INDEXES)).await?;
    }
    Ok(())
}
