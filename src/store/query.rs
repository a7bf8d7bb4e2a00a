//! The questions of single use-cases: a value each, with the type of its answer, for [`super::Store::read`].
//!
//! Questions that many use-cases share are methods of the store.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::access_types::{PersonWithHash, Session};
use super::condition::Condition;
use super::damaged_row::DamagedRow;
use super::error::StoreError;
use super::judged::{Awaiting, Judged};
use super::link_types::{ServiceInfo, VerifierLink};
use super::message_types::{BadMessages, LiveRead, MessagePage, MessagesQuery, QueueFacts};
use super::notice_types::{Announcement, ChangeRun, ChangeStory, NoticeLook, RunStart, StoriesOf};
use super::picture_query::{PicturePage, PicturesQuery};
use super::published_types::{
    BarePath, ExpectedFile, FilesToLookAt, LeftFile, PublishFailure, PublishedFile,
};
use super::rate_types::{RateDay, RatesOf};
use super::set_query::{SetsQuery, Shown, Unservable};
use super::source_query::{SourceFilter, SourcesQuery};
use super::sqlite::Select;
use super::types::{
    AttemptFacts, FileSet, HourOfAttempts, JudgedBy, JudgedRequest, NamedVersion, Newest, Outlook,
    RefusalsBy, VerdictFilter, VerdictOn, VersionToJudge,
};
use crate::domain::{
    Action, AdoptedPolicy, ArchiveMark, Attempt, AttemptId, DeadMessage, Digest, Edition,
    EditionId, EditionVerdict, EventId, Message, MessageId, MessagePlace, MessageVerdict, Person,
    Publication, Put, SetMember, SetPublication, Source, SourceId, SourceSettings, StateWord,
    Token, UnitKey, Verdict, VerdictId, Version, VersionId, VersionState, WorkerInfo,
};

/// A question to the catalogue, which is answered on one state of it.
pub trait Query: Select<<Self as Query>::Output> + Send + Sized + 'static {
    /// The answer.
    type Output: Send + 'static;
}

macro_rules! queries {
    ($($(#[$doc:meta])+ $name:ident $(($($field:ty),+))? -> $output:ty;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Debug)]
        pub struct $name $(($(pub $field),+))?;

        impl Query for $name {
            type Output = $output;
        }
    )+};
}

macro_rules! answers {
    ($($name:ty => $output:ty;)+) => {$(
        impl Query for $name {
            type Output = $output;
        }
    )+};
}

// The questions that are values with several variants or named fields.
answers! {
    Awaiting => Vec<(SourceId, VersionId)>;
    Condition => bool;
    JudgedRequest => Vec<JudgedBy>;
    MessagesQuery => MessagePage;
    PicturesQuery => PicturePage;
    RatesOf => Vec<RateDay>;
    SetsQuery => Vec<String>;
    Shown => Option<Unservable>;
    SourcesQuery => Vec<Option<Source>>;
    StoriesOf => Vec<ChangeStory>;
    VerdictFilter => Vec<VerdictOn>;
}

// Sources.
queries! {
    /// Which of these sources exist, removed and damaged ones included.
    ExistingSources(Vec<SourceId>) -> HashSet<SourceId>;
    /// These sources, and the days of dated ones among them, removed days too.
    WithDays(Vec<SourceId>) -> Vec<SourceId>;
    /// Those of these sources that are dated: their days are fetched in their place.
    DatedAmong(Vec<SourceId>) -> Vec<SourceId>;
    /// The sources that a filter lets through, by name, and facts of their newest versions and last attempts. Damaged rows
    /// are left out.
    ListedSources(SourceFilter) -> Vec<(Source, Newest)>;
    /// The source with this id, name or address, with facts of its newest version and of its last attempt, and the policy
    /// in force.
    ShownSource(String) -> Option<(Source, Newest, Option<AdoptedPolicy>)>;
    /// Names and newest versions of those of these sources that are not removed.
    NamedVersions(Vec<SourceId>) -> Vec<NamedVersion>;
    /// The removed sources that had this name or this address, by id.
    RemovedSources(String, String) -> Vec<Source>;
    /// A name for an unnamed source with these settings that differs from these names and finds no existing source.
    FreeName(SourceSettings, HashSet<String>) -> String;
    /// How many sources are watched, how many of them are due by this time, and when the next other one is due.
    OutlookAt(DateTime<Utc>) -> Outlook;
    /// How many sources are due by this time and claimed by no worker.
    UnclaimedDue(DateTime<Utc>) -> u64;
    /// The number of sources by state, removed ones included. Sources whose rows are damaged are left out.
    StateCounts -> Vec<(StateWord, u64)>;
    /// How many sources are not removed, and how many of them come by name up to this place and at it.
    PlaceAmongSources(Option<(String, SourceId)>) -> (u64, u64);
    /// Facts of the newest version and of the last attempt of these sources.
    NewestOf(Vec<SourceId>) -> HashMap<SourceId, Newest>;
    /// When the newest versions of these sources were fetched.
    NewestTimes(Vec<SourceId>) -> HashMap<SourceId, DateTime<Utc>>;
    /// The newest of the source's attempts before this one (or of all), so many at most, newest first. Damaged rows are
    /// left out.
    AttemptsBefore(SourceId, Option<AttemptId>, usize) -> Vec<Attempt>;
    /// The attempts that began at this time or later, by hour, oldest first; hours without any are left out. Damaged rows
    /// are not counted.
    AttemptsByHour(DateTime<Utc>) -> Vec<HourOfAttempts>;
    /// The newest attempt; 0 while there is none.
    NewestAttempt -> AttemptId;
    /// The attempts after this one, the oldest first, so many at most, without provenance. Damaged rows are left out.
    AttemptsAfter(AttemptId, usize) -> Vec<AttemptFacts>;
    /// The start of the source's last attempt that ended as new or unchanged.
    LastGoodAttempt(SourceId) -> Option<DateTime<Utc>>;
    /// When the last source with this name was purged.
    PurgedAt(String) -> Option<DateTime<Utc>>;
}

// Currency rates. `RatesOf` leaves out days whose newest row is damaged.
queries! {
    /// The sources with rates that are not removed, in the order in which they were added.
    RateSources -> Vec<SourceId>;
    /// The rates of the newest day of this source (up to this day) that has any, as they were known at this time or are
    /// now. A damaged row is an error.
    LastRates(SourceId, Option<NaiveDate>, Option<DateTime<Utc>>) -> Option<RateDay>;
    /// The first and the last day of this source that have rates, as known at this time or now.
    HeldRates(SourceId, Option<DateTime<Utc>>) -> Option<(NaiveDate, NaiveDate)>;
}

// Versions and their contents.
queries! {
    /// The sound ones among the source's newest versions (so many at most; all without), newest first, and the damage
    /// of the others.
    SoundVersions(SourceId, Option<usize>) -> (Vec<Version>, Option<StoreError>);
    /// The newest of the source's sound versions before this one (or of all), so many at most, newest first.
    VersionsBefore(SourceId, Option<VersionId>, usize) -> Vec<Version>;
    /// The digests of these versions. Unreadable rows are left out.
    DigestsOf(Vec<VersionId>) -> HashMap<VersionId, Digest>;
    /// How many versions these sources have together.
    VersionCount(Vec<SourceId>) -> u64;
    /// The source's newest version with this content.
    VersionWith(SourceId, Digest) -> Option<VersionId>;
    /// The version of the source that consumers saw at this time, or see now. Damage of the set's edition that they see
    /// is an error.
    ServedVersion(SourceId, Option<DateTime<Utc>>) -> Option<VersionId>;
    /// A version with its newest verdict and its count of deaths, for judging.
    VersionForJudging(VersionId) -> Option<VersionToJudge>;
    /// Size in bytes and digest of every version of these sources. Unreadable rows are left out.
    ContentsOf(Vec<SourceId>) -> HashSet<(u64, Digest)>;
    /// Those of these objects, each with its content's digest, that no blob names, that are not pending, and that no
    /// takeover of the archive keeps.
    UnnamedObjects(Vec<(Digest, String)>) -> Vec<String>;
    /// The pending objects whose files belong in the trash by this time: those that nothing needs, and those of workers
    /// that were not seen for a lease.
    LooseObjects(DateTime<Utc>) -> Vec<String>;
    /// The catalogue's mark, once one was made.
    CatalogueMark -> Option<ArchiveMark>;
    /// Whether each version and blob has its row and fits what it names: then bytes that no row names are not needed.
    /// Looks also for sources that no pass fetches because of damage. Damaged rows are noted.
    AllRowsFit -> bool;
    /// Those of these damaged rows that no recent event reports.
    UnreportedDamage(Vec<DamagedRow>) -> Vec<DamagedRow>;
}

// Verdicts and the policy.
queries! {
    /// All verdicts on a version, oldest first, and its count of deaths since its rules last all gave a verdict.
    /// Damaged rows are left out.
    VerdictsAndDeaths(VersionId) -> (Vec<Verdict>, u32);
    /// Those of these versions on which a verifier promised a verdict by this time, which it may have given since.
    PromisedBy(Vec<VersionId>, DateTime<Utc>) -> HashSet<VersionId>;
    /// The newest verdict on this version, or on any version; 0 while there is none.
    NewestVerdict(Option<VersionId>) -> VerdictId;
    /// The newest verdict on this version or edition, sound or not, when any of its verdicts is unreadable or lost;
    /// `None` when all are sound.
    NewestAmongUnreadable(Judged) -> Option<VerdictId>;
    /// For each of these sources (or every source) with a published version, the names of the verifiers that have a
    /// verdict on that version. Sources whose rows are damaged are left out.
    AskedOfPublished(Option<Vec<SourceId>>) -> Vec<(SourceId, BTreeSet<String>)>;
    /// The standing refusals in the names of these verifiers, by source and set.
    RefusalsInNameOf(Vec<String>) -> Vec<RefusalsBy>;
    /// The standing refusals of these versions' contents in this set, whatever their sources were called, by verifier.
    EditionRefusals(String, Vec<VersionId>) -> Vec<EditionVerdict>;
    /// The policy in force, once one was adopted.
    PolicyInForce -> Option<AdoptedPolicy>;
    /// The newest policy's revision, even when the rest of its row is damaged; 0 before the first adoption.
    PolicyRevision -> i64;
}

// Sets and their editions.
queries! {
    /// Every set that is configured, or still published, by name. Damaged rows are left out: never withdraw what this
    /// list misses. A damaged edition that readers see is noted, too.
    FileSets -> Vec<FileSet>;
    /// The set with this name. A damaged row is an error.
    FileSetNamed(String) -> Option<FileSet>;
    /// The members of this set at this time, by name: enabled ones, and disabled ones with a version that could be
    /// published. A damaged row is an error.
    SetMembers(String, DateTime<Utc>) -> Vec<SetMember>;
    /// The sources in more than one set, by name, each with its sets.
    SourcesInManySets -> Vec<(String, Vec<String>)>;
    /// The edition with this id; [`StoreError::Missing`] when there is none.
    EditionWithId(EditionId) -> Edition;
    /// The newest edition of this set.
    NewestEdition(String) -> Option<Edition>;
    /// The digest that identifies the newest edition of this set, even when the rest of its row is damaged.
    NewestKey(String) -> Option<Digest>;
    /// All verdicts on an edition, oldest first. Damaged rows are left out.
    VerdictsOnEdition(EditionId) -> Vec<EditionVerdict>;
    /// The action due on the published folder of this set, which holds this edition. [`StoreError::DamagedRow`] when a
    /// deciding edition's row cannot be read, contradicts its verdicts, or is missing although its folder is published.
    DueSetPublication(String, Option<EditionId>) -> SetPublication;
    /// Those of these editions that the catalogue once had and has deleted.
    DeletedEditions(Vec<EditionId>) -> HashSet<EditionId>;
}

// Published files.
queries! {
    /// The source that was added first among those, removed ones included, whose published path ends in this file name.
    FirstWithFile(String) -> Option<SourceId>;
    /// The action due on each of these sources' files, in their order, read at one moment; [`Publication::Keep`] for a
    /// removed source.
    Publications(Vec<SourceId>) -> Vec<Publication>;
    /// The published path of every source that is not removed, by id. Damaged rows are left out.
    ExpectedFiles -> Vec<ExpectedFile>;
    /// The published files that a killed process may have replaced without recording it.
    UnsureFiles -> Vec<PublishedFile>;
    /// The paths that must be empty and have no pending task: all of them (those of removed and purged sources too), or
    /// only those of the given sources that have no recorded publication.
    BarePaths(FilesToLookAt) -> Vec<BarePath>;
    /// Those of these paths below `published/` that belong to no present source.
    UnclaimedPaths(Vec<String>) -> Vec<String>;
    /// The files below `published/` to remove; those whose removal failed before only with `true`.
    Withdrawals(bool) -> Vec<LeftFile>;
    /// The files that could not be published or withdrawn, with the reasons: those of sources by id, then those of
    /// removed sources.
    PublishFailures -> Vec<PublishFailure>;
}

// Events, notifiers and workers.
queries! {
    /// The newest event; 0 while there is none.
    NewestEvent -> EventId;
    /// The distinct pairs of source and detail among the events of this action after this event, without those about
    /// verdicts by hand.
    HappenedAfter(EventId, Action) -> Vec<(Option<SourceId>, Option<String>)>;
    /// The run of each announcement: the changes of its kind in its source or set, from the start up to it, in order.
    ChangeRuns(Vec<(Announcement, RunStart)>) -> Vec<ChangeRun>;
    /// The sources that may have changed since the last look of this notifier, with its state of each: sources with a
    /// turn since, and those whose notice waits; for a new notifier, the sources that are not well. `None` while a
    /// failed delivery must not be retried yet at this time.
    NoticeLookOf(String, DateTime<Utc>) -> Option<NoticeLook>;
    /// The workers that may hold claims. Damaged rows are left out: their claims end with the lease.
    Workers -> Vec<WorkerInfo>;
}

// People, sessions and tokens; links of verifiers, and the services that honour them.
queries! {
    /// Everybody who may sign in, or could before, by name. Damaged rows are left out.
    People -> Vec<Person>;
    /// The person of this name. A damaged row is an error.
    PersonNamed(String) -> Option<PersonWithHash>;
    /// The session whose secret has this digest, lasting or not. A damaged row, of session or person, is an error.
    SessionWith(Digest) -> Option<Session>;
    /// Every token, by name. Damaged rows are left out.
    Tokens -> Vec<Token>;
    /// The token whose secret has this digest, live or not. A damaged row is an error.
    TokenWith(Digest) -> Option<Token>;
    /// The link of a verifier whose secret has this digest, usable or not. A damaged row is an error.
    LinkWith(Digest) -> Option<VerifierLink>;
    /// The services that were seen since this time, those first whose address verifiers know.
    ServicesSeenSince(DateTime<Utc>) -> Vec<ServiceInfo>;
}

// Messages.
queries! {
    /// The message with this id, persisted or on the queue. Damage is an error.
    MessageWith(MessageId) -> Option<Message>;
    /// The messages that were given up last, the latest first: so many at most, and none further behind so many bytes of bodies.
    DeadMessages(usize, usize) -> Vec<DeadMessage>;
    /// The message with this id that was given up. Damage is an error.
    DeadMessageWith(MessageId) -> Option<DeadMessage>;
    /// The states of those of these messages that are persisted.
    StatesOfMessages(Vec<MessageId>) -> Vec<(MessageId, VersionState)>;
    /// The messages that were persisted since this time and failed, or could not be judged.
    BadMessagesSince(DateTime<Utc>) -> BadMessages;
    /// The messages that were persisted behind this place, and when these are all, those on queues from this row on.
    LiveAfter(MessagePlace, i64) -> LiveRead;
    /// The oldest row that is on a queue; when none is, the one that is put there next.
    OldestQueueRow -> i64;
    /// The place of a message; `None` when it is not persisted.
    PlaceOfMessage(MessageId) -> Option<MessagePlace>;
    /// The place of the last message that was persisted before this time.
    PlaceAtTime(DateTime<Utc>) -> MessagePlace;
    /// The place of the message that was persisted last; 0 while there is none.
    NewestPersisted -> MessagePlace;
    /// Whether a message is to be judged at this time.
    MessageDue(DateTime<Utc>) -> bool;
    /// All verdicts on this message, oldest first. Damaged rows are left out.
    VerdictsOnMessage(MessageId) -> Vec<MessageVerdict>;
    /// What became of the unit of so many messages that was sent under a key before, if one was and is known at this time.
    SentUnder(UnitKey, usize, DateTime<Utc>) -> Option<Put>;
    /// Whether messages wait on a queue.
    QueuedAny -> bool;
    /// The addresses of the servers on which messages may wait.
    QueueServers -> Vec<String>;
    /// All queues by name, with what went through each since this time.
    Queues(DateTime<Utc>) -> Vec<QueueFacts>;
}
