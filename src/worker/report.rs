//! How a pass went: its numbers, what became of each source, and what kept it from doing all.

use std::collections::HashSet;

use crate::app::{Adoption, Error, PassSummary, SourceResult, StandingFaults};
use crate::domain::SourceId;

/// Failures that a pass tells one by one; the log has all of them.
pub const MAX_TROUBLES: usize = 50;

/// How a pass went.
#[derive(Debug, Default)]
pub struct PassReport {
    /// What it did.
    pub summary: PassSummary,
    /// Whether the log has the beginning of the pass.
    pub has_begun: bool,
    /// What stands wrong at its end; the troubles say the same.
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
    /// What failed, a line each, for whoever reads the mail of cron: the first [`MAX_TROUBLES`].
    pub troubles: Vec<String>,
    /// Who could not be told what happened, and why, a line each: no failure of the pass.
    pub untold: Vec<String>,
    /// Sources that it was to try and did not, because it had to stop.
    pub untried: u64,
    /// What kept it from doing all; what was recorded before stays. Damage of one version stands here when nothing graver does, that of
    /// others among the troubles: it keeps nothing else from being done.
    pub error: Option<Error>,
}

impl PassReport {
    /// Tells whether the pass did something, adopted a policy, or could not use a configuration or reach a notifier.
    pub(super) fn is_news(&self) -> bool {
        let summary = &self.summary;
        summary.attempts + summary.sets_published + summary.sets_failed > 0
            || self.adopted.is_some()
            || self.rejected.is_some()
            || !self.untold.is_empty()
    }

    /// Tells whether an error is among what failed already.
    pub(super) fn tells(&self, error: &Error) -> bool {
        let is_same = |text: &str| text.ends_with(&error.message);
        self.error
            .as_ref()
            .is_some_and(|kept| is_same(&kept.message))
            || self.troubles.iter().any(|trouble| is_same(trouble))
    }

    /// Keeps what failed beside the pass.
    pub(super) fn fail(&mut self, error: Error) {
        let other = error.add_to(&mut self.error);
        if self.troubles.len() < MAX_TROUBLES {
            self.troubles.extend(other.map(|other| other.message));
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
