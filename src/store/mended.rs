//! What the store mends: times that a clock that ran ahead had stored, with their report, and indexes.

use std::fmt;

use chrono::{DateTime, Utc};

/// The tables whose indexes are compared with their rows.
#[derive(Clone, Copy, Debug)]
pub enum IndexesOf {
    /// The states of sources: which are due, and which have a file to publish. Takes 0.1 s for 100,000 sources.
    States,
    /// The other tables whose indexes decide what is done. Takes seconds for 100,000 sources.
    Work,
}

/// How many times were corrected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// The number of sources that are due now instead of beyond their interval.
    pub sources: usize,
    /// When the last of these sources would have been due.
    pub latest: Option<DateTime<Utc>>,
    /// The number of claims that would have held for longer than a lease.
    pub claims: usize,
    /// The number of notifiers that would have waited for longer than the longest pause.
    pub notifiers: usize,
}

impl Mended {
    pub(super) fn is_nothing(self) -> bool {
        self.sources + self.claims + self.notifiers == 0
    }
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let (sources @ 1.., Some(latest)) = (self.sources, self.latest) {
            let latest = latest.format("%Y-%m-%dT%H:%MZ");
            let noun = if sources == 1 { "source" } else { "sources" };
            parts.push(format!("{sources} {noun} due as late as {latest}: due now"));
        }
        if self.claims > 0 {
            parts.push(format!("claims ended: {}", self.claims));
        }
        if self.notifiers > 0 {
            parts.push(format!("notifiers tried again: {}", self.notifiers));
        }
        let parts = parts.join("; ");
        write!(
            f,
            "the clock ran ahead when these times were stored: {parts}"
        )
    }
}
