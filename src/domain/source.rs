//! A source: an address that is fetched at an interval, with its settings and its state.

use chrono::{DateTime, Utc};

use super::words::words;
use super::{
    AttemptOutcome, DayOf, DaysState, Digest, FileSeal, Slot, SourceId, SourceSettings,
    StoredObject, Validators, VersionId, VersionState, Withdrawal, WorkerId,
};

words!(
    "a publish policy":
    /// Which versions of a source may be published.
    #[derive(Default)]
    pub enum PublishPolicy {
        /// Versions that passed, and versions that no required verifier judges.
        #[default]
        Passed = "passed",
        /// The newest version, whatever its verdicts.
        Newest = "newest",
    }
);

/// Request headers, in lower case, that a source cannot set: gannet sends them itself, or they would change the
/// framing of messages or the meaning of responses (RFC 9110 §7.6.1, RFC 9112 §6).
pub const RESERVED_HEADERS: [&str; 18] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A source as the store records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The source's id.
    pub id: SourceId,
    /// Its settings.
    pub settings: SourceSettings,
    /// The day that it is, of a dated source.
    pub day: Option<DayOf>,
    /// Where its file is published, relative to `published/`.
    pub published_path: String,
    /// When the source was added.
    pub created_at: DateTime<Utc>,
    /// When the source was removed, if it was; its history stays.
    pub removed_at: Option<DateTime<Utc>>,
    /// Its present state.
    pub state: SourceState,
}

/// The state of a source after its last attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The slot from which on the source is due.
    pub next_slot: Slot,
    /// Failed attempts in a row.
    pub failures: u32,
    /// When the last attempt began.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// How the last attempt ended.
    pub last_outcome: Option<AttemptOutcome>,
    /// The newest version.
    pub version_id: Option<VersionId>,
    /// The state of the newest version; `None` when its row is damaged or lost.
    pub version_state: Option<VersionState>,
    /// The version at the published path; of a removed source, until its file is removed.
    pub published_version_id: Option<VersionId>,
    /// Whether the published file differs from what the states of the versions demand.
    pub publish_due: bool,
    /// Why the last try to publish or withdraw failed.
    pub publish_error: Option<String>,
    /// The set that publishes the source in its folder, once an edition contains it; several names, joined by commas,
    /// are a mistake in the tags.
    pub set: Option<String>,
    /// Whether the newest edition of that set failed or could not be judged.
    pub set_fails: bool,
    /// The version in the folder of that set, or of a set that the source left or was removed from.
    pub set_version_id: Option<VersionId>,
    /// The set whose folder holds that version; several names, joined by commas, after a mistake in the tags.
    pub showing_set: Option<String>,
    /// The withdrawal of the source's file or of its set's folder; `None` while a version is published.
    pub withdrawn: Option<Box<Withdrawal>>,
    /// The days of a dated source, which has no versions of its own; `None` for other sources, and where nobody asked.
    pub days: Option<Box<DaysState>>,
}

impl SourceState {
    /// Returns the version that consumers see: at the source's own path, or in its set's folder.
    pub fn served(&self) -> Option<VersionId> {
        self.published_version_id.or(self.set_version_id)
    }

    /// Returns the names in `set`: the sets whose tags the source carries, more than one by mistake.
    pub fn sets(&self) -> impl Iterator<Item = &str> {
        names(self.set.as_deref())
    }

    /// Returns the names in `showing_set`: the sets in whose folders consumers find the source's file.
    pub fn showing_sets(&self) -> impl Iterator<Item = &str> {
        names(self.showing_set.as_deref())
    }
}

fn names(joined: Option<&str>) -> impl Iterator<Item = &str> {
    joined.into_iter().flat_map(|names| names.split(", "))
}

/// The right of one worker to fetch a source, for as long as that worker is seen.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The source to fetch.
    pub source: Source,
    /// The fencing number, which grows with every claim; the store refuses results of an older claim.
    pub fence: i64,
    /// The worker that holds the claim; the store refuses results of another one.
    pub worker: WorkerId,
    /// The validators of the last response.
    pub validators: Validators,
    /// The number of requests for the source so far: every 30th is sent without validators.
    pub requests: u64,
    /// When the last attempt began that received a whole body.
    pub whole_at: Option<DateTime<Utc>>,
    /// When the newest version's bytes were last known to be intact: written, or read back.
    pub checked_at: Option<DateTime<Utc>>,
    /// The newest version, if there is one.
    pub newest: Option<NewestVersion>,
    /// The recorded seal of the published file; `None` when none is recorded, or the record is damaged.
    pub published_seal: Option<FileSeal>,
}

/// The facts of the newest version that the pipeline needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestVersion {
    /// The version's id.
    pub id: VersionId,
    /// Its position in the source's history, from 0.
    pub ordinal: u64,
    /// The digest of its content.
    pub digest: Digest,
    /// The length of its content.
    pub size_bytes: u64,
    /// The objects that are read to decode it: its own, and those of its bases.
    pub objects: Vec<StoredObject>,
}
