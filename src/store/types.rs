//! What goes into the catalogue's operations and comes out of them, where the domain has no word for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{
    AttemptId, Digest, Edit, EditionId, EditionMember, EventId, FailureKind, LastModified, NewBlob,
    NewVerdict, Policy, Provenance, SettingsPatch, Slot, Source, SourceId, SourceSettings, Stamp,
    Validators, VerdictId, VerdictOutcome, Version, VersionId, VersionState, Withdrawal, WorkerId,
    WorkerInfo,
};

/// One change of the catalogue by an operator.
#[derive(Clone, Debug)]
pub enum SourceChange {
    /// A new source, due at once.
    Add(SourceSettings),
    /// Settings of a source to change, whatever the others are by then. Another interval computes the next slot anew from
    /// the last attempt; another address is due at once; another address or other headers forget the validators. A
    /// fetch under way whose question or permissions change is refused when it ends, and due again at once.
    Edit(SourceId, Arc<SettingsPatch>),
    /// An edit to take back, where its settings are still as it made them.
    TakeBack(SourceId, Box<Edit>),
    /// The taking back of an edit to take back in turn, on the same terms.
    MakeAgain(SourceId, Box<Edit>),
    /// A removed source, back with its history and with these settings changed; due when it was, as far as the changes leave
    /// that. One that is back already is only changed.
    Restore(SourceId, Arc<SettingsPatch>),
    /// The end of a source.
    Remove {
        /// Which one.
        id: SourceId,
        /// Whether its history goes too; then it may have been removed before.
        purge: bool,
    },
}

/// What follows from a change, to be done after the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The source that was added, edited or removed.
    pub source_id: SourceId,
    /// Objects that no blob names any more, to delete.
    pub objects: Vec<String>,
    /// What became of an edit, or of taking one back.
    pub edited: Option<Box<Edited>>,
}

/// What a source is called, and the newest version that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedVersion {
    /// Which source.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version_id: Option<VersionId>,
    /// What follows from the verdicts on that version.
    pub version_state: Option<VersionState>,
    /// Whether it lies at the source's own path.
    pub is_published: bool,
}

/// What became of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The source as it is now.
    pub source: Source,
    /// Its settings before and after; the same when it was so already.
    pub edit: Edit,
    /// Names of the settings that were not taken back, since somebody changed them meanwhile.
    pub left_alone: Vec<&'static str>,
}

/// A moment in the history of a catalogue's commits, by whichever process. Two are unequal when something was committed
/// between them; they have no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeToken(pub(super) i64);

/// How many sources there are to fetch, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How many are enabled and not removed.
    pub watched: u64,
    /// How many of them are due by now, those under a claim included.
    pub due: u64,
    /// The first slot after now at which another one is.
    pub next: Option<Slot>,
}

/// What is known of a source's newest version and of its last attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// The length of the newest version's content.
    pub size_bytes: Option<u64>,
    /// Its digest.
    pub digest: Option<Digest>,
    /// Why the last attempt failed, if it did.
    pub error_kind: Option<FailureKind>,
    /// The same in words.
    pub error: Option<String>,
    /// The version that should be published by itself, if any should.
    pub wanted_version_id: Option<VersionId>,
}

/// Which sources are to be claimed.
#[derive(Clone, Debug)]
pub enum ClaimWhat {
    /// Those that are due, first those that are due longest.
    Due,
    /// These, due or not, enabled or not.
    These(Vec<SourceId>),
}

/// Which claims are to end.
#[derive(Clone, Debug)]
pub enum ClaimsToRelease {
    /// Every one that this worker still holds, which is forgotten until it claims again.
    Of(WorkerId),
    /// Those of workers that were not seen for a lease by now, and of unknown workers.
    Lapsed(DateTime<Utc>),
    /// That on one source with this fencing number, if it still holds: the same worker may have made another one since, when an
    /// edit ended this one.
    One {
        /// The source.
        source: SourceId,
        /// The claim's fencing number.
        fence: i64,
        /// Who holds it.
        worker: WorkerId,
    },
}

/// Who claims what, and how much.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Which sources.
    pub what: ClaimWhat,
    /// Who claims: the claims hold for as long as it is seen.
    pub worker: WorkerInfo,
    /// The time of day, at which the worker is seen; the claims of those that were not seen for a lease are void.
    pub now: DateTime<Utc>,
    /// At most so many.
    pub limit: usize,
    /// Hosts ([`crate::domain::Address::host`]) that have enough work pending.
    pub excluded_hosts: Vec<String>,
}

/// How an attempt ended, with what it brought.
#[derive(Clone, Debug)]
pub enum AttemptResult {
    /// Other content than the newest version's.
    New {
        /// Its stored form; not used when the content is known already.
        blob: NewBlob,
        /// The file name; one safe path part.
        name: String,
        /// The media type that the server gave.
        media_type: Option<String>,
        /// The server's own word for its time.
        last_modified: Option<LastModified>,
    },
    /// The same content as before.
    Unchanged,
    /// Nothing was learned of the content.
    Failed {
        /// Why.
        kind: FailureKind,
        /// The same in words; never a secret.
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
    /// Who holds the claim.
    pub worker: WorkerId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took, retries included.
    pub duration: Duration,
    /// How many requests were made, redirects not counted.
    pub tries: u32,
    /// How many requests were made for the source so far, this attempt's included.
    pub requests: u64,
    /// The status of the last answer, if there was one.
    pub http_status: Option<u16>,
    /// Which addresses were asked, and who answered; nothing when nothing was asked.
    pub provenance: Option<Provenance>,
    /// How many bytes of content arrived, decoded; nothing for a 304.
    pub size_bytes: Option<u64>,
    /// What to ask with the next time.
    pub validators: Validators,
    /// The newest version's bytes were read back and are good.
    pub checked: bool,
    /// The server asks for no request before this slot, when the attempt failed.
    pub not_before: Option<Slot>,
    /// How it ended.
    pub result: AttemptResult,
    /// When it is recorded, and by whom.
    pub stamp: Stamp,
}

/// What became of an [`AttemptRecord`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The attempt's id.
    pub attempt_id: AttemptId,
    /// The version that was made (new), or is still the newest (unchanged).
    pub version_id: Option<VersionId>,
    /// The state in which a new version begins: pending, or unverified when no verifier of the policy in force decides about it.
    pub first_state: Option<VersionState>,
    /// The content was known already: the stored form of the record was not used, and its object can go.
    pub blob_was_known: bool,
}

/// A policy to be put in force.
#[derive(Clone, Debug)]
pub struct PolicyAdoption {
    /// The verifiers and sets.
    pub policy: Policy,
    /// The absolute path of the configuration file that they come from, if they come from one.
    pub file: Option<String>,
    /// The revision whose place it takes: 0 for none.
    pub replaces: i64,
}

/// Which events to read.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only those about this source.
    pub source_id: Option<SourceId>,
    /// Only those about the set with this name.
    pub set: Option<String>,
    /// Only those from this time on.
    pub since: Option<DateTime<Utc>>,
    /// Only those that came after this one; then the oldest `limit` of them instead of the newest.
    pub after: Option<EventId>,
    /// At most so many, the newest that match, returned oldest first.
    pub limit: usize,
}

/// Which verdicts to read; what is not said lets all through.
#[derive(Clone, Debug, Default)]
pub struct VerdictFilter {
    /// Of the verifier with this name.
    pub verifier: Option<String>,
    /// Of judges whose fingerprint begins so.
    pub fingerprint: Option<String>,
    /// That say this.
    pub outcome: Option<VerdictOutcome>,
    /// On versions of these sources.
    pub sources: Option<Vec<SourceId>>,
    /// On these versions, besides those of `sources`.
    pub versions: Option<Vec<VersionId>>,
    /// On editions of this set.
    pub set: Option<String>,
    /// At most so many, the newest.
    pub limit: Option<usize>,
}

/// A verdict, and on what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictOn {
    /// What was said.
    pub verdict: NewVerdict,
    /// Who ran the verifier or gave the verdict.
    pub actor: String,
    /// On what.
    pub on: VerdictSubject,
    /// The id of the version or the edition with the same contents on which it was given; nothing when that is this one.
    pub given_on: Option<i64>,
}

/// What a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerdictSubject {
    /// One version of a source.
    Version {
        /// Which version.
        id: VersionId,
        /// The digest of its content.
        digest: Digest,
        /// Of which source.
        source_id: SourceId,
        /// What people call that.
        source_name: String,
    },
    /// One edition of a set.
    Edition {
        /// Which edition.
        id: EditionId,
        /// Of which set.
        set: String,
    },
}

/// From which end versions are gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JudgedOrder {
    /// From the first that was fetched.
    #[default]
    OldestFirst,
    /// From the last.
    NewestFirst,
}

/// Which versions to read with their judges.
#[derive(Clone, Debug)]
pub struct JudgedRequest {
    /// Only those of these sources.
    pub sources: Option<Vec<SourceId>>,
    /// In which order.
    pub order: JudgedOrder,
    /// Beyond this one in that order.
    pub after: Option<VersionId>,
    /// At most so many.
    pub limit: usize,
}

/// A version, and who judged it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedBy {
    /// Which version.
    pub version_id: VersionId,
    /// Of which source.
    pub source_id: SourceId,
    /// Its state as recorded.
    pub state: VersionState,
    /// By verifier, its newest verdict.
    pub last: BTreeMap<String, LastVerdict>,
}

/// What a verifier said last of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastVerdict {
    /// Which judge it was then.
    pub fingerprint: String,
    /// What it said.
    pub outcome: VerdictOutcome,
}

/// A set that the configuration names, or did until its published folder is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSet {
    /// Its name, which is the tag.
    pub name: String,
    /// Whether the configuration names it.
    pub configured: bool,
    /// Why it cannot be judged at all.
    pub problem: Option<String>,
    /// Why the last try to bring its published folder in line failed.
    pub publish_error: Option<String>,
    /// The edition that readers see.
    pub published: Option<EditionId>,
    /// Since when they do.
    pub published_at: Option<DateTime<Utc>>,
    /// That an edition which they saw was withdrawn; nothing while they see one.
    pub withdrawn: Option<Withdrawal>,
}

impl FileSet {
    /// Returns whether readers find nothing of the set any more since an edition that they saw was withdrawn.
    pub fn is_withdrawn(&self) -> bool {
        self.published.is_none() && self.withdrawn.is_some()
    }
}

/// A combination of versions with its first verdicts.
#[derive(Clone, Debug)]
pub struct NewEdition {
    /// Of which set.
    pub set: String,
    /// Its members, by name.
    pub members: Vec<EditionMember>,
    /// What its verifiers said.
    pub verdicts: Vec<NewVerdict>,
    /// What was known to whoever judged; of verdicts, those that refused these contents before.
    pub seen: Seen,
}

/// A version that is to be judged.
#[derive(Clone, Debug)]
pub struct VersionToJudge {
    /// The version.
    pub version: Version,
    /// The newest verdict on it; 0 while there is none.
    pub newest_verdict: VerdictId,
    /// How often judging it killed the process, since its rules last all spoke.
    pub deaths: u32,
}

/// What was known to whoever reached a verdict, when that began.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The newest verdict on the same.
    pub verdict: VerdictId,
    /// By which policy verifiers were asked; nothing where none was.
    pub policy: Option<Arc<Policy>>,
    /// Whether all verifiers were asked anew since earlier verdicts cannot be read: those are set aside for what they say now.
    pub is_anew: bool,
}

/// What came of verdicts that were recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What follows from all verdicts there are.
    pub state: VersionState,
    /// Those of the recorded ones that were not overtaken.
    pub verdicts: Vec<NewVerdict>,
    /// Verdicts by hand that counted for others with the same contents, and whose place these took.
    pub ended: Vec<Ended>,
}

/// A verdict by hand that counted until the verifier judged the same contents elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The id of the version or the edition on which it counted.
    pub on: i64,
    /// What a person had said.
    pub verdict: NewVerdict,
    /// Who.
    pub actor: String,
}

impl From<VerdictId> for Seen {
    /// Returns the same without a verifier that was asked.
    fn from(verdict: VerdictId) -> Self {
        Self {
            verdict,
            policy: None,
            is_anew: false,
        }
    }
}

/// What somebody outside failed in a verifier's name, of one source or of one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalsBy {
    /// The verifier's name.
    pub verifier: String,
    /// The source of the versions; `None` for editions of a set.
    pub source_id: Option<SourceId>,
    /// The set of the editions; `None` for versions of a source.
    pub set: Option<String>,
    /// How many versions or editions.
    pub count: u64,
}
