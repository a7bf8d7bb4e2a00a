//! Faults that stand at the end of a pass, found by this pass or an earlier one: files and sets that could not be
//! published, and sets whose newest edition failed. Every pass reports them, since consumers keep reading old files.
//!
//! Never reports a failed fetch or version: the pass that finds one does, and its source shows it until it is over.

use super::report::{MAX_FAILURES, PassReport};
use crate::app::{App, Result, Unpublished};
use crate::domain::SourceId;
use crate::store::SetsQuery;

/// Adds the standing faults to a report: all, or those of the sources that were asked for and of their sets.
pub(super) async fn report_faults(
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
            let prefix = format!("set {set}: ");
            let mut failures = report.failures.iter();
            if !failures.any(|line| line.starts_with(&prefix)) {
                lines.push(format!("{prefix}{why}"));
            }
        }
    }
    let room = MAX_FAILURES.saturating_sub(report.failures.len());
    report.failures.extend(lines.into_iter().take(room));
    Ok(())
}

/// Returns the failing sets with their reasons: all, or those with a member in `asked`.
async fn failing_sets(app: &App, asked: Option<&[SourceId]>) -> Result<Vec<(String, String)>> {
    let mut failing = app.failing_sets().await?;
    if let Some(asked) = asked.filter(|_| !failing.is_empty()) {
        let concerned = app.read(SetsQuery::Of(asked.to_vec())).await?;
        failing.retain(|(set, _)| concerned.contains(set));
    }
    Ok(failing)
}
