//! What the view of messages holds: the newest messages, the queues, the dead messages, and the message that is shown in full.
//!
//! Pure: says what is to be read, and takes what was. The list follows new messages until the operator moves the cursor.

use std::collections::{HashSet, VecDeque};

use super::ask::{
    DeadRow, MessageFilter, MessageRef, MessageRow, MessagesAsk, MessagesRead, WholeMessage,
};
use super::parts::{MessagePane, Parts};
use super::queue_list::QueueList;
use crate::domain::{MessageId, VersionState};
use crate::faces::tui::viewer::Viewer;

/// Most messages that are held while the list follows.
pub(crate) const HELD: usize = 300;
/// Most messages that are held while the cursor keeps the list from following.
const MOST: usize = 2 * HELD;

/// A message in full, as far as it is read.
#[derive(Clone, Debug)]
pub(crate) struct OpenMessage {
    pub(crate) of: MessageRef,
    /// None while it is being read, and when it cannot be.
    pub(crate) whole: Option<Box<WholeMessage>>,
    /// The reason why it cannot be shown.
    pub(crate) problem: Option<String>,
    pub(crate) viewer: Viewer,
}

impl OpenMessage {
    pub(crate) fn unread(of: MessageRef) -> Self {
        Self {
            of,
            whole: None,
            problem: None,
            viewer: Viewer::default(),
        }
    }

    /// Returns how many verdicts are shown.
    pub(crate) fn verdicts(&self) -> usize {
        self.whole.as_ref().map_or(0, |whole| whole.verdicts.len())
    }

    /// Shows what was read anew, from where the text is scrolled to.
    pub(crate) fn read_again(&mut self, whole: Box<WholeMessage>) {
        self.viewer.replace(whole.text.clone());
        self.whole = Some(whole);
    }

    pub(crate) fn read(whole: Box<WholeMessage>) -> Self {
        Self {
            of: whole.of,
            viewer: Viewer::new(whole.text.len() as u64, whole.text.clone()),
            whole: Some(whole),
            problem: None,
        }
    }

    pub(crate) fn unreadable(of: MessageRef, problem: String) -> Self {
        Self {
            problem: Some(problem),
            ..Self::unread(of)
        }
    }
}

/// Whether the list shows new messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Following {
    /// The newest is selected.
    Newest,
    /// The selected message stays where it is.
    Held,
    /// So it does, and messages between those that are held and the newest were left out.
    HeldWithGap,
}

/// The reading of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// None is under way.
    None,
    UnderWay,
    /// Something changed since the reading began: another follows.
    Stale,
}

/// The view.
#[derive(Debug)]
pub(crate) struct MessagesView {
    pub(crate) pane: MessagePane,
    filter: MessageFilter,
    /// The filter as it was typed.
    typed_filter: String,
    /// The newest messages that the filter lets through, the newest first.
    rows: VecDeque<MessageRow>,
    cursor: usize,
    /// The first row on the screen.
    pub(crate) top: usize,
    following: Following,
    /// Messages that came since the list stopped following.
    missed: usize,
    pub(crate) queues: QueueList,
    /// Why the server on which messages wait cannot be used.
    pub(crate) queue_trouble: Option<String>,
    dead: Vec<DeadRow>,
    /// How many there are, for the header; `dead` has the latest.
    pub(crate) dead_count: u64,
    dead_cursor: usize,
    /// The first row of the dead messages on the screen.
    pub(crate) dead_top: usize,
    /// Whether the body that is shown is that of the selected dead message.
    shows_dead: bool,
    /// The message beside the list; the one that was selected before while another is being read.
    body: Option<OpenMessage>,
    /// The message that was asked for last.
    asked: Option<MessageRef>,
    reading: Reading,
    /// Whether messages were read already.
    is_loaded: bool,
    /// Whether dead messages came or went since they were read.
    is_dead_stale: bool,
    /// The message that was persisted last, as far as was read; none when the list is to be read anew.
    known: Option<MessageId>,
    /// Dead messages on which an action is under way.
    pub(crate) acting: HashSet<MessageId>,
}

impl Default for MessagesView {
    fn default() -> Self {
        Self {
            pane: MessagePane::default(),
            filter: MessageFilter::default(),
            typed_filter: String::new(),
            rows: VecDeque::new(),
            cursor: 0,
            top: 0,
            following: Following::Newest,
            missed: 0,
            queues: QueueList::default(),
            queue_trouble: None,
            dead: Vec::new(),
            dead_count: 0,
            dead_cursor: 0,
            dead_top: 0,
            shows_dead: false,
            body: None,
            asked: None,
            reading: Reading::None,
            is_loaded: false,
            is_dead_stale: true,
            known: None,
            acting: HashSet::new(),
        }
    }
}

impl MessagesView {
    /// Returns what is to be read now; none while a reading is under way, behind which the next follows.
    pub(crate) fn ask(&mut self) -> Option<MessagesAsk> {
        if self.reading != Reading::None {
            self.reading = Reading::Stale;
            return None;
        }
        self.reading = Reading::UnderWay;
        Some(MessagesAsk {
            filter: self.filter.clone(),
            // A message comes into a state, or leaves it, wherever it is in the list.
            known: self.known.filter(|_| self.filter.state.is_none()),
            undecided: self.undecided(),
            with_dead: std::mem::take(&mut self.is_dead_stale),
        })
    }

    fn undecided(&self) -> Vec<MessageId> {
        let is_undecided = |row: &&MessageRow| {
            matches!(row.state, Some(VersionState::Pending | VersionState::Error))
        };
        let undecided = self.rows.iter().filter(is_undecided);
        undecided.map(|row| row.id).collect()
    }

    /// Shows the states of messages. The selected one is to be read again if its state is another now.
    fn take_states(&mut self, states: &[(MessageId, VersionState)]) {
        for (id, state) in states {
            let row = self.rows.iter_mut().find(|row| row.id == *id);
            let Some(row) = row.filter(|row| row.state != Some(*state)) else {
                continue;
            };
            row.state = Some(*state);
            if self.asked == Some(MessageRef::Persisted(*id)) {
                self.asked = None;
            }
        }
    }

    /// Records that dead messages came or went.
    pub(crate) fn forget_dead(&mut self) {
        self.is_dead_stale = true;
    }

    /// Returns whether messages were read already.
    pub(crate) fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// Shows what was read. Returns what is to be read next.
    pub(crate) fn take(&mut self, read: MessagesRead) -> Option<MessagesAsk> {
        self.is_loaded = true;
        self.queues.replace(read.queues);
        self.queue_trouble = read.trouble;
        self.dead_count = self.queues.dead();
        if let Some(dead) = read.dead {
            self.replace_dead(dead);
        }
        self.take_states(&read.states);
        if read.filter == self.filter {
            if read.follow_known && self.known.is_some() {
                self.prepend(read.rows);
            } else {
                self.replace(read.rows);
            }
            self.known = read.newest.or(self.known);
        }
        self.ask_if_stale()
    }

    /// Records that nothing could be read. Returns what is to be read next.
    pub(crate) fn not_read(&mut self) -> Option<MessagesAsk> {
        self.is_dead_stale = true;
        self.ask_if_stale()
    }

    fn ask_if_stale(&mut self) -> Option<MessagesAsk> {
        let was = std::mem::replace(&mut self.reading, Reading::None);
        if was == Reading::Stale {
            self.ask()
        } else {
            None
        }
    }

    fn replace(&mut self, rows: Vec<MessageRow>) {
        if self.is_following() || self.rows.is_empty() {
            self.rows = rows.into();
            (self.cursor, self.top) = (0, 0);
        } else if self.filter.state.is_some() {
            // Each reading begins at the newest.
            let first = self.rows.front().map(|row| row.id);
            let known = rows.iter().position(|row| Some(row.id) == first);
            self.missed = 0;
            self.leave_out(known.unwrap_or(rows.len()));
        } else {
            self.leave_out(rows.len());
        }
    }

    fn leave_out(&mut self, new: usize) {
        if new > 0 {
            self.following = Following::HeldWithGap;
            self.missed += new;
        }
    }

    fn prepend(&mut self, rows: Vec<MessageRow>) {
        let new = rows.len();
        let is_full = self.rows.len() + new > MOST;
        if self.following == Following::HeldWithGap || is_full && !self.is_following() {
            return self.leave_out(new);
        }
        for row in rows.into_iter().rev() {
            self.rows.push_front(row);
        }
        if self.is_following() {
            self.rows.truncate(HELD);
        } else {
            self.missed += new;
            self.cursor += new;
            self.top += new;
        }
    }

    fn replace_dead(&mut self, dead: Vec<DeadRow>) {
        let selected = self.selected_dead().map(|row| row.message.id);
        let same = dead.iter().position(|row| Some(row.message.id) == selected);
        self.dead = dead;
        // Until the operator goes there, the latest is selected.
        let at = if self.shows_dead {
            same.unwrap_or(self.dead_cursor)
        } else {
            0
        };
        self.select_dead(at);
        if self.dead.is_empty() {
            self.shows_dead = false;
            if self.pane == MessagePane::Dead {
                self.pane = MessagePane::List;
            }
        }
    }

    /// Narrows the list. Returns what is to be read.
    pub(crate) fn filter(&mut self, text: &str) -> Option<MessagesAsk> {
        text.clone_into(&mut self.typed_filter);
        let filter = MessageFilter::parse(text);
        if filter == self.filter {
            return None;
        }
        self.queues.show(filter.queue.as_ref());
        self.filter = filter;
        self.read_anew()
    }

    /// Shows the newest messages, and follows. Returns what is to be read, if some between them and the list were left out.
    pub(crate) fn follow(&mut self) -> Option<MessagesAsk> {
        let was = std::mem::replace(&mut self.following, Following::Newest);
        (self.cursor, self.top, self.missed) = (0, 0, 0);
        self.rows.truncate(HELD);
        if was == Following::HeldWithGap {
            self.read_anew()
        } else {
            None
        }
    }

    fn read_anew(&mut self) -> Option<MessagesAsk> {
        (self.following, self.missed) = (Following::Newest, 0);
        self.known = None;
        self.ask()
    }

    /// Stops following: the selected message stays where it is.
    pub(crate) fn hold(&mut self) {
        if self.is_following() && !self.rows.is_empty() {
            self.following = Following::Held;
        }
    }

    /// Moves the cursor of the list. Returns what is to be read when that is back at its top, and follows.
    pub(crate) fn select(&mut self, at: usize) -> Option<MessagesAsk> {
        if at == 0 {
            return self.follow();
        }
        self.hold();
        self.cursor = at.min(self.rows.len().saturating_sub(1));
        None
    }

    pub(crate) fn select_dead(&mut self, at: usize) {
        self.dead_cursor = at.min(self.dead.len().saturating_sub(1));
    }

    /// Gives the focus to the next part that is shown, or to the one before.
    pub(crate) fn turn_pane(&mut self, forward: bool) {
        let is_shown = |pane: &MessagePane| match pane {
            MessagePane::List | MessagePane::Body => true,
            MessagePane::Dead => !self.dead.is_empty(),
            MessagePane::Queues => self.queues.len() > 0,
        };
        let shown: Vec<_> = MessagePane::ALL.into_iter().filter(is_shown).collect();
        let at = shown.iter().position(|pane| *pane == self.pane);
        let next = at.map_or(0, |at| {
            if forward {
                at + 1
            } else {
                at + shown.len() - 1
            }
        });
        if self.pane == MessagePane::Body && self.cursor == 0 && self.missed == 0 {
            // Nothing came while the newest message was read: the list need not be held.
            self.following = Following::Newest;
        }
        self.pane = shown[next % shown.len()];
        match self.pane {
            MessagePane::List => self.shows_dead = false,
            MessagePane::Dead => self.shows_dead = true,
            MessagePane::Body => self.hold(),
            MessagePane::Queues => {}
        }
    }

    /// Returns the message whose body is to be read. The caller must read it: the next call returns none.
    pub(crate) fn body_to_read(&mut self) -> Option<MessageRef> {
        let wanted = self.selected()?;
        if self.asked == Some(wanted) {
            return None;
        }
        self.asked = Some(wanted);
        Some(wanted)
    }

    /// Shows the body of a message, if that is still selected.
    pub(crate) fn show_body(&mut self, open: OpenMessage) {
        if self.asked == Some(open.of) {
            self.body = Some(open);
        }
    }

    /// Returns the selected message: that of the list, or the dead one.
    pub(crate) fn selected(&self) -> Option<MessageRef> {
        if self.shows_dead {
            return self
                .selected_dead()
                .map(|row| MessageRef::Dead(row.message.id));
        }
        self.rows
            .get(self.cursor)
            .map(|row| MessageRef::Persisted(row.id))
    }

    /// Returns the selected message in full, or that which was selected before while it is being read.
    pub(crate) fn body(&self) -> Option<&OpenMessage> {
        self.body.as_ref().filter(|_| self.selected().is_some())
    }

    pub(crate) fn body_mut(&mut self) -> Option<&mut OpenMessage> {
        self.body.as_mut()
    }

    pub(crate) fn selected_dead(&self) -> Option<&DeadRow> {
        self.dead.get(self.dead_cursor)
    }

    pub(crate) fn rows(&self) -> &VecDeque<MessageRow> {
        &self.rows
    }

    /// Returns whether the list has messages of which something is required.
    pub(crate) fn has_judged(&self) -> bool {
        self.rows.iter().any(|row| row.state.is_some())
    }

    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(crate) fn dead(&self) -> &[DeadRow] {
        &self.dead
    }

    pub(crate) fn dead_cursor(&self) -> usize {
        self.dead_cursor
    }

    pub(crate) fn shows_dead(&self) -> bool {
        self.shows_dead
    }

    pub(crate) fn is_following(&self) -> bool {
        self.following == Following::Newest
    }

    /// Returns the messages that came since the list stopped following, and whether those are only the ones that were read.
    pub(crate) fn missed(&self) -> (usize, bool) {
        (self.missed, self.following == Following::HeldWithGap)
    }

    pub(crate) fn filter_text(&self) -> &str {
        &self.typed_filter
    }

    /// Returns the filter in force.
    pub(crate) fn filter_in_force(&self) -> &MessageFilter {
        &self.filter
    }

    /// Returns what there is to be shown beside messages.
    pub(crate) fn parts(&self) -> Parts {
        Parts {
            queues: self.queues.len(),
            dead: self.dead.len(),
        }
    }
}
