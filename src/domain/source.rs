//! A source: an address that is watched, what the operator said of it, and where it stands.

use chrono::{DateTime, Utc};

use super::words::words;
use super::{
    AttemptOutcome, Digest, Slot, SourceId, SourceSettings, StoredObject, Validators, VersionId,
    VersionState, Withdrawal,
};

words!(
    "a publish policy":
    /// Which versions of a source may be published.
    #[derive(Default)]
    pub enum PublishPolicy {
        /// Those that passed, and those that no verifier judges.
        #[default]
        Passed = "passed",
        /// The newest, whatever its verdicts.
        Newest = "newest",
    }
);

/// Request headers, in lower case, that gannet sends itself, or that would change how a message is framed or what an
/// answer means (RFC 9110 §7.6.1, RFC 9112 §6): a source cannot set them.
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

/// A source as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Which source.
    pub id: SourceId,
    /// What the operator said.
    pub settings: SourceSettings,
    /// Where its file is published, relative to `published/`.
    pub published_path: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was removed, if it was; its history stays.
    pub removed_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub state: SourceState,
}

/// Where a source stands after its last attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The slot from which on it is due.
    pub next_slot: Slot,
    /// Failed attempts since the last good one.
    pub failures: u32,
    /// When the last attempt began.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// How the last attempt ended.
    pub last_outcome: Option<AttemptOutcome>,
    /// The newest version.
    pub version_id: Option<VersionId>,
    /// The state of the newest version; nothing when its row is damaged or lost.
    pub version_state: Option<VersionState>,
    /// The version that lies at the published path; of a removed source, until its file is gone.
    pub published_version_id: Option<VersionId>,
    /// Whether the file at the published path is not as the states of the versions demand.
    pub publish_due: bool,
    /// Why the last try to bring it in line failed.
    pub publish_error: Option<String>,
    /// The set that it is published with instead of by itself, once an edition has it; several, joined by commas, are a mistake.
    pub set: Option<String>,
    /// The newest files of that set failed together, or could not be judged.
    pub set_fails: bool,
    /// The version that lies in the folder which that set publishes, or one that the source left or was removed from.
    pub set_version_id: Option<VersionId>,
    /// The set in whose folder that version lies; several, joined by commas, after the mistake of being in them.
    pub showing_set: Option<String>,
    /// That what consumers saw of it, by itself or with that set, was withdrawn; nothing while they see a version.
    pub withdrawn: Option<Box<Withdrawal>>,
}

impl SourceState {
    /// Returns the version that consumers see: at the source's own path, or in its set's folder.
    pub fn served(&self) -> Option<VersionId> {
        self.published_version_id.or(self.set_version_id)
    }
}

/// The right to fetch one source, until it lapses.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What to fetch.
    pub source: Source,
    /// The fencing number: grows with every claim; a result that carries an older one is refused.
    pub fence: i64,
    /// What the server said last, to be sent back verbatim.
    pub validators: Validators,
    /// How many requests were made for it before: every 30th goes without validators.
    pub requests: u64,
    /// When an attempt began that received the whole file, last.
    pub whole_at: Option<DateTime<Utc>>,
    /// When the newest version's bytes were known to be good last: written, or read back.
    pub checked_at: Option<DateTime<Utc>>,
    /// The newest version, if there is one.
    pub newest: Option<NewestVersion>,
}

/// What the pipeline needs to know of the newest version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestVersion {
    /// Which version.
    pub id: VersionId,
    /// Its place in the source's history, from 0.
    pub ordinal: u64,
    /// Its content's digest.
    pub digest: Digest,
    /// Its content's length.
    pub size_bytes: u64,
    /// The objects that reading it takes: its own, and those that it is a delta against.
    pub objects: Vec<StoredObject>,
}
