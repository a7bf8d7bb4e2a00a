//! An event: one action that was taken, by whom, on what.

use std::fmt;

use chrono::{DateTime, Utc};

use super::words::words;
use super::{AttemptId, EditionId, EventId, SourceId, VerdictId, VersionId};

/// Who acts, as events record it: `joe@host by cli`, `worker@host`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor(pub String);

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When and by whom: what every change carries into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub actor: Actor,
}

words!(
    "an action":
    /// What was done. The word of each is what the log shows and programs filter by.
    pub enum Action {
        /// A source was added.
        SourceAdded = "source.added",
        /// A source's settings were changed.
        SourceEdited = "source.edited",
        /// A source was removed, its history kept.
        SourceRemoved = "source.removed",
        /// A source was removed with its history.
        SourcePurged = "source.purged",
        /// A removed source was brought back.
        SourceRestored = "source.restored",
        /// An attempt kept a new version.
        FetchNew = "fetch.new",
        /// An attempt found nothing new.
        FetchUnchanged = "fetch.unchanged",
        /// An attempt failed.
        FetchFailed = "fetch.failed",
        /// The first attempt of a source failed after one that did not.
        SourceFailing = "source.failing",
        /// An attempt succeeded after one or more that failed.
        SourceRecovered = "source.recovered",
        /// A verifier passed a version.
        VerdictPassed = "verdict.passed",
        /// A verifier failed a version.
        VerdictFailed = "verdict.failed",
        /// A verifier could not judge a version.
        VerdictError = "verdict.error",
        /// A verifier was asked, and will answer later.
        VerdictPending = "verdict.pending",
        /// The verdicts on a version made it a passed one: every verifier that is required passed it.
        VersionPassed = "version.passed",
        /// The verdicts on a version made it a failed one.
        VersionFailed = "version.failed",
        /// The newest version passed after the one before it, or it itself, had failed.
        VersionRecovered = "version.recovered",
        /// A version became neither passed nor failed without a new verdict: other verifiers count since the policy changed.
        VersionRecounted = "version.recounted",
        /// A verdict came too late to count: somebody else decided meanwhile, or its verifier was defined otherwise.
        VerdictOvertaken = "verdict.overtaken",
        /// A verdict by hand, one that cannot be read, or one whose second record alone is left counts no more: the verifier judged anew.
        VerdictSetAside = "verdict.set-aside",
        /// A version took its published path.
        Published = "file.published",
        /// A published file that was changed or removed from outside was put back.
        Republished = "file.republished",
        /// A published file or set could not be brought in line with what the verdicts demand: told once, until it can.
        PublishFailed = "publish.failed",
        /// A published file was removed.
        Withdrawn = "file.withdrawn",
        /// An edition of a set passed.
        SetPassed = "set.passed",
        /// A verifier failed an edition of a set.
        SetFailed = "set.failed",
        /// A set could not be judged, or is not one.
        SetError = "set.error",
        /// An edition of a set became the one that readers see.
        SetPublished = "set.published",
        /// Files or the link of a published edition that were changed or removed from outside were put back.
        SetRepublished = "set.republished",
        /// The published folder of a set was removed.
        SetWithdrawn = "set.withdrawn",
        /// The verifiers and sets of a configuration file were put in force.
        PolicyAdopted = "policy.adopted",
        /// A changed configuration file could not be used; the configuration before it stays in force.
        ConfigRejected = "config.rejected",
        /// A process that stays read its configuration again, or one that could not be used can be again.
        ConfigReloaded = "config.reloaded",
        /// A row of the catalogue cannot be read: told once.
        RowDamaged = "catalogue.damaged",
        /// Times were stored that cannot be, by a clock that ran ahead: what they put off is due now.
        TimesMended = "times.mended",
        /// A pass began.
        PassStarted = "pass.started",
        /// A pass ended.
        PassFinished = "pass.finished",
        /// A notifier was told of changes.
        NoticeSent = "notice.sent",
        /// A notifier could not be told.
        NoticeFailed = "notice.failed",
        /// The log could not be written.
        LogFailed = "log.failed",
        /// A catalogue took the archive beside it for its own.
        ArchiveAdopted = "archive.adopted",
        /// Something in the archive is not as recorded.
        Damaged = "archive.damaged",
        /// A damaged blob was stored anew from a fetch that brought the same content.
        Healed = "archive.healed",
    }
);

/// The record that an event tells of, where that is neither a source nor a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Of `fetch.…`, `source.failing` and `source.recovered`.
    Attempt(AttemptId),
    /// Of `verdict.…` on a version.
    Verdict(VerdictId),
    /// Of `set.…`, and of `verdict.…` on an edition.
    Edition(EditionId),
}

impl About {
    /// Returns the record with this id that an event of this action, of this version if of any, tells of; nothing for an action that
    /// tells of none.
    pub fn of(action: Action, version: Option<VersionId>, id: i64) -> Option<Self> {
        match action {
            Action::FetchNew
            | Action::FetchUnchanged
            | Action::FetchFailed
            | Action::SourceFailing
            | Action::SourceRecovered => Some(Self::Attempt(AttemptId(id))),
            Action::VerdictPassed
            | Action::VerdictFailed
            | Action::VerdictError
            | Action::VerdictPending => Some(Self::Verdict(VerdictId(id))),
            Action::VerdictSetAside if version.is_some() => Some(Self::Verdict(VerdictId(id))),
            Action::VerdictSetAside
            | Action::VerdictOvertaken
            | Action::SetPassed
            | Action::SetFailed
            | Action::SetError
            | Action::SetPublished
            | Action::SetRepublished
            | Action::SetWithdrawn => Some(Self::Edition(EditionId(id))),
            _ => None,
        }
    }

    /// Returns the attempt, if it is one.
    pub fn attempt(self) -> Option<AttemptId> {
        match self {
            Self::Attempt(id) => Some(id),
            Self::Verdict(_) | Self::Edition(_) => None,
        }
    }

    /// Returns the verdict, if it is one.
    pub fn verdict(self) -> Option<VerdictId> {
        match self {
            Self::Verdict(id) => Some(id),
            Self::Attempt(_) | Self::Edition(_) => None,
        }
    }

    /// Returns the edition, if it is one.
    pub fn edition(self) -> Option<EditionId> {
        match self {
            Self::Edition(id) => Some(id),
            Self::Attempt(_) | Self::Verdict(_) => None,
        }
    }

    /// Returns the record's id.
    pub fn id(self) -> i64 {
        match self {
            Self::Attempt(id) => id.0,
            Self::Verdict(id) => id.0,
            Self::Edition(id) => id.0,
        }
    }
}

/// An event that is about to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What was done.
    pub action: Action,
    /// To which source.
    pub source_id: Option<SourceId>,
    /// To which version.
    pub version_id: Option<VersionId>,
    /// Which attempt, verdict or edition it tells of; nothing for events of an older gannet.
    pub about: Option<About>,
    /// More, in one line for people; never a secret.
    pub detail: Option<String>,
    /// The revision of the policy under which a verdict counted or a state changed; nothing for other events.
    pub policy_revision: Option<i64>,
    /// Whether the verdict that it tells of is one that a person gave in the place of a verifier; nothing for other events, and for
    /// those that were recorded before this was.
    pub by_hand: Option<bool>,
}

/// An event at the moment when it was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedEvent {
    /// Which event.
    pub id: EventId,
    /// When and by whom.
    pub stamp: Stamp,
    /// What was done.
    pub event: NewEvent,
}

impl NewEvent {
    /// Returns an event of this action that is about nothing in particular.
    pub fn of(action: Action) -> Self {
        Self {
            action,
            source_id: None,
            version_id: None,
            about: None,
            detail: None,
            policy_revision: None,
            by_hand: None,
        }
    }

    /// Names the source.
    #[must_use]
    pub fn source(mut self, id: impl Into<Option<SourceId>>) -> Self {
        self.source_id = id.into();
        self
    }

    /// Names the version.
    #[must_use]
    pub fn version(mut self, id: impl Into<Option<VersionId>>) -> Self {
        self.version_id = id.into();
        self
    }

    /// Names the attempt, verdict or edition.
    #[must_use]
    pub fn about(mut self, about: impl Into<Option<About>>) -> Self {
        self.about = about.into();
        self
    }

    /// Adds the line for people.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Option<String>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Names the policy that decided.
    #[must_use]
    pub fn under(mut self, policy_revision: Option<i64>) -> Self {
        self.policy_revision = policy_revision;
        self
    }

    /// Says whether the verdict is a person's in the place of a verifier.
    #[must_use]
    pub fn by_hand(mut self, by_hand: bool) -> Self {
        self.by_hand = Some(by_hand);
        self
    }
}

/// An event as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which event.
    pub id: EventId,
    /// When and by whom.
    pub stamp: Stamp,
    /// What was done.
    pub event: NewEvent,
    /// The source's name, when the event is about one.
    pub source_name: Option<String>,
}
