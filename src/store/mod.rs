//! The catalogue: sources, attempts, versions, blobs, verdicts and events.
//!
//! This is the port: what goes into the operations of [`Store`], what comes out of them, and how they fail, in types of
//! the domain. Every operation is one call and one transaction. The engine is beside it, in `sqlite/`, and no type of
//! it is named here. The store never reads the clock, the archive's files or the network.

mod condition;
mod damaged_row;
mod error;
mod fact;
mod judged;
mod notice_types;
mod options;
mod sqlite;
mod types;
mod version_query;

pub use condition::Condition;
pub use damaged_row::DamagedRow;
pub use error::StoreError;
pub use fact::Fact;
pub use judged::{Awaiting, Judged, NeededRows, VerdictQuery};
pub use notice_types::{
    Announcement, Candidate, ChangeRun, ChangeStory, EventSubject, NoticeLook, NoticeRecord,
    PublicationEvent, RunStart, SetLook, ToldOfEvent,
};
pub use options::{OnCommit, StoreOptions};
pub use sqlite::{ExpectedFile, Mended, Store, Unservable};
pub use types::{
    AttemptRecord, AttemptResult, ChangeToken, Changed, ClaimRequest, ClaimWhat, ClaimsToRelease,
    Counted, Edited, Ended, EventFilter, FileSet, FilesToLookAt, JudgedBy, JudgedOrder,
    JudgedRequest, NamedVersion, NewEdition, Newest, PolicyAdoption, PublishTask, PublishedFile,
    Recorded, RefusalsBy, Seen, SourceChange, SourceFilter, VerdictFilter, VerdictOn,
    VerdictSubject, VersionToJudge,
};
pub use version_query::{ChainOf, VersionQuery, VersionsQuery};
