//! Whether a server may say "unchanged": only when the newest version's bytes are known to be good here.
//!
//! Bytes rot unseen while a server says 304. Each source's newest version is read back once a day, as far as a pass may read;
//! one that cannot be read is asked for whole. Never reads a version again that was written or checked within the day.

use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};

use super::pipeline::Pipeline;
use crate::domain::{CLOCK_TOLERANCE, Claim, NewestVersion};

/// How long bytes that were read back count as good.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);

/// Unchecked for longer, because passes had more to read than they may, a version is asked for whole instead.
const UNCHECKED_AT_MOST: TimeDelta = TimeDelta::days(7);

/// What one pass reads back at most.
pub(super) const CHECKED_BYTES: u64 = 256 << 20;

/// What is known of the bytes of a newest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    /// They were good within the day, or this pass may not read more.
    Trusted,
    /// They were read just now, and are good.
    Checked,
    /// They are damaged, missing, or were not checked for too long.
    Doubtful,
}

impl Pipeline {
    /// Returns what is known of the bytes that "unchanged" would leave a source with. Reads them when they are due to be checked.
    pub(super) async fn newest_bytes(&self, claim: &Claim, now: DateTime<Utc>) -> Bytes {
        let Some(newest) = claim.newest.as_ref() else {
            return Bytes::Doubtful;
        };
        if !self.has_object(newest) {
            return Bytes::Doubtful;
        }
        let age = claim.checked_at.map(|checked_at| now - checked_at);
        if age.is_some_and(|age| age < GOOD_FOR && age > -CLOCK_TOLERANCE) {
            return Bytes::Trusted;
        }
        let spent = self.checked.fetch_add(newest.size_bytes, Ordering::Relaxed);
        if spent > 0 && spent.saturating_add(newest.size_bytes) > CHECKED_BYTES {
            return match age {
                Some(age) if age.abs() > UNCHECKED_AT_MOST => Bytes::Doubtful,
                _ => Bytes::Trusted,
            };
        }
        self.read_back(newest).await
    }

    async fn read_back(&self, newest: &NewestVersion) -> Bytes {
        let read = async {
            let version = self.version(newest.id).await?;
            self.app.content(&version).await
        };
        match read.await {
            Ok(_) => Bytes::Checked,
            Err(error) => {
                tracing::warn!("version {}: {error}: asked for whole", newest.id);
                Bytes::Doubtful
            }
        }
    }

    /// Tells whether the object of a version is there in its whole length, where it has one.
    fn has_object(&self, newest: &NewestVersion) -> bool {
        newest
            .object
            .as_ref()
            .is_none_or(|object| self.app.archive.has_object(object, newest.stored_bytes))
    }
}
