//! What was mended of times that a clock which ran ahead had stored.

use std::fmt;

use chrono::{DateTime, Utc};

/// How many times were mended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// Sources that are due now instead of at a time beyond their interval.
    pub sources: usize,
    /// When the last of them would have been due.
    pub latest: Option<DateTime<Utc>>,
    /// Claims that would have held for longer than one can.
    pub claims: usize,
    /// Notifiers that would have waited for longer than one may.
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
