//! What comes into the model, and what it asks to be done.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use crokey::KeyCombination;
use crossterm::event::KeyEvent;

use super::diff::Diff;
use super::log::LogLine;
use super::table::Row;
use crate::app::{History, NewSource, PassProgress};
use crate::domain::{Content, SettingsPatch, Source, SourceId, Verdict, Version, VersionId};

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Msg {
    /// A key was pressed.
    Key(KeyCombination, KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and lines.
    Resize(u16, u16),
    /// It is this late by the worker's clock, and so long since the dashboard was started.
    Time(DateTime<Utc>, Duration),
    /// The first sources by name, while all of them are being read.
    FirstPage(Vec<Row>),
    /// All sources and the newest events, read anew.
    Resynced {
        /// By name.
        rows: Vec<Row>,
        /// Oldest first.
        lines: Vec<LogLine>,
    },
    /// What changed since.
    Changed {
        /// Sources as they are now.
        rows: Vec<Row>,
        /// Sources that were removed.
        gone: Vec<SourceId>,
        /// Oldest first.
        lines: Vec<LogLine>,
    },
    /// How far the worker's pass is.
    Pass(PassProgress),
    /// A source's history was read; with what is damaged in it, in words.
    History(Box<History>, Option<String>),
    /// The verdicts on a version were read.
    Verdicts(VersionId, Vec<Verdict>),
    /// These are a large version's first bytes, not checked yet.
    Preview(VersionId, u64, Bytes),
    /// A version's content cannot be read: in words.
    Unreadable(VersionId, String),
    /// A version's content was opened and checked; these are its first bytes.
    Opened(VersionId, Content, Bytes),
    /// More of it, from this offset on.
    Window(VersionId, u64, Bytes),
    /// Two versions were compared.
    Compared(VersionId, VersionId, Box<Diff>),
    /// Something long is so far; done when it is at its end.
    Job(Job),
    /// A fetch that was asked for has ended, however.
    FetchEnded(Vec<SourceId>),
    /// A verification that was asked for has ended, however.
    VerifyEnded(Vec<VerifyTarget>),
    /// What was asked for is done: in words.
    Done(String),
    /// The operator's change is made.
    ChangeDone(Box<ChangeDone>),
    /// It was not made.
    Refused(Refused),
    /// Something failed that nobody may miss.
    Failed(String),
    /// A signal asks to stop.
    Stop,
}

/// Something long that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// Tells it from others.
    pub(crate) id: u64,
    pub(crate) what: String,
    pub(crate) done: u64,
    pub(crate) total: u64,
}

/// What is verified: this version, or the newest of the source.
pub(crate) type VerifyTarget = (SourceId, Option<VersionId>);

/// Returns what an entry of [`Effect::Verify`] stands for.
pub(crate) fn verify_target(
    (source, version): &(Arc<Source>, Option<Box<Version>>),
) -> VerifyTarget {
    (source.id, version.as_ref().map(|version| version.id))
}

/// A change that was made, and what is to be seen of it at once.
#[derive(Debug, Default)]
pub(crate) struct ChangeDone {
    /// In words.
    pub(crate) text: String,
    /// The sources that it concerns, as they are now.
    pub(crate) rows: Vec<Row>,
    /// Those that are no more.
    pub(crate) gone: Vec<SourceId>,
    /// The one to look at: new, or back.
    pub(crate) shown: Option<SourceId>,
    /// Those that are new.
    pub(crate) added: Vec<SourceId>,
    /// What is to be asked first: nothing is made yet.
    pub(crate) question: Option<(Vec<String>, Change)>,
    pub(crate) origin: Origin,
}

/// A change that was not made.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Why, in words.
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// What is to be known of a change when its outcome comes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// Whether a form asked for it, which comes back when it is refused.
    pub(crate) is_form: bool,
    /// Whether another source may be selected when it is made.
    pub(crate) moves: bool,
}

/// A change that the operator wants.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Add sources.
    Add(Vec<NewSource>),
    /// Change the settings of sources.
    Edit(Vec<SourceId>, Box<SettingsPatch>),
    /// Switch sources on or off: all become what the first of them is not.
    Toggle(Vec<SourceId>),
    /// Remove sources; their history stays.
    Remove(Vec<SourceId>),
    /// Take the last change back, or make once more what was taken back last.
    Revert {
        is_redo: bool,
        /// The sources that it may remove: the operator was asked about these.
        may_remove: Vec<SourceId>,
    },
}

impl Change {
    pub(crate) fn revert(is_redo: bool) -> Self {
        Self::Revert {
            is_redo,
            may_remove: Vec::new(),
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin {
            is_form: matches!(self, Self::Add(_) | Self::Edit(..)),
            moves: matches!(self, Self::Add(_) | Self::Remove(_) | Self::Revert { .. }),
        }
    }
}

/// Something to be done outside of the model.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Read all sources and the newest events.
    Resync,
    /// Read a source's history: its newest part, or all of it.
    ReadHistory(SourceId, Option<usize>),
    /// Read the verdicts on a version with what the verifiers printed, which a history leaves out.
    ReadVerdicts(VersionId),
    /// Open a version's content.
    Open(Box<Version>),
    /// Read a part of an open content.
    ReadWindow(VersionId, Content, u64),
    /// Compare two versions.
    Compare(Box<Version>, Box<Version>),
    /// Change sources.
    Change(Change),
    /// Fetch sources now.
    Fetch(Vec<SourceId>),
    /// Judge versions again: these, or the newest of these sources.
    Verify(Vec<(Arc<Source>, Option<Box<Version>>)>),
    /// Put text on the clipboard.
    Copy(String),
    /// Go back to the shell until continued.
    Suspend,
    /// Ask the worker to stop, and end when it has; at once when asked again.
    Quit,
}
