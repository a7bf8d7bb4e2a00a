//! The model: all state that decides what is on the screen.
//!
//! Changed by `update` alone, drawn by `draw`. Holds no terminal, no task and no clock.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, Utc};
use crokey::KeyCombination;
use crossterm::event::KeyEvent;
use tui_input::Input;

use super::form::Form;
use super::history::HistoryView;
use super::keymap::{Context, Keymap};
use super::log::LogPane;
use super::message::{Effect, Job, VerifyTarget};
use super::messages::view::{MessagesView, OpenMessage};
use super::table::SourceTable;
use super::user_action::UserAction;
use super::viewer::Viewer;
use crate::app::{PassProgress, RATE_SECONDS};
use crate::config::Zone;
use crate::domain::{Content, MessageId, Source, SourceId, Verdict, Version};
use crate::faces::version_diff::Diff;

/// A part of the main screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    #[default]
    Sources,
    History,
    Verdicts,
    Log,
}

impl Pane {
    pub(crate) const ALL: [Self; 4] = [Self::Sources, Self::History, Self::Verdicts, Self::Log];
}

/// A page that covers the main screen.
#[derive(Debug)]
pub(crate) enum Page {
    /// One source in full.
    Source(SourcePage),
    /// One version in full.
    Version(Box<VersionPage>),
    /// Two versions compared.
    Diff(DiffPage),
    /// Messages and their queues.
    Messages,
    /// One message in full.
    Message(Box<OpenMessage>),
}

/// One source in full.
#[derive(Debug)]
pub(crate) struct SourcePage {
    pub(crate) id: SourceId,
    /// The source's whole history, once that is read.
    pub(crate) view: Option<HistoryView>,
}

/// One version in full.
#[derive(Debug)]
pub(crate) struct VersionPage {
    pub(crate) source: Source,
    pub(crate) version: Version,
    pub(crate) verdicts: Vec<Verdict>,
    /// Whether the verdicts are shown instead of the content.
    pub(crate) shows_verdicts: bool,
    /// The part of the content on the screen, once the first bytes are read.
    pub(crate) viewer: Option<Viewer>,
    /// The content, once all of it is read and checked.
    pub(crate) content: Option<Content>,
    /// The reason why the content cannot be shown.
    pub(crate) problem: Option<String>,
    /// The first line of the verdicts on the screen.
    pub(crate) top: usize,
}

impl VersionPage {
    /// Returns the effect that reads the bytes around the screen, if they are missing and the content is open.
    pub(crate) fn window(&self) -> Option<Effect> {
        let start = self.viewer.as_ref()?.missing_window()?;
        let content = self.content.clone()?;
        Some(Effect::ReadWindow(self.version.id, content, start))
    }
}

/// Two versions compared.
#[derive(Debug)]
pub(crate) struct DiffPage {
    pub(crate) name: String,
    pub(crate) old: Version,
    pub(crate) new: Version,
    /// None while the versions are being compared.
    pub(crate) diff: Option<Diff>,
    pub(crate) top: usize,
    pub(crate) left: usize,
}

/// The list that a filter narrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilterTarget {
    Sources,
    Log,
    Messages,
}

/// A dialog or input above everything else.
#[derive(Debug)]
pub(crate) enum Overlay {
    Help {
        top: usize,
    },
    Palette {
        input: Input,
        cursor: usize,
    },
    Form(Box<Form>),
    /// A question whose default is No.
    Question {
        text: Vec<String>,
        effect: Effect,
        /// The form that No opens again.
        form: Option<Box<Form>>,
    },
    Filter {
        what: FilterTarget,
        input: Input,
        /// The filter that Esc restores.
        before: String,
    },
}

/// A key, pasted text, or an action chosen in the palette.
#[derive(Clone, Debug)]
pub(crate) enum UserInput {
    Key(KeyCombination, KeyEvent),
    Paste(String),
    /// Chosen in the palette.
    Action(UserAction),
}

/// Results that input waits for. Each comes as a message, or `Msg::Failed` comes in its place.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pending {
    /// All sources, for the first time.
    pub(crate) initial_load: bool,
    /// The newest part of the history of this source.
    pub(crate) pane_history: Option<SourceId>,
    /// All of the history of this source.
    pub(crate) page_history: Option<SourceId>,
    /// The messages, for the first time.
    pub(crate) messages: bool,
    /// The outcome of the form that was submitted last.
    pub(crate) form_outcome: bool,
    /// The number of changes under way that may move the selection.
    pub(crate) changes: usize,
}

/// Fetches and verifications that a key started; no key starts them a second time.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    pub(crate) fetches: HashSet<SourceId>,
    pub(crate) verifies: HashSet<VerifyTarget>,
    pub(crate) fetch_keys: Presses<SourceId>,
    pub(crate) verify_keys: Presses<VerifyTarget>,
    pub(crate) retry_keys: Presses<MessageId>,
}

/// A key that repeats within this time is held down: keyboards wait up to 660 ms before they repeat a key.
const REPEAT_GAP: Duration = Duration::from_millis(700);

/// The time of the last key press for each target. A held key starts its work once, however fast the work is done.
#[derive(Debug)]
pub(crate) struct Presses<T>(HashMap<T, Duration>);

impl<T> Default for Presses<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + std::hash::Hash> Presses<T> {
    /// Records a press for a target. Returns whether the key has been held down since the press before.
    pub(crate) fn is_held(&mut self, what: T, now: Duration) -> bool {
        self.0.retain(|_, at| now.saturating_sub(*at) < REPEAT_GAP);
        self.0.insert(what, now).is_some()
    }
}

/// A short message in the corner of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) text: String,
    pub(crate) is_error: bool,
    /// When the toast disappears, as time since the start; none for an error, which stays until it is dismissed.
    pub(crate) until: Option<Duration>,
}

/// How long a toast stays.
pub(crate) const TOAST: Duration = Duration::from_secs(5);

/// The abilities of the dashboard, fixed at its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of one dashboard"
)]
pub(crate) struct Mode {
    pub(crate) read_only: bool,
    /// Whether the sources are the demo's, whose clock runs fast.
    pub(crate) is_demo: bool,
    /// Whether a worker runs in this process.
    pub(crate) has_worker: bool,
    /// Whether sources can be fetched from here: not under `--no-worker`.
    pub(crate) may_fetch: bool,
    /// Whether the terminal is one of tmux.
    pub(crate) in_tmux: bool,
}

/// The model.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) keymap: Keymap,
    pub(crate) mode: Mode,
    pub(crate) size: (u16, u16),
    pub(crate) now: DateTime<Utc>,
    /// The time zone of every time on the screen.
    pub(crate) zone: Zone,
    pub(crate) uptime: Duration,
    /// Whether all sources were read; before that the table holds the first page at most.
    pub(crate) loaded: bool,
    pub(crate) table: SourceTable,
    pub(crate) pane: Pane,
    /// The newest part of the selected source's history; of the source selected before while it is being read.
    pub(crate) history: Option<HistoryView>,
    pub(crate) verdicts_top: usize,
    pub(crate) log: LogPane,
    pub(crate) messages: MessagesView,
    pub(crate) pages: Vec<Page>,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) toasts: Vec<Toast>,
    pub(crate) pass: PassProgress,
    pub(crate) jobs: Vec<Job>,
    /// Whether the view is frozen; the changes that come meanwhile are read when the operator releases the view.
    pub(crate) frozen: bool,
    pub(crate) quitting: bool,
    /// The results that input waits for.
    pub(crate) pending: Pending,
    pub(crate) under_way: UnderWay,
    /// Input that waits for a pending result, oldest first.
    pub(crate) queued_input: VecDeque<UserInput>,
    /// The form that was submitted last: it opens again if its change is refused.
    pub(crate) last_form: Option<Box<Form>>,
}

impl Model {
    pub(crate) fn new(keymap: Keymap, mode: Mode, now: DateTime<Utc>) -> Self {
        Self {
            keymap,
            mode,
            size: (80, 24),
            now,
            zone: Zone::UTC,
            uptime: Duration::ZERO,
            loaded: false,
            table: SourceTable::default(),
            pane: Pane::default(),
            history: None,
            verdicts_top: 0,
            log: LogPane::default(),
            messages: MessagesView::default(),
            pages: Vec::new(),
            overlay: None,
            toasts: Vec::new(),
            pass: PassProgress::default(),
            jobs: Vec::new(),
            frozen: false,
            quitting: false,
            pending: Pending {
                initial_load: true,
                ..Pending::default()
            },
            under_way: UnderWay::default(),
            queued_input: VecDeque::new(),
            last_form: None,
        }
    }

    /// Returns the contexts in which a key is looked up, the innermost first.
    pub(crate) fn contexts(&self) -> &'static [Context] {
        match (&self.overlay, self.pages.last(), self.pane) {
            (Some(Overlay::Palette { .. }), ..) => &[Context::Menu, Context::Anywhere],
            (Some(Overlay::Form(_)), ..) => &[Context::Form, Context::Anywhere],
            (Some(Overlay::Question { .. }), ..) => &[Context::Question, Context::Anywhere],
            (Some(Overlay::Filter { .. }), ..) => &[Context::Line, Context::Anywhere],
            (None, Some(Page::Version(page)), _) if !page.shows_verdicts => {
                &[Context::Content, Context::Main, Context::Anywhere]
            }
            (None, Some(Page::Messages | Page::Message(_)), _) => {
                &[Context::Messages, Context::Main, Context::Anywhere]
            }
            (None, None, Pane::Sources) => &[Context::Sources, Context::Main, Context::Anywhere],
            (None, None, Pane::Log) => &[Context::Log, Context::Main, Context::Anywhere],
            (Some(Overlay::Help { .. }) | None, ..) => &[Context::Main, Context::Anywhere],
        }
    }

    /// Returns whether the view of messages is open.
    pub(crate) fn is_in_messages(&self) -> bool {
        matches!(self.pages.first(), Some(Page::Messages))
    }

    /// Shows a toast that disappears after [`TOAST`].
    pub(crate) fn toast(&mut self, text: impl Into<String>) {
        let until = Some(self.uptime + TOAST);
        self.show_toast(text.into(), false, until);
    }

    /// Shows an error, which stays until it is dismissed.
    pub(crate) fn toast_error(&mut self, text: impl Into<String>) {
        self.show_toast(text.into(), true, None);
    }

    fn show_toast(&mut self, text: String, is_error: bool, until: Option<Duration>) {
        const MOST: usize = 5;
        self.toasts.retain(|toast| toast.text != text);
        if self.toasts.len() == MOST {
            self.toasts.remove(0);
        }
        self.toasts.push(Toast {
            text,
            is_error,
            until,
        });
    }

    /// Returns the history of the selected source, unless it is still being read.
    pub(crate) fn selected_history(&self) -> Option<&HistoryView> {
        let id = self.table.selected()?.id;
        self.history.as_ref().filter(|view| view.source_id() == id)
    }

    /// Returns the time of the next change of the screen without a message: the end of a toast, of a minute, or of a step of
    /// the plots of queues.
    pub(crate) fn next_redraw(&self) -> Duration {
        let has_plots = self.is_in_messages() && self.messages.queues.moves(self.now);
        let step = if has_plots { RATE_SECONDS } else { 60 };
        let left = step - self.now.timestamp().rem_euclid(step);
        let minute = self.uptime + Duration::from_secs(left.unsigned_abs());
        let toasts = self.toasts.iter().filter_map(|toast| toast.until);
        toasts.fold(minute, Duration::min)
    }

    /// Returns the palette's actions whose name or explanation contains the text.
    pub(crate) fn palette(text: &str) -> Vec<UserAction> {
        let text = text.to_lowercase();
        let hidden = |action: UserAction| {
            matches!(
                action,
                UserAction::Palette
                    | UserAction::Accept
                    | UserAction::Refuse
                    | UserAction::NextField
                    | UserAction::PreviousField
                    | UserAction::NextItem
                    | UserAction::PreviousItem
            )
        };
        let found = |action: &&UserAction| {
            !hidden(**action) && (action.name().contains(&text) || action.about().contains(&text))
        };
        UserAction::ALL.iter().filter(found).copied().collect()
    }
}
