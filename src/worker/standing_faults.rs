//! What stands wrong at the end of a pass, whether this pass found it or one before: files and sets that could not be
//! published, and sets whose newest files failed.
//!
//! A fetch or a version that failed is told by the pass that found it: its source says so until it is well. For what stands
//! here nothing else would: consumers go on reading what is old.

use super::report::{MAX_FAILURES, PassReport};
use crate::app::{App, Result, Unpublished};
use crate::domain::SourceId;
use crate::store::SetsQuery;

/// Adds what stands wrong to a report: all of it, or what concerns the sources that were asked for.
pub(super) async fn tell(
    app: &App,
    asked: Option<&[SourceId]>,
    judges: bool,
    report: &mut PassReport,
) -> Result<()> {
    let unpublished = match asked {
        Some(asked) => app.unpublished_of(asked).await?,
        None => app.unpublished().await?,
    };
    report.summary.publish_failed += unpublished.len() as u64;
    let not_published = |one: &Unpublished| format!("{}: not published: {}", one.what, one.why);
    let mut lines: Vec<_> = unpublished.iter().map(not_published).collect();
    report.faults.unpublished = unpublished;
    if judges {
        report.faults.failing_sets = failing_sets(app, asked).await?;
        for (set, why) in &report.faults.failing_sets {
            report.summary.sets_failing += 1;
            let line = format!("set {set}: {why}");
            let prefix = format!("set {set}:");
            let is_told = |told: &String| told.starts_with(&prefix);
            if !report.failures.iter().any(is_told) {
                lines.push(line);
            }
        }
    }
    let room = MAX_FAILURES.saturating_sub(report.failures.len());
    report.failures.extend(lines.into_iter().take(room));
    Ok(())
}

/// Returns the failing sets with their reasons: all, or those that a source that was asked for is a member of.
async fn failing_sets(app: &App, asked: Option<&[SourceId]>) -> Result<Vec<(String, String)>> {
    let mut failing = app.failing_sets().await?;
    if let Some(asked) = asked.filter(|_| !failing.is_empty()) {
        let concerned = app
            .ports()
            .store
            .set_names(SetsQuery::Of(asked.to_vec()))
            .await?;
        failing.retain(|(set, _)| concerned.contains(set));
    }
    Ok(failing)
}
