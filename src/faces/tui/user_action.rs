//! The actions of the operator, with the names and explanations that keys, palette, help and configuration share.
//!
//! Never runs an action: `update` does.

use super::labels::labels;

labels! {
    /// An action that a key or a line of the palette runs, with its name in the configuration and in the palette, in
    /// the order of the help page.
    enum UserAction { name, about }
    Sources = "sources", "the sources: the main screen";
    Messages = "messages", "messages and their queues, live";
    Add = "add", "add sources";
    Interval = "interval", "change how often";
    Edit = "edit", "change all settings";
    Toggle = "toggle", "switch on or off";
    Fetch = "fetch", "fetch now";
    Verify = "verify", "run the verifiers again";
    Remove = "remove", "remove, after a question";
    Undo = "undo", "take the last change back";
    Redo = "redo", "make again what was taken back";
    Mark = "mark", "mark, to act on many or to compare two";
    Unmark = "unmark-all", "take all marks away";
    Open = "open", "show in full";
    Diff = "diff", "compare with the version before, or two marked ones";
    Hex = "hex", "show bytes, or text again";
    Copy = "copy", "copy to the clipboard";
    Filter = "filter", "show only what matches";
    Sort = "sort", "sort by another column";
    Reverse = "reverse", "turn the order round";
    Level = "log-level", "show all of the log, warnings, or errors";
    OnlySource = "log-source", "log of the selected source only, or of all";
    Freeze = "freeze", "hold the view still; the worker goes on";
    Retry = "retry", "put a dead message on its queue again";
    Drop = "drop", "delete a dead message, after a question";
    NextPane = "next-pane", "go to the next pane";
    PreviousPane = "previous-pane", "go to the pane before";
    Down = "down", "one down";
    Up = "up", "one up";
    Right = "right", "further right";
    Left = "left", "further left";
    PageDown = "page-down", "a page down";
    PageUp = "page-up", "a page up";
    HalfDown = "half-page-down", "half a page down";
    HalfUp = "half-page-up", "half a page up";
    Top = "top", "to the first";
    Bottom = "bottom", "to the last, and follow";
    Palette = "palette", "every action by name";
    Help = "help", "these keys";
    Close = "close", "close what is open, dismiss an error, clear a filter";
    Accept = "accept", "do it";
    Refuse = "refuse", "leave it";
    NextField = "next-field", "go to the next field";
    PreviousField = "previous-field", "go to the field before";
    NextItem = "next-item", "go to the next line";
    PreviousItem = "previous-item", "go to the line before";
    Suspend = "suspend", "back to the shell; fg returns";
    Quit = "quit", "end, at the top";
    QuitNow = "quit-now", "end from anywhere; twice: at once";
}

impl UserAction {
    /// Returns the action of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.name() == name)
    }

    /// Returns whether the action changes the catalogue or starts work: `--read-only` refuses such actions.
    pub(crate) const fn changes(self) -> bool {
        matches!(
            self,
            Self::Add
                | Self::Interval
                | Self::Edit
                | Self::Toggle
                | Self::Fetch
                | Self::Verify
                | Self::Remove
                | Self::Undo
                | Self::Redo
                | Self::Retry
                | Self::Drop
        )
    }

    /// Returns whether the action is about sources, their versions or the log, and about nothing in the view of messages.
    pub(crate) const fn is_about_sources(self) -> bool {
        matches!(
            self,
            Self::Interval
                | Self::Edit
                | Self::Toggle
                | Self::Fetch
                | Self::Verify
                | Self::Remove
                | Self::Mark
                | Self::Unmark
                | Self::Diff
                | Self::Hex
                | Self::Sort
                | Self::Reverse
                | Self::Level
                | Self::OnlySource
        )
    }
}
