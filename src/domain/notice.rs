//! Whom to tell of what: which changes of a source a notifier is due, given where the source stands, what was told last,
//! and the time.
//!
//! It goes by states, not by events: what is told is a difference to what was told before, and a difference that has to wait
//! for the end of the quiet period is looked at again. So a source that flaps, in being fetched or in what is in its file, is
//! told of at most once in a quiet period, and the state that it comes to rest in is always told in the end. What is better holds back
//! nothing that is worse: trouble that comes back right after its end is told at once.

use chrono::{DateTime, TimeDelta, Utc};

use super::text_form::reads_text;
use super::words::words;
use super::{EditionId, Source, VersionId, VersionState};

words!(
    "a change":
    /// A change of state that somebody may want to hear of.
    #[derive(PartialOrd, Ord)]
    pub enum ChangeKind {
        /// A source fails to be fetched.
        Failing = "failing",
        /// The newest version of a source failed verification.
        VersionFailed = "version-failed",
        /// Readers find nothing any more where a source's file or a set was published.
        Withdrawn = "withdrawn",
        /// A version that may be published could not be.
        PublishFailed = "publish-failed",
        /// An edition of a set failed verification.
        SetFailed = "set-failed",
        /// A changed configuration file could not be used.
        ConfigRejected = "config-rejected",
        /// A source can be fetched again.
        Recovered = "recovered",
        /// The newest version of a source, or the newest edition of a set, passed after one had failed.
        GoodAgain = "good-again",
        /// Readers of a set see another edition.
        SetPublished = "set-published",
        /// Readers of a source's published file see another version than before.
        Changed = "changed",
    }
);
reads_text!(ChangeKind);

impl ChangeKind {
    /// The kinds that follow from single events each. Those that are neither here nor in [`Self::TURNS`] are found by what a
    /// notifier knows of a set ([`decide_set`]).
    pub const EVENTS: [Self; 5] = [
        Self::Withdrawn,
        Self::PublishFailed,
        Self::ConfigRejected,
        Self::SetPublished,
        Self::Changed,
    ];

    /// The kinds that [`decide`] finds by what a notifier knows of a source.
    pub const TURNS: [Self; 4] = [
        Self::Failing,
        Self::VersionFailed,
        Self::Recovered,
        Self::GoodAgain,
    ];

    /// Returns the kinds that a notifier hears of when nothing else is said: trouble, and its end.
    pub fn of_trouble() -> Vec<Self> {
        let is_daily = |kind: &Self| matches!(kind, Self::SetPublished | Self::Changed);
        Self::ALL
            .into_iter()
            .filter(|kind| !is_daily(kind))
            .collect()
    }

    /// Returns whether something is worse since.
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

/// What a notifier wants to hear, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRules {
    /// Of these changes.
    pub on: Vec<ChangeKind>,
    /// A source counts as failing from so many failed attempts in a row on; at least 1.
    pub after: u32,
    /// At most once in this time of what comes and goes: where a source stands, where a set stands, and each kind of single
    /// events about one source or set. What is worse waits for the end of this time only after something worse.
    pub quiet: TimeDelta,
}

impl NoticeRules {
    /// Returns whether the notifier wants to hear of changes of this kind.
    pub fn wants(&self, kind: ChangeKind) -> bool {
        self.on.contains(&kind)
    }

    /// Tells whether an event of this kind waits, when the notifier was told of one at `told_at` about the same source or set.
    pub fn holds(&self, kind: ChangeKind, told_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        // An operator who mends a file wants to hear each time that it is not right yet.
        kind != ChangeKind::ConfigRejected && self.is_quiet(Some(told_at), now)
    }

    fn is_quiet(&self, told_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not silence anything for long.
        told_at.is_some_and(|at| now >= at && now - at < self.quiet)
    }

    /// Tells whether what is told of these changes waits, given when the notifier was told last, and of something worse.
    fn holds_turn(
        &self,
        mut changes: impl Iterator<Item = ChangeKind>,
        told_at: Option<DateTime<Utc>>,
        worse_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> bool {
        let is_worse = changes.any(ChangeKind::is_worse);
        self.is_quiet(if is_worse { worse_at } else { told_at }, now)
    }

    fn is_failing(&self, present: Standing) -> bool {
        present.failures >= self.after
    }

    /// Tells whether the source is on its way to count as failing, which no event will say when it gets there.
    fn counts(&self, present: Standing) -> bool {
        let matters = self.wants(ChangeKind::Failing) || self.wants(ChangeKind::Recovered);
        matters && (1..self.after).contains(&present.failures)
    }
}

/// Where a source stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Failed attempts since the last good one.
    pub failures: u32,
    /// The newest version, when it failed verification.
    pub failed_version: Option<VersionId>,
    /// The newest version is not judged to its end: it may fail yet.
    pub undecided: bool,
}

impl Standing {
    /// Returns where this source stands.
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

/// What a notifier knows of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// That it fails.
    pub failing: bool,
    /// That this version failed verification.
    pub failed_version: Option<VersionId>,
    /// When it was told of the source last.
    pub at: Option<DateTime<Utc>>,
    /// When it was told last that something is worse.
    pub worse_at: Option<DateTime<Utc>>,
    /// The source has to be looked at again even when nothing happens to it.
    pub waits: bool,
}

impl Told {
    /// Returns what a notifier knows that was told all of where a source stands.
    pub fn all_of(rules: &NoticeRules, present: Standing) -> Self {
        Self {
            failing: rules.is_failing(present),
            failed_version: present.failed_version,
            at: None,
            worse_at: None,
            waits: rules.counts(present),
        }
    }

    /// Returns the same for a source in which versions failed since: when the newest is one of them and was known as failed, it
    /// was something else in between, and is news again, unless that was in the quiet period.
    #[must_use]
    pub fn without(
        self,
        failed_since: &[VersionId],
        rules: &NoticeRules,
        present: Standing,
        now: DateTime<Utc>,
    ) -> Self {
        let is_news = |id: &VersionId| {
            present.failed_version == Some(*id)
                && failed_since.contains(id)
                && !rules.is_quiet(self.worse_at, now)
        };
        Self {
            failed_version: self.failed_version.filter(|id| !is_news(id)),
            ..self
        }
    }

    /// Returns what is known when nobody could be told: the same, to be tried again.
    #[must_use]
    pub fn undelivered(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }
}

/// What follows for one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What there is to tell now.
    pub changes: Vec<ChangeKind>,
    /// What the notifier knows when that was delivered.
    pub then: Told,
}

/// Decides what a notifier is told of a source now. What it does not want to hear of, it is taken to know at once.
pub fn decide(rules: &NoticeRules, present: Standing, told: Told, now: DateTime<Utc>) -> Decision {
    let mut known = Told::all_of(rules, present);
    if present.undecided {
        known.failed_version = told.failed_version;
        // No event says that it is good at last when it is so after several that were not judged.
        known.waits |= told.failed_version.is_some() && rules.wants(ChangeKind::GoodAgain);
    }
    let turned = match (told.failing, known.failing) {
        (false, true) => Some(ChangeKind::Failing),
        (true, false) => Some(ChangeKind::Recovered),
        _ => None,
    };
    let judged = match (told.failed_version, known.failed_version) {
        (known, Some(now)) if known != Some(now) => Some(ChangeKind::VersionFailed),
        (Some(_), None) => Some(ChangeKind::GoodAgain),
        _ => None,
    };
    let [turned, judged] = [turned, judged].map(|kind| kind.filter(|kind| rules.wants(*kind)));
    let has_news = turned.is_some() || judged.is_some();
    let changes = || turned.into_iter().chain(judged);
    if has_news && rules.holds_turn(changes(), told.at, told.worse_at, now) {
        let then = Told {
            failing: if turned.is_some() {
                told.failing
            } else {
                known.failing
            },
            failed_version: if judged.is_some() {
                told.failed_version
            } else {
                known.failed_version
            },
            waits: true,
            ..told
        };
        return Decision {
            changes: Vec::new(),
            then,
        };
    }
    Decision {
        changes: changes().collect(),
        then: Told {
            at: if has_news { Some(now) } else { told.at },
            worse_at: if changes().any(ChangeKind::is_worse) {
                Some(now)
            } else {
                told.worse_at
            },
            ..known
        },
    }
}

/// What a notifier knows of a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToldOfSet {
    /// That this edition failed verification.
    pub failed_edition: Option<EditionId>,
    /// When it was told of the set last.
    pub at: Option<DateTime<Utc>>,
    /// When it was told last that an edition failed.
    pub worse_at: Option<DateTime<Utc>>,
}

/// Decides what a notifier is told of a set now, given its newest edition, and what the notifier knows when that was delivered:
/// the same rule as for what is in the file of a source.
pub fn decide_set(
    rules: &NoticeRules,
    newest: Option<(EditionId, VersionState)>,
    told: ToldOfSet,
    now: DateTime<Utc>,
) -> (Option<ChangeKind>, ToldOfSet) {
    let failed_edition = match newest {
        Some((edition, VersionState::Failed)) => Some(edition),
        Some((_, VersionState::Pending | VersionState::Error)) => told.failed_edition,
        _ => None,
    };
    let change = match (told.failed_edition, failed_edition) {
        (known, Some(now)) if known != Some(now) => Some(ChangeKind::SetFailed),
        (Some(_), None) => Some(ChangeKind::GoodAgain),
        _ => None,
    };
    let change = change.filter(|kind| rules.wants(*kind));
    if change.is_some() && rules.holds_turn(change.into_iter(), told.at, told.worse_at, now) {
        return (None, told);
    }
    let is_worse = change.is_some_and(ChangeKind::is_worse);
    let then = ToldOfSet {
        failed_edition,
        at: change.map_or(told.at, |_| Some(now)),
        worse_at: if is_worse { Some(now) } else { told.worse_at },
    };
    (change, then)
}

#[cfg(test)]
mod tests;
