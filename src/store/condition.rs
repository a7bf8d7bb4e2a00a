//! The questions to the catalogue that are answered by yes or no.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Digest, EditionId, SourceId};

/// A condition that holds in the catalogue, or does not.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A dated source is due at this time: its days are to be opened.
    DatedDue(DateTime<Utc>),
    /// The catalogue has a version, be it of a removed source.
    AnyVersion,
    /// The source has a version with this content.
    HasContent(SourceId, Digest),
    /// The settings of a source have this set's tag, whatever the set's member rows say.
    Tagged(String),
    /// The set has a member, enabled or not.
    HasMembers(String),
    /// A member of this edition is to be published at its own path, where no file, or perhaps none, lies yet.
    HasLeavingMember(EditionId),
    /// The object or the edition with this name is kept since the archive was taken over, although no row names it.
    Kept(String),
    /// A chore is due: it was not done for as long as `every`, or its recorded time lies ahead.
    ChoreDue {
        /// The name of the chore.
        name: &'static str,
        /// The time of day.
        now: DateTime<Utc>,
        /// How often it is to be done.
        every: TimeDelta,
    },
    /// A sweep of the archive is due, by the same rule.
    SweepDue {
        /// The time of day.
        now: DateTime<Utc>,
        /// How often it is to be done.
        every: TimeDelta,
    },
}
