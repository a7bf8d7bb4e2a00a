//! What is known of stored bytes, and how many more a pass may read back.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one pass reads back at most: a minute's work of a core, or two minutes of a slow disk.
const MOST_BYTES: u64 = 8 << 30;

/// What is known of the bytes of a newest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    /// They were good within the last 24 hours.
    Trusted,
    /// They were read just now, and are good.
    Checked,
    /// They were not read for longer, and this pass may not read so much more.
    Unknown,
    /// They cannot be read now: nothing is known against them.
    Unreadable,
    /// They are damaged or missing.
    Damaged,
}

impl Bytes {
    /// Tells whether an answer of "unchanged" leaves the source with good bytes, as far as can be told.
    pub(super) fn are_good(self) -> bool {
        matches!(self, Self::Trusted | Self::Checked | Self::Unreadable)
    }
}

/// How much more may be read back.
pub(super) struct ReadBudget(AtomicU64);

impl Default for ReadBudget {
    fn default() -> Self {
        Self(AtomicU64::new(MOST_BYTES))
    }
}

impl ReadBudget {
    /// Takes so many bytes if as many are left, and nothing otherwise. Returns whether they were.
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
