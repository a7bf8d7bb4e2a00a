//! What is written down by one call each, and decides nothing by itself: the small change of the catalogue.

use std::result::Result;

use crate::domain::{
    ArchiveMark, EditionId, FileSeal, NewEvent, Slot, SourceId, VersionId, WorkerId, WorkerInfo,
};

use super::damaged_row::DamagedRow;
use super::notice_types::NoticeRecord;

/// Something to write down.
#[derive(Clone, Debug)]
pub enum Fact {
    /// An event that no other operation records.
    Event(NewEvent),
    /// A configuration is not used. Written down unless that is the last that is recorded of configurations and policies.
    ConfigRejected(NewEvent),
    /// The configuration of this catalogue could not be used: it is marked, for the pass that can use it again.
    ConfigUnusable,
    /// A configuration can be used again. Written down if the last that is recorded of configurations and policies is a
    /// rejection, and the configuration was marked as unusable.
    ConfigUsable(NewEvent),
    /// These rows are damaged: an event for each that none tells yet.
    Damage(Vec<DamagedRow>),
    /// A process was killed in the middle of judging these versions; those that were purged meanwhile are left out.
    JudgingDeaths(Vec<VersionId>),
    /// Every rule has judged this version to the end: what was counted of its judging's deaths is forgotten.
    JudgedToTheEnd(VersionId),
    /// What a source's server gave to ask with is to be forgotten, so that the next request is unconditional.
    ForgetValidators(SourceId),
    /// A claimed source is due in this slot at the latest, whatever comes of its claim.
    DueBy {
        /// Which source.
        source: SourceId,
        /// The claim's fencing number.
        fence: i64,
        /// Who holds the claim.
        worker: WorkerId,
        /// The slot.
        slot: Slot,
    },
    /// A worker lives, and its claims hold.
    WorkerSeen(WorkerInfo),
    /// A worker is about to make an object, and to record the blob that names it.
    ObjectPending {
        /// The object's name.
        name: String,
        /// The worker.
        worker: WorkerId,
    },
    /// The files of these pending objects are gone from `objects/`.
    ObjectsGone(Vec<String>),
    /// A chore was done.
    Chore(&'static str),
    /// The archive was looked through for what is not needed.
    Swept,
    /// How published files look that hold what they should, and which do not: those are due to be published again. Those of
    /// damaged rows are left out, and noted.
    Looks(Vec<(SourceId, Option<FileSeal>)>),
    /// Files that a killed process may have written without a record of it are not known to be right: their sources are marked.
    FilesUnsure,
    /// Why these sources' files could not be brought in line. The first failure of each is an event, those that follow are
    /// not, until one succeeds.
    PublishFailures(Vec<(SourceId, String)>),
    /// What became of tries to remove the files of removed sources, by path: gone, and whether one was there, or why not. An
    /// event tells the first failure of each, and its end.
    Withdrawals(Vec<(String, Result<bool, String>)>),
    /// The new state of a notifier, with the event of the message that was sent, if any.
    Notice(Box<NoticeRecord>),
    /// An archive is taken over.
    ArchiveAdopted {
        /// The catalogue's mark from now on.
        mark: ArchiveMark,
        /// The stored objects and the editions of sets that no row names, and that must stay.
        kept: Vec<String>,
        /// The text of the event.
        detail: String,
    },
    /// Files are at these paths of no source, although they were withdrawn: they are to be removed.
    Strays(Vec<String>),
    /// Why a set cannot be judged at all, with an event when that is news; nothing when it can be.
    SetProblem {
        /// The set's name.
        set: String,
        /// The reason.
        problem: Option<String>,
    },
    /// Why a set's published folder could not be brought in line; nothing when it is. The first failure is an event, those that
    /// follow are not, until one succeeds.
    SetPublishError {
        /// The set's name.
        set: String,
        /// The reason.
        why: Option<String>,
    },
    /// A set that is neither configured nor published is forgotten.
    SetGone(String),
    /// The log is to say how an edition stands, which became the newest of its set again when others were deleted.
    EditionState(EditionId),
}
