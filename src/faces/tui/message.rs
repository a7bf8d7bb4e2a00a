//! The messages that change the model, and the effects that the model asks for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use crokey::KeyCombination;
use crossterm::event::KeyEvent;

use super::log::LogLine;
use super::messages::ask::{DeadDeed, MessageRef, MessagesAsk, MessagesRead, WholeMessage};
use super::table::Row;
use crate::app::{History, NewSource, PassProgress};
use crate::domain::{
    Content, MessageId, SettingsPatch, Source, SourceId, Verdict, Version, VersionId,
};
use crate::faces::version_diff::Diff;

/// A message: input, the clock, or the result of an effect.
#[derive(Debug)]
pub(crate) enum Msg {
    /// A key was pressed.
    Key(KeyCombination, KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and lines.
    Resize(u16, u16),
    /// The time by the worker's clock, and the time since the dashboard was started.
    Time(DateTime<Utc>, Duration),
    /// The first page of sources by name; the others are still being read.
    FirstPage(Vec<Row>),
    /// All sources and the newest events, as they are now.
    Resynced {
        /// By name.
        rows: Vec<Row>,
        /// Oldest first.
        lines: Vec<LogLine>,
    },
    /// The rows and events since the message before.
    Changed {
        /// Sources as they are now.
        rows: Vec<Row>,
        /// Sources that were removed.
        gone: Vec<SourceId>,
        /// Oldest first.
        lines: Vec<LogLine>,
    },
    /// The progress of the worker's pass.
    Pass(PassProgress),
    /// A source's history, and a description of the damage in it.
    History(Box<History>, Option<String>),
    /// The verdicts on a version, with the whole output of the verifiers.
    Verdicts(VersionId, Vec<Verdict>),
    /// Size and first bytes of a large version, whose digest is not checked yet.
    Preview(VersionId, u64, Bytes),
    /// The reason why a version's content cannot be read.
    Unreadable(VersionId, String),
    /// A version's content, opened and checked, and its first bytes.
    Opened(VersionId, Content, Bytes),
    /// Bytes of an open content, from this offset on.
    Window(VersionId, u64, Bytes),
    /// The difference of two versions, the older first.
    Compared(VersionId, VersionId, Box<Diff>),
    /// What waits on the server may have changed.
    QueuesMayDiffer,
    /// Messages, queues and dead messages for the view of messages.
    Messages(Box<MessagesRead>),
    /// The reason why they cannot be read.
    MessagesUnread(String),
    /// The number of dead messages.
    DeadCount(u64),
    /// A message in full.
    Message(Box<WholeMessage>),
    /// The reason why a message cannot be shown.
    MessageUnreadable(MessageRef, String),
    /// An action on a dead message has ended, in success or failure.
    DeadDeedEnded(MessageId),
    /// The progress of a job; a finished job is removed.
    Job(Job),
    /// A fetch of these sources has ended, in success or failure.
    FetchEnded(Vec<SourceId>),
    /// A verification has ended, in success or failure.
    VerifyEnded(Vec<VerifyTarget>),
    /// An effect has succeeded, with the text of a toast.
    Done(String),
    /// The operator's change is committed.
    ChangeDone(Box<ChangeDone>),
    /// The operator's change was refused.
    Refused(Refused),
    /// An error that must stay on the screen until it is dismissed.
    Failed(String),
    /// A signal asks to stop.
    Stop,
}

/// The progress of a long task, shown in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// Unique in this process.
    pub(crate) id: u64,
    pub(crate) what: String,
    pub(crate) done: u64,
    pub(crate) total: u64,
}

/// The target of a verification: this version, or the newest of the source.
pub(crate) type VerifyTarget = (SourceId, Option<VersionId>);

/// Returns the target of an entry of [`Effect::Verify`].
pub(crate) fn verify_target(
    (source, version): &(Arc<Source>, Option<Box<Version>>),
) -> VerifyTarget {
    (source.id, version.as_ref().map(|version| version.id))
}

/// The outcome of a change, with the rows to show at once.
#[derive(Debug, Default)]
pub(crate) struct ChangeDone {
    /// The outcome in words.
    pub(crate) text: String,
    /// The changed sources, as they are now.
    pub(crate) rows: Vec<Row>,
    /// The sources that were removed.
    pub(crate) gone: Vec<SourceId>,
    /// The source to select: one that was added or restored.
    pub(crate) shown: Option<SourceId>,
    /// The sources that were added.
    pub(crate) added: Vec<SourceId>,
    /// A question to be answered with yes before the change is made.
    pub(crate) question: Option<(Vec<String>, Change)>,
    pub(crate) origin: Origin,
}

/// A change that was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The reason in words.
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// Facts about a change that the model needs when the outcome comes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// Whether a form asked for the change; the form opens again if the change is refused.
    pub(crate) is_form: bool,
    /// Whether the change may move the selection to another source.
    pub(crate) moves: bool,
}

/// A change that the operator wants.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Add sources.
    Add(Vec<NewSource>),
    /// Change the settings of sources.
    Edit(Vec<SourceId>, Box<SettingsPatch>),
    /// Switch sources on or off: all to the opposite of the first source's state.
    Toggle(Vec<SourceId>),
    /// Remove sources; their history stays.
    Remove(Vec<SourceId>),
    /// Undo the latest change, or redo the one undone last.
    Revert {
        is_redo: bool,
        /// The sources whose removal the operator has confirmed.
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

/// Work outside of the model, for `effects` and `run`.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Read all sources and the newest events.
    Resync,
    /// Read a source's history: a number of its newest attempts and versions, or all.
    ReadHistory(SourceId, Option<usize>),
    /// Read the verdicts on a version with the whole output of the verifiers, which a history leaves out.
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
    /// Judge versions again: the given ones, or the newest version of a source without one.
    Verify(Vec<(Arc<Source>, Option<Box<Version>>)>),
    /// Read messages, queues and dead messages for the view of messages.
    ReadMessages(MessagesAsk),
    /// Count the dead messages, for the header.
    CountDead,
    /// Read a message in full.
    ReadMessage(MessageRef),
    /// Retry or drop a dead message.
    ActOnDead(DeadDeed, MessageId),
    /// Put text on the clipboard.
    Copy(String),
    /// Suspend the process.
    Suspend,
    /// Ask the worker to stop, and end when it has stopped; the second time, end at once.
    Quit,
}
