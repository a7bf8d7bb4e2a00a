//! That something is not published any more.

use chrono::{DateTime, Utc};

/// That what consumers saw of a source or a set is not published any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why, in one line for people.
    pub because: String,
}
