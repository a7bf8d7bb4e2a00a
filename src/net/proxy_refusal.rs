//! What a proxy says instead of connecting.

/// What a proxy says instead of connecting.
pub(super) struct Refusal {
    /// Why, in words that follow what it was asked for.
    pub(super) words: String,
    /// Whether it may connect to the same host by its name, or by another address.
    pub(super) is_of_address: bool,
    /// Whether the same request may go well in a moment.
    pub(super) may_pass: bool,
}

impl Refusal {
    /// Returns one that is about the host, however it is named, and that stays until somebody changes something.
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            is_of_address: false,
            may_pass: false,
        }
    }
}
