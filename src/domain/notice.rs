//! Decides which changes of a source or a set a notifier reports, given its health, the notifier's state, and the time.
//!
//! Decisions compare states, not events: a notice reports the difference between the present health and what was
//! reported last. A difference that arises within the quiet period is compared again when the period ends. So a
//! flapping source is reported at most once in a quiet period, and its final state is always reported in the end. Good
//! news never delays bad news: a problem that returns right after its end is reported at once.

use chrono::{DateTime, TimeDelta, Utc};

use super::text_form::reads_text;
use super::words::words;
use super::{EditionId, Source, VersionId, VersionState};

words!(
    "a change":
    /// A change that notifiers can report.
    #[derive(PartialOrd, Ord)]
    pub enum ChangeKind {
        /// A source cannot be fetched.
        Failing = "failing",
        /// The newest version of a source failed verification.
        VersionFailed = "version-failed",
        /// The published file of a source, or the folder of a set, was removed.
        Withdrawn = "withdrawn",
        /// A version that may be published could not be published.
        PublishFailed = "publish-failed",
        /// An edition of a set failed verification.
        SetFailed = "set-failed",
        /// A changed configuration file is unusable.
        ConfigRejected = "config-rejected",
        /// A source can be fetched again.
        Recovered = "recovered",
        /// The newest version of a source, or the newest edition of a set, passed after one had failed.
        GoodAgain = "good-again",
        /// Another edition of a set was published.
        SetPublished = "set-published",
        /// Another version of a source was published.
        Changed = "changed",
    }
);
reads_text!(ChangeKind);

impl ChangeKind {
    /// The kinds that follow from a single event. The kinds that are neither here nor in [`Self::OF_HEALTH`] follow
    /// from the state of a set ([`next_set_notification`]).
    pub const OF_EVENTS: [Self; 5] = [
        Self::Withdrawn,
        Self::PublishFailed,
        Self::ConfigRejected,
        Self::SetPublished,
        Self::Changed,
    ];

    /// The kinds that follow from the health of a source ([`next_notification`]).
    pub const OF_HEALTH: [Self; 4] = [
        Self::Failing,
        Self::VersionFailed,
        Self::Recovered,
        Self::GoodAgain,
    ];

    /// Returns the kinds that a notifier reports by default: problems, and their ends.
    pub fn default_kinds() -> Vec<Self> {
        let is_daily = |kind: &Self| matches!(kind, Self::SetPublished | Self::Changed);
        Self::ALL
            .into_iter()
            .filter(|kind| !is_daily(kind))
            .collect()
    }

    /// Returns whether the change is for the worse.
    pub fn is_worse(self) -> bool {
        match self {
            Self::Failing
            | Self::VersionFailed
            | Self::Withdrawn
            | Self::PublishFailed
            | Self::SetFailed
            | Self::ConfigRejected => true,
            Self::Recovered | Self::GoodAgain | Self::SetPublished | Self::Changed => false,
        }
    }
}

/// Which changes a notifier reports, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRules {
    /// The kinds to report.
    pub on: Vec<ChangeKind>,
    /// The number of failed attempts in a row from which on a source counts as failing; at least 1.
    pub after: u32,
    /// The quiet period: at most one notice in it about the health of a source, about the state of a set, and about
    /// each kind of single events of one source or set. A change for the worse waits only for the end of the period
    /// since the last change for the worse.
    pub quiet: TimeDelta,
}

impl NoticeRules {
    /// Returns whether the notifier reports changes of this kind.
    pub fn wants(&self, kind: ChangeKind) -> bool {
        self.on.contains(&kind)
    }

    /// Returns whether an event has to wait, if the last one of its kind and subject was reported at `reported_at`.
    pub fn delays(&self, kind: ChangeKind, reported_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        // An operator who repairs a configuration file wants to learn of each failure.
        kind != ChangeKind::ConfigRejected && self.is_quiet(Some(reported_at), now)
    }

    fn is_quiet(&self, reported_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        // After the clock was set back, `at` lies in the future; it must not silence the notifier.
        reported_at.is_some_and(|at| now >= at && now - at < self.quiet)
    }

    /// Returns whether changes have to wait, given the time of the last notice, and of the last one for the worse.
    fn delays_all(
        &self,
        changes: &[ChangeKind],
        reported_at: Option<DateTime<Utc>>,
        worse_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> bool {
        let is_worse = changes.iter().copied().any(ChangeKind::is_worse);
        self.is_quiet(if is_worse { worse_at } else { reported_at }, now)
    }

    fn is_failing(&self, health: SourceHealth) -> bool {
        health.failures >= self.after
    }

    /// Returns whether the source has failed, but fewer than `after` times: no event marks that threshold.
    fn is_counting_up(&self, health: SourceHealth) -> bool {
        let matters = self.wants(ChangeKind::Failing) || self.wants(ChangeKind::Recovered);
        matters && (1..self.after).contains(&health.failures)
    }
}

/// The health of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceHealth {
    /// Failed attempts in a row.
    pub failures: u32,
    /// The newest version, if it failed verification.
    pub failed_version: Option<VersionId>,
    /// Whether the newest version is undecided, so that it may still fail.
    pub undecided: bool,
}

impl SourceHealth {
    /// Returns the health of this source.
    pub fn of(source: &Source) -> Self {
        let state = &source.state;
        let has_failed = state.version_state == Some(VersionState::Failed);
        let is_undecided = |state| matches!(state, VersionState::Pending | VersionState::Error);
        Self {
            failures: state.failures,
            failed_version: state.version_id.filter(|_| has_failed),
            undecided: state.version_state.is_some_and(is_undecided),
        }
    }
}

/// What a notifier has reported about a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotifierState {
    /// Whether the source was last reported as failing.
    pub failing: bool,
    /// The version that was reported as failed.
    pub failed_version: Option<VersionId>,
    /// When the source was last reported.
    pub at: Option<DateTime<Utc>>,
    /// When a change for the worse was last reported.
    pub worse_at: Option<DateTime<Utc>>,
    /// Whether the source must be compared again even without a new event.
    pub waits: bool,
}

impl NotifierState {
    /// Returns the state of a notifier that has nothing left to report about a source of this health.
    pub fn baseline(rules: &NoticeRules, health: SourceHealth) -> Self {
        Self {
            failing: rules.is_failing(health),
            failed_version: health.failed_version,
            at: None,
            worse_at: None,
            waits: rules.is_counting_up(health),
        }
    }

    /// Returns the state once everything about this health has been reported, except when that was.
    fn at_present(self, rules: &NoticeRules, health: SourceHealth) -> Self {
        let mut known = Self {
            at: self.at,
            worse_at: self.worse_at,
            ..Self::baseline(rules, health)
        };
        if health.undecided {
            known.failed_version = self.failed_version;
            // No event follows when a version passes after several undecided ones, so the source must be polled.
            known.waits |= self.failed_version.is_some() && rules.wants(ChangeKind::GoodAgain);
        }
        known
    }

    /// Forgets the reported failed version if it failed *again* since: it must have passed in between, so the failure
    /// is worth reporting, unless the quiet period lasts.
    #[must_use]
    pub fn reset_failed(
        self,
        failed_since: &[VersionId],
        rules: &NoticeRules,
        health: SourceHealth,
        now: DateTime<Utc>,
    ) -> Self {
        let is_news = |id: &VersionId| {
            health.failed_version == Some(*id)
                && failed_since.contains(id)
                && !rules.is_quiet(self.worse_at, now)
        };
        Self {
            failed_version: self.failed_version.filter(|id| !is_news(id)),
            ..self
        }
    }

    /// Returns the state after a failed delivery: unchanged, and to be tried again.
    #[must_use]
    pub fn mark_undelivered(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }
}

/// The changes to report about a source, and the notifier's state afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The changes to report now.
    pub changes: Vec<ChangeKind>,
    /// The notifier's state once they are delivered.
    pub then: NotifierState,
}

/// Decides which changes of a source a notifier reports now. Kinds that it does not report count as reported at once.
pub fn next_notification(
    rules: &NoticeRules,
    health: SourceHealth,
    reported: NotifierState,
    now: DateTime<Utc>,
) -> Decision {
    let mut known = reported.at_present(rules, health);
    let turned = match (reported.failing, known.failing) {
        (false, true) => Some(ChangeKind::Failing),
        (true, false) => Some(ChangeKind::Recovered),
        _ => None,
    };
    let (failed, now_failed) = (reported.failed_version, known.failed_version);
    let judged = failed_or_good(failed, now_failed, ChangeKind::VersionFailed);
    let [turned, judged] = [turned, judged].map(|kind| kind.filter(|kind| rules.wants(*kind)));
    let mut changes: Vec<_> = turned.into_iter().chain(judged).collect();
    if changes.is_empty() {
        // Nothing to report, now or later.
    } else if rules.delays_all(&changes, reported.at, reported.worse_at, now) {
        changes.clear();
        if turned.is_some() {
            known.failing = reported.failing;
        }
        if judged.is_some() {
            known.failed_version = reported.failed_version;
        }
        known.waits = true;
    } else {
        known.at = Some(now);
        if changes.iter().copied().any(ChangeKind::is_worse) {
            known.worse_at = Some(now);
        }
    }
    Decision {
        changes,
        then: known,
    }
}

/// Returns the change from the failed version or edition that was reported to the one that failed now.
fn failed_or_good<T: PartialEq>(
    reported: Option<T>,
    now: Option<T>,
    failed: ChangeKind,
) -> Option<ChangeKind> {
    match (reported, now) {
        (known, Some(now)) if known.as_ref() != Some(&now) => Some(failed),
        (Some(_), None) => Some(ChangeKind::GoodAgain),
        _ => None,
    }
}

/// What a notifier has reported about a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetNotifierState {
    /// The edition that was reported as failed.
    pub failed_edition: Option<EditionId>,
    /// When the set was last reported.
    pub at: Option<DateTime<Utc>>,
    /// When a failed edition was last reported.
    pub worse_at: Option<DateTime<Utc>>,
}

/// Decides which change of a set a notifier reports now, given the newest edition, and returns the notifier's state
/// once the notice is delivered. The rule equals that for the versions of a source.
pub fn next_set_notification(
    rules: &NoticeRules,
    newest: Option<(EditionId, VersionState)>,
    reported: SetNotifierState,
    now: DateTime<Utc>,
) -> (Option<ChangeKind>, SetNotifierState) {
    let failed_edition = match newest {
        Some((edition, VersionState::Failed)) => Some(edition),
        Some((_, VersionState::Pending | VersionState::Error)) => reported.failed_edition,
        _ => None,
    };
    let change = failed_or_good(
        reported.failed_edition,
        failed_edition,
        ChangeKind::SetFailed,
    );
    let change = change.filter(|kind| rules.wants(*kind));
    let changes = change.as_slice();
    if change.is_some() && rules.delays_all(changes, reported.at, reported.worse_at, now) {
        return (None, reported);
    }
    let is_worse = change.is_some_and(ChangeKind::is_worse);
    let then = SetNotifierState {
        failed_edition,
        at: change.map_or(reported.at, |_| Some(now)),
        worse_at: if is_worse {
            Some(now)
        } else {
            reported.worse_at
        },
    };
    (change, then)
}

#[cfg(test)]
mod tests;
