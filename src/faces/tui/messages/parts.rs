//! The parts of the view of messages.

/// A part of the view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MessagePane {
    #[default]
    List,
    Body,
    Dead,
    Queues,
}

impl MessagePane {
    pub(crate) const ALL: [Self; 4] = [Self::List, Self::Body, Self::Dead, Self::Queues];
}

/// What there is to be shown, beside messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    /// The rows of the list of queues.
    pub(crate) queues: usize,
    /// The dead messages.
    pub(crate) dead: usize,
}
