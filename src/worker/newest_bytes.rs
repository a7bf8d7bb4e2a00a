//! Whether a server may say "unchanged": only when the newest version's bytes are known to be good here.
//!
//! Bytes rot unseen while a server says 304. So a request goes with validators only when the bytes of the newest version were
//! seen to match their digest within the last 24 hours, or do so now. Otherwise the whole file is asked for, which shows by
//! itself whether the stored bytes are good, and heals them. That its objects lie in place is looked at every time. Bytes that cannot
//! be read now, for the disk's sake say, are told, and nothing follows for them.
//!
//! A pass reads back [`MOST_BYTES`] of content at most, so that it ends in time. A version that is longer than what is left of that is
//! asked for whole, and leaves the rest to the shorter ones after it. Of a catalogue whose newest versions were never read back
//! (an earlier gannet made it) the first passes read as much as they may, and fetch the rest whole, each source once, within
//! the bounds that hold for every fetch.

use chrono::{DateTime, TimeDelta, Utc};

use super::pipeline::Pipeline;
use super::read_back::Bytes;
use crate::app::{Error, ErrorKind, Result};
use crate::domain::{CLOCK_TOLERANCE, Claim, NewestVersion};

/// How long bytes that were read back count as good.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);

impl Pipeline {
    /// Returns what is known of the bytes that "unchanged" would leave a source with. Reads them when they are due to be checked.
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
            Err(error) => return self.told_unreadable(claim, error),
        }
        if is_recent(claim.checked_at, now) {
            Bytes::Trusted
        } else if self.read_budget.take(newest.size_bytes) {
            self.read_back(claim, newest).await
        } else {
            Bytes::Unknown
        }
    }

    /// Returns the first object of a version that is not where it should be, or not as long as it should be.
    async fn lost_object(&self, newest: &NewestVersion) -> Result<Option<String>> {
        if newest.objects.is_empty() {
            return Ok(None);
        }
        let objects = newest.objects.clone();
        let look = self.app.with_archive(move |archive| {
            for object in objects {
                if !archive.blobs().has_object(&object)? {
                    return Ok(Some(object.name));
                }
            }
            Ok(None)
        });
        look.await
    }

    /// Says that bytes cannot be read now. They are no damaged ones: the source is asked as if they were good.
    fn told_unreadable(&self, claim: &Claim, error: Error) -> Bytes {
        self.tell_unreadable(&claim.source.settings.name, error);
        Bytes::Unreadable
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
            Err(error) => self.told_unreadable(claim, error),
        }
    }
}

/// Tells whether bytes that were seen to be good then still count as good. A time that lies ahead is one of a clock that was wrong.
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
