//! The withdrawal of a published file or set.

use chrono::{DateTime, Utc};

/// The removal of what consumers saw of a source or a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// When the file or folder was removed.
    pub at: DateTime<Utc>,
    /// The reason, in one line for people.
    pub because: String,
}
