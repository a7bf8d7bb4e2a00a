//! The catalogue: sources, attempts, versions, blobs, verdicts and events in SQLite.
//!
//! One writer thread has the only writing connection; it gathers the operations that wait into one transaction, so
//! that many share the price of one sync. Every operation is one call and one transaction, in domain types; no SQLite
//! type leaves this layer. It never reads the clock, the archive's files or the network.

mod archive_mark;
mod attempt;
mod awaited;
mod blob;
mod change;
mod change_run;
mod claim;
mod connection;
mod damage;
mod damaged_row;
mod damaged_source;
mod edit;
mod edition;
mod edition_choice;
mod edition_row;
mod edition_state;
mod error;
mod event;
mod event_row;
mod expected_file;
mod failure;
mod file_identity;
mod file_set;
mod hand_verdict;
mod handle;
mod holder;
mod interned;
mod judged;
mod judging_death;
mod kept_source;
mod known_policy;
mod library;
mod lost_member;
mod new_version;
mod noted;
mod notice;
mod notice_types;
mod overtaken;
mod policy;
mod policy_in_force;
mod publication;
mod published_file;
mod purge;
mod read_only;
mod reader;
mod refusal;
mod refusal_row;
mod refusals;
mod row;
mod schema;
mod served;
mod set_aside;
mod source;
mod source_row;
mod sql_damage;
mod times;
mod told;
mod transaction;
mod types;
mod unfit;
mod unservable;
mod verdict;
mod verdict_list;
mod verdict_row;
mod verdict_words;
mod version;
mod version_row;
mod version_state;
mod wanted_file;
mod withdrawal;
mod writer;

pub use damaged_row::DamagedRow;
pub use error::StoreError;
pub use expected_file::ExpectedFile;
pub use handle::Store;
pub use notice_types::{
    Announcement, Candidate, ChangeRun, ChangeStory, EventSubject, NoticeLook, NoticeRecord,
    PublicationEvent, RunStart, SetLook, ToldOfEvent,
};
pub use times::Mended;
pub use types::{
    AttemptRecord, AttemptResult, Changed, ClaimRequest, Counted, Edited, Ended, EventFilter,
    FileSet, FilesToLookAt, JudgedBy, JudgedOrder, JudgedRequest, NamedVersion, NewEdition, Newest,
    PolicyAdoption, PublishTask, PublishedFile, Recorded, RefusalsBy, Seen, SourceChange,
    SourceFilter, VerdictFilter, VerdictOn, VerdictSubject, VersionToJudge,
};
pub use unservable::Unservable;
