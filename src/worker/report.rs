//! The report of a pass: its summary, the result of each source, and its failures.

use std::collections::HashSet;

use crate::app::{
    Adoption, Error, PassSummary, PolicyStanding, SourceResult, StandingFaults, row_named_in,
};
use crate::domain::SourceId;

/// The most failures that a report lists; the log has all of them.
pub const MAX_FAILURES: usize = 50;

/// The report of a pass.
#[derive(Debug, Default)]
pub struct PassReport {
    /// The numbers.
    pub summary: PassSummary,
    /// Whether the log has the event of the pass's beginning.
    pub has_begun: bool,
    /// The faults that stand at the end of the pass; the failures include them.
    pub faults: StandingFaults,
    /// Requested sources that another worker has claimed.
    pub busy: Vec<SourceId>,
    /// The policy that was adopted at the beginning of the pass, since the configuration had changed.
    pub adopted: Option<Adoption>,
    /// Why a changed configuration was not used: the former one stays in force.
    pub rejected: Option<String>,
    /// The result of each source that was tried or requested; empty after a pass over all due sources, unless the
    /// worker [keeps results](super::Worker::keeping_results).
    pub results: Vec<SourceResult>,
    /// The first [`MAX_FAILURES`] failures, one line each: cron mails them.
    pub failures: Vec<String>,
    /// Failures of notifiers and of the heartbeat, one line each; they do not fail the pass.
    pub notify_failures: Vec<String>,
    /// The sources whose published files were put back: somebody had changed or removed them.
    pub put_back: Vec<SourceId>,
    /// The number of published files that were changed or removed and could not be put back, with the first reason.
    pub unsettled: Option<(usize, Error)>,
    /// The number of sources that were left because the pass had to stop.
    pub not_tried: u64,
    /// The gravest error; what was recorded before stays. Damage of one version is here when there is no graver error;
    /// that of further versions is among the failures. Damage stops no other work.
    pub error: Option<Error>,
}

impl PassReport {
    /// Returns whether the pass did something, adopted a policy, or could not use a configuration or reach a notifier.
    pub(super) fn is_news(&self) -> bool {
        let summary = &self.summary;
        let sets = summary.sets_published + summary.sets_failed + summary.sets_awaiting_verdicts;
        summary.attempts + sets + summary.put_back > 0
            || self.adopted.is_some()
            || self.rejected.is_some()
            || !self.notify_failures.is_empty()
    }

    /// Adds the policy that was adopted, or why this process may not judge: every pass reports that.
    pub(super) fn add_standing(&mut self, standing: PolicyStanding) {
        match standing {
            PolicyStanding::InForce(adoption) => self.adopted = adoption,
            PolicyStanding::Foreign(error) | PolicyStanding::Unusable(error) => self.fail(error),
        }
    }

    /// Adds the sources whose published files were put back in the pass.
    pub(super) fn add_put_back(&mut self, sources: Vec<SourceId>) {
        self.summary.put_back = sources.len() as u64;
        let all: HashSet<_> = sources.iter().collect();
        for result in &mut self.results {
            result.put_back = all.contains(&result.id);
        }
        self.put_back = sources;
    }

    /// Returns whether the report has an error already.
    pub(super) fn has(&self, error: &Error) -> bool {
        let kept = self.error.iter().map(|kept| &kept.message);
        kept.chain(&self.failures)
            .any(|line| line.ends_with(&error.message))
    }

    /// Leaves one line for each damaged row: the one with the most severe consequence.
    pub(super) fn name_rows_once(&mut self) {
        let first = self.error.as_ref().map(|error| error.message.clone());
        let mut lines = vec![first.unwrap_or_default()];
        lines.append(&mut self.failures);
        let rows: Vec<_> = lines.iter().map(|line| row_named_in(line)).collect();
        let line_of = |row: &Option<String>| {
            let same = (0..lines.len()).filter(|&place| rows[place] == *row);
            // Of two equal lines, the first.
            same.min_by_key(|&place| rank(&lines[place]))
        };
        if let (Some(error), Some(best)) = (&mut self.error, line_of(&rows[0]))
            && rows[0].is_some()
        {
            error.message.clone_from(&lines[best]);
        }
        let is_kept = |place: usize| {
            let row = &rows[place];
            row.is_none() || *row != rows[0] && line_of(row) == Some(place)
        };
        let kept = (1..lines.len()).filter(|&place| is_kept(place));
        self.failures = kept.map(|place| lines[place].clone()).collect();
    }

    /// Adds an error: as the report's own if it is the gravest, else to the failures.
    pub fn fail(&mut self, error: Error) {
        let other = error.add_to(&mut self.error);
        if self.failures.len() < MAX_FAILURES {
            self.failures.extend(other.map(|other| other.message));
        }
    }

    /// Adds the results of requested sources that were not tried.
    pub(super) fn add_not_tried(&mut self, asked: &[SourceId]) {
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

/// Orders lines about one damaged row: first the file or set that is not published, last the mere number of such files.
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

    /// Returns the lines that are left: that of the error first.
    fn lines_left(error: &str, failures: &[String]) -> Vec<String> {
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
            let left = lines_left(error, &failures);
            assert_eq!(left.iter().collect::<Vec<_>>(), expected);
        }
    }
}
