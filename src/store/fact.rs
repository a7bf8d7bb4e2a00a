//! Facts: small records that are written by one call each and decide nothing.

use std::result::Result;

use crate::domain::{
    ArchiveMark, Digest, EditionId, FileSeal, NewEvent, Slot, SourceId, VersionId, WorkerId,
    WorkerInfo,
};

use super::damaged_row::DamagedRow;
use super::link_types::{NewLinks, ServiceInfo};
use super::notice_types::NoticeRecord;

/// A fact to record.
#[derive(Clone, Debug)]
pub enum Fact {
    /// An event that no other operation records.
    Event(NewEvent),
    /// A configuration was rejected. Recorded unless the last event about configurations and policies is a rejection.
    ConfigRejected(NewEvent),
    /// The configuration of this catalogue could not be used. Leaves a mark for the pass that can use it again.
    ConfigUnusable,
    /// A configuration can be used again. Recorded if it was marked as unusable and the last event about configurations
    /// and policies is a rejection.
    ConfigUsable(NewEvent),
    /// These rows are damaged. Appends an event for each that no recent event reports.
    Damage(Vec<DamagedRow>),
    /// A process was killed while it was judging these versions. Purged versions are left out.
    JudgingDeaths(Vec<VersionId>),
    /// Every rule has judged this version: its count of deaths is deleted.
    JudgedToTheEnd(VersionId),
    /// The validators of this source are deleted: its next request is unconditional.
    ForgetValidators(SourceId),
    /// A claimed source is due in this slot at the latest, however its claim ends.
    DueBy {
        /// The source.
        source: SourceId,
        /// The claim's fencing number.
        fence: i64,
        /// The worker that holds the claim.
        worker: WorkerId,
        /// The slot.
        slot: Slot,
    },
    /// A worker is alive: its claims hold.
    WorkerSeen(WorkerInfo),
    /// A worker is about to write an object, and to record the blob that names it.
    ObjectPending {
        /// The object's name.
        name: String,
        /// The worker.
        worker: WorkerId,
    },
    /// The files of these pending objects are no longer in `objects/`.
    ObjectsGone(Vec<String>),
    /// The chore with this name was done.
    Chore(&'static str),
    /// The archive was swept of what is not needed.
    Swept,
    /// The looks of published files that hold what they should; without a look, a file does not and is due to be
    /// published again. Files of damaged rows are left out and noted.
    Looks(Vec<(SourceId, Option<FileSeal>)>),
    /// Published files that a killed process may have written without recording it are unsure: their sources are
    /// marked.
    FilesUnsure,
    /// Why the files of these sources could not be published or withdrawn. Only the first failure of a source after a
    /// success appends an event.
    PublishFailures(Vec<(SourceId, String)>),
    /// The results of removing the files of removed sources, by path: whether a file was there, or why it could not be
    /// removed. The first failure of a path and its end append an event.
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
    /// Files lie at these paths of no source although they were withdrawn: they are to be removed.
    Strays(Vec<String>),
    /// Why a set cannot be judged; a new reason appends an event.
    SetProblem {
        /// The set's name.
        set: String,
        /// The reason; `None` when it can be judged.
        problem: Option<String>,
    },
    /// Why the folder of a set could not be published or withdrawn. Only the first failure after a success appends an
    /// event.
    SetPublishError {
        /// The set's name.
        set: String,
        /// The reason; `None` after a success.
        why: Option<String>,
    },
    /// A set that is neither configured nor published is deleted.
    SetGone(String),
    /// The session whose secret has this digest was used.
    SessionUsed(Digest),
    /// That session ended.
    SessionEnded(Digest),
    /// The token whose secret has this digest was used.
    TokenUsed(Digest),
    /// A verifier is being asked, and gets these links.
    LinksMade(Box<NewLinks>),
    /// A service runs.
    ServiceSeen(ServiceInfo),
    /// The service at this address ended.
    ServiceEnded(String),
    /// An edition became the newest of its set again when others were deleted: its state is appended to the log.
    EditionState(EditionId),
}
