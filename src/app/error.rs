//! The error type that faces see: a kind to act on, a message for people, a hint.

use crate::archive::ArchiveError;
use crate::domain::{is_out_of_space, parse_id};
use crate::store::{DamagedRow, StoreError};

/// The kind of an error: faces choose exit code, status or toast by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong: a bad address, a bad interval.
    Invalid,
    /// No such source or version.
    NotFound,
    /// Another source has that name or address already, or another process is at work on it.
    Conflict,
    /// What the request relied on has been changed by somebody else.
    Changed,
    /// The store is locked, the disk is full, a file cannot be written: may work later.
    Unavailable,
    /// The catalogue was replaced while this process ran: only a new process can open it.
    Replaced,
    /// Stored bytes or rows differ from what was recorded.
    Damaged,
    /// A file cannot be put in its place or be read because something blocks it. Other sources are not affected.
    Blocked,
}

/// An error of a use-case.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind, by which faces decide.
    pub kind: ErrorKind,
    /// The whole message, causes included, in one line.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of use-cases.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Returns an error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    /// Returns an error for an invalid request.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Returns an error for something that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// Returns the message and the hint in one line.
    pub fn with_hint(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{self}; {hint}"),
            None => self.to_string(),
        }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Reports whether the failure, a full disk say, stops all further work.
    pub(crate) fn concerns_all(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Replaced)
    }

    /// Reports whether the failure, damage say, affects one file only.
    pub(crate) fn concerns_one(&self) -> bool {
        matches!(self.kind, ErrorKind::Damaged | ErrorKind::Blocked)
    }

    /// Reports whether the failure is of a file of the archive; the catalogue can still record.
    pub(crate) fn is_of_file(&self) -> bool {
        let below = self.source.as_ref();
        let below = below.and_then(|below| below.downcast_ref::<ArchiveError>());
        matches!(
            below,
            Some(
                ArchiveError::Unavailable { .. }
                    | ArchiveError::Blocked { .. }
                    | ArchiveError::Missing { .. }
            )
        )
    }

    /// Adds this error to `kept`, which holds the gravest error, of equals the first. Returns the other one when it is
    /// damage, which only its caller reports; the catalogue itself records what blocks a file.
    pub(crate) fn add_to(self, kept: &mut Option<Self>) -> Option<Self> {
        let weight = |error: &Self| (!error.concerns_one(), error.concerns_all());
        let other = match kept {
            Some(first) if weight(&self) <= weight(first) => Some(self),
            _ => kept.replace(self),
        };
        other.filter(|other| other.kind == ErrorKind::Damaged)
    }

    /// Reports whether a disk was full.
    pub(crate) fn is_out_of_space(&self) -> bool {
        let Some(below) = &self.source else {
            return false;
        };
        matches!(
            below.downcast_ref::<StoreError>(),
            Some(StoreError::Full { .. })
        ) || matches!(
            below.downcast_ref::<ArchiveError>(),
            Some(ArchiveError::Unavailable { source, .. }) if is_out_of_space(source.kind())
        )
    }

    /// Reports whether another process held a lock for longer than the time-out.
    pub(crate) fn is_busy(&self) -> bool {
        let below = self.source.as_ref();
        below
            .and_then(|below| below.downcast_ref::<ArchiveError>())
            .is_some_and(|below| matches!(below, ArchiveError::Busy { .. }))
    }

    fn from_below(kind: ErrorKind, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            kind,
            message: error.to_string(),
            hint: None,
            source: Some(Box::new(error)),
        }
    }
}

/// Returns the remedy for an error of the catalogue, if there is one.
fn remedy(error: &StoreError) -> Option<String> {
    let remedy = match error {
        StoreError::Taken { id, .. } => return Some(format!("see it with `gannet show {id}`")),
        StoreError::DamagedRow(row) => return Some(way_on(row)),
        StoreError::Damaged { .. } => {
            "put a backup of the catalogue back; the next fetch of the source begins a sound version"
        }
        StoreError::Newer { .. } => "use the gannet that made it, or a newer one",
        StoreError::Older { .. } => {
            "any command that changes something, run by the owner of the folder, brings it up to date"
        }
        StoreError::Locked { .. } => {
            "another program holds the database; try again when it is done"
        }
        StoreError::Full { .. } => {
            "make room on that disk and run again; nothing that was recorded is lost"
        }
        StoreError::Malformed { .. } => {
            "`gannet --worker-only` builds damaged indexes anew; if that does not help, put a backup of the catalogue back"
        }
        StoreError::Query { .. } => "`gannet help schema` describes the tables and their columns",
        _ => return None,
    };
    Some(remedy.to_owned())
}

/// Returns the remedy for a damaged row.
fn way_on(row: &DamagedRow) -> String {
    const BACKUP: &str = "put a backup of the catalogue back";
    match row.table {
        "policy" => {
            "`gannet config adopt` puts the verifiers and sets of the configuration in force anew"
                .to_owned()
        }
        "archive_mark" => format!(
            "{BACKUP}, or `gannet config adopt-archive` takes the archive for this catalogue's; nothing is deleted either way"
        ),
        "source" | "source_state" if parse_id(&row.id).is_some() => format!(
            "{BACKUP}, or give the source up with its history: `gannet remove {} --purge`; what is sound beside it is read and done all the same",
            row.id
        ),
        "index" => format!(
            "an index that was built anew needs nothing more; where damage comes again, the disk is failing: {BACKUP}"
        ),
        "person" => format!("{BACKUP}, or `gannet user add NAME` adds that person anew"),
        "token" => format!("{BACKUP}, or `gannet token create NAME` makes another"),
        "verdict" | "edition_verdict" => format!("{BACKUP}, or go on without this verdict"),
        "text" | "definition" => format!(
            "{BACKUP}, or have the verifiers judge anew whose verdicts name it: `gannet verify vN`, `gannet verify set:NAME`"
        ),
        _ => format!("{BACKUP}; what is sound beside it is read and done all the same"),
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Taken { .. } | StoreError::StaleClaim(_) | StoreError::OtherPolicy => {
                ErrorKind::Conflict
            }
            StoreError::Changed { .. } => ErrorKind::Changed,
            StoreError::Settings(_) | StoreError::Query { .. } | StoreError::IsDay { .. } => {
                ErrorKind::Invalid
            }
            StoreError::Missing { .. } => ErrorKind::NotFound,
            StoreError::Newer { .. }
            | StoreError::Older { .. }
            | StoreError::Locked { .. }
            | StoreError::Full { .. }
            | StoreError::Malformed { .. }
            | StoreError::Failed { .. } => ErrorKind::Unavailable,
            StoreError::Replaced { .. } => ErrorKind::Replaced,
            StoreError::DamagedRow(_) | StoreError::Damaged { .. } => ErrorKind::Damaged,
        };
        Self {
            hint: remedy(&error),
            ..Self::from_below(kind, error)
        }
    }
}

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
        match &error {
            ArchiveError::Damaged { .. } => Self::from_below(ErrorKind::Damaged, error)
                .hint("a published file that is good stays as it is; the next fetch of the source stores the version anew if the server still has it"),
            ArchiveError::Busy { process, .. } => {
                let hint = process.map_or_else(
                    || "run again when it is done".to_owned(),
                    |id| format!("run again when it is done; if it hangs, `kill {id}` ends it, and if it was stopped, `kill -CONT {id}` lets it go on"),
                );
                Self::from_below(ErrorKind::Unavailable, error).hint(hint)
            }
            // The catalogue makes the paths, and none of them leads outside.
            ArchiveError::BadPath(_) => Self::from_below(ErrorKind::Damaged, error),
            ArchiveError::Blocked { .. } | ArchiveError::Missing { .. } => {
                Self::from_below(ErrorKind::Blocked, error)
            }
            ArchiveError::Unavailable { .. } if !error.concerns_every_file() => {
                Self::from_below(ErrorKind::Blocked, error)
            }
            _ => Self::from_below(ErrorKind::Unavailable, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_error_that_keeps_more_from_being_done_stays() {
        use ErrorKind::{Blocked, Conflict, Damaged, Unavailable};
        for (first, second, kept, other) in [
            (Damaged, Damaged, "first", Some("second")),
            (Damaged, Blocked, "first", None),
            (Damaged, Conflict, "second", Some("first")),
            (Conflict, Damaged, "first", Some("second")),
            (Blocked, Damaged, "first", Some("second")),
            (Blocked, Unavailable, "second", None),
            (Conflict, Unavailable, "second", None),
            (Unavailable, Unavailable, "first", None),
            (Unavailable, Conflict, "first", None),
        ] {
            let mut held = Some(Error::new(first, "first"));
            let told = Error::new(second, "second").add_to(&mut held);
            let words = |error: Option<Error>| error.map(|error| error.message);
            let found = (words(held), words(told));
            let expected = (Some(kept.to_owned()), other.map(str::to_owned));
            assert_eq!(found, expected, "{first:?}, {second:?}");
        }
        let mut none = None;
        assert!(Error::invalid("one").add_to(&mut none).is_none() && none.is_some());
    }

    #[test]
    fn only_a_full_or_failing_disk_concerns_every_source() {
        for (number, expected) in [
            (28, ErrorKind::Unavailable), // ENOSPC
            (30, ErrorKind::Unavailable), // EROFS
            (5, ErrorKind::Unavailable),  // EIO
            (24, ErrorKind::Unavailable), // EMFILE
            (12, ErrorKind::Unavailable), // ENOMEM
            (13, ErrorKind::Blocked),     // EACCES
            (2, ErrorKind::Blocked),      // ENOENT
        ] {
            let error = ArchiveError::Unavailable {
                doing: "replace",
                place: "x".into(),
                source: io::Error::from_raw_os_error(number),
            };
            assert_eq!(Error::from(error).kind, expected, "{number}");
        }
    }
}
