//! What can go wrong in the catalogue. Never decides what to do about it.

use std::borrow::Cow;
use std::time::Duration;

use super::damaged_row::DamagedRow;
use crate::domain::{SettingsError, SourceId, VersionId, duration_words};

/// Why the store could not do what was asked. Nothing of a failed operation is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Made by a newer gannet.
    #[error("{place}: made by a newer gannet (schema {found}, this one knows {known})")]
    Newer {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// Its schema's number.
        found: i64,
        /// The newest schema that this gannet knows.
        known: i64,
    },
    /// Made by an older gannet, and opened for reading only: it is not brought up to date.
    #[error("{place}: made by an older gannet (schema {found}, this one reads {known})")]
    Older {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// Its schema's number.
        found: i64,
        /// The schema that this gannet reads.
        known: i64,
    },
    /// Another process held the catalogue for longer than the busy time-out.
    #[error("{place}: locked by {} for more than {}", named(*process), duration_words(*waited))]
    Locked {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// That process, where the system tells.
        process: Option<u32>,
        /// How long the operation waited: the busy time-out.
        waited: Duration,
    },
    /// The disk is full; works again when there is room.
    #[error("{place}: no room left on the disk")]
    Full {
        /// Where the catalogue is, as the operator knows it.
        place: String,
    },
    /// Another catalogue is at the place where this process opened this one, or none: what it would write would be lost.
    #[error("{place}: {reason}; nothing is recorded: start this process anew")]
    Replaced {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// What lies there.
        reason: String,
    },
    /// Anything else: not a catalogue, an engine that is too old, I/O.
    #[error("{place}: {reason}")]
    Failed {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// What happened.
        reason: String,
    },
    /// A name or address that another source has already.
    #[error("{what} `{value}` is taken by source {id} ({name})")]
    Taken {
        /// `name` or `address`.
        what: &'static str,
        /// The one that was asked for.
        value: String,
        /// The source that has it.
        id: SourceId,
        /// That source's name.
        name: String,
    },
    /// An address that the settings of its source do not allow.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The claim lapsed and another worker took it, or the source was removed or edited; the result is refused.
    #[error("the claim on source {0} ended before its result came")]
    StaleClaim(SourceId),
    /// Another policy is in force than the one that an adoption was to replace.
    #[error("another policy was adopted meanwhile")]
    OtherPolicy,
    /// Nothing has this id.
    #[error("no {what} {id}")]
    Missing {
        /// `source` or `version`.
        what: &'static str,
        /// The id.
        id: i64,
    },
    /// What the catalogue says of a version contradicts itself: its file was damaged.
    #[error("the catalogue's row of v{version} is damaged: {reason}")]
    Damaged {
        /// Which version.
        version: VersionId,
        /// The contradiction.
        reason: Cow<'static, str>,
    },
    /// A row of another table cannot be read, or belongs to one that is missing.
    #[error("{0}")]
    DamagedRow(Box<DamagedRow>),
}

impl StoreError {
    /// Tells whether a row of the catalogue is damaged: what other rows say can be done all the same.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::DamagedRow(_))
    }
}

pub(super) type Result<T> = std::result::Result<T, StoreError>;

fn named(process: Option<u32>) -> String {
    process.map_or_else(
        || "another process".to_owned(),
        |process| format!("process {process}"),
    )
}
