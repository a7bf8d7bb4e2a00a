//! What is looked up and recorded of what notifiers are told.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::domain::{
    Action, ChangeKind, EditionId, EventId, NotifierState, SetNotifierState, Source, SourceId,
    VersionId, VersionState,
};

/// Of which changes to read what is recorded.
#[derive(Clone, Debug)]
pub enum StoriesOf {
    /// Of those that these sources went through last, each with the source's newest version: of a version that failed, what was
    /// said of that version.
    Sources(Vec<(SourceId, Option<VersionId>, ChangeKind)>),
    /// Of those that sets went through with these editions.
    Editions(Vec<EditionId>),
}

/// A source that may have changed since a notifier was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The source as it is.
    pub source: Source,
    /// What the notifier knows of it.
    pub told: NotifierState,
    /// Versions of it that failed since.
    pub failed_since: Vec<VersionId>,
}

/// What there may be to tell a notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeLook {
    /// Up to which event was looked before; nothing for a notifier that is not known yet.
    pub looked: Option<EventId>,
    /// The newest event: the next look begins behind it.
    pub newest: EventId,
    /// How many messages in a row were not delivered.
    pub failures: u32,
    /// By name.
    pub candidates: Vec<Candidate>,
    /// Where the sets stand, by name.
    pub sets: Vec<SetLook>,
    /// The published files of removed sources that could not be removed to this moment: paths, with the reasons.
    pub left: HashMap<String, String>,
    /// What followed from single events since, oldest first.
    pub announced: Vec<Announcement>,
    /// Behind which event these begin.
    pub announced_from: EventId,
    /// Up to which event these go.
    pub announced_to: EventId,
    /// Those before that wait until it is not quiet any more.
    pub held: Vec<Announcement>,
    /// What the notifier was told of single events.
    pub told_events: HashMap<EventSubject, ToldOfEvent>,
}

/// Where a set stands, for a notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLook {
    /// Its name.
    pub name: String,
    /// Its newest edition, with its state; nothing for a set that is not configured or has no members.
    pub newest: Option<(EditionId, VersionState)>,
    /// The edition that readers see.
    pub published: Option<EditionId>,
    /// Whether its published folder could not be brought in line.
    pub is_unpublished: bool,
    /// What the notifier knows of it.
    pub told: SetNotifierState,
}

/// What single events are about, as far as a notifier is told of them at most once in its quiet period.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventSubject {
    /// Of which kind they are.
    pub kind: ChangeKind,
    /// The id of a source, or `set NAME`.
    pub about: String,
}

/// What a notifier was told of single events of one kind about one source or set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldOfEvent {
    /// When it was told of one.
    pub at: DateTime<Utc>,
    /// One that waits since.
    pub held: Option<EventId>,
}

/// Where the changes of one kind in one source or set begin that a notifier was not told of yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunStart {
    /// With this event, or before: the first that was found since the last look.
    pub event: EventId,
    /// After the notifier was told of one.
    pub told_at: Option<DateTime<Utc>>,
    /// Withdrawals up to this event were told, where they are; one behind it that is over is none.
    pub announced: EventId,
}

/// Changes of one kind in one source or set, up to the one that a notifier is told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeRun {
    /// How many there were.
    pub times: u64,
    /// The first of them.
    pub first: Option<PublicationEvent>,
    /// What readers saw before the first of them, or had seen until it was withdrawn; nothing when nothing was published before.
    pub before: Option<PublicationEvent>,
    /// Who failed what readers saw before, and why, where that is newer than what they see now.
    pub because: Option<String>,
}

/// That a version or an edition was published, or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationEvent {
    /// The version, when it is about the file of a source.
    pub version: Option<VersionId>,
    /// What the event says: that of a set ends with the edition.
    pub detail: Option<String>,
    /// Whether it was withdrawn.
    pub is_withdrawn: bool,
}

/// A change that follows from one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Which event.
    pub event_id: EventId,
    /// Which kind of change.
    pub kind: ChangeKind,
    /// When it was.
    pub at: DateTime<Utc>,
    /// The source that it is about; nothing for sets and the configuration.
    pub source: Option<Source>,
    /// The version that it is about.
    pub version_id: Option<VersionId>,
    /// What the event says.
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

/// What came of a look.
#[derive(Clone, Debug)]
pub struct NoticeRecord {
    /// Whose.
    pub notifier: String,
    /// It is recorded only for a notifier that is not known yet.
    pub begins: bool,
    /// The next look begins behind this event.
    pub looked: EventId,
    /// What is known now of sources where that changed.
    pub told: Vec<(SourceId, NotifierState)>,
    /// What is known now of sets where that changed.
    pub told_sets: Vec<(String, SetNotifierState)>,
    /// What is known now of single events where that changed.
    pub told_events: Vec<(EventSubject, ToldOfEvent)>,
    /// What was told of single events before that is of no use any more, unless something waits.
    pub quiet_since: Option<DateTime<Utc>>,
    /// How many messages in a row were not delivered.
    pub failures: u32,
    /// Nothing is tried before.
    pub retry_at: Option<DateTime<Utc>>,
    /// What became of the message, if there was one.
    pub event: Option<(Action, String)>,
    /// Up to which event what follows from single events was told; nothing leaves it to be told again.
    pub announced_to: Option<EventId>,
}

impl NoticeRecord {
    /// Returns the record of a look up to this event after which nobody was told anything.
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

/// What is recorded of a change of state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeStory {
    /// When it was.
    pub since: Option<DateTime<Utc>>,
    /// Why, in one line for people; never a secret.
    pub detail: Option<String>,
}
