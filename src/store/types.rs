//! The arguments and results of the store's operations for which the domain has no type.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{
    Action, AttemptId, AttemptOutcome, Day, Digest, Edit, EditionId, EditionMember, EventId,
    FailureKind, LastModified, NewBlob, NewVerdict, Policy, Provenance, SettingsPatch, Slot,
    Source, SourceId, SourceSettings, Stamp, Validators, VerdictId, VerdictOutcome, Version,
    VersionId, VersionState, Withdrawal, WorkerId, WorkerInfo,
};

/// A change of one source by an operator.
#[derive(Clone, Debug)]
pub enum SourceChange {
    /// A new source, due at once.
    Add(SourceSettings),
    /// Changes of a source's settings; its other settings stay as they are by then. Another interval computes the next
    /// slot anew from the last attempt; a source with another address is due at once; another address or other headers
    /// delete the validators. A fetch under way whose question or permissions change is refused when it ends, and due
    /// again at once.
    Edit(SourceId, Arc<SettingsPatch>),
    /// The same, but refused with [`super::StoreError::Changed`] unless the present settings are these.
    EditSeen(SourceId, Arc<SettingsPatch>, Box<SourceSettings>),
    /// An edit to take back, for those of its settings that are still as it made them.
    TakeBack(SourceId, Box<Edit>),
    /// An edit that was taken back, to make again on the same terms.
    MakeAgain(SourceId, Box<Edit>),
    /// A removed source to restore with its history and with these changes of its settings. It is due when it was,
    /// unless the changes say otherwise. A source that is present already is only changed.
    Restore(SourceId, Arc<SettingsPatch>),
    /// No change: refuses all changes with [`super::StoreError::Changed`] unless the present settings of a source, which
    /// may be removed, are these.
    Seen(SourceId, Box<SourceSettings>),
    /// A source to remove.
    Remove {
        /// The source.
        id: SourceId,
        /// Whether its history is deleted, too; the source may then have been removed before.
        purge: bool,
    },
}

/// Which days of dated sources to open.
#[derive(Clone, Debug)]
pub enum OpenDays {
    /// The windows of all dated sources that are due.
    Due,
    /// The window of this dated source.
    Window(SourceId),
    /// These days of a dated source, in the window or not.
    These {
        /// The dated source.
        series: SourceId,
        /// The days.
        days: Vec<Day>,
    },
}

/// The days that were opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenedDays {
    /// The days that are to be asked for: of a window those that are not settled; else all that were requested.
    pub days: Vec<SourceId>,
    /// The days that could not be made, each with the reason.
    pub refused: Vec<String>,
}

/// The result of a change, with what is left to do after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The source that was added, edited or removed.
    pub source_id: SourceId,
    /// The objects that no blob names any more: their files are to be deleted.
    pub objects: Vec<String>,
    /// The result of an edit, or of taking one back.
    pub edited: Option<Box<Edited>>,
}

/// The name of a source, and its newest version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedVersion {
    /// The source.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version_id: Option<VersionId>,
    /// The state of that version.
    pub version_state: Option<VersionState>,
    /// Whether that version is published at the source's own path.
    pub is_published: bool,
}

/// The result of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The source as it is now.
    pub source: Source,
    /// Its settings before and after; the same when nothing changed.
    pub edit: Edit,
    /// The names of the settings that were not taken back because somebody changed them meanwhile.
    pub left_alone: Vec<&'static str>,
}

/// A moment in the history of a catalogue's commits by all processes. Two tokens are unequal when there was a commit
/// between them; they have no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeToken(pub(super) i64);

/// How many sources there are to fetch, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The number of sources that are enabled and not removed.
    pub watched: u64,
    /// The number of these that are due by now, claimed ones included.
    pub due: u64,
    /// The first slot after now at which another one is due.
    pub next: Option<Slot>,
}

/// The attempts that began in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourOfAttempts {
    /// When the hour begins.
    pub start: DateTime<Utc>,
    /// How many attempts began.
    pub attempts: u64,
    /// How many of them failed.
    pub failures: u64,
}

/// Facts of a source's newest version and of its last attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// The length of the newest version's content.
    pub size_bytes: Option<u64>,
    /// The digest of that content.
    pub digest: Option<Digest>,
    /// Why the last attempt failed, if it did.
    pub error_kind: Option<FailureKind>,
    /// The same failure in words.
    pub error: Option<String>,
    /// The version that should be published by itself, if any should.
    pub wanted_version_id: Option<VersionId>,
}

/// Which sources to claim.
#[derive(Clone, Debug)]
pub enum ClaimWhat {
    /// Due sources, the longest due first.
    Due,
    /// These sources, due or not, enabled or not.
    These(Vec<SourceId>),
}

/// Which claims to end.
#[derive(Clone, Debug)]
pub enum ClaimsToRelease {
    /// All claims of this worker. Its row is deleted until it claims again.
    Of(WorkerId),
    /// The claims of workers that were not seen for a lease by this time, and of unknown workers.
    Lapsed(DateTime<Utc>),
    /// The claim on this source with this fencing number, if it still holds. An edit may have ended it, and the same
    /// worker may have claimed the source again.
    One {
        /// The source.
        source: SourceId,
        /// The claim's fencing number.
        fence: i64,
        /// The worker that holds it.
        worker: WorkerId,
    },
}

/// A worker's request for claims.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// The sources to claim.
    pub what: ClaimWhat,
    /// The worker: its claims hold for as long as it is seen.
    pub worker: WorkerInfo,
    /// The time of day, at which the worker is seen. Claims of workers that were not seen for a lease are void.
    pub now: DateTime<Utc>,
    /// At most so many claims.
    pub limit: usize,
    /// Hosts ([`crate::domain::Address::host`]) that have enough work pending.
    pub excluded_hosts: Vec<String>,
}

/// How an attempt ended, with its content.
#[derive(Clone, Debug)]
pub enum AttemptResult {
    /// The content differs from the newest version's.
    New {
        /// The stored form of the content; not used when the content is known already.
        blob: NewBlob,
        /// The file name; one safe path part.
        name: String,
        /// The media type that the server gave.
        media_type: Option<String>,
        /// The time of last modification that the server gave.
        last_modified: Option<LastModified>,
    },
    /// The content is the newest version's.
    Unchanged,
    /// The file of a day is not there yet.
    Absent,
    /// The attempt failed.
    Failed {
        /// The kind of failure.
        kind: FailureKind,
        /// The failure in words; never a secret.
        detail: String,
    },
}

/// One attempt, made under a claim.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// The source that was fetched.
    pub source_id: SourceId,
    /// The claim's fencing number.
    pub fence: i64,
    /// The worker that holds the claim.
    pub worker: WorkerId,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// How long it took, retries included.
    pub duration: Duration,
    /// How many requests were made, redirects not counted.
    pub tries: u32,
    /// How many requests were made for the source so far, this attempt's included.
    pub requests: u64,
    /// The status of the last answer, if there was one.
    pub http_status: Option<u16>,
    /// The addresses that were asked, and who answered; `None` without a request.
    pub provenance: Option<Provenance>,
    /// The number of decoded bytes of content that arrived; `None` for a 304.
    pub size_bytes: Option<u64>,
    /// The validators for the next request.
    pub validators: Validators,
    /// Whether the newest version's bytes were read back and are good.
    pub checked: bool,
    /// The slot before which the server asks for no request, after a failure.
    pub not_before: Option<Slot>,
    /// How the attempt ended.
    pub result: AttemptResult,
    /// The time and the actor of the recording.
    pub stamp: Stamp,
}

/// The result of recording an [`AttemptRecord`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The attempt's id.
    pub attempt_id: AttemptId,
    /// The version that was made (new), or is still the newest (unchanged).
    pub version_id: Option<VersionId>,
    /// The first state of a new version: pending, or unverified when the policy in force requires no verdict on it.
    pub first_state: Option<VersionState>,
    /// Whether the content was known already: then the stored form was not used, and its object can be deleted.
    pub blob_was_known: bool,
}

/// A policy to put in force.
#[derive(Clone, Debug)]
pub struct PolicyAdoption {
    /// The verifiers and sets.
    pub policy: Policy,
    /// The absolute path of their configuration file, if they have one.
    pub file: Option<String>,
    /// The revision that it replaces; 0 for none.
    pub replaces: i64,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptFacts {
    /// The attempt.
    pub id: AttemptId,
    /// The outcome.
    pub outcome: AttemptOutcome,
    /// The kind of failure, if it failed.
    pub error_kind: Option<FailureKind>,
    /// How long it took.
    pub duration: Duration,
}

/// Which events to read.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only events about this source.
    pub source_id: Option<SourceId>,
    /// Only events about the set with this name.
    pub set: Option<String>,
    /// Only events from this time on.
    pub since: Option<DateTime<Utc>>,
    /// Only events of this action.
    pub action: Option<Action>,
    /// Only events after this one; then the oldest `limit` of them instead of the newest.
    pub after: Option<EventId>,
    /// Only events before this one.
    pub before: Option<EventId>,
    /// At most so many: the newest that match, returned oldest first.
    pub limit: usize,
}

/// Which verdicts to read; a field without a value lets all through.
#[derive(Clone, Debug, Default)]
pub struct VerdictFilter {
    /// Only verdicts of the verifier with this name.
    pub verifier: Option<String>,
    /// Only verdicts whose fingerprint begins with this text.
    pub fingerprint: Option<String>,
    /// Only verdicts with this outcome.
    pub outcome: Option<VerdictOutcome>,
    /// Only verdicts on versions of these sources.
    pub sources: Option<Vec<SourceId>>,
    /// Verdicts on these versions, too, besides those of `sources`.
    pub versions: Option<Vec<VersionId>>,
    /// Only verdicts on editions of this set.
    pub set: Option<String>,
    /// At most so many: the newest.
    pub limit: Option<usize>,
}

/// A verdict and its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictOn {
    /// The verdict.
    pub verdict: NewVerdict,
    /// The actor that ran the verifier or gave the verdict.
    pub actor: String,
    /// Its subject.
    pub on: VerdictSubject,
    /// The id of the version or the edition with the same contents on which it was given; `None` when that is the
    /// subject.
    pub given_on: Option<i64>,
}

/// The subject of a verdict, with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerdictSubject {
    /// One version of a source.
    Version {
        /// The version.
        id: VersionId,
        /// The digest of its content.
        digest: Digest,
        /// Its source.
        source_id: SourceId,
        /// The name of the source.
        source_name: String,
    },
    /// One edition of a set.
    Edition {
        /// The edition.
        id: EditionId,
        /// The name of its set.
        set: String,
    },
}

/// The order in which versions are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JudgedOrder {
    /// The first that was fetched comes first.
    #[default]
    OldestFirst,
    /// The last that was fetched comes first.
    NewestFirst,
}

/// Which versions to read with their last verdicts.
#[derive(Clone, Debug)]
pub struct JudgedRequest {
    /// Only versions of these sources.
    pub sources: Option<Vec<SourceId>>,
    /// Their order.
    pub order: JudgedOrder,
    /// Only versions after this one in that order.
    pub after: Option<VersionId>,
    /// At most so many.
    pub limit: usize,
}

/// A version, and the newest verdict of each verifier on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedBy {
    /// The version.
    pub version_id: VersionId,
    /// Its source.
    pub source_id: SourceId,
    /// Its state as recorded.
    pub state: VersionState,
    /// The newest verdicts, by verifier.
    pub last: BTreeMap<String, LastVerdict>,
}

/// The newest verdict of a verifier on a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastVerdict {
    /// The fingerprint of the verifier's definition then.
    pub fingerprint: String,
    /// The outcome.
    pub outcome: VerdictOutcome,
}

/// A set that is configured, or still published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSet {
    /// Its name, which is the tag.
    pub name: String,
    /// Whether it is configured.
    pub configured: bool,
    /// Why it cannot be judged.
    pub problem: Option<String>,
    /// Why its folder could not be published or withdrawn at the last try.
    pub publish_error: Option<String>,
    /// The edition that readers see.
    pub published: Option<EditionId>,
    /// Since when readers see it.
    pub published_at: Option<DateTime<Utc>>,
    /// The withdrawal of the edition that readers saw; `None` while they see one.
    pub withdrawn: Option<Withdrawal>,
}

impl FileSet {
    /// Reports whether readers see no edition any more because one was withdrawn.
    pub fn is_withdrawn(&self) -> bool {
        self.published.is_none() && self.withdrawn.is_some()
    }
}

/// An edition to record, with its first verdicts.
#[derive(Clone, Debug)]
pub struct NewEdition {
    /// The name of the set.
    pub set: String,
    /// Its members, by name.
    pub members: Vec<EditionMember>,
    /// The verdicts of its verifiers.
    pub verdicts: Vec<NewVerdict>,
    /// What was known when judging began; its verdict is the newest that refused these contents before.
    pub seen: Seen,
}

/// A version to judge.
#[derive(Clone, Debug)]
pub struct VersionToJudge {
    /// The version.
    pub version: Version,
    /// The newest verdict on it; 0 without one.
    pub newest_verdict: VerdictId,
    /// How often a process was killed while judging it, since all its rules last gave a verdict.
    pub deaths: u32,
}

/// What was known when the judging that led to a verdict began.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The newest verdict on the same subject.
    pub verdict: VerdictId,
    /// The policy by which verifiers were asked; `None` when none was asked.
    pub policy: Option<Arc<Policy>>,
    /// Whether all verifiers were asked again because earlier verdicts cannot be read: the new verdicts replace those.
    pub is_anew: bool,
}

/// The result of recording verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The state that follows from all verdicts.
    pub state: VersionState,
    /// The recorded verdicts that were not overtaken.
    pub verdicts: Vec<NewVerdict>,
    /// The verdicts by hand on others with the same contents that these replaced.
    pub ended: Vec<Ended>,
}

/// A verdict by hand that counted until the verifier judged the same contents elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The id of the version or the edition on which it counted.
    pub on: i64,
    /// The verdict by hand.
    pub verdict: NewVerdict,
    /// The person who gave it.
    pub actor: String,
}

impl From<VerdictId> for Seen {
    /// Returns what is known when no verifier was asked.
    fn from(verdict: VerdictId) -> Self {
        Self {
            verdict,
            policy: None,
            is_anew: false,
        }
    }
}

/// The number of standing refusals in the name of one verifier, of one source or of one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalsBy {
    /// The verifier's name.
    pub verifier: String,
    /// The source of the versions; `None` for editions of a set.
    pub source_id: Option<SourceId>,
    /// The set of the editions; `None` for versions of a source.
    pub set: Option<String>,
    /// The number of versions or editions.
    pub count: u64,
}
