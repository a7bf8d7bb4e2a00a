//! The end of a pass: sets whose members have all been fetched are judged and published.

use super::progress::Progress;
use super::stop::Stop;
use crate::app::{App, Error, SetsReport};
use crate::domain::SourceId;

/// Judges and publishes the sets that stand ready, those that are undecided too with `again` or of sources that were asked for;
/// counts them. What has not begun when it is time to stop is left to the next pass. What is wrong with a set is told once an
/// hour, and to whoever asked for the pass.
pub(super) async fn judge_sets(
    app: &App,
    again: bool,
    asked: &[SourceId],
    stop: &Stop,
    progress: &Progress,
) -> SetsReport {
    if stop.is_requested() {
        return SetsReport::default();
    }
    let report = tokio::select! {
        judged = app.judge_sets(again, asked) => judged.unwrap_or_else(failed),
        () = stop.deadline_passed() => SetsReport::default(),
    };
    progress.update(|summary| {
        summary.sets_published += report.published;
        summary.sets_failed += report.failed;
    });
    report
}

fn failed(error: Error) -> SetsReport {
    SetsReport {
        error: Some(error),
        ..SetsReport::default()
    }
}
