//! What is known of stored bytes, and the budget of a pass for reading bytes back.

use std::sync::atomic::{AtomicU64, Ordering};

/// The most bytes that one pass reads back: a minute's work of a core, or two minutes of a slow disk.
const MOST_BYTES: u64 = 8 << 30;

/// What is known of the stored bytes of a newest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    /// The bytes matched their digest within the last 24 hours.
    Trusted,
    /// The bytes were read back just now, and match their digest.
    Checked,
    /// The bytes were not read back for longer than that, and exceed the rest of the budget.
    Unknown,
    /// The bytes cannot be read at the moment, which does not mean that they are damaged.
    Unreadable,
    /// The bytes are damaged or missing.
    Damaged,
}

impl Bytes {
    /// Returns whether an unchanged source has good bytes, as far as is known.
    pub(super) fn are_good(self) -> bool {
        matches!(self, Self::Trusted | Self::Checked | Self::Unreadable)
    }
}

/// The number of bytes that a pass may still read back.
pub(super) struct ReadBudget(AtomicU64);

impl Default for ReadBudget {
    fn default() -> Self {
        Self(AtomicU64::new(MOST_BYTES))
    }
}

impl ReadBudget {
    /// Takes these bytes from the budget, if so many are left. Returns whether they were.
    pub(super) fn take(&self, bytes: u64) -> bool {
        let rest = |left: u64| left.checked_sub(bytes);
        let (order, on_failure) = (Ordering::Relaxed, Ordering::Relaxed);
        self.0.fetch_update(order, on_failure, rest).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_to_be_read_leaves_the_rest_to_what_is_shorter() {
        let budget = ReadBudget(AtomicU64::new(100));
        for (bytes, is_read) in [
            (101, false),
            (u64::MAX, false),
            (60, true),
            (41, false),
            (30, true),
            (11, false),
            (10, true),
            (1, false),
            (0, true),
        ] {
            assert_eq!(budget.take(bytes), is_read, "{bytes}");
        }
    }
}
