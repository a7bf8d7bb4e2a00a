//! The errors of the store. Never decides what follows from one.

use std::borrow::Cow;
use std::time::Duration;

use super::damaged_row::DamagedRow;
use crate::domain::{SettingsError, SourceId, VersionId, duration_words};

/// Why an operation of the store failed. A failed operation leaves nothing behind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The catalogue was made by a newer gannet.
    #[error("{place}: made by a newer gannet (schema {found}, this one knows {known})")]
    Newer {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// The number of its schema.
        found: i64,
        /// The newest schema that this gannet knows.
        known: i64,
    },
    /// The catalogue was made by an older gannet and is opened for reading only, so it is not migrated.
    #[error("{place}: made by an older gannet (schema {found}, this one reads {known})")]
    Older {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// The number of its schema.
        found: i64,
        /// The schema that this gannet reads.
        known: i64,
    },
    /// Another process held the catalogue for longer than the busy time-out.
    #[error("{place}: locked by {} for more than {}", named(*process), duration_words(*waited))]
    Locked {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// The id of that process, if the system reports it.
        process: Option<u32>,
        /// How long the operation waited: the busy time-out.
        waited: Duration,
    },
    /// The disk is full. The same operation succeeds once there is room.
    #[error("{place}: no room left on the disk")]
    Full {
        /// Where the catalogue is, as the operator knows it.
        place: String,
    },
    /// Another catalogue, or none, lies where this process opened its own: what it wrote would be lost.
    #[error("{place}: {reason}; nothing is recorded: start this process anew")]
    Replaced {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// What lies there now.
        reason: String,
    },
    /// SQLite met pages or an index that contradict each other.
    #[error("{place}: {reason}")]
    Malformed {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// SQLite's words.
        reason: String,
    },
    /// Any other failure: a file that is no catalogue, an engine that is too old, I/O.
    #[error("{place}: {reason}")]
    Failed {
        /// Where the catalogue is, as the operator knows it.
        place: String,
        /// What happened.
        reason: String,
    },
    /// A query in SQL is not allowed, is wrong, or was stopped at a limit.
    #[error("{reason}")]
    Query {
        /// What is wrong with it, in SQLite's words where it has some.
        reason: String,
    },
    /// The settings of a source are not those that its editor saw.
    #[error("source {id} ({name}) was changed by somebody else meanwhile")]
    Changed {
        /// The source.
        id: SourceId,
        /// Its name.
        name: String,
    },
    /// Another source has the name or the address.
    #[error("{what} `{value}` is taken by source {id} ({name})")]
    Taken {
        /// Which of the two: `name` or `address`.
        what: &'static str,
        /// The name or the address that was asked for.
        value: String,
        /// The id of the source that has it.
        id: SourceId,
        /// The name of that source.
        name: String,
    },
    /// A day is changed with its dated source only.
    #[error("{name} is a day of the dated source {series}, and changes with it only")]
    IsDay {
        /// The name of the day.
        name: String,
        /// The name of its dated source.
        series: String,
    },
    /// The settings of the source do not allow its address.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The claim on this source ended before its result came: it lapsed, or the source was removed or edited.
    #[error("the claim on source {0} ended before its result came")]
    StaleClaim(SourceId),
    /// The policy in force is not the one that the adoption was to replace.
    #[error("another policy was adopted meanwhile")]
    OtherPolicy,
    /// No row has this id.
    #[error("no {what} {id}")]
    Missing {
        /// The kind of row, such as `source` or `version`.
        what: &'static str,
        /// The id that was asked for.
        id: i64,
    },
    /// The rows about a version contradict each other.
    #[error("the catalogue's row of v{version} is damaged: {reason}")]
    Damaged {
        /// The version.
        version: VersionId,
        /// The contradiction.
        reason: Cow<'static, str>,
    },
    /// A row of another table cannot be read, or a row that it names is missing.
    #[error("{0}")]
    DamagedRow(Box<DamagedRow>),
}

impl StoreError {
    /// Returns the error of a query that was stopped after this time.
    pub(super) fn out_of_time(timeout: Duration) -> Self {
        let reason = format!("the query was stopped after {}", duration_words(timeout));
        Self::Query { reason }
    }

    /// Reports whether the cause is a damaged row: operations on other rows succeed nevertheless.
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
