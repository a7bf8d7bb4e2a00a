//! Whether a request may be conditional: only when the stored bytes of the newest version are known to be good.
//!
//! Stored bytes can rot unseen while a server answers 304. So a request carries validators only when the bytes of the
//! newest version matched their digest within the last 24 hours, or match it now. Otherwise the whole file is
//! requested: its content shows whether the stored bytes are good, and replaces them if not. The version's objects are
//! looked for every time. Bytes that cannot be read at the moment, because the disk fails say, are reported; the
//! request is conditional.
//!
//! A pass reads back a bounded number of bytes, so that it ends in time. A version that exceeds the rest of that budget
//! is requested whole, and leaves the budget to shorter versions. In a catalogue whose newest versions were never read
//! back (an earlier gannet made it), the first passes read back as much as they may, and request the other files whole,
//! each source once.

use chrono::{DateTime, TimeDelta, Utc};

use super::pipeline::Pipeline;
use super::read_back::Bytes;
use crate::app::{ErrorKind, Result};
use crate::domain::{CLOCK_TOLERANCE, Claim, NewestVersion};

/// How long bytes that matched their digest count as good.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);

impl Pipeline {
    /// Returns what is known of the stored bytes of a claim's newest version. Reads them back when their check is due.
    pub(super) async fn newest_bytes(&self, claim: &Claim, now: DateTime<Utc>) -> Bytes {
        let Some(newest) = claim.newest.as_ref() else {
            return Bytes::Unknown;
        };
        match self.lost_object(newest).await {
            Ok(None) => {}
            Ok(Some(name)) => {
                let version = newest.id;
                tracing::warn!(
                    "version {version}: its object {name} is not as it was: asked for whole"
                );
                return Bytes::Damaged;
            }
            Err(error) => {
                self.add_unreadable(&claim.source.settings.name, error);
                return Bytes::Unreadable;
            }
        }
        if is_recent(claim.checked_at, now) {
            Bytes::Trusted
        } else if self.read_budget.take(newest.size_bytes) {
            self.read_back(claim, newest).await
        } else {
            Bytes::Unknown
        }
    }

    /// Returns the first object of a version that is missing or has another length than recorded.
    async fn lost_object(&self, newest: &NewestVersion) -> Result<Option<String>> {
        if newest.objects.is_empty() {
            return Ok(None);
        }
        let objects = newest.objects.clone();
        let lost = self.app.with_archive(move |archive| {
            for object in objects {
                if !archive.objects().has(&object)? {
                    return Ok(Some(object.name));
                }
            }
            Ok(None)
        });
        lost.await
    }

    async fn read_back(&self, claim: &Claim, newest: &NewestVersion) -> Bytes {
        let read = async {
            let version = self.version(newest.id).await?;
            self.app.content(&version).await
        };
        match read.await {
            Ok(_) => Bytes::Checked,
            Err(error) if error.kind == ErrorKind::Damaged => {
                tracing::warn!("version {}: {error}: asked for whole", newest.id);
                Bytes::Damaged
            }
            Err(error) => {
                self.add_unreadable(&claim.source.settings.name, error);
                Bytes::Unreadable
            }
        }
    }
}

/// Returns whether bytes that were good at `checked_at` still count as good. A time in the future is of a wrong clock.
fn is_recent(checked_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    checked_at.is_some_and(|at| now - at <= GOOD_FOR && at - now <= CLOCK_TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_as_good_for_a_day_by_a_clock_that_goes_right() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let hours = TimeDelta::hours;
        for (age, expected) in [
            (hours(0), true),
            (hours(23), true),
            (hours(24), true),
            (hours(24) + TimeDelta::milliseconds(1), false),
            (hours(25), false),
            (hours(24 * 365), false),
            (-CLOCK_TOLERANCE, true),
            (-CLOCK_TOLERANCE - TimeDelta::milliseconds(1), false),
            (-hours(24), false),
            (-hours(24 * 365), false),
        ] {
            assert_eq!(is_recent(Some(now - age), now), expected, "{age}");
        }
        assert!(!is_recent(None, now), "never checked");
    }
}
