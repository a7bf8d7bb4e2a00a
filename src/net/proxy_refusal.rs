//! The refusal of a proxy to connect.

/// The refusal of a proxy to connect.
pub(super) struct ProxyRefusal {
    /// The reason, as the end of a sentence about the request.
    pub(super) words: String,
    /// Whether the proxy may connect to the same host by its name, or by another address.
    pub(super) is_of_address: bool,
    /// Whether the same request may succeed in a moment.
    pub(super) may_pass: bool,
}

impl ProxyRefusal {
    /// Returns a permanent refusal of the host, by whatever name or address.
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            is_of_address: false,
            may_pass: false,
        }
    }
}
