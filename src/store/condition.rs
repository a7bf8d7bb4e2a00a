//! Questions to the catalogue that are answered by yes or no.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Digest, EditionId, SourceId};

/// What may hold in the catalogue, or not.
#[derive(Clone, Debug)]
pub enum Condition {
    /// There is a version, of a removed source perhaps.
    AnyVersion,
    /// The source has a version with this content.
    HasContent(SourceId, Digest),
    /// A source carries the tag of this set by what it says itself, whatever the set's rows of members say.
    Tagged(String),
    /// A source carries this set's tag, enabled or not.
    HasMembers(String),
    /// A member of this edition is to be published at its own path, and nothing lies there yet, or perhaps nothing.
    HasLeavingMember(EditionId),
    /// Something with this name that no row names is kept since the archive was taken over: a stored object, or the edition of
    /// a set.
    Kept(String),
    /// A chore was not done for so long, or at a time that cannot be.
    ChoreDue {
        /// The chore.
        name: &'static str,
        /// The time of day.
        now: DateTime<Utc>,
        /// How often it is to be done.
        every: TimeDelta,
    },
    /// The archive was not looked through for so long, or at a time that lies ahead.
    SweepDue {
        /// The time of day.
        now: DateTime<Utc>,
        /// How often it is to be done.
        every: TimeDelta,
    },
}
