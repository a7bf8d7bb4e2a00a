//! An event: one action that was taken, by whom, on what.

use std::fmt;

use chrono::{DateTime, Utc};

use super::words::words;
use super::{AttemptId, EditionId, EventId, SourceId, VerdictId, VersionId};

/// Who acts, as events record it: `joe@host by cli`, `worker@host`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor(pub String);

impl Actor {
    /// Returns the actor of what a person or token does through the service: `anna by http`.
    pub fn by_http(name: &str) -> Self {
        Self(format!("{name} by http"))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The time and the actor of a change in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The time.
    pub at: DateTime<Utc>,
    /// The actor.
    pub actor: Actor,
}

words!(
    "an action":
    /// The action of an event. Its word is shown in the log, and programs filter by it.
    pub enum Action {
        /// A source was added.
        SourceAdded = "source.added",
        /// A source's settings were changed.
        SourceEdited = "source.edited",
        /// A source is not asked for a time, or until it is enabled again: its provider refuses.
        SourceStopped = "source.stopped",
        /// A source was removed, its history kept.
        SourceRemoved = "source.removed",
        /// A source was removed with its history.
        SourcePurged = "source.purged",
        /// A removed source was brought back.
        SourceRestored = "source.restored",
        /// An attempt stored a new version.
        FetchNew = "fetch.new",
        /// An attempt found the content unchanged.
        FetchUnchanged = "fetch.unchanged",
        /// An attempt failed.
        FetchFailed = "fetch.failed",
        /// The file of a day is not there yet.
        FetchAbsent = "fetch.absent",
        /// An attempt of a source failed, the first in a row.
        SourceFailing = "source.failing",
        /// An attempt succeeded after failed ones.
        SourceRecovered = "source.recovered",
        /// A verifier passed a version.
        VerdictPassed = "verdict.passed",
        /// A verifier failed a version.
        VerdictFailed = "verdict.failed",
        /// A verifier could not judge a version.
        VerdictError = "verdict.error",
        /// A verifier was asked and will answer later.
        VerdictPending = "verdict.pending",
        /// The verdicts on a version made it `passed`: every required verifier passed it.
        VersionPassed = "version.passed",
        /// The verdicts on a version made it `failed`.
        VersionFailed = "version.failed",
        /// The newest version passed after it, or the one before it, had failed.
        VersionRecovered = "version.recovered",
        /// Without a new verdict, a version became neither passed nor failed: other verifiers count since a policy
        /// change.
        VersionRecounted = "version.recounted",
        /// A verdict came too late to count: another verdict decided meanwhile, or the verifier's definition changed.
        VerdictOvertaken = "verdict.overtaken",
        /// A verdict stopped counting since its verifier judged anew: one by hand, an unreadable one, or one of which
        /// only the second record is left.
        VerdictSetAside = "verdict.set-aside",
        /// A version was put at its source's published path.
        Published = "file.published",
        /// A published file that somebody outside changed or removed was restored.
        Republished = "file.republished",
        /// A published file or set could not be changed as the verdicts demand. Recorded once until that succeeds.
        PublishFailed = "publish.failed",
        /// A published file was removed.
        Withdrawn = "file.withdrawn",
        /// An edition of a set passed.
        SetPassed = "set.passed",
        /// A verifier failed an edition of a set.
        SetFailed = "set.failed",
        /// An edition of a set waits for verdicts.
        SetPending = "set.pending",
        /// A set could not be judged, or is not one.
        SetError = "set.error",
        /// An edition of a set was published.
        SetPublished = "set.published",
        /// Files or the link of a published edition that somebody outside changed or removed were restored.
        SetRepublished = "set.republished",
        /// The published folder of a set was removed.
        SetWithdrawn = "set.withdrawn",
        /// The verifiers and sets of a configuration file were put in force.
        PolicyAdopted = "policy.adopted",
        /// A changed configuration file is unusable; the configuration before it stays in force.
        ConfigRejected = "config.rejected",
        /// A long-running process loaded its changed configuration, or an unusable file became usable again.
        ConfigReloaded = "config.reloaded",
        /// A running service uses the changed certificate of its files.
        CertificateReloaded = "certificate.reloaded",
        /// The changed certificate of a running service cannot be used; the one before it stays in use.
        CertificateRejected = "certificate.rejected",
        /// A row of the catalogue cannot be read. Recorded once.
        RowDamaged = "catalogue.damaged",
        /// The catalogue held impossible times, written while the clock ran ahead; what they postponed is due now.
        TimesMended = "times.mended",
        /// A pass began.
        PassStarted = "pass.started",
        /// A pass ended.
        PassFinished = "pass.finished",
        /// A notifier delivered a notice.
        NoticeSent = "notice.sent",
        /// A notifier could not deliver a notice.
        NoticeFailed = "notice.failed",
        /// The log could not be written.
        LogFailed = "log.failed",
        /// A catalogue adopted the archive beside it.
        ArchiveAdopted = "archive.adopted",
        /// Something in the archive differs from its record.
        Damaged = "archive.damaged",
        /// A damaged blob was replaced by a fetch of the same content.
        Healed = "archive.healed",
        /// A person was added who may sign in to the service.
        PersonAdded = "person.added",
        /// A person got another role.
        PersonRoleChanged = "person.role-changed",
        /// A person got another password; their sessions ended.
        PersonPasswordChanged = "person.password-changed",
        /// A person may not sign in any more; their sessions ended.
        PersonDisabled = "person.disabled",
        /// A disabled person may sign in again.
        PersonEnabled = "person.enabled",
        /// A token was created.
        TokenCreated = "token.created",
        /// A token was revoked.
        TokenRevoked = "token.revoked",
        /// A message could not be persisted, and was given up.
        MessageDead = "message.dead",
        /// A message that was given up was put on its queue again.
        MessageRetried = "message.retried",
        /// A message that was given up was deleted.
        MessageDeleted = "message.deleted",
        /// Messages failed: a required verifier failed them. One event for those of a queue that were judged together.
        MessageFailed = "message.failed",
        /// Messages could not be judged. One event for those of a queue that were judged together; recorded the first time, and
        /// when no further try follows.
        MessageError = "message.error",
    }
);

/// The record that an event is about, besides its source and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The attempt of `fetch.…`, `source.failing` and `source.recovered`.
    Attempt(AttemptId),
    /// The verdict of `verdict.…` on a version.
    Verdict(VerdictId),
    /// The edition of `set.…`, and of `verdict.…` on an edition.
    Edition(EditionId),
}

impl About {
    /// Returns the record with this id that an event of this action is about, given the event's version; `None` for an
    /// action without such a record.
    pub fn of(action: Action, version: Option<VersionId>, id: i64) -> Option<Self> {
        match action {
            Action::FetchNew
            | Action::FetchUnchanged
            | Action::FetchFailed
            | Action::FetchAbsent
            | Action::SourceFailing
            | Action::SourceRecovered => Some(Self::Attempt(AttemptId(id))),
            Action::VerdictPassed
            | Action::VerdictFailed
            | Action::VerdictError
            | Action::VerdictPending
            | Action::VerdictSetAside
                if version.is_some() =>
            {
                Some(Self::Verdict(VerdictId(id)))
            }
            Action::VerdictPassed
            | Action::VerdictFailed
            | Action::VerdictError
            | Action::VerdictPending
            | Action::VerdictSetAside
            | Action::VerdictOvertaken
            | Action::SetPassed
            | Action::SetFailed
            | Action::SetPending
            | Action::SetError
            | Action::SetPublished
            | Action::SetRepublished
            | Action::SetWithdrawn => Some(Self::Edition(EditionId(id))),
            _ => None,
        }
    }

    /// Returns the attempt's id, if the record is an attempt.
    pub fn attempt(self) -> Option<AttemptId> {
        match self {
            Self::Attempt(id) => Some(id),
            Self::Verdict(_) | Self::Edition(_) => None,
        }
    }

    /// Returns the verdict's id, if the record is a verdict.
    pub fn verdict(self) -> Option<VerdictId> {
        match self {
            Self::Verdict(id) => Some(id),
            Self::Attempt(_) | Self::Edition(_) => None,
        }
    }

    /// Returns the edition's id, if the record is an edition.
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

/// An event that is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The action.
    pub action: Action,
    /// The source.
    pub source_id: Option<SourceId>,
    /// The version.
    pub version_id: Option<VersionId>,
    /// The attempt, verdict or edition that the event is about; `None` for events of an older gannet.
    pub about: Option<About>,
    /// Details, in one line for people; never a secret.
    pub detail: Option<String>,
    /// The revision of the policy under which a verdict counted or a state changed; `None` for other events.
    pub policy_revision: Option<i64>,
    /// Whether the event's verdict is one by which a person overruled a verifier; `None` for other events, and for
    /// events of an older gannet.
    pub by_hand: Option<bool>,
}

/// A recorded event, as subscribers receive it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedEvent {
    /// The event's id.
    pub id: EventId,
    /// Its time and actor.
    pub stamp: Stamp,
    /// The event.
    pub event: NewEvent,
}

impl NewEvent {
    /// Returns an event of this action without source, version or details.
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

    /// Sets the source.
    #[must_use]
    pub fn source(mut self, id: impl Into<Option<SourceId>>) -> Self {
        self.source_id = id.into();
        self
    }

    /// Sets the version.
    #[must_use]
    pub fn version(mut self, id: impl Into<Option<VersionId>>) -> Self {
        self.version_id = id.into();
        self
    }

    /// Sets the attempt, verdict or edition.
    #[must_use]
    pub fn about(mut self, about: impl Into<Option<About>>) -> Self {
        self.about = about.into();
        self
    }

    /// Returns the name of the set that an event is about; `None` for events of sources and others. The details of such an
    /// event begin with the name, which has no colon.
    pub fn set(&self) -> Option<&str> {
        self.set_and_rest().map(|(set, _)| set)
    }

    /// Returns the name of the set that the event is about, and the details behind it.
    pub fn set_and_rest(&self) -> Option<(&str, Option<&str>)> {
        let detail = self
            .detail
            .as_deref()
            .filter(|_| self.source_id.is_none())?;
        let action = self.action.as_str();
        let detail = match self.action {
            Action::PublishFailed => detail.strip_prefix("set ")?,
            _ if action.starts_with("set.") || action.starts_with("verdict.") => detail,
            _ => return None,
        };
        Some(match detail.split_once(": ") {
            Some((set, rest)) => (set, Some(rest)),
            None => (detail, None),
        })
    }

    /// Returns the details in one line for people, behind the edition that an event of a set's judgement is about.
    pub fn detail_line(&self) -> Option<String> {
        let lines = self.detail.as_deref()?.lines().map(str::trim);
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        let line = lines.join("; ");
        let is_judged = matches!(
            self.action,
            Action::SetPassed
                | Action::SetFailed
                | Action::SetPending
                | Action::SetError
                | Action::VerdictPassed
                | Action::VerdictFailed
                | Action::VerdictError
                | Action::VerdictPending
        );
        Some(match self.about.filter(|_| is_judged) {
            Some(About::Edition(id)) => format!("edition {id} of {line}"),
            _ => line,
        })
    }

    /// Sets the details.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Option<String>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Sets the revision of the policy that decided.
    #[must_use]
    pub fn under(mut self, policy_revision: Option<i64>) -> Self {
        self.policy_revision = policy_revision;
        self
    }

    /// Sets whether a person overruled a verifier with the verdict.
    #[must_use]
    pub fn by_hand(mut self, by_hand: bool) -> Self {
        self.by_hand = Some(by_hand);
        self
    }
}

/// An event as the store returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event's id.
    pub id: EventId,
    /// Its time and actor.
    pub stamp: Stamp,
    /// The event.
    pub event: NewEvent,
    /// The source's name, when the event has a source.
    pub source_name: Option<String>,
}
