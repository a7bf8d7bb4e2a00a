//! The catalogue: sources, attempts, versions, blobs, verdicts and events.
//!
//! This is the port: what goes into the operations of [`Store`], what comes out of them, and how they fail, in types of
//! the domain. Every operation is one call and one transaction. The engine is beside it, in `sqlite/`, and only
//! `engine.rs` names a type of it. The store never reads the clock, the archive's files or the network.

mod access_types;
mod condition;
mod damaged_row;
mod engine;
mod error;
mod fact;
mod judged;
mod link_types;
mod mended;
mod message_types;
mod notice_types;
mod options;
mod picture_query;
mod published_types;
mod query;
mod rate_types;
mod set_query;
mod source_query;
mod sqlite;
mod table;
mod types;
mod version_query;

pub use access_types::{NewToken, PersonChange, PersonWithHash, Session};
pub use condition::Condition;
pub use damaged_row::DamagedRow;
pub use engine::{CatalogueState, Store};
pub use error::StoreError;
pub use fact::Fact;
pub use judged::{Awaiting, Judged, NeededRows, VerdictQuery};
pub use link_types::{NewLinks, ServiceInfo, VerifierLink};
pub use mended::{IndexesOf, Mended};
pub use message_types::{
    BadMessages, Consumed, JudgedMessage, LiveRead, MAX_JUDGING_TRIES, MessagePage, MessageToJudge,
    MessagesQuery, QueueFacts, QueueRate, RATE_SECONDS,
};
pub use notice_types::{
    Announcement, Candidate, ChangeRun, ChangeStory, EventSubject, NoticeLook, NoticeRecord,
    PublicationEvent, RunStart, SetLook, StoriesOf, ToldOfEvent,
};
pub use options::{OnCommit, StoreOptions};
pub use picture_query::{PicturePage, PicturePlace, PicturesQuery, WhichPictures};
pub use published_types::{
    BarePath, ExpectedFile, FilesToLookAt, LeftFile, PublishFailure, PublishQuery, PublishTask,
    PublishedFile,
};
pub use query::{
    AllRowsFit, AskedOfPublished, AttemptsAfter, AttemptsBefore, AttemptsByHour, BadMessagesSince,
    BarePaths, CatalogueMark, ChangeRuns, ContentsOf, DatedAmong, DeadMessageWith, DeadMessages,
    DeletedEditions, DigestsOf, DueSetPublication, EditionRefusals, EditionWithId, ExistingSources,
    ExpectedFiles, FileSetNamed, FileSets, FirstWithFile, FreeName, HappenedAfter, HeldRates,
    LastGoodAttempt, LastRates, LinkWith, ListedSources, LiveAfter, LooseObjects, MessageDue,
    MessageWith, NamedVersions, NewestAmongUnreadable, NewestAttempt, NewestEdition, NewestEvent,
    NewestKey, NewestOf, NewestPersisted, NewestTimes, NewestVerdict, NoticeLookOf, OldestQueueRow,
    OutlookAt, People, PersonNamed, PlaceAmongSources, PlaceAtTime, PlaceOfMessage, PolicyInForce,
    PolicyRevision, PromisedBy, Publications, PublishFailures, PurgedAt, Query, QueueServers,
    QueuedAny, Queues, RateSources, RefusalsInNameOf, RemovedSources, SentUnder, ServedVersion,
    ServicesSeenSince, SessionWith, SetMembers, ShownSource, SoundVersions, SourcesInManySets,
    StateCounts, StatesOfMessages, TokenWith, Tokens, UnclaimedDue, UnclaimedPaths, UnnamedObjects,
    UnreportedDamage, UnsureFiles, VerdictsAndDeaths, VerdictsOnEdition, VerdictsOnMessage,
    VersionCount, VersionForJudging, VersionWith, VersionsBefore, WithDays, Withdrawals, Workers,
};
pub use rate_types::{RateDay, RatesOf};
pub use set_query::{SetsQuery, Shown, Unservable};
pub use source_query::{DamagedSources, ListedDays, SourceFilter, SourceQuery, SourcesQuery};
pub use table::{Cell, ColumnFacts, QueryLimits, Table, TableFacts};
pub use types::{
    AttemptFacts, AttemptRecord, AttemptResult, ChangeToken, Changed, ClaimRequest, ClaimWhat,
    ClaimsToRelease, Counted, Edited, Ended, EventFilter, FileSet, HourOfAttempts, JudgedBy,
    JudgedOrder, JudgedRequest, NamedVersion, NewEdition, Newest, OpenDays, OpenedDays, Outlook,
    PolicyAdoption, Recorded, RefusalsBy, Seen, SourceChange, VerdictFilter, VerdictOn,
    VerdictSubject, VersionToJudge,
};
pub use version_query::{ChainOf, VersionQuery, VersionsQuery};
