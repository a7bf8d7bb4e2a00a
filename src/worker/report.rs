//! How a pass went: its numbers, what became of each source, and what kept it from doing all.

use std::collections::HashSet;

use crate::app::{Adoption, Error, PassSummary, SourceResult, StandingFaults, row_named_in};
use crate::domain::SourceId;

/// Failures that a pass tells one by one; the log has all of them.
pub const MAX_FAILURES: usize = 50;

/// How a pass went.
#[derive(Debug, Default)]
pub struct PassReport {
    /// What it did.
    pub summary: PassSummary,
    /// Whether the log has the beginning of the pass.
    pub has_begun: bool,
    /// What stands wrong at its end; the failures say the same.
    pub faults: StandingFaults,
    /// Sources that were asked for and that another worker is at.
    pub busy: Vec<SourceId>,
    /// The policy that was put in force at its beginning: the configuration had changed.
    pub adopted: Option<Adoption>,
    /// Why a changed configuration was not used: the one before is in force.
    pub rejected: Option<String>,
    /// What became of each source that was tried or asked for; nothing after a pass over all that is due, unless the worker is
    /// one that [tells of each](super::Worker::telling_each).
    pub results: Vec<SourceResult>,
    /// What failed, a line each, for whoever reads the mail of cron: the first [`MAX_FAILURES`].
    pub failures: Vec<String>,
    /// Who could not be told what happened, and why, a line each: no failure of the pass.
    pub notify_failures: Vec<String>,
    /// The sources whose published files were put back: somebody had changed or removed them.
    pub put_back: Vec<SourceId>,
    /// Sources that it was to try and did not, because it had to stop.
    pub not_tried: u64,
    /// What kept it from doing all; what was recorded before stays. Damage of one version stands here when nothing graver does, that of
    /// others among the failures: it keeps nothing else from being done.
    pub error: Option<Error>,
}

impl PassReport {
    /// Tells whether the pass did something, adopted a policy, or could not use a configuration or reach a notifier.
    pub(super) fn is_news(&self) -> bool {
        let summary = &self.summary;
        summary.attempts + summary.sets_published + summary.sets_failed + summary.put_back > 0
            || self.adopted.is_some()
            || self.rejected.is_some()
            || !self.notify_failures.is_empty()
    }

    /// Notes whose published files were put back in the pass.
    pub(super) fn note_put_back(&mut self, sources: Vec<SourceId>) {
        self.summary.put_back = sources.len() as u64;
        let all: HashSet<_> = sources.iter().collect();
        for result in &mut self.results {
            result.put_back = all.contains(&result.id);
        }
        self.put_back = sources;
    }

    /// Tells whether an error is among what failed already.
    pub(super) fn tells(&self, error: &Error) -> bool {
        let is_same = |text: &str| text.ends_with(&error.message);
        self.error
            .as_ref()
            .is_some_and(|kept| is_same(&kept.message))
            || self.failures.iter().any(|failure| is_same(failure))
    }

    /// Names each damaged row once: in the line that says what is not done for it, if there is one.
    pub(super) fn name_rows_once(&mut self) {
        let first = self.error.as_ref().map(|error| error.message.clone());
        let mut lines = vec![first.unwrap_or_default()];
        lines.append(&mut self.failures);
        let rows: Vec<_> = lines.iter().map(|line| row_named_in(line)).collect();
        let said_by = |row: &Option<String>| {
            let same = (0..lines.len()).filter(|&place| rows[place] == *row);
            // Of two alike the first.
            same.min_by_key(|&place| rank(&lines[place]))
        };
        if let (Some(error), Some(best)) = (&mut self.error, said_by(&rows[0]))
            && rows[0].is_some()
        {
            error.message.clone_from(&lines[best]);
        }
        let is_kept = |place: usize| {
            let row = &rows[place];
            row.is_none() || *row != rows[0] && said_by(row) == Some(place)
        };
        let kept = (1..lines.len()).filter(|&place| is_kept(place));
        self.failures = kept.map(|place| lines[place].clone()).collect();
    }

    /// Keeps what failed beside the pass.
    pub(super) fn fail(&mut self, error: Error) {
        let other = error.add_to(&mut self.error);
        if self.failures.len() < MAX_FAILURES {
            self.failures.extend(other.map(|other| other.message));
        }
    }

    /// Says what became of each source that was asked for, also of those that were not tried.
    pub(super) fn account_for(&mut self, asked: &[SourceId]) {
        if asked.is_empty() {
            return;
        }
        let tried: HashSet<_> = self.results.iter().map(|result| result.id).collect();
        let why = match &self.error {
            Some(error) if !error.concerns_one() => error.message.clone(),
            _ => "stopped before".to_owned(),
        };
        for id in asked.iter().filter(|id| !tried.contains(id)) {
            self.results.push(if self.busy.contains(id) {
                SourceResult::busy(*id)
            } else {
                SourceResult::untried(*id, &why)
            });
        }
    }
}

/// Orders lines about one damaged row: what is not published for it says most, how many files are not says least.
fn rank(line: &str) -> u8 {
    if line.contains(": not published: ") {
        0
    } else if line.contains("; the first: ") {
        2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ErrorKind;

    const ROW: &str = "the catalogue's row 3 of the table `edition` is damaged: it is missing";
    const OTHER: &str = "the catalogue's row of v8 (source b) is damaged: it is missing";

    /// Returns the lines that are said: that of the error first.
    fn said(error: &str, failures: &[String]) -> Vec<String> {
        let error = Error {
            kind: ErrorKind::Damaged,
            message: error.to_owned(),
            hint: None,
            source: None,
        };
        let mut report = PassReport {
            error: Some(error),
            failures: failures.to_vec(),
            ..PassReport::default()
        };
        report.name_rows_once();
        let mut lines: Vec<_> = report
            .error
            .map(|error| error.message)
            .into_iter()
            .collect();
        lines.extend(report.failures);
        lines
    }

    #[test]
    fn each_damaged_row_is_named_once() {
        let count =
            format!("1 published files or sets could not be brought up to date; the first: {ROW}");
        let (set, bare) = (format!("set rel: not published: {ROW}"), ROW.to_owned());
        let (named, plain) = (OTHER.to_owned(), OTHER.replace(" (source b)", ""));
        let other = "a: exit code 1".to_owned();
        for (error, failures, expected) in [
            (ROW, vec![], vec![&bare]),
            (ROW, vec![bare.clone(), other.clone()], vec![&bare, &other]),
            (&count, vec![set.clone(), bare.clone()], vec![&set]),
            (&count, vec![bare.clone()], vec![&bare]),
            (
                OTHER,
                vec![plain.clone(), bare.clone(), set.clone()],
                vec![&named, &set],
            ),
            (
                "no room",
                vec![other.clone(), other.clone()],
                vec![&"no room".to_owned(), &other, &other],
            ),
        ] {
            assert_eq!(said(error, &failures).iter().collect::<Vec<_>>(), expected);
        }
    }
}
