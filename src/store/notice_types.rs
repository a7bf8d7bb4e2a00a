//! Notifiers in the operations of the store: what may be sent to one, and what is recorded of it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::domain::{
    Action, ChangeKind, EditionId, EventId, NotifierState, SetNotifierState, Source, SourceId,
    VersionId, VersionState,
};

/// The changes whose recorded stories to read.
#[derive(Clone, Debug)]
pub enum StoriesOf {
    /// The last changes of this kind in these sources, each with the source's newest version: the story of a failed
    /// version is about that one.
    Sources(Vec<(SourceId, Option<VersionId>, ChangeKind)>),
    /// The changes of sets with these editions.
    Editions(Vec<EditionId>),
}

/// A source that may have changed since the notifier's last notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The source.
    pub source: Source,
    /// The notifier's state of it.
    pub told: NotifierState,
    /// Its versions that failed since.
    pub failed_since: Vec<VersionId>,
}

/// What may be sent to a notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeLook {
    /// The event up to which the last look went; `None` for a new notifier.
    pub looked: Option<EventId>,
    /// The newest event: the next look begins after it.
    pub newest: EventId,
    /// The number of undelivered messages in a row.
    pub failures: u32,
    /// The sources that may have changed, by name.
    pub candidates: Vec<Candidate>,
    /// The states of the sets, by name.
    pub sets: Vec<SetLook>,
    /// The published files of removed sources that could not be removed so far: reasons by path.
    pub left: HashMap<String, String>,
    /// The changes that follow from single events since, oldest first.
    pub announced: Vec<Announcement>,
    /// The event after which these begin.
    pub announced_from: EventId,
    /// The event up to which these go.
    pub announced_to: EventId,
    /// Earlier ones that wait for the end of the quiet period.
    pub held: Vec<Announcement>,
    /// The notifier's state of single events.
    pub told_events: HashMap<EventSubject, ToldOfEvent>,
}

/// The state of a set, for a notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLook {
    /// Its name.
    pub name: String,
    /// Its newest edition with its state; `None` for a set that is not configured or has no members.
    pub newest: Option<(EditionId, VersionState)>,
    /// The edition that readers see.
    pub published: Option<EditionId>,
    /// Whether its folder could not be published or withdrawn at the last try.
    pub is_unpublished: bool,
    /// The notifier's state of it.
    pub told: SetNotifierState,
}

/// The subject of single events: a notifier receives at most one notice about it in its quiet period.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventSubject {
    /// The kind of change.
    pub kind: ChangeKind,
    /// The id of a source, or `set NAME`.
    pub about: String,
}

/// A notifier's state of the single events of one kind about one source or set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldOfEvent {
    /// When it last received a notice.
    pub at: DateTime<Utc>,
    /// The event that waits since.
    pub held: Option<EventId>,
}

/// Where the changes of one kind in one source or set begin of which a notifier had no notice yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunStart {
    /// At this event, the first that was found since the last look, or before.
    pub event: EventId,
    /// After this time, when the notifier had a notice.
    pub told_at: Option<DateTime<Utc>>,
    /// Withdrawals up to this event were in a notice; a later one that is over does not count.
    pub announced: EventId,
}

/// The changes of one kind in one source or set, up to the one in the notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeRun {
    /// How many there were.
    pub times: u64,
    /// The first of them.
    pub first: Option<PublicationEvent>,
    /// The publication that readers saw before the first of them, or its withdrawal; `None` without an earlier one.
    pub before: Option<PublicationEvent>,
    /// Who failed what readers saw before, and why, if that is newer than what they see now.
    pub because: Option<String>,
}

/// An event that a version or an edition was published or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationEvent {
    /// The version, for the file of a source.
    pub version: Option<VersionId>,
    /// The detail of the event; that of a set ends with the edition.
    pub detail: Option<String>,
    /// Whether it is a withdrawal.
    pub is_withdrawn: bool,
}

/// A change that follows from one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The event.
    pub event_id: EventId,
    /// The kind of change.
    pub kind: ChangeKind,
    /// The time of the event.
    pub at: DateTime<Utc>,
    /// The source of the event; `None` for sets and the configuration.
    pub source: Option<Source>,
    /// The version of the event.
    pub version_id: Option<VersionId>,
    /// The detail of the event.
    pub detail: Option<String>,
}

impl Default for NoticeLook {
    fn default() -> Self {
        Self {
            looked: None,
            newest: EventId(0),
            failures: 0,
            candidates: Vec::new(),
            sets: Vec::new(),
            left: HashMap::new(),
            announced: Vec::new(),
            announced_from: EventId(0),
            announced_to: EventId(0),
            held: Vec::new(),
            told_events: HashMap::new(),
        }
    }
}

/// The result of a look: a notifier's new state.
#[derive(Clone, Debug)]
pub struct NoticeRecord {
    /// The name of the notifier.
    pub notifier: String,
    /// Whether it is recorded for a new notifier only.
    pub begins: bool,
    /// The event after which the next look begins.
    pub looked: EventId,
    /// The notifier's states of sources that changed.
    pub told: Vec<(SourceId, NotifierState)>,
    /// The notifier's states of sets that changed.
    pub told_sets: Vec<(String, SetNotifierState)>,
    /// The notifier's states of single events that changed.
    pub told_events: Vec<(EventSubject, ToldOfEvent)>,
    /// States of single events from before this time are deleted, unless an event waits.
    pub quiet_since: Option<DateTime<Utc>>,
    /// The number of undelivered messages in a row.
    pub failures: u32,
    /// The time before which no delivery is tried.
    pub retry_at: Option<DateTime<Utc>>,
    /// The event about the message that was sent, if any: action and detail.
    pub event: Option<(Action, String)>,
    /// The event up to which single events were in a notice; `None` leaves that as it is.
    pub announced_to: Option<EventId>,
}

impl NoticeRecord {
    /// Returns the record of a look up to this event after which no message was sent.
    pub fn without_message(notifier: String, looked: EventId) -> Self {
        Self {
            notifier,
            begins: false,
            looked,
            told: Vec::new(),
            told_sets: Vec::new(),
            told_events: Vec::new(),
            quiet_since: None,
            failures: 0,
            retry_at: None,
            event: None,
            announced_to: None,
        }
    }
}

/// The recorded story of a change of state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeStory {
    /// When the change was.
    pub since: Option<DateTime<Utc>>,
    /// Why, in one line for people; never a secret.
    pub detail: Option<String>,
}
