//! Judges and publishes sets at the end of a pass, when all members that were due have been fetched.

use super::progress::Progress;
use super::stop::Stop;
use crate::app::{App, Error, SetsReport};
use crate::domain::SourceId;

/// Judges and publishes the sets that are ready, and counts them. Undecided sets are judged again with `again`, or when
/// a member is in `asked`. Problems of sets are reported then, too, so once an hour in regular passes. After a request
/// to stop, no further set begins.
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
        summary.sets_awaiting_verdicts += report.awaiting;
    });
    report
}

fn failed(error: Error) -> SetsReport {
    SetsReport {
        error: Some(error),
        ..SetsReport::default()
    }
}
